"""The simulator's JSON-RPC, `POST /jsonrpc`: what a body asks for, and the form of answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from odoo_adapter.simulator import rpc
from odoo_adapter.simulator.errors import Fault, user_error, value_error
from odoo_adapter.simulator.records.database import Database
from ruleset.sample import Plain

DENIED: Final = Fault(200, "odoo.exceptions.AccessDenied", "Access Denied")


@dataclass(frozen=True, slots=True)
class Question:
    """`common.version` and the like."""

    method: str
    arguments: list[Plain]


@dataclass(frozen=True, slots=True, kw_only=True)
class Execute:
    """`object.execute_kw`: a method of a model, as a user who shows a key."""

    database: Plain
    user: Plain
    key: Plain
    model: str
    method: str
    positional: list[Plain]
    named: dict[str, Plain]


def parse(body: Plain) -> Question | Execute:
    """What is asked. Raises `Fault` for what is no call."""
    parameters = body.get("params") if isinstance(body, dict) else None
    match parameters:
        case {"service": "common", "method": str(method), "args": list(arguments)}:
            return Question(method, arguments)
        case {"service": "object", "method": "execute_kw", "args": list(arguments)}:
            return _execute(arguments)
    raise value_error("not a call of a service")


def _execute(arguments: list[Plain]) -> Execute:
    match arguments:
        case [database, user, key, str(model), str(method), list(positional), *rest]:
            named = rest[0] if rest else {}
            if isinstance(named, dict):
                return Execute(
                    database=database,
                    user=user,
                    key=key,
                    model=model,
                    method=method,
                    positional=positional,
                    named=named,
                )
    raise value_error("not a call of a method")


def by_name(database: Database, method: str, call: Execute) -> dict[str, Plain]:
    """The arguments as JSON-2 has them: ids first, the others in the order of `method`, as Odoo 19 calls it."""
    if call.model not in database.models:
        raise user_error(f"Object {call.model} doesn't exist")
    found = rpc.public_method(database, call.model, method)
    if found is None:
        raise Fault(500, "builtins.AttributeError", f"type object '{call.model}' has no attribute '{method}'")
    rest = list(call.positional)
    named = dict(call.named)
    if not found.on_model and rest:
        named["ids"] = rest.pop(0)
    return {**dict(zip(found.parameters, rest, strict=False)), **named}


def no_database(name: Plain) -> Fault:
    message = f'connection to server failed: FATAL:  database "{name}" does not exist\n'
    return Fault(200, "psycopg2.OperationalError", message)


def result(body: Plain, value: Plain) -> dict[str, Plain]:
    return {"jsonrpc": "2.0", "id": _id(body), "result": value}


def error(body: Plain, fault: Fault) -> dict[str, Plain]:
    told: Mapping[str, Plain] = fault.body()
    return {
        "jsonrpc": "2.0",
        "id": _id(body),
        "error": {"code": 200, "message": "Odoo Server Error", "data": dict(told)},
    }


def _id(body: Plain) -> Plain:
    return body.get("id") if isinstance(body, dict) else None
