"""Calls by model and method: the general methods of every model, rights, and the checks of names and arguments.

`call` is one transaction: what it did is kept if it returns and taken back if it raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from odoo_adapter.inbox.install import MODEL as INBOX_MODEL
from odoo_adapter.rights import SWITCHES
from odoo_adapter.simulator.behaviour import settings
from odoo_adapter.simulator.company import ADMINISTRATOR
from odoo_adapter.simulator.errors import (
    access_error,
    missing_record,
    not_allowed,
    not_an_id,
    not_found,
    unprocessable,
    value_error,
)
from odoo_adapter.simulator.inbox import protocol as inbox
from odoo_adapter.simulator.load import load
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.domain import as_ids
from odoo_adapter.simulator.records.record import Record
from odoo_adapter.simulator.records.schema import Call, Field, Method
from odoo_adapter.simulator.records.value import answered
from ruleset.sample import Plain

_RIGHT: Final = {
    "search": "read",
    "search_read": "read",
    "search_count": "read",
    "read": "read",
    "fields_get": "",
    "has_access": "",
    "create": "create",
    "write": "write",
    "unlink": "unlink",
    "message_post": "read",
    "unblock": "read",
    "run": "",
    "context_get": "",
    "has_group": "",
    "get_external_id": "read",
    "default_get": "create",
    "load": "create",
}
"""The right that a method needs; every other method needs `write`."""


def call(database: Database, user: int, model: str, method: str, body: Mapping[str, Plain]) -> Plain:
    """Carry out one call as this user. Raises `Fault`; then nothing was changed."""
    if model not in database.models:
        raise not_found(f"the model '{model}' does not exist")
    if method.startswith("_"):
        raise access_error(f"Private methods (such as '{model}.{method}') cannot be called remotely.")
    found = public_method(database, model, method)
    if found is None:
        raise not_found(f"The method '{model}.{method}' does not exist")
    arguments = {name: value for name, value in body.items() if name not in ("ids", "context")}
    ids, context = body.get("ids"), body.get("context")
    _check_arguments(model, method, found, arguments, ids)
    database.companies = _companies(database, user, context)
    database.user = user
    if model == "ir.actions.server" and method == "run":
        _check_may_run(database, as_ids(ids))
    else:
        _check_right(database, user, model, _RIGHT.get(method, "write"))
    records = [database.browse(model, id) for id in _ids(ids)]
    asked = Call(model=model, arguments=arguments, context=context if isinstance(context, dict) else {})
    with database.savepoint():
        if method not in ("read", "has_access", "run"):
            for record in records:
                if not database.exists(model, record.id):
                    raise missing_record(model, record.id, user)
                database.check_seen(record)
        return found.run(database, records, asked)


def public_method(database: Database, model: str, name: str) -> Method | None:
    """A public method of a model, if there is one."""
    if model not in database.models:
        return None
    return database.behaviour(model).methods.get(name) or _GENERAL.get(name) or _SPECIAL.get((model, name))


def _check_arguments(model: str, name: str, method: Method, arguments: Mapping[str, Plain], ids: Plain) -> None:
    if method.on_model and ids:
        raise unprocessable(f"cannot call {model}.{name} with ids")
    for argument in arguments:
        if argument not in method.parameters:
            raise unprocessable(f"got an unexpected keyword argument '{argument}'")
    for argument in method.required:
        if argument not in arguments:
            raise unprocessable(f"missing a required argument: '{argument}'")


def _companies(database: Database, user: int, context: Plain) -> tuple[int, ...]:
    """Those that the call asks to work in, or all of the user's, the user's own first."""
    row = database.browse("res.users", user)
    own, theirs = row.link("company_id").id, as_ids(row.get("company_ids"))
    asked = as_ids(context.get("allowed_company_ids")) if isinstance(context, dict) else []
    if any(company not in theirs for company in asked):
        raise access_error("Access to unauthorized or invalid companies.")
    return tuple(asked) or (own, *(company for company in theirs if company != own))


def _check_right(database: Database, user: int, model: str, right: str) -> None:
    if right and not _may(database, user, model, right):
        raise not_allowed(right, database.models[model].title, model)


def _may(database: Database, user: int, model: str, right: str) -> bool:
    if model == INBOX_MODEL and right != "read":
        return False
    return user == ADMINISTRATOR or right[0] in database.models[model].access


def _check_may_run(database: Database, actions: list[int]) -> None:
    """Only the inbox's group runs its actions, not even an administrator does; and only an administrator any other."""
    records = [database.browse("ir.actions.server", id) for id in actions if database.exists("ir.actions.server", id)]
    if records and all(settings.is_installers(record) for record in records):
        may = database.user == ADMINISTRATOR
    else:
        groups = database.browse("res.users", database.user).links("group_ids")
        may = any(group.text("name") == "UNS bridge" for group in groups)
    if not may:
        raise access_error("You don't have enough access rights to run this action.")


