"""Maintenance, notes, users and the list of transactions: the fields of Odoo 19 that the simulator knows."""

from typing import Final

TABLE: Final = """\
[maintenance.team] Maintenance Teams | crwu | name asc
name char required
active boolean =true
company_id many2one:res.company

[maintenance.stage] Maintenance Stage | crwu | sequence, id
name char required
sequence integer =20
done boolean
fold boolean

[maintenance.equipment.category] Maintenance Equipment Category | crwu | id
name char required
company_id many2one:res.company

[maintenance.equipment] Maintenance Equipment | crwu | id
name char required
active boolean =true
serial_no char indexed
category_id many2one:maintenance.equipment.category
maintenance_team_id many2one:maintenance.team
company_id many2one:res.company
equipment_assign_to selection required =employee | department employee other
effective_date date required
model char
note html
owner_user_id many2one:res.users readonly
technician_user_id many2one:res.users
maintenance_ids one2many:maintenance.request.equipment_id
maintenance_count integer readonly
maintenance_open_count integer readonly

[maintenance.request] Maintenance Request | crwu | id desc
name char required
description html
maintenance_type selection =corrective | corrective preventive
priority selection | 0 1 2 3
stage_id many2one:maintenance.stage
kanban_state selection required =normal | normal blocked done
done boolean readonly
archive boolean
equipment_id many2one:maintenance.equipment
category_id many2one:maintenance.equipment.category readonly
maintenance_team_id many2one:maintenance.team required
company_id many2one:res.company required
user_id many2one:res.users
owner_user_id many2one:res.users readonly
request_date date
schedule_date datetime
schedule_end datetime
close_date date
duration float readonly
recurring_maintenance boolean
repeat_interval integer =1
repeat_unit selection =week | day week month year

[mail.message] Message | crwu | id desc
model char
res_id many2one_reference
body html
subject char
message_type selection required =comment | email comment notification
author_id many2one:res.partner
date datetime
record_name char readonly

[mail.activity.type] Activity Type | r | id
name char required

[mail.activity] Activity | crwu | date_deadline, id
res_model_id many2one:ir.model
res_model char readonly
res_id many2one_reference
activity_type_id many2one:mail.activity.type
summary char
note html
feedback char
date_deadline date required
user_id many2one:res.users
active boolean =true

[res.users] User | r | name, login
name char required
login char required
email char
lang selection =en_US | en_US
tz char
active boolean =true
company_id many2one:res.company required
company_ids many2many:res.company
partner_id many2one:res.partner
group_ids many2many:res.groups

[res.users.apikeys] API Keys | r | id
name char required
user_id many2one:res.users required
expiration_date datetime

[x_uns_transaction] UNS transaction | r | id
x_name char required indexed
x_kind char
x_hash char
x_by char
x_state char
x_message text
x_payload text
x_result text
x_total float
x_done_at datetime
x_order_id many2one:mrp.production
x_res_model char
x_res_id integer
"""
