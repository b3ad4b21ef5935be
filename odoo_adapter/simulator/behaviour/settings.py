"""Groups and their users, and what the installer of the inbox runs as an administrator."""

from __future__ import annotations

from typing import Final

from odoo_adapter.inbox.install import MODEL
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.domain import as_ids
from odoo_adapter.simulator.records.record import Record
from odoo_adapter.simulator.records.schema import Behaviour, Call
from ruleset.sample import Plain


def is_installers(action: Record) -> bool:
    """Whether this is the installer's code; the inbox's belongs to its own list."""
    model = action.maybe("model_id")
    return model is not None and model.text("model") != MODEL


def run(database: Database, call: Call) -> Plain:
    """What the installer's code tells PostgreSQL: which text an action has. The index always stands: here one call runs
    at a time, so no key comes in twice."""
    context = call.context
    if "uns_marker" in context:
        named: dict[str, Plain] = {"x_name": context["uns_marker"], "x_kind": "@guard", "x_state": "done"}
        found = database.find(MODEL, "x_name", context["uns_marker"]) or [database.create(MODEL, named)]
        found[0].write(x_res_model="ir.actions.server", x_res_id=context["uns_action"], x_hash=context["uns_hash"])
    return {"indexed": True}


def _users(group: Record) -> Plain:
    return [user.id for user in group.database.all("res.users") if group in user.links("group_ids")]


def _put_in(group: Record, fields: frozenset[str] = frozenset({"user_ids"})) -> None:
    """The other side of the link: a user's groups."""
    if "user_ids" not in fields:
        return
    members = as_ids(group.database.stored(group, "user_ids"))
    for user in group.database.all("res.users"):
        if (user.id in members) != (group in user.links("group_ids")):
            user.write(group_ids=[[4 if user.id in members else 3, group.id]])


BEHAVIOURS: Final = {
    "res.groups": Behaviour(computed={"user_ids": _users}, created=_put_in, written=_put_in),
}
