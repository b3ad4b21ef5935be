"""Install, upgrade and remove the inbox as an administrator. Every run ends in the same state.

Every record has an external id `uns_bridge.<name>` with `noupdate`, by which a second run finds it again; no module
of that name must ever exist in Odoo. Creating the model reloads Odoo's registry for some seconds: do it off shift.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from odoo_adapter.client.api import OdooApi
from odoo_adapter.errors import Refused
from odoo_adapter.inbox.action import ACTIONS, LIGHT, Action, action_text, inbox_hash, kinds_of
from odoo_adapter.inbox.administrator import MODEL, MODULE, Administrator
from odoo_adapter.inbox.views import DOCUMENTS, make_views, way_back
from odoo_adapter.rights import INSPECTIONS

__all__ = ["DOCUMENTS", "MODEL", "MODULE", "Installed", "install", "uninstall"]

LOSSES: Final = "mrp.workcenter.productivity.loss"
_FIELDS: Final[tuple[tuple[str, str, str, dict[str, object]], ...]] = (
    ("x_name", "Key", "char", {"required": True}),
    ("x_kind", "Kind", "char", {}),
    ("x_hash", "Payload hash", "char", {}),
    ("x_by", "Caused by", "char", {}),
    ("x_state", "State", "char", {}),
    ("x_message", "Message", "text", {}),
    ("x_payload", "Payload", "text", {}),
    ("x_result", "Result", "text", {}),
    ("x_total", "Total", "float", {}),
    ("x_done_at", "Applied at", "datetime", {}),
    (
        "x_order_id",
        "Manufacturing order",
        "many2one",
        {"relation": "mrp.production", "on_delete": "set null", "index": True},
    ),
    ("x_res_model", "Document model", "char", {}),
    ("x_res_id", "Document id", "integer", {}),
)

_INDEXES: Final = """
env.cr.execute("CREATE UNIQUE INDEX IF NOT EXISTS x_uns_transaction_key_uniq ON x_uns_transaction (x_name)")
env.cr.execute("CREATE INDEX IF NOT EXISTS x_uns_transaction_done ON x_uns_transaction (x_done_at)")
"""

_INDEXED: Final = """
env.cr.execute(\"\"\"SELECT indisvalid AND indisunique AND to_regclass('x_uns_transaction_done') IS NOT NULL
                  FROM pg_index WHERE indexrelid=to_regclass('x_uns_transaction_key_uniq')\"\"\")
row = env.cr.fetchone()
action = {'indexed': bool(row and row[0])}
"""

_MARK: Final = """
env.cr.execute(\"\"\"INSERT INTO x_uns_transaction (x_name,x_kind,x_state,x_res_model,x_res_id,x_hash)
                  VALUES (%s,'@guard','done','ir.actions.server',%s,%s)
                  ON CONFLICT (x_name) DO UPDATE SET x_res_id=EXCLUDED.x_res_id, x_hash=EXCLUDED.x_hash\"\"\",
               [env.context['uns_marker'], env.context['uns_action'], env.context['uns_hash']])
action = {'marked': True}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What an installation did, line by line, and what stands now."""

    actions: tuple[int, ...]
    group: int
    sha: str
    log: tuple[str, ...]


async def install(odoo: OdooApi, logins: Sequence[str]) -> Installed:
    """Install or upgrade the inbox and let the users with these logins use it.

    Needs the rights of Settings, Manufacturing and Inventory administrators. What stands already is not written.
    """
    run = Administrator(odoo, await odoo.capabilities())
    group = await _group(run, logins)
    model = await _model(run)
    manager = await run.ref("group_mrp_manager")
    for name, members in (("acl_bridge", group), ("acl_mgr", manager)):
        values = {"name": f"UNS {name}", "model_id": model, "group_id": members}
        access = await run.ensure(name, "ir.model.access", values)
        rights = {"perm_read": True, "perm_write": False, "perm_create": False, "perm_unlink": False}
        await run.change(name, "ir.model.access", access, rights)  # seen on 17 and 19: it works after its first write
    await _indexes(run)
    await _stock(run)
    await make_views(run, model, manager, group)
    actions = tuple([await _action(run, action, model, group) for action in ACTIONS])
    run.log.append(f"the inbox has sha256 {inbox_hash()}")
    return Installed(actions=actions, group=group, sha=inbox_hash(), log=tuple(run.log))


async def uninstall(odoo: OdooApi, *, drop_history: bool) -> tuple[str, ...]:
    """Remove the inbox; what was posted stays readable unless `drop_history`. The hold location always stays."""
    run = Administrator(odoo, await odoo.capabilities())
    windows = [way_back(model) for model in (*DOCUMENTS, *INSPECTIONS)]
    actions = [*(action.name for action in ACTIONS), "act_document", "action_indexed"]
    names = ["menu_tx", "act_tx", *windows, "view_search", "view_form", "view_list", *actions]
    if drop_history:
        names += ["acl_bridge", "acl_mgr", "model_tx", "group_bridge"]
    models = {
        "menu_tx": "ir.ui.menu",
        "act_tx": "ir.actions.act_window",
        **dict.fromkeys(windows, "ir.actions.act_window"),
        **dict.fromkeys(actions, "ir.actions.server"),
        "model_tx": "ir.model",
        "group_bridge": "res.groups",
    }
    for name in names:
        id = await run.find(name)
        if id is not None:
            model = models.get(name, "ir.model.access" if name.startswith("acl") else "ir.ui.view")
            await odoo.call(model, "unlink", writes=True, ids=[id])
            run.log.append(f"removed {name}")
    return tuple(run.log)


async def _group(run: Administrator, logins: Sequence[str]) -> int:
    users = [await run.one("res.users", [["login", "=", login]], f"the user {login}") for login in logins]
    group = await run.ensure("group_bridge", "res.groups", {"name": "UNS bridge"})
    await run.change("group_bridge", "res.groups", group, {run.can.users_field: [[4, user] for user in users]})
    run.log += [f"user {login} may use the inbox" for login in logins]
    return group


async def _model(run: Administrator) -> int:
    def definition(name: str, label: str, kind: str, more: Mapping[str, object]) -> dict[str, object]:
        return {"name": name, "field_description": label, "ttype": kind, "state": "manual", **more}

    fields = [[0, 0, definition(*one)] for one in _FIELDS]
    first = {"model": MODEL, "state": "manual", "field_id": fields}
    model = await run.ensure("model_tx", "ir.model", {"name": "UNS transaction"}, first)
    rows = await run.odoo.call(
        "ir.model.fields", "search_read", writes=False, domain=[["model_id", "=", model]], fields=["name"]
    )
    have = {row["name"] for row in rows}
    for one in _FIELDS:
        if one[0] not in have:
            await run.create("ir.model.fields", {"model_id": model, **definition(*one)})
            run.log.append(f"added field {one[0]}")
    return model


async def _indexes(run: Administrator) -> None:
    """Without the unique index a key could take effect twice. The action that asks for it stays: making it for each
    question and removing it again would empty Odoo's caches."""
    only = {run.can.groups_field: [[6, 0, [await run.ref("group_system", "base")]]]}
    asking = await run.ensure("action_indexed", "ir.actions.server", {**await run.code(_INDEXED), **only})
    if not (await run.run(asking, writes=False))["indexed"]:
        await run.run_once(_INDEXES)
        if not (await run.run(asking, writes=False))["indexed"]:
            raise Refused("index", "the unique index on x_uns_transaction could not be made")
        run.log.append("made the unique index on the key")
    run.log.append("unique index on the key is there")


async def _stock(run: Administrator) -> None:
    """The hold location beside the stock, where no order reserves from, and a loss reason for unclassified stops."""
    company = run.odoo.connection.company
    warehouse = await run.one("stock.warehouse", [["company_id", "=", company]], f"a warehouse of company {company}")
    rows = await run.odoo.call("stock.warehouse", "read", writes=False, ids=[warehouse], fields=["view_location_id"])
    place = {"location_id": rows[0]["view_location_id"][0], "usage": "internal", "company_id": company}
    names = {"name": "Quality Hold"}
    await run.adopt(f"location_hold_{company}", "stock.location", _equal({**names, **place}))
    await run.ensure(f"location_hold_{company}", "stock.location", names, place)
    names = {"name": "Unclassified"}
    loss = {"loss_id": await run.ref("category_availability"), "manual": True, "sequence": 9}
    await run.adopt("loss_unclassified", LOSSES, _equal(names))
    await run.ensure("loss_unclassified", LOSSES, names, loss)


def _equal(values: Mapping[str, object]) -> list[object]:
    return [[name, "=", value] for name, value in values.items()]


async def _action(run: Administrator, action: Action, model: int, group: int) -> int:
    sha = inbox_hash()
    values = {
        "name": f"UNS bridge inbox{', often used kinds' if action is LIGHT else ''} (do not edit; {sha[:12]})",
        "model_id": model,
        "state": "code",
        "code": action_text(action),
        run.can.groups_field: [[6, 0, [group]]],
    }
    id = await run.ensure(action.name, "ir.actions.server", values)
    marked = _equal({"x_name": action.marker, "x_res_id": id, "x_hash": sha})
    if not await run.search(MODEL, marked):
        await run.run_once(_MARK, uns_marker=action.marker, uns_action=id, uns_hash=sha)
        run.log.append(f"marked {action.name}")
    run.log.append(f"action {id} holds {len(kinds_of(action))} kinds")
    return id
