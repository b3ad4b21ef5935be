"""Acts of people on outbox entries, as commands leave them in the store for the running bridge."""

from __future__ import annotations

from uuid import uuid4

import msgspec

from bridge.core.input import Acted, ActKind
from state.store import Act


class ActBody(msgspec.Struct, frozen=True, kw_only=True):
    """The stored form: what to do, to which entries, who wants it and why."""

    kind: ActKind
    keys: tuple[str, ...]
    by: str
    reason: str


def new_act(kind: ActKind, keys: tuple[str, ...], by: str, reason: str) -> Act:
    """An act with an id of its own, ready for `Store.submit`."""
    return Act(id=uuid4().hex, body=msgspec.json.encode(ActBody(kind=kind, keys=keys, by=by, reason=reason)))


def read_act(act: Act) -> Acted:
    """The act as the core takes it. Raises `msgspec.MsgspecError` where it cannot be read."""
    body = msgspec.json.decode(act.body, type=ActBody)
    return Acted(id=act.id, kind=body.kind, keys=body.keys, by=body.by, reason=body.reason)
