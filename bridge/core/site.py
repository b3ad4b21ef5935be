"""What a site remembers, as state machines: which of their records changed, and how they get them back.

Each machine keeps its own records; nothing else is remembered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import msgspec

from bridge.core.command import Commands
from bridge.core.live import LiveView
from bridge.core.order import CURSOR_ID, OrderBook
from bridge.core.posting import Postings
from bridge.core.standing import Standings
from bridge.floor.floor import Floor
from bridge.intervention.alarm import Alarm
from bridge.lifecycle.history import InForce
from bridge.lifecycle.shadow import Shadow
from bridge.master.book import MasterBook
from bridge.plant import Content, Release
from ruleset.output import EngineOutput
from ruleset.trace.look import Looks
from sparkplug.errors import SnapshotError
from sparkplug.fact import NodeId
from sparkplug.host import HostApplication
from state.errors import RecordUnreadable
from state.outbox import Outbox
from state.record import RecordId, Remembers, Table

STRANGERS_ID: Final = "strangers"
"""The record in `Table.META` of what was found of messages that belong to no node."""
IN_FORCE: Final = RecordId(Table.META, "in-force")
"""The record of the version of the rules that ran last, where any was released."""
RUNS: Final = RecordId(Table.META, "runs")
"""The name of the content that runs, released or not: the bridge's shell writes it, commands outside ask for it."""


class _Versioned(msgspec.Struct):
    """What is asked of a stored record before it is read."""

    v: int = 1


class Witness(Protocol):
    """Who hears what the rules decide, whatever becomes of it."""

    def decided(self, outputs: Sequence[EngineOutput]) -> None:
        """The rules decided this."""
        ...

    def looked(self, looks: Looks) -> None:
        """A step is over; the rules looked."""
        ...

    def failed(self) -> None:
        """A defect of ours kept what was told from the rules, or what they decided from the outbox."""
        ...


class _Timed(Protocol):
    @property
    def next_due_ms(self) -> int | None: ...


@dataclass(slots=True, kw_only=True)
class Core:
    """Everything that a site remembers, as state machines. Each keeps its own records.

    `content` is the live version of the rules, `floor` what it sees, and `release` says which it is; `in_force` is the
    latest that was committed as live; `shadows` run beside it, one at most. `left` are the ids of records that a shadow
    left behind when it ended. `witness`: where it is only asked what is decided, over a recording; looks are for nobody
    else then.
    `forget_from_ms`: when it is seen next what to forget.
    """

    host: HostApplication
    content: Content
    floor: Floor
    book: OrderBook
    outbox: Outbox
    standings: Standings
    postings: Postings
    commands: Commands
    keys_kept_ms: int
    grace_ms: int
    alarm: Alarm
    live: LiveView = field(default_factory=LiveView)
    master: MasterBook = field(default_factory=MasterBook)
    release: Release | None = None
    in_force: InForce | None = None
    shadows: list[Shadow] = field(default_factory=list)
    left: set[str] = field(default_factory=set)
    witness: Witness | None = None
    forget_from_ms: int = 0

    def next_due_ms(self, now_ms: int) -> int | None:
        """When to step next if nothing arrives: the earliest timer of any machine."""
        outbox_ms, looks_ms = self.outbox.due_after(now_ms), self.postings.traces.next_due_ms(self.floor.engine.looks)
        dues = (self.next_timer_ms, outbox_ms, self.alarm.next_due_ms, looks_ms)
        return min((due for due in dues if due is not None), default=None)

    @property
    def next_timer_ms(self) -> int | None:
        """When time alone changes next what is known, or decided. Asked for at each step, so without a list."""
        timed: tuple[_Timed, ...] = (self.host, self.floor, self.book, *self.shadows)
        first: int | None = None
        for machine in timed:
            due_ms = machine.next_due_ms
            if due_ms is not None and (first is None or due_ms < first):
                first = due_ms
        return first

    def has_sendable(self, now_ms: int) -> bool:
        """Whether a claim may give something: where it cannot, the step is spared."""
        due_ms = self.outbox.next_due_ms
        return due_ms is not None and due_ms <= now_ms


