"""Work centers, bills of materials, orders and times: the fields of Odoo 19 that the simulator knows."""

from typing import Final

TABLE: Final = """\
[mrp.workcenter] Work Center | r | sequence, id
name char
code char indexed
active boolean =true
sequence integer required =1
company_id many2one:res.company
resource_id many2one:resource.resource required
resource_calendar_id many2one:resource.calendar
time_efficiency float =100
working_state selection readonly | normal blocked done
costs_hour float
oee_target float =90
blocked_time float readonly
productive_time float readonly
oee float readonly
order_ids one2many:mrp.workorder.workcenter_id
time_ids one2many:mrp.workcenter.productivity.workcenter_id
workorder_count integer readonly

[mrp.bom] Bill of Material | r | sequence, id
code char
active boolean =true
type selection required =normal | normal phantom
product_tmpl_id many2one:product.template required
product_id many2one:product.product
product_qty float required =1
product_uom_id many2one:uom.uom required
consumption selection required =warning | flexible warning strict
ready_to_produce selection required =all_available | all_available asap
bom_line_ids one2many:mrp.bom.line.bom_id
operation_ids one2many:mrp.routing.workcenter.bom_id
byproduct_ids one2many:mrp.bom.byproduct.bom_id
picking_type_id many2one:stock.picking.type
company_id many2one:res.company
sequence integer

[mrp.bom.line] Bill of Material Line | r | sequence, id
bom_id many2one:mrp.bom required
product_id many2one:product.product required
product_tmpl_id many2one:product.template readonly
product_qty float required =1
product_uom_id many2one:uom.uom required
operation_id many2one:mrp.routing.workcenter
sequence integer =1
tracking selection readonly | serial lot none
company_id many2one:res.company readonly

[mrp.bom.byproduct] Byproduct | r | sequence, id
bom_id many2one:mrp.bom
product_id many2one:product.product required
product_qty float required =1
product_uom_id many2one:uom.uom required
operation_id many2one:mrp.routing.workcenter
sequence integer =1
cost_share float
company_id many2one:res.company readonly

[mrp.routing.workcenter] Work Center Usage | r | bom_id, sequence, id
name char required
bom_id many2one:mrp.bom required
workcenter_id many2one:mrp.workcenter required
time_cycle float readonly
time_cycle_manual float =60
time_mode selection =manual | manual auto
sequence integer =100
active boolean =true
company_id many2one:res.company readonly

[mrp.production] Manufacturing Order | crwu | priority desc, date_start asc,id
name char readonly indexed =New
state selection readonly indexed =draft | draft confirmed progress to_close done cancel
reservation_state selection readonly | confirmed assigned waiting
priority selection =0 | 0 1
origin char
product_id many2one:product.product required
product_tracking selection readonly | serial lot none
product_qty float required =1
product_uom_id many2one:uom.uom required
qty_producing float
qty_produced float readonly
bom_id many2one:mrp.bom
consumption selection required readonly =warning | flexible warning strict
lot_producing_ids many2many:stock.lot
serial_numbers_count integer readonly
move_raw_ids one2many:stock.move.raw_material_production_id
move_byproduct_ids many2many:stock.move readonly
move_finished_ids one2many:stock.move.production_id
workorder_ids one2many:mrp.workorder.production_id
date_start datetime required
date_finished datetime readonly
date_deadline datetime
company_id many2one:res.company required
user_id many2one:res.users
picking_type_id many2one:stock.picking.type required
location_src_id many2one:stock.location required
location_dest_id many2one:stock.location required
production_location_id many2one:stock.location readonly
is_locked boolean =true
is_planned boolean readonly
backorder_sequence integer =1
production_group_id many2one:mrp.production.group
scrap_ids one2many:stock.scrap.production_id

[mrp.unbuild] Unbuild Order | crwu | id desc
name char readonly =New
mo_id many2one:mrp.production
product_id many2one:product.product required
product_qty float required =1
product_uom_id many2one:uom.uom required
bom_id many2one:mrp.bom
lot_id many2one:stock.lot
has_tracking selection readonly | serial lot none
location_id many2one:stock.location required
location_dest_id many2one:stock.location required
state selection readonly =draft | draft done
company_id many2one:res.company required

[mrp.workorder] Work Order | crwu | sequence, date_start, id
name char required
state selection readonly =ready | blocked ready progress done cancel
sequence integer
barcode char readonly
workcenter_id many2one:mrp.workcenter required
operation_id many2one:mrp.routing.workcenter
production_id many2one:mrp.production required readonly
production_state selection readonly | draft confirmed progress to_close done cancel
product_id many2one:product.product readonly
product_uom_id many2one:uom.uom readonly
qty_production float readonly
qty_producing float
qty_produced float
qty_remaining float readonly
qty_ready float readonly
duration_expected float
duration float
date_start datetime
date_finished datetime
leave_id many2one:resource.calendar.leaves
is_user_working boolean readonly
working_state selection readonly | normal blocked done
working_user_ids many2many:res.users readonly
time_ids one2many:mrp.workcenter.productivity.workorder_id
blocked_by_workorder_ids many2many:mrp.workorder
move_raw_ids one2many:stock.move.workorder_id
company_id many2one:res.company readonly

[mrp.workcenter.productivity.loss.type] MRP Workorder productivity losses | r | id
loss_type selection required | availability performance quality productive

[mrp.workcenter.productivity.loss] Workcenter Productivity Losses | r | sequence, id
name char required
loss_id many2one:mrp.workcenter.productivity.loss.type
loss_type selection | availability performance quality productive
manual boolean =false
sequence integer =1

[mrp.workcenter.productivity] Workcenter Productivity Log | crwu | id desc
workcenter_id many2one:mrp.workcenter required
workorder_id many2one:mrp.workorder
production_id many2one:mrp.production readonly
user_id many2one:res.users
loss_id many2one:mrp.workcenter.productivity.loss required
loss_type selection | availability performance quality productive
description text
date_start datetime required
date_end datetime
duration float readonly
company_id many2one:res.company required

[resource.calendar] Resource Working Time | r | id
name char required
tz char =UTC

[resource.calendar.leaves] Resource Time Off Detail | crwu | date_from
name char
resource_id many2one:resource.resource
calendar_id many2one:resource.calendar
date_from datetime required
date_to datetime required
time_type selection =leave | leave other
company_id many2one:res.company

[resource.resource] Resources | r | name
name char required
calendar_id many2one:resource.calendar
resource_type char =material

[change.production.qty] Change Production Qty | crw | id
mo_id many2one:mrp.production required
product_qty float required

[mrp.production.group] Production Group | r | id
name char required
production_ids one2many:mrp.production.production_group_id
"""
