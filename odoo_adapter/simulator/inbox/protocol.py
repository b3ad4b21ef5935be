"""The inbox of the simulator: the protocol of `odoo_adapter.inbox` in Python, on the simulator's own records.

It does NOT run the texts of the shipped server actions: that needs Odoo's records and PostgreSQL. It does what those
texts say, one effect per kind (see `kinds.py`), with the same keys, results and refusal codes. What the text reaches
by a unique index, row locks and savepoints holds here because one event loop carries out one call at a time and
`Database.savepoint` takes back what a refused transaction did. Only a real Odoo shows whether the text itself works.
"""

from __future__ import annotations

import json
from typing import Final

from odoo_adapter.inbox.action import ACTIONS, WHOLE, kinds_of
from odoo_adapter.inbox.install import MODEL
from odoo_adapter.simulator.errors import Fault, user_error
from odoo_adapter.simulator.inbox.kinds import KINDS
from odoo_adapter.simulator.inbox.payload import Refusal, claim, order_id
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record
from odoo_adapter.simulator.records.schema import Call
from ruleset.sample import Plain

INBOX_VERSION: Final = 7
_LONGEST_MESSAGE: Final = 500


def run(database: Database, action: Record, call: Call) -> Plain:
    """Answer one run of an action. Raises Odoo's fault for a request that is none of this inbox."""
    request = call.context.get("uns") or {}
    if not isinstance(request, dict) or not all(isinstance(request.get(name, []), list) for name in ("tx", "keys")):
        raise user_error("uns:bad_request: not a request of this inbox")
    kinds = _kinds(database, action)
    if request.get("op") == "hello":
        return _hello(database, kinds)
    if request.get("op") == "find":
        return {"inbox": INBOX_VERSION, "results": _found(database, request.get("keys"))}
    blocked: set[str] = set()
    transactions = request.get("tx")
    results: list[Plain] = []
    for transaction in transactions if isinstance(transactions, list) else []:
        results.append(_apply(database, transaction, kinds, blocked))
    return {"inbox": INBOX_VERSION, "results": results}


def _kinds(database: Database, action: Record) -> frozenset[str]:
    """What this action knows. In a state that was kept before there were two, one stands for both and knows all."""
    numbers = {one: database.find(MODEL, "x_name", one.marker)[0].integer("x_res_id") for one in ACTIONS}
    return next((kinds_of(one) for one in ACTIONS if numbers[one] == action.id), frozenset())


def _hello(database: Database, kinds: frozenset[str]) -> Plain:
    return {
        "inbox": INBOX_VERSION,
        "simulator": True,
        "kinds": [*sorted(kinds)],
        "uid": database.user,
        "login": database.browse("res.users", database.user).text("login"),
        "su": False,
        "company": database.company,
        "db_time": database.now(),
        "sha": database.find(MODEL, "x_name", WHOLE.marker)[0].text("x_hash"),
    }


def _found(database: Database, keys: Plain) -> Plain:
    results: list[Plain] = []
    for key in keys if isinstance(keys, list) else []:
        for row in database.find(MODEL, "x_name", key):
            if row.text("x_state") == "done" and not row.text("x_kind").startswith("@"):
                results.append({"key": key, "status": "done", "result": _result(row)})
    return results


def _apply(database: Database, transaction: Plain, kinds: frozenset[str], blocked: set[str]) -> Plain:
    """One transaction: its key, its whole effect and its result together, or a refusal that changed nothing."""
    if not isinstance(transaction, dict) or not _is_well_formed(transaction, kinds):
        key = transaction.get("key") if isinstance(transaction, dict) else None
        message = "not a transaction of this inbox"
        return {"key": key, "status": "refused", "code": "bad_request", "message": message}
    key, lane, payload = str(transaction["key"]), str(transaction["lane"]), transaction["p"]
    assert isinstance(payload, dict)
    known = database.find(MODEL, "x_name", key)
    if known and known[0].text("x_state") == "done":
        if known[0].text("x_hash") == transaction["hash"]:
            return {"key": key, "status": "dup", "result": _result(known[0])}
        blocked.add(lane)
        return {"key": key, "status": "conflict", "result": _result(known[0])}
    if lane in blocked:
        return {"key": key, "status": "passed"}
    order = order_id(database, payload.get("order") or lane)
    row = known[0] if known else claim(database, key, str(transaction["kind"]), order)
    try:
        with database.savepoint():
            result = KINDS[str(transaction["kind"])](database, payload, key, str(transaction.get("by") or ""))
    except (Refusal, Fault, KeyError, TypeError, ValueError) as error:  # as the text does: one bad payload, one refusal
        code, message = _reason(error)
        status = "held" if code == "held" else "refused"
        _keep(row, transaction, status, f"{code}: {message}"[:_LONGEST_MESSAGE], {})
        blocked.add(lane)
        return {"key": key, "status": status, "code": code, "message": message[:_LONGEST_MESSAGE]}
    _keep(row, transaction, "done", None, result)
    return {"key": key, "status": "done", "result": result}


def _is_well_formed(transaction: dict[str, Plain], kinds: frozenset[str]) -> bool:
    return (
        _is_text(transaction.get("key"), 500)
        and not str(transaction["key"]).startswith("@")
        and _is_text(transaction.get("hash"), 64)
        and _is_text(transaction.get("lane"), 200)
        and isinstance(transaction.get("p"), dict)
        and transaction.get("kind") in kinds
        and _is_text(transaction.get("by") or "-", 500)
    )


def _is_text(value: Plain, longest: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= longest and "\x00" not in value


def _reason(error: Exception) -> tuple[str, str]:
    """Our own code, or the class of Odoo's error."""
    if isinstance(error, Refusal):
        return error.code, error.text
    if isinstance(error, Fault):
        return error.name.rsplit(".", 1)[-1], error.message
    return type(error).__name__, str(error)


def _keep(
    row: Record, transaction: dict[str, Plain], state: str, message: str | None, result: dict[str, Plain]
) -> None:
    row.write(
        x_state=state,
        x_hash=transaction["hash"],
        x_by=transaction.get("by"),
        x_payload=_written(transaction["p"]),
        x_message=message,
        x_result=_written(result),
        x_res_model=result.get("model"),
        x_res_id=result.get("id"),
        x_done_at=row.database.now(),
    )


def _written(value: Plain) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def _result(row: Record) -> Plain:
    result: Plain = json.loads(row.text("x_result") or "null")
    return result
