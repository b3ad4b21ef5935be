"""Install, upgrade and remove the inbox as an administrator. Every run ends in the same state.

Every record has an external id `uns_bridge.<name>` with `noupdate`, by which a second run finds it again; no module
of that name must ever exist in Odoo. Creating the model reloads Odoo's registry for some seconds: do it off shift.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Final

from odoo_adapter.client.api import OdooApi
from odoo_adapter.errors import Refused
from odoo_adapter.versions import Capabilities

MODULE: Final = "uns_bridge"
MODEL: Final = "x_uns_transaction"
LOSSES: Final = "mrp.workcenter.productivity.loss"
MARKER: Final = "@inbox"
PARTS: Final = (
    *("frame", "unit", "order", "progress", "completion", "scrap"),
    *("downtime", "note", "maintenance", "work_order", "protocol"),
)
"""The action's text, in order: what all use, then the kinds, at last what a request is. Each kind enters itself."""

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
env.cr.execute(\"\"\"SELECT indisvalid AND indisunique FROM pg_index
                  WHERE indexrelid='x_uns_transaction_key_uniq'::regclass\"\"\")
action = {'unique': env.cr.fetchone()[0]}
"""

_MARK: Final = """
env.cr.execute(\"\"\"INSERT INTO x_uns_transaction (x_name,x_kind,x_state,x_res_model,x_res_id,x_hash)
                  VALUES ('@inbox','@guard','done','ir.actions.server',%s,%s)
                  ON CONFLICT (x_name) DO UPDATE SET x_res_id=EXCLUDED.x_res_id, x_hash=EXCLUDED.x_hash\"\"\",
               [env.context['uns_action'], env.context['uns_hash']])
action = {'marked': True}
"""

_FORM: Final = """<form create="0" edit="0" delete="0"><sheet><group>
<field name="x_name"/><field name="x_kind"/><field name="x_state"/><field name="x_message"/><field name="x_order_id"/>
<field name="x_by"/><field name="x_done_at"/><field name="x_res_model"/><field name="x_res_id"/><field name="x_total"/>
<field name="x_payload"/><field name="x_result"/><field name="x_hash"/></group></sheet></form>"""

_LIST: Final = """<{tag} create="0" edit="0" delete="0"><field name="create_date"/><field name="x_name"/>
<field name="x_kind"/><field name="x_state"/><field name="x_order_id"/><field name="x_message"/><field name="x_by"/>
<field name="x_done_at"/></{tag}>"""

_SEARCH: Final = """<search><field name="x_name"/><field name="x_order_id"/><field name="x_by"/>
<filter name="refused" string="Refused" domain="[('x_state','=','refused')]"/></search>"""


def action_text() -> str:
    """The text of the server action, as it is stored in Odoo: its parts, one after the other."""
    folder = resources.files("odoo_adapter.inbox").joinpath("text")
    return "\n".join(folder.joinpath(f"{part}.py.txt").read_text("utf-8") for part in PARTS).strip()


def action_hash() -> str:
    """The SHA-256 of `action_text`, in hexadecimal. It names the inbox's exact behaviour."""
    return hashlib.sha256(action_text().encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What an installation did, line by line, and what stands now."""

    action: int
    group: int
    sha: str
    log: tuple[str, ...]


@dataclass(slots=True)
class _Run:
    """One run of the installer: the connection, and the log of what it did."""

    odoo: OdooApi
    can: Capabilities
    log: list[str] = field(default_factory=list)

    async def search(self, model: str, domain: Sequence[object]) -> list[int]:
        found: list[int] = await self.odoo.call(
            model, "search", writes=False, domain=list(domain), context={"active_test": False}, limit=1, order="id"
        )
        return found

    async def one(self, model: str, domain: Sequence[object], what: str) -> int:
        found = await self.search(model, domain)
        if not found:
            raise Refused("missing", f"{what} is not in this database; are Manufacturing and Inventory installed?")
        return found[0]

    async def create(self, model: str, values: Mapping[str, object]) -> int:
        created: list[int] = await self.odoo.call(model, "create", writes=True, vals_list=[dict(values)])
        return created[0]

    async def write(self, model: str, id: int, values: Mapping[str, object]) -> None:
        await self.odoo.call(model, "write", writes=True, ids=[id], vals=dict(values))

    async def find(self, name: str, module: str = MODULE) -> int | None:
        """The record of an external id, if both still exist. An external id can outlive its record."""
        rows: list[dict[str, Any]] = await self.odoo.call(
            "ir.model.data",
            "search_read",
            writes=False,
            domain=[["module", "=", module], ["name", "=", name]],
            fields=["model", "res_id"],
        )
        for row in rows:
            if await self.search(row["model"], [["id", "=", row["res_id"]]]):
                return int(row["res_id"])
            await self.odoo.call("ir.model.data", "unlink", writes=True, ids=[row["id"]])
        return None

    async def ref(self, name: str, module: str = "mrp") -> int:
        found = await self.find(name, module)
        if found is None:
            raise Refused("missing", f"{module}.{name} is not in this database; is Manufacturing installed?")
        return found

    async def ensure(
        self, name: str, model: str, values: Mapping[str, object], first: Mapping[str, object] | None = None
    ) -> int:
        """The record of our external id with these values; `first` is set only when it is created."""
        id = await self.find(name)
        if id is not None:
            await self.write(model, id, values)
            self.log.append(f"kept {name}")
            return id
        id = await self.create(model, {**values, **(first or {})})
        await self._name(name, model, id)
        self.log.append(f"created {name}")
        return id

    async def adopt(self, name: str, model: str, domain: Sequence[object]) -> None:
        """Give our external id to a record that a person made for us, where there is one and no record has it yet."""
        if await self.find(name) is None and (found := await self.search(model, domain)):
            await self._name(name, model, found[0])
            self.log.append(f"adopted {name}")

    async def _name(self, name: str, model: str, id: int) -> None:
        values = {"module": MODULE, "name": name, "model": model, "res_id": id, "noupdate": True}
        await self.create("ir.model.data", values)

    async def run_once(self, code: str, **context: object) -> Mapping[str, object]:
        """Run a piece of code as the administrator. On res.partner, where nobody's rights depend on our model."""
        model = await self.one("ir.model", [["model", "=", "res.partner"]], "the model res.partner")
        values = {"name": "UNS bridge installer", "model_id": model, "state": "code", "code": code}
        action = await self.create("ir.actions.server", values)
        try:
            result: Mapping[str, object] = await self.odoo.call(
                "ir.actions.server",
                "run",
                writes=True,
                ids=[action],
                context={"active_model": "res.partner", **context},
            )
        finally:
            await self.odoo.call("ir.actions.server", "unlink", writes=True, ids=[action])
        return result


async def install(odoo: OdooApi, logins: Sequence[str]) -> Installed:
    """Install or upgrade the inbox and let the users with these logins use it. Needs Settings and Inventory rights."""
    run = _Run(odoo, await odoo.capabilities())
    group = await _group(run, logins)
    model = await _model(run)
    manager = await run.ref("group_mrp_manager")
    for name, members in (("acl_bridge", group), ("acl_mgr", manager)):
        rights = {"perm_read": True, "perm_write": False, "perm_create": False, "perm_unlink": False}
        values = {"name": f"UNS {name}", "model_id": model, "group_id": members, **rights}
        access = await run.ensure(name, "ir.model.access", values)
        await run.write("ir.model.access", access, rights)  # seen on 17 and 19: a new one works after its first write
    indexes = await run.run_once(_INDEXES)
    if indexes.get("unique") is not True:
        raise Refused("index", "the unique index on x_uns_transaction could not be made")
    run.log.append("unique index on the key is there")
    await _stock(run)
    await _views(run, manager, group)
    action = await _action(run, model, group)
    return Installed(action=action, group=group, sha=action_hash(), log=tuple(run.log))


async def uninstall(odoo: OdooApi, *, drop_history: bool) -> tuple[str, ...]:
    """Remove the inbox; what was posted stays readable unless `drop_history`. The hold location always stays."""
    run = _Run(odoo, await odoo.capabilities())
    names = ["menu_tx", "act_tx", "action_inbox", "view_search", "view_form", "view_list"]
    if drop_history:
        names += ["acl_bridge", "acl_mgr", "model_tx", "group_bridge"]
    models = {
        "menu_tx": "ir.ui.menu",
        "act_tx": "ir.actions.act_window",
        "action_inbox": "ir.actions.server",
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


async def _group(run: _Run, logins: Sequence[str]) -> int:
    group = await run.ensure("group_bridge", "res.groups", {"name": "UNS bridge"})
    for login in logins:
        user = await run.one("res.users", [["login", "=", login]], f"the user {login}")
        await run.write("res.groups", group, {run.can.users_field: [[4, user]]})
        run.log.append(f"user {login} may use the inbox")
    return group


async def _model(run: _Run) -> int:
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


async def _stock(run: _Run) -> None:
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


async def _views(run: _Run, manager: int, group: int) -> None:
    tag = run.can.list_view
    for name, kind, arch in (
        ("view_list", tag, _LIST.format(tag=tag)),
        ("view_form", "form", _FORM),
        ("view_search", "search", _SEARCH),
    ):
        await run.ensure(name, "ir.ui.view", {"name": f"uns.{name}", "model": MODEL, "type": kind, "arch": arch})
    window = {
        "name": "Bridge transactions",
        "res_model": MODEL,
        "view_mode": f"{tag},form",
        "domain": "[('x_kind','not in',['@guard','@upto'])]",
    }
    shown = await run.ensure("act_tx", "ir.actions.act_window", window)
    menu = {
        "name": "Bridge transactions",
        "parent_id": await run.ref("menu_mrp_root"),
        "action": f"ir.actions.act_window,{shown}",
        "sequence": 95,
        run.can.groups_field: [[6, 0, [manager, group]]],
    }
    await run.ensure("menu_tx", "ir.ui.menu", menu)


async def _action(run: _Run, model: int, group: int) -> int:
    sha = action_hash()
    values = {
        "name": f"UNS bridge inbox (do not edit; {sha[:12]})",
        "model_id": model,
        "state": "code",
        "code": action_text(),
        run.can.groups_field: [[6, 0, [group]]],
    }
    action = await run.ensure("action_inbox", "ir.actions.server", values)
    await run.run_once(_MARK, uns_action=action, uns_hash=sha)
    run.log.append(f"action {action} has sha256 {sha}")
    return action
