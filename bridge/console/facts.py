"""What the pages show, read from the running bridge at one moment: copies of values, nothing that lives on.

The bridge is one thread. A function here that does not await sees the core between two steps, and holds nobody up
but for the time it takes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any, Final

import msgspec

from bridge.console.watch import InOdoo, Watch
from bridge.core.input import Destination
from bridge.core.live import Presence, Seen
from bridge.core.site import Core
from bridge.loop import Entering
from bridge.orders.record import OrderRecord
from bridge.plant import Plant
from bridge.wiring import Outside
from ruleset.equipment import Equipment
from ruleset.transaction import decode as decode_transaction
from sparkplug.finding import Tally
from sparkplug.session import Phase
from sparkplug.snapshot import NodeView
from state.entry import Entry, EntryState, decode
from state.record import Table

Enter = Callable[[Entering], Awaitable[None]]

REFUSED_BY_RULE: Final = (
    "A rule refused it, so there is no transaction yet. Mend what the reason names (a code table, the rule), release "
    "that, then replay it: the fact is decided anew, by the rules that are live then. Or skip it, with a reason."
)
DONE_SEARCHED: Final = 2_000
"""Done entries that a search looks through, the latest: they lie in the store and are read one by one."""
DONE_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """The running bridge, as far as the console has to do with it."""

    plant: Plant
    core: Core
    outside: Outside
    watch: Watch
    enter: Enter

    @property
    def now_ms(self) -> int:
        return self.outside.clock.now_ms()


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLine:
    """A node as the host application sees it. `since_ms` None: since before this start of the bridge."""

    view: NodeView
    since_ms: int | None
    reason: str

    @property
    def name(self) -> str:
        return str(self.view.node)

    @property
    def is_well(self) -> bool:
        return self.view.phase == Phase.ONLINE.value and all(self.view.devices.values())

    @property
    def lost_devices(self) -> tuple[str, ...]:
        return tuple(sorted(name for name, born in self.view.devices.items() if not born))


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingLine:
    """One kind of finding. `node` None: of messages that belong to no node."""

    node: str | None
    name: str
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class EquipmentLine:
    """An equipment and the last of each of its signals. `presence` None: nothing heard since the start."""

    equipment: Equipment
    presence: Presence | None
    seen: Mapping[str, Seen]

    @property
    def is_stale(self) -> bool:
        return self.equipment.node is not None and (self.presence is None or not self.presence.present)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """An order, what the floor has counted on it, and what Odoo said that it has."""

    record: OrderRecord
    floor: Decimal | None
    in_odoo: InOdoo | None

    @property
    def behind(self) -> Decimal | None:
        """What the floor has counted and Odoo does not have yet; None where one of the two is not known."""
        if self.floor is None or self.in_odoo is None or self.in_odoo.complete:
            return None
        return self.floor - self.in_odoo.quantity


def nodes(inside: Inside) -> tuple[NodeLine, ...]:
    """All nodes, those that are not well first."""
    lines = []
    for view in inside.core.host.nodes():
        presence = inside.core.live.nodes.get(view.node)
        since_ms, reason = (presence.since_ms, presence.reason) if presence else (None, "")
        lines.append(NodeLine(view=view, since_ms=since_ms, reason=reason))
    return tuple(sorted(lines, key=lambda line: (line.is_well, line.name)))


def findings(inside: Inside) -> tuple[FindingLine, ...]:
    """What is done against the standard: by messages of no node first, then by node and name."""
    host = inside.core.host
    tallies = [(None, host.findings), *((str(view.node), view.findings) for view in host.nodes())]
    return tuple(
        FindingLine(node=node, name=name, tally=tally)
        for node, kinds in tallies
        for name, tally in sorted(kinds.items())
    )


def equipment(inside: Inside) -> tuple[EquipmentLine, ...]:
    """All equipment of the live assets.yaml with its last values."""
    live = inside.core.live
    seen: dict[str, dict[str, Seen]] = {}
    for (path, signal), one in live.signals.items():
        seen.setdefault(path, {})[signal] = one
    return tuple(
        EquipmentLine(equipment=each, presence=live.equipment.get(path), seen=seen.get(path, {}))
        for path, each in inside.core.floor.assets.equipment.items()
    )


def orders(inside: Inside) -> tuple[OrderLine, ...]:
    """All orders of the book: those in work first, then the other open ones; the latest first."""
    floor: dict[str, Decimal] = {}
    for stream, upto in inside.core.outbox.stream_totals("").items():
        order = stream.partition("/")[0]
        floor[order] = floor.get(order, Decimal(0)) + upto
    quantities = inside.watch.odoo.quantities
    records = sorted(
        inside.core.book.records.values(), key=lambda one: (not one.is_open, one.order not in floor, -one.published_ms)
    )
    return tuple(
        OrderLine(record=one, floor=floor.get(one.order), in_odoo=quantities.get(one.order)) for one in records
    )


def is_sendable(one: Entry) -> bool:
    """Whether the entry holds something to send. What a rule's `need` did not let through holds only what it had."""
    if one.destination != Destination.ODOO:
        return True
    try:
        decode_transaction(one.body)
    except msgspec.MsgspecError:
        return False
    return True


def origin(body: object) -> dict[str, Any] | None:
    """A body that says where it came from; None for another one."""
    if not isinstance(body, dict) or not isinstance(body.get("at_ms"), int):
        return None
    provenance = body.get("provenance")
    known = isinstance(provenance, dict) and {"rule", "version", "topic"} <= provenance.keys()
    return body if known and isinstance(body.get("equipment"), str) else None


async def entry(inside: Inside, key: str) -> Entry | None:
    """One entry, done or not. Raises `StoreUnavailable`."""
    live = inside.core.outbox.entry(key)
    if live is not None:
        return live
    stored = await inside.outside.store.read_one(Table.DONE, key)
    return None if stored is None else decode(stored)


async def done(inside: Inside, state: EntryState, lane: str, *, limit: int) -> tuple[Entry, ...]:
    """The latest entries that are done, of this state and lane ("": all). Raises `StoreUnavailable`."""
    found: list[Entry] = []
    keys = list(islice(inside.core.outbox.done_keys(), DONE_SEARCHED))
    for at in range(0, len(keys), DONE_AT_ONCE):
        for key in keys[at : at + DONE_AT_ONCE]:
            stored = await inside.outside.store.read_one(Table.DONE, key)
            one = decode(stored) if stored is not None else None
            if one is not None and one.state is state and (not lane or one.lane == lane):
                found.append(one)
        if len(found) >= limit:
            break
    return tuple(found[:limit])


async def prime(inside: Inside) -> None:
    """Learn from what was delivered before this start what Odoo has of the orders. Raises `StoreUnavailable`."""
    for one in reversed(await done(inside, EntryState.DELIVERED, "", limit=DONE_SEARCHED)):
        receipt = as_data(one.receipt)
        details = receipt.get("details") if isinstance(receipt, dict) else None
        if isinstance(details, dict) and one.lane not in inside.watch.odoo.quantities:
            inside.watch.posted(one.lane, details, one.changed_ms)


def as_data(stored: bytes | None) -> object:
    """Stored JSON as data; what cannot be read as text."""
    if stored is None:
        return None
    try:
        return msgspec.json.decode(stored)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return stored.decode(errors="replace")