def _ids(ids: Plain) -> list[int]:
    listed: list[Plain] = ids if isinstance(ids, list) else [] if ids is None else [ids]
    if len(as_ids(listed)) != len(listed):
        raise not_an_id(next(id for id in listed if not as_ids(id)))
    return as_ids(listed)


def _search(database: Database, records: list[Record], call: Call) -> list[Record]:
    given = call.arguments
    order, limit, offset = given.get("order"), given.get("limit"), given.get("offset")
    found = database.search(
        call.model,
        given.get("domain") or [],
        order=order if isinstance(order, str) else "",
        archived=call.context.get("active_test") is False,
    )
    start = offset if isinstance(offset, int) else 0
    end = start + limit if isinstance(limit, int) and limit else None
    return found[start:end]


def _run_search(database: Database, records: list[Record], call: Call) -> Plain:
    return [record.id for record in _search(database, records, call)]


def _run_search_count(database: Database, records: list[Record], call: Call) -> Plain:
    return len(_search(database, records, call))


def _run_search_read(database: Database, records: list[Record], call: Call) -> Plain:
    return _rows(_search(database, records, call), database, call)


def _run_read(database: Database, records: list[Record], call: Call) -> Plain:
    """Records that are not there are left out without a word."""
    there = [record for record in records if database.exists(record.model, record.id)]
    for record in there:
        database.check_seen(record)
    return _rows(there, database, call)


def _rows(records: list[Record], database: Database, call: Call) -> Plain:
    model = database.models[call.model]
    fields = call.arguments.get("fields")
    names = [str(name) for name in fields] if isinstance(fields, list) and fields else [*model.fields]
    for name in names:
        if name not in model.fields:
            raise value_error(f"Invalid field '{name}' on '{model.name}'")
    shown = ["id", *(name for name in names if name != "id")]
    return [{name: answered(record, name) for name in shown} for record in records]


def _run_create(database: Database, records: list[Record], call: Call) -> Plain:
    """One row or a list of rows; answers a list either way."""
    rows = call.arguments["vals_list"]
    listed = rows if isinstance(rows, list) else [rows]
    return [database.create(call.model, row).id for row in listed if isinstance(row, dict)]


def _run_write(database: Database, records: list[Record], call: Call) -> Plain:
    values = call.arguments["vals"]
    for record in records:
        database.write(record, values if isinstance(values, dict) else {})
    return True


def _run_unlink(database: Database, records: list[Record], call: Call) -> Plain:
    for record in records:
        database.unlink(record)
    return True


def _run_fields_get(database: Database, records: list[Record], call: Call) -> Plain:
    """Fields by name; names that the model does not have are left out."""
    fields, wanted = database.models[call.model].fields, call.arguments.get("allfields")
    attributes = call.arguments.get("attributes")
    names = [name for name in fields if not isinstance(wanted, list) or not wanted or name in wanted]
    described: dict[str, Plain] = {}
    for name in names:
        whole = _description(fields[name])
        described[name] = {
            key: value for key, value in whole.items() if not isinstance(attributes, list) or key in attributes
        }
    return described


