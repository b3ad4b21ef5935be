"""What Odoo itself is set up with, which only administrators see: models, views, menus, actions, groups, rights."""

from typing import Final

TABLE: Final = """\
[ir.model] Models | | model
name char required
model char required indexed
state char
field_id one2many:ir.model.fields.model_id

[ir.model.fields] Fields | | name
name char required
model_id many2one:ir.model required
field_description char
ttype char
state char
relation char
on_delete char
required boolean
index boolean

[ir.model.access] Model Access | | name
name char required
model_id many2one:ir.model required
group_id many2one:res.groups
perm_read boolean
perm_write boolean
perm_create boolean
perm_unlink boolean

[ir.model.data] External Identifiers | | module, model, name
module char required
name char required indexed
model char required
res_id many2one_reference
noupdate boolean

[ir.module.module] Module | | name
name char required

[ir.ui.view] View | | name
name char required
model char
type char
arch text

[ir.ui.menu] Menu | | sequence, id
name char required
parent_id many2one:ir.ui.menu
action reference
sequence integer =10
group_ids many2many:res.groups

[ir.actions.act_window] Action Window | | name
name char required
res_model char required
view_mode char
domain char
binding_model_id many2one:ir.model
binding_view_types char
group_ids many2many:res.groups

[ir.actions.server] Server Action | | name
name char required
model_id many2one:ir.model
state char =code
code text
group_ids many2many:res.groups

[res.groups] Access Groups | r | name
name char required
user_ids many2many:res.users
"""
