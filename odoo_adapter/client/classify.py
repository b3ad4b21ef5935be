"""What a failed call means: every transport failure and every Odoo fault becomes one of three errors, only here.

Seen on Odoo 19 over JSON-2: a fault is a body `{name, message, arguments, context, debug}`; it rolled everything back.
Over JSON-RPC (17, 18) the same stands in the answer's `error.data`, with a status that says nothing.
`debug` holds the server's traceback and is never looked at. An answer without that body did not come from a
working database: a 404 page means that the database is not usable now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

import aiohttp

from odoo_adapter.errors import KeyRefused, Refused, Unavailable, Uncertain

KEY_RETRY_MS: Final = 60_000
"""A person gives a key or a right: asking more often would only fill Odoo's log. Another key is tried at once. All else
waits as the plant says."""

ROLLED_BACK: Final = frozenset(
    {"SerializationFailure", "DeadlockDetected", "LockNotAvailable", "ConcurrencyError", "PoolError", "TooManyRequests"}
    | {"ReadOnlySqlTransaction", "TooManyConnections", "DiskFull", "OutOfMemory", "MemoryError"}
)
"""Fault classes after which nothing was written and the same call may succeed: conflicts, a database that is a standby
now, a machine that is full."""

CONNECTION_LOST: Final = frozenset(
    {"OperationalError", "InterfaceError", "AdminShutdown", "CrashShutdown", "CannotConnectNow", "QueryCanceled"}
)
"""PostgreSQL went away under Odoo, perhaps in the middle of its commit."""

_LONGEST_REASON: Final = 500

Failure: TypeAlias = Unavailable | Uncertain | Refused


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: its status, and its body if that `is_json` (None otherwise, such as a page).

    `pause_ms` is how long it asks us to wait (`Retry-After`), `location` where it leads.
    """

    status: int
    body: Any
    is_json: bool = False
    pause_ms: int | None = None
    location: str = ""


def classify(failure: Exception | Answer, *, writes: bool) -> Failure:
    """The meaning of a failed call. `writes` tells that the call may change something in Odoo."""
    if isinstance(failure, Answer):
        body = failure.body
        if isinstance(body, Mapping) and isinstance(body.get("name"), str):
            return _fault(failure, str(body["name"]), str(body.get("message", "")), writes)
        return _page(failure, writes)
    if isinstance(failure, aiohttp.ClientHttpProxyError):
        return _proxy(failure.status)
    if isinstance(failure, aiohttp.ConnectionTimeoutError | aiohttp.ClientConnectorError | aiohttp.InvalidURL):
        return _unreached(failure)
    lost = "no answer in time" if isinstance(failure, TimeoutError) else f"connection lost ({type(failure).__name__})"
    return _lost(f"Odoo gave no answer: {lost}", writes)


def _unreached(failure: Exception) -> Unavailable:
    """No request left us."""
    mend = ""
    if isinstance(failure, aiohttp.ClientConnectorCertificateError):
        mend = "; if an authority of the plant signed its certificate, name that one's file in odoo.tls.ca_file"
    elif isinstance(failure, aiohttp.ClientProxyConnectionError):
        mend = "; this is the way over the proxy of odoo.proxy"
    return Unavailable(f"Odoo cannot be reached: {_short(str(failure) or type(failure).__name__)}{mend}")


def _proxy(status: int) -> Unavailable:
    """The proxy did not lead us on."""
    if status == 407:
        return Unavailable(
            "the proxy wants to know who asks (HTTP 407): mend user and secret of odoo.proxy", KEY_RETRY_MS
        )
    return Unavailable(f"the proxy does not lead to Odoo (HTTP {status}): see odoo.url and odoo.proxy")


def _fault(answer: Answer, name: str, message: str, writes: bool) -> Failure:
    kind = name.rsplit(".", 1)[-1]
    if answer.status == 401 or kind == "AccessDenied":
        return KeyRefused(
            f"Odoo does not accept the API key ({_short(message)}): make a new key for the integration user and put it "
            "where the settings say; it is read again at every call",
            KEY_RETRY_MS,
        )
    if kind in ROLLED_BACK:
        return Unavailable(f"Odoo was busy ({kind}); it rolled the call back", answer.pause_ms)
    if kind in CONNECTION_LOST:
        return _lost(f"Odoo lost its database ({kind})", writes)
    return Refused(kind, _short(message))


def not_usable(seen: str) -> Unavailable:
    """The server is there, the database is not."""
    return Unavailable(f"the database is not usable now ({seen}): is its name right, is it being upgraded or restored?")


def _page(answer: Answer, writes: bool) -> Failure:
    """An answer that is not Odoo's own."""
    status = answer.status
    match status:
        case 404:
            return not_usable("404 page")
        case 407:
            return _proxy(status)
        case 413:
            larger = "raise its limit (nginx: client_max_body_size), or make odoo.batch smaller"
            return Unavailable(f"the call is larger than something before Odoo lets pass (HTTP 413): {larger}")
        case 429 | 503:
            return Unavailable(f"Odoo is not available now (HTTP {status})", answer.pause_ms)
        case 401 | 403:
            return Unavailable(f"something before Odoo declined the call (HTTP {status})", KEY_RETRY_MS)
    if 300 <= status < 400:
        return _redirect(answer)
    if 400 <= status < 500:
        return Unavailable(f"something before Odoo declined the call (HTTP {status})")
    if status < 300:
        asked = "is odoo.url the address of Odoo itself, and is there no maintenance page before it?"
        return _lost(f"there is a page in place of Odoo's answer (HTTP {status}): {asked}", writes)
    return _lost(f"no answer of Odoo (HTTP {status})", writes)


def _redirect(answer: Answer) -> Unavailable:
    """Where it leads is told without what may be secret in it."""
    way = urlsplit(answer.location)
    where = f"{way.scheme}://{way.hostname}{way.path}" if way.hostname else way.path
    if any(word in where.lower() for word in ("login", "signin", "sso", "auth")):
        mend = "something before Odoo asks for a log-in, which a bridge cannot do: let its calls pass there"
    else:
        mend = "set odoo.url to the final address"
    return Unavailable(f"the Odoo address answers with a redirect ({answer.status}) to {where or 'nowhere'}: {mend}")


def _lost(reason: str, writes: bool) -> Failure:
    return Uncertain(reason) if writes else Unavailable(reason)


def _short(message: str) -> str:
    """One line of at most 500 characters, without the code that Odoo quotes when a server action fails."""
    text = " ".join(message.split(" while evaluating")[0].split())
    return text if len(text) <= _LONGEST_REASON else text[: _LONGEST_REASON - 1] + "…"
