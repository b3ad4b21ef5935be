"""Locations, lots, quantities, moves and scrap: the fields of Odoo 19 that the simulator knows."""

from typing import Final

TABLE: Final = """\
[stock.warehouse] Warehouse | r | id
name char required
code char required
company_id many2one:res.company required readonly
view_location_id many2one:stock.location required
lot_stock_id many2one:stock.location required
int_type_id many2one:stock.picking.type
active boolean =true

[stock.location] Inventory Locations | r | complete_name, id
name char required
complete_name char readonly
usage selection required =internal | supplier view internal customer inventory production transit
location_id many2one:stock.location
parent_path char
company_id many2one:res.company
active boolean =true
barcode char
warehouse_id many2one:stock.warehouse readonly
child_ids one2many:stock.location.location_id
quant_ids one2many:stock.quant.location_id
replenish_location boolean

[stock.picking.type] Picking Type | r | id
name char required
code selection required | incoming outgoing internal mrp_operation
sequence_code char required
default_location_src_id many2one:stock.location required
default_location_dest_id many2one:stock.location required
warehouse_id many2one:stock.warehouse
company_id many2one:res.company required
active boolean =true

[stock.picking] Transfer | crwu | id desc
name char readonly indexed
origin char indexed
state selection readonly =draft | draft waiting confirmed assigned done cancel
picking_type_id many2one:stock.picking.type required
location_id many2one:stock.location required
location_dest_id many2one:stock.location required
company_id many2one:res.company required
date_done datetime
move_ids one2many:stock.move.picking_id

[stock.lot] Lot/Serial | crwu | name, id
name char required indexed
ref char
note html
product_id many2one:product.product required
product_uom_id many2one:uom.uom readonly
company_id many2one:res.company
location_id many2one:stock.location
product_qty float readonly
expiration_date datetime
quant_ids one2many:stock.quant.lot_id readonly

[stock.quant] Quants | crw | location_id,inventory_date,product_id,id
product_id many2one:product.product required
product_tmpl_id many2one:product.template readonly
product_uom_id many2one:uom.uom readonly
lot_id many2one:stock.lot
package_id many2one:stock.package
owner_id many2one:res.partner
location_id many2one:stock.location required
company_id many2one:res.company readonly
quantity float readonly
reserved_quantity float required readonly
available_quantity float readonly
inventory_quantity float
inventory_quantity_set boolean
inventory_date date
in_date datetime required readonly
tracking selection readonly | serial lot none

[stock.package] Package | r | name
name char required

[stock.move] Stock Move | crwu | sequence, id
reference char readonly
origin char
state selection readonly =draft | draft waiting confirmed partially_available assigned done cancel
date datetime required
product_id many2one:product.product required
product_uom many2one:uom.uom required
product_uom_qty float required
quantity float
picked boolean
has_tracking selection readonly | serial lot none
location_id many2one:stock.location required
location_dest_id many2one:stock.location required
company_id many2one:res.company required
sequence integer
unit_factor float readonly
should_consume_qty float readonly
manual_consumption boolean
bom_line_id many2one:mrp.bom.line
byproduct_id many2one:mrp.bom.byproduct
operation_id many2one:mrp.routing.workcenter
workorder_id many2one:mrp.workorder
raw_material_production_id many2one:mrp.production
production_id many2one:mrp.production
scrap_id many2one:stock.scrap readonly
picking_id many2one:stock.picking
unbuild_id many2one:mrp.unbuild
move_line_ids one2many:stock.move.line.move_id
lot_ids many2many:stock.lot
picking_type_id many2one:stock.picking.type

[stock.move.line] Product Moves (Stock Move Line) | crwu | id
move_id many2one:stock.move
picking_id many2one:stock.picking
owner_id many2one:res.partner
reference char
product_id many2one:product.product
product_uom_id many2one:uom.uom required
lot_id many2one:stock.lot
lot_name char
package_id many2one:stock.package
quantity float
picked boolean
location_id many2one:stock.location required
location_dest_id many2one:stock.location required
state selection readonly indexed | draft waiting confirmed partially_available assigned done cancel
date datetime required
tracking selection readonly | serial lot none
company_id many2one:res.company required readonly
consume_line_ids many2many:stock.move.line
produce_line_ids many2many:stock.move.line
production_id many2one:mrp.production

[stock.scrap.reason.tag] Scrap Reason Tag | crw | sequence, id
name char required
color char
sequence integer

[stock.scrap] Scrap | crw | id desc
name char required readonly =New
state selection readonly =draft | draft done
date_done datetime readonly
product_id many2one:product.product required
product_uom_id many2one:uom.uom required
scrap_qty float required =1
lot_id many2one:stock.lot
location_id many2one:stock.location required
scrap_location_id many2one:stock.location required
production_id many2one:mrp.production
workorder_id many2one:mrp.workorder
origin char
company_id many2one:res.company required
move_ids one2many:stock.move.scrap_id
scrap_reason_tag_ids many2many:stock.scrap.reason.tag
should_replenish boolean
tracking selection readonly | serial lot none
"""
