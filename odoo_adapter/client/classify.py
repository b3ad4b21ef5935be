"""What a failed call means: every transport failure and every Odoo fault becomes one of three errors, only here.

Seen on Odoo 19 over JSON-2: a fault is a body `{name, message, arguments, context, debug}`; it rolled everything back.
Over JSON-RPC (17, 18) the same stands in the answer's `error.data`, with a status that says nothing.
`debug` holds the server's traceback and is never looked at. An answer without that body did not come from a
working database: a 404 page means that the database is not usable now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import aiohttp

from odoo_adapter.errors import Refused, Unavailable, Uncertain

KEY_RETRY_MS: Final = 60_000
"""A person gives a key or a right: asking more often would only fill Odoo's log. All else waits as the plant says."""

ROLLED_BACK: Final = frozenset(
    {"SerializationFailure", "DeadlockDetected", "LockNotAvailable", "ConcurrencyError", "PoolError", "TooManyRequests"}
)
"""Fault classes after which nothing was written and the same call may succeed."""

CONNECTION_LOST: Final = frozenset(
    {"OperationalError", "InterfaceError", "AdminShutdown", "CrashShutdown", "CannotConnectNow", "QueryCanceled"}
)
"""PostgreSQL went away under Odoo, perhaps in the middle of its commit."""

_LONGEST_REASON: Final = 500

Failure: TypeAlias = Unavailable | Uncertain | Refused


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer that is no result: its status, and its body if that is JSON (None otherwise)."""

    status: int
    body: object


def classify(failure: Exception | Answer, *, writes: bool) -> Failure:
    """The meaning of a failed call. `writes` tells that the call may change something in Odoo."""
    if isinstance(failure, Answer):
        body = failure.body
        if isinstance(body, Mapping) and isinstance(body.get("name"), str):
            return _fault(failure.status, str(body["name"]), str(body.get("message", "")), writes)
        return _page(failure.status, writes)
    if isinstance(failure, aiohttp.ConnectionTimeoutError | aiohttp.ClientConnectorError | aiohttp.InvalidURL):
        return Unavailable(f"Odoo cannot be reached: {_short(str(failure) or type(failure).__name__)}")
    lost = "no answer in time" if isinstance(failure, TimeoutError) else f"connection lost ({type(failure).__name__})"
    return _lost(f"Odoo gave no answer: {lost}", writes)


def _fault(status: int, name: str, message: str, writes: bool) -> Failure:
    kind = name.rsplit(".", 1)[-1]
    if status == 401 or kind == "AccessDenied":
        return Unavailable(
            f"Odoo does not accept the API key ({_short(message)}): make a new key for the integration user and put it "
            "where the settings say; it is read again at every call",
            KEY_RETRY_MS,
        )
    if kind in ROLLED_BACK:
        return Unavailable(f"Odoo was busy ({kind}); it rolled the call back")
    if kind in CONNECTION_LOST:
        return _lost(f"Odoo lost its database ({kind})", writes)
    return Refused(kind, _short(message))


def not_usable(seen: str) -> Unavailable:
    """The server is there, the database is not."""
    return Unavailable(f"the database is not usable now ({seen}): is its name right, is it being upgraded or restored?")


def _page(status: int, writes: bool) -> Failure:
    if status == 404:
        return not_usable("404 page")
    if 300 <= status < 400:
        return Unavailable(f"the Odoo address answers with a redirect ({status}): set the final address")
    if status in (429, 503):
        return Unavailable(f"Odoo is not available now (HTTP {status})")
    if 400 <= status < 500:
        is_right = status in (401, 403, 407)
        return Unavailable(
            f"something before Odoo declined the call (HTTP {status})", KEY_RETRY_MS if is_right else None
        )
    return _lost(f"no answer of Odoo (HTTP {status})", writes)


def _lost(reason: str, writes: bool) -> Failure:
    return Uncertain(reason) if writes else Unavailable(reason)


def _short(message: str) -> str:
    """One line of at most 500 characters, without the code that Odoo quotes when a server action fails."""
    text = " ".join(message.split(" while evaluating")[0].split())
    return text if len(text) <= _LONGEST_REASON else text[: _LONGEST_REASON - 1] + "…"
