"""Companies, units and products: the fields of Odoo 19 that the simulator knows."""

from typing import Final

TABLE: Final = """\
[res.company] Companies | r | id
name char required

[uom.uom] Product Unit of Measure | r | sequence, relative_uom_id, id
name char required
sequence integer
relative_factor float required =1
relative_uom_id many2one:uom.uom
factor float readonly =1
rounding float readonly =0.01
active boolean =true
parent_path char

[product.template] Product | r | name
name char required
default_code char
barcode char
type selection required =consu | consu service combo
is_storable boolean
tracking selection required =none | serial lot none
uom_id many2one:uom.uom required
active boolean =true
sale_ok boolean =true
purchase_ok boolean =true
list_price float
standard_price float
use_expiration_date boolean
expiration_time integer
company_id many2one:res.company
product_variant_ids one2many:product.product.product_tmpl_id
product_variant_id many2one:product.product readonly
bom_ids one2many:mrp.bom.product_tmpl_id

[product.product] Product Variant | r | default_code, name, id
name char required
default_code char indexed
barcode char
type selection required =consu | consu service combo
is_storable boolean
tracking selection required =none | serial lot none
uom_id many2one:uom.uom required
active boolean =true
sale_ok boolean =true
purchase_ok boolean =true
product_tmpl_id many2one:product.template required
company_id many2one:res.company
qty_available float
standard_price float
use_expiration_date boolean
expiration_time integer

[res.partner] Contact | r | name
name char
email char
company_id many2one:res.company
"""
