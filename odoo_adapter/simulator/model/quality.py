"""Inspections, where the simulator is to have them: the fields of OCA's quality control for Odoo 18, and those of
Enterprise's quality checks that its public documentation names."""

from typing import Final

OCA: Final = """\
[qc.test] Quality control test | r | id
name char required
active boolean =true
test_lines one2many:qc.test.question.test
company_id many2one:res.company

[qc.test.question] Quality control question | r | sequence, id
sequence integer =10
test many2one:qc.test
name char required
type selection required | qualitative quantitative
ql_values one2many:qc.test.question.value.test_line
min_value float
max_value float
uom_id many2one:uom.uom

[qc.test.question.value] Possible values for qualitative questions. | r | id
test_line many2one:qc.test.question
name char required
ok boolean

[qc.inspection] Quality control inspection | crwu | id
name char required
date datetime required
object_id reference | product.product stock.picking stock.move stock.lot mrp.production
test many2one:qc.test
inspection_lines one2many:qc.inspection.line.inspection_id
internal_notes text
state selection =draft | plan draft ready waiting success failed canceled
success boolean readonly
company_id many2one:res.company
user many2one:res.users

[qc.inspection.line] Quality control inspection line | crwu | id
inspection_id many2one:qc.inspection
name char
possible_ql_values many2many:qc.test.question.value
quantitative_value float
qualitative_value many2one:qc.test.question.value
min_value float
max_value float
uom_id many2one:uom.uom
question_type selection | qualitative quantitative
success boolean readonly

[qc.inspection.set.test] Set test for inspection | crw | id
test many2one:qc.test
"""

ENTERPRISE: Final = """\
[quality.alert.team] Quality Alert Team | r | id
name char required
company_id many2one:res.company

[quality.point.test_type] Quality Control Test Type | r | id
name char required
technical_name char required

[quality.point] Quality Control Point | r | id
title char
team_id many2one:quality.alert.team
test_type_id many2one:quality.point.test_type
company_id many2one:res.company

[quality.check] Quality Check | crw | id
name char required
quality_state selection =none | none pass fail
product_id many2one:product.product
point_id many2one:quality.point
team_id many2one:quality.alert.team required
test_type_id many2one:quality.point.test_type required
user_id many2one:res.users
note html
lot_ids many2many:stock.lot
production_id many2one:mrp.production
company_id many2one:res.company
"""