def _description(field: Field) -> dict[str, Plain]:
    described: dict[str, Plain] = {
        "name": field.name,
        "type": field.type,
        "string": field.label,
        "required": field.required,
        "readonly": field.readonly,
    }
    if field.relation is not None:
        described["relation"] = field.relation
    if field.type == "float":
        described["digits"] = [16, 2]
    if field.selection:
        described["selection"] = [[value, value.replace("_", " ").capitalize()] for value in field.selection]
    return described


def _run_has_access(database: Database, records: list[Record], call: Call) -> Plain:
    return _may(database, database.user, call.model, str(call.arguments["operation"]))


def _run_context_get(database: Database, records: list[Record], call: Call) -> Plain:
    user = database.browse("res.users", database.user)
    return {"lang": user.text("lang"), "tz": user.text("tz") or False, "uid": user.id}


def _run_has_group(database: Database, records: list[Record], call: Call) -> Plain:
    """The settings that the bridge asks for are on; of other groups nothing is known here."""
    return call.arguments["group_ext_id"] in SWITCHES


def _run_get_external_id(database: Database, records: list[Record], call: Call) -> Plain:
    """The external id of each record, empty for one that has none. Keys are text, as JSON has them."""
    named: dict[str, Plain] = {str(record.id): "" for record in records}
    for row in database.all("ir.model.data"):
        if row.text("model") == call.model and str(row.integer("res_id")) in named:
            named[str(row.integer("res_id"))] = f"{row.text('module')}.{row.text('name')}"
    return named


def _run_default_get(database: Database, records: list[Record], call: Call) -> Plain:
    """What a new record begins with: of moments that begin now, now."""
    wanted = call.arguments["fields"]
    names = [str(name) for name in wanted] if isinstance(wanted, list) else []
    return {name: database.now() for name in names if database.models[call.model].fields[name].type == "datetime"}


def _run_action(database: Database, records: list[Record], call: Call) -> Plain:
    """The inbox's and its installer's are the only actions there are."""
    for record in records:
        if not database.exists(record.model, record.id):
            raise missing_record(record.model, record.id, database.user)
    if not records:
        return False
    last = records[-1]
    return settings.run(database, call) if settings.is_installers(last) else inbox.run(database, last, call)


_PAGE: Final = ("domain", "order", "limit", "offset")
_GENERAL: Final[Mapping[str, Method]] = {
    "search": Method(run=_run_search, parameters=_PAGE, required=("domain",), on_model=True),
    "search_count": Method(run=_run_search_count, parameters=("domain", "limit"), required=("domain",), on_model=True),
    "search_read": Method(run=_run_search_read, parameters=(*_PAGE, "fields"), on_model=True),
    "read": Method(run=_run_read, parameters=("fields", "load")),
    "create": Method(run=_run_create, parameters=("vals_list",), required=("vals_list",), on_model=True),
    "write": Method(run=_run_write, parameters=("vals",), required=("vals",)),
    "unlink": Method(run=_run_unlink),
    "fields_get": Method(run=_run_fields_get, parameters=("allfields", "attributes"), on_model=True),
    "has_access": Method(run=_run_has_access, parameters=("operation",), required=("operation",)),
    "get_external_id": Method(run=_run_get_external_id),
    "default_get": Method(run=_run_default_get, parameters=("fields",), required=("fields",), on_model=True),
    "load": load,
}
_SPECIAL: Final[Mapping[tuple[str, str], Method]] = {
    ("res.users", "context_get"): Method(run=_run_context_get, on_model=True),
    ("res.users", "has_group"): Method(run=_run_has_group, parameters=("group_ext_id",), required=("group_ext_id",)),
    ("ir.actions.server", "run"): Method(run=_run_action),
}