def take_changes(core: Core) -> Mapping[RecordId, bytes | None]:
    """The records that changed since the last call, None for those that are gone."""
    changes: dict[RecordId, bytes | None] = {}
    for node in core.host.take_changed():
        changes[RecordId(Table.NODE, str(node))] = core.host.snapshot(node) if core.host.knows(node) else None
    if (findings := core.host.take_changed_findings()) is not None:
        changes[RecordId(Table.META, STRANGERS_ID)] = findings
    for table, machine in _machines(core):
        for id in machine.take_changed():
            changes[RecordId(table, id)] = machine.snapshot(id)
    for record in core.floor.take_changed():
        changes[record] = core.floor.snapshot(record)
    for record in core.outbox.take_changed():
        changes[record] = core.outbox.snapshot(record)
    for id in core.left:
        changes[RecordId(Table.SHADOW, id)] = None
    core.left.clear()
    for shadow in core.shadows:
        for id in shadow.take_changed():
            changes[RecordId(Table.SHADOW, id)] = shadow.snapshot(id)
    if (in_force := _newly_in_force(core)) is not None:
        core.in_force = in_force
        changes[IN_FORCE] = msgspec.json.encode(in_force)
    return changes


def _newly_in_force(core: Core) -> InForce | None:
    """What is live, where it came after what is known to have been. A bridge that starts with an older one takes up the
    newer at once: what is known never goes back."""
    since = core.release.since if core.release is not None else None
    if core.release is None or since is None:
        return None
    if core.in_force is not None and since.number <= core.in_force.line:
        return None
    return InForce(version=core.release.version, line=since.number, hash=since.hash)


def _machines(core: Core) -> tuple[tuple[Table, Remembers], ...]:
    """Whose records are in which table, where one machine has a table of its own."""
    return (
        (Table.ORDER, core.book),
        (Table.STANDING, core.standings),
        (Table.REPLY, core.commands),
        (Table.MASTER, core.master),
        (Table.TRACE, core.postings.traces),
    )


def restore(core: Core, records: Mapping[RecordId, bytes]) -> None:
    """Give the machines back what an earlier process committed. Before the first step.

    Raises `RecordUnreadable`: what one cannot read, one would overwrite.
    """
    kept: dict[RecordId, bytes] = {}
    for record, snapshot in records.items():
        if record.table in (Table.ENTRY, Table.KEY):
            kept[record] = snapshot
            continue
        try:
            _restore_one(core, record, snapshot)
        except (ValueError, SnapshotError) as error:  # msgspec's errors are of ValueError
            raise RecordUnreadable(f"{record.table}/{record.id}", str(error)) from error
    try:
        core.outbox.restore(kept)
    except ValueError as error:
        raise RecordUnreadable("of the outbox", str(error)) from error


def _restore_one(core: Core, record: RecordId, snapshot: bytes) -> None:
    machines = dict(_machines(core))
    if record.table in (*machines, Table.SIGNAL, Table.MEMORY) and record.id != CURSOR_ID:
        version = msgspec.json.decode(snapshot, type=_Versioned).v
        if version != 1:
            raise ValueError(f"it is of version {version}, and this bridge knows version 1")
    match record.table:
        case Table.NODE:
            group, node = record.id.split("/")
            core.host.restore(NodeId(group, node), snapshot)
        case Table.SIGNAL | Table.MEMORY:
            core.floor.restore(record, snapshot)
        case Table.SHADOW:
            _restore_shadow(core, record.id, snapshot)
        case Table.ORDER | Table.STANDING | Table.REPLY | Table.MASTER:
            machines[record.table].restore(record.id, snapshot)
        case Table.META if record.id == STRANGERS_ID:
            core.host.restore_findings(snapshot)
        case Table.META if record == IN_FORCE:
            core.in_force = msgspec.json.decode(snapshot, type=InForce)
        case Table.ENTRY | Table.KEY | Table.DONE | Table.TRACE | Table.META:
            pass


def _restore_shadow(core: Core, id: str, snapshot: bytes) -> None:
    """Give it to the shadow that left it; what was of another one is taken away."""
    owner = next((each for each in core.shadows if each.owns(id)), None)
    if owner is None:
        core.left.add(id)
    else:
        owner.restore(id, snapshot)
