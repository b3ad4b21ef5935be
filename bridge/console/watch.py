"""What the console knows of the outside: sessions, store, Odoo, and what the core told people. In memory, bounded.

`outside` puts thin wrappers around the parts of an `Outside`. They pass everything on unchanged and note how it went.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from string import digits
from typing import Final

from bridge.clock import Clock
from bridge.core.input import Notice
from bridge.doctor.clock_watch import CLOCK_AGREES, CLOCK_OFF
from bridge.loop import Stall
from odoo_adapter.errors import KeyRefused, OdooError, Refused
from odoo_adapter.odoo import OdooInfo

NOTICES_KEPT: Final = 200
ORDERS_KEPT: Final = 5_000
"""Orders whose quantity in Odoo is remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """One MQTT session. `reason` is why the last attempt failed, empty while it is only starting."""

    up: bool
    since_ms: int
    reason: str = ""


def kind_and_place(session: str) -> tuple[str, int]:
    """What a session is for, and the place of its server in bridge.yaml: `host2` is the host's on the second."""
    kind = session.rstrip(digits)
    return kind, int(session.removeprefix(kind) or 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Something that fails, since when and last when. `refused` tells an answer that says no from no answer."""

    since_ms: int
    last_ms: int
    reason: str
    refused: bool = False


@dataclass(slots=True, kw_only=True)
class StoreView:
    """The store. `number` and `commit_ms` are those of the last commit."""

    number: int = 0
    commit_ms: int | None = None
    failure: Failure | None = None
    weaknesses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InOdoo:
    """What Odoo said that it has of an order, with its last posting."""

    quantity: Decimal
    at_ms: int
    complete: bool


@dataclass(slots=True)
class OdooView:
    """Odoo. `failures` holds what fails now, `asked_ms` what waits for its answer, by what was asked of it."""

    info: OdooInfo | None = None
    answered_ms: int | None = None
    posted_ms: int | None = None
    failures: dict[str, Failure] = field(default_factory=dict)
    asked_ms: dict[str, int] = field(default_factory=dict)
    quantities: dict[str, InOdoo] = field(default_factory=dict)

    @property
    def failure(self) -> Failure | None:
        """The failure that stands longest."""
        return min(self.failures.values(), key=lambda one: one.since_ms, default=None)

    @property
    def waits_since_ms(self) -> int | None:
        """When the call began that waits longest for its answer."""
        return min(self.asked_ms.values(), default=None)


@dataclass(frozen=True, slots=True)
class Told:
    """A notice of the core, and when it was given."""

    at_ms: int
    notice: Notice


class Watch:
    """Everything noted, and a way to wait for more. Only the bridge's event loop touches it."""

    def __init__(self, clock: Clock, *, number: int = 0) -> None:
        self.clock = clock
        self.began_ms = clock.now_ms()
        self.sessions: dict[str, SessionView] = {}
        self.store = StoreView(number=number)
        self.stalls: dict[Stall, Failure] = {}
        """Why the host is offline: what keeps the bridge from taking more from the plant."""
        self.odoo = OdooView()
        self.rules: Told | None = None
        """Why what people released is not what runs, while that is so."""
        self.clocks: dict[str, int] = {}
        """Clocks that are off, and by how much they are ahead of ours."""
        self.notices: deque[Told] = deque(maxlen=NOTICES_KEPT)
        self._changed = asyncio.Event()

    def notice(self, notice: Notice) -> None:
        """Keep what a person must or may want to know."""
        if notice.name in ("rules.not_taken_up", "rules.need_restart"):
            self.rules = Told(self.clock.now_ms(), notice)
        elif notice.name == "rules.taken_up":
            self.rules = None
        elif notice.name == CLOCK_OFF:
            self.clocks[str(notice.fields["of"])] = int(notice.fields["ahead_ms"] or 0)
        elif notice.name == CLOCK_AGREES:
            self.clocks.pop(str(notice.fields["of"]), None)
        if notice.level != "info" or notice.name.startswith("act."):
            self.notices.append(Told(self.clock.now_ms(), notice))
            self.touch()

    def touch(self) -> None:
        """Wake who waits for a change."""
        self._changed.set()
        self._changed = asyncio.Event()

    @property
    def change(self) -> asyncio.Event:
        """Set at the next change; it stays set, and the change after that has an event of its own."""
        return self._changed

    # What the wrappers note.

    def session(self, name: str, *, up: bool, reason: str = "") -> None:
        """A session went up or down. The same again keeps the moment of the first."""
        before = self.sessions.get(name)
        since_ms = before.since_ms if before is not None and before.up is up else self.clock.now_ms()
        self.sessions[name] = SessionView(up=up, since_ms=since_ms, reason=reason)
        self.touch()

    def committed(self, number: int) -> None:
        """The store took a commit."""
        self.store.number, self.store.commit_ms, self.store.failure = number, self.clock.now_ms(), None
        self.touch()

    def store_failed(self, reason: str, began_ms: int) -> None:
        """The store did not take a commit that was tried at `began_ms`."""
        self.store.failure = self._failure(self.store.failure, reason, began_ms)
        self.touch()

    def stalled(self, stall: Stall, reason: str) -> None:
        """The host goes offline, because no more can be taken from the plant."""
        self.stalls[stall] = self._failure(None, reason, self.clock.now_ms())
        self.touch()

    def recovered(self, stall: Stall) -> None:
        """This is in the way no more."""
        self.stalls.pop(stall, None)
        self.touch()

    @contextmanager
    def asking(self, asked: str) -> Iterator[None]:
        """Around a call to Odoo: note that it waits, and how it ends."""
        self.odoo.asked_ms[asked] = began_ms = self.clock.now_ms()
        try:
            yield
        except OdooError as error:
            self.odoo_failed(asked, str(error), began_ms, refused=isinstance(error, Refused | KeyRefused))
            raise
        else:
            self.odoo_answered(asked)
        finally:
            self.odoo.asked_ms.pop(asked, None)

    def odoo_answered(self, asked: str) -> None:
        """Odoo did what was asked of it."""
        self.odoo.answered_ms = self.clock.now_ms()
        if self.odoo.failures.pop(asked, None) is not None:
            self.touch()

    def odoo_failed(self, asked: str, reason: str, began_ms: int, *, refused: bool) -> None:
        """Odoo did not do what was asked of it at `began_ms`, and why."""
        self.odoo.failures[asked] = self._failure(self.odoo.failures.get(asked), reason, began_ms, refused=refused)
        self.touch()

    def posted(self, order: str, details: Mapping[str, object], at_ms: int) -> None:
        """A posting of an order stands in Odoo; some receipts say what its quantity is there."""
        for name, complete in (("qty_producing", False), ("qty", True)):
            quantity = details.get(name)
            if isinstance(quantity, int | float) and not isinstance(quantity, bool):
                self.odoo.quantities.pop(order, None)
                self.odoo.quantities[order] = InOdoo(quantity=Decimal(str(quantity)), at_ms=at_ms, complete=complete)
        while len(self.odoo.quantities) > ORDERS_KEPT:
            del self.odoo.quantities[next(iter(self.odoo.quantities))]

    def _failure(self, before: Failure | None, reason: str, began_ms: int, *, refused: bool = False) -> Failure:
        since_ms = began_ms if before is None else before.since_ms
        return Failure(since_ms=since_ms, last_ms=self.clock.now_ms(), reason=reason, refused=refused)
