"""Where people in Odoo see what the bridge did: the list of transactions, and the way between it and each document."""

from __future__ import annotations

from typing import Final

from odoo_adapter.inbox.administrator import MODEL, Administrator
from odoo_adapter.rights import INSPECTIONS

_OF_ORDER: Final = "('x_order_id','=',active_id)"
_OWN_ROWS: Final = "('x_kind','not in',['@guard','@upto'])"

DOCUMENTS: Final = (
    *("mrp.production", "mrp.workorder", "mrp.unbuild"),
    *("stock.scrap", "stock.picking", "stock.lot"),
    "maintenance.request",
)
"""On these, and on inspections, people find under the gear the transactions that made or changed them."""

_OPEN: Final = """action = {'type': 'ir.actions.act_window', 'res_model': record.x_res_model, 'res_id': record.x_res_id,
          'views': [(False, 'form')]} if record.x_res_id else False
"""

_FORM: Final = """<form create="0" edit="0" delete="0">
<header><button name="{document}" type="action" string="Document" invisible="not x_res_id"/></header>
<sheet><group>
<field name="x_name"/><field name="x_kind"/><field name="x_state"/><field name="x_message"/><field name="x_order_id"/>
<field name="x_by"/><field name="x_done_at"/><field name="x_res_model"/><field name="x_res_id"/>
<field name="x_total" invisible="not x_total"/>
<field name="x_payload"/><field name="x_result"/><field name="x_hash"/></group></sheet></form>"""

_LIST: Final = """<{tag} create="0" edit="0" delete="0"><field name="create_date"/><field name="x_name"/>
<field name="x_kind"/><field name="x_state"/><field name="x_order_id"/><field name="x_message"/><field name="x_by"/>
<field name="x_done_at"/></{tag}>"""

_SEARCH: Final = """<search><field name="x_name"/><field name="x_order_id"/><field name="x_by"/>
<filter name="refused" string="Refused" domain="[('x_state','=','refused')]"/>
<filter name="held" string="Held" domain="[('x_state','=','held')]"/></search>"""


async def make_views(run: Administrator, model: int, manager: int, group: int) -> None:
    """The list with its menu, a button from a transaction to its document, and the way back from each document."""
    tag = run.can.list_view
    groups = {run.can.groups_field: [[6, 0, [manager, group]]]}
    opens = {"name": "Document", "model_id": model, "state": "code", "code": _OPEN, **groups}
    document = await run.ensure("act_document", "ir.actions.server", opens)
    for name, kind, arch in (
        ("view_list", tag, _LIST.format(tag=tag)),
        ("view_form", "form", _FORM.format(document=document)),
        ("view_search", "search", _SEARCH),
    ):
        await run.ensure(name, "ir.ui.view", {"name": f"uns.{name}", "model": MODEL, "type": kind, "arch": arch})
    window = {"name": "Bridge transactions", "res_model": MODEL, "view_mode": f"{tag},form", **groups}
    shown = await run.ensure("act_tx", "ir.actions.act_window", {**window, "domain": f"[{_OWN_ROWS}]"})
    menu = {
        "name": "Bridge transactions",
        "parent_id": await run.ref("menu_mrp_root"),
        "action": f"ir.actions.act_window,{shown}",
        "sequence": 95,
        **groups,
    }
    await run.ensure("menu_tx", "ir.ui.menu", menu)
    there = [name for name in INSPECTIONS if await run.search("ir.model", [["model", "=", name]])]
    for name in (*DOCUMENTS, *there):
        of_it = _OF_ORDER if name == "mrp.production" else f"('x_res_model','=','{name}'),('x_res_id','=',active_id)"
        bound = {
            "binding_model_id": await run.one("ir.model", [["model", "=", name]], f"the model {name}"),
            "binding_view_types": "form",
            "domain": f"[{of_it},{_OWN_ROWS}]",
        }
        await run.ensure(way_back(name), "ir.actions.act_window", {**window, **bound})


def way_back(model: str) -> str:
    """The external id of the way from a document of this model to its transactions."""
    return f"act_tx_{model.replace('.', '_')}"
