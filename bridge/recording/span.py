"""What a commit of the loop brought, as the recorder takes it, and what stands in the store after it.

`Mirror` follows the core's records from commit to commit, so that each file of a recording begins with the state that
its first input found.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from bridge.core.input import HostConnected, HostDisconnected, Input
from state.record import NOT_LOADED, RecordId, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """Inputs that were not written, and why. `inputs` None: nobody knows how many."""

    from_ms: int
    to_ms: int
    inputs: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The inputs of one turn with their times, and what their commit changed. `number` is that of the last commit.

    `lost`: the inputs were not kept, but for those that tell which servers the host is on.
    """

    number: int
    inputs: Sequence[tuple[int, Input]]
    changes: Mapping[RecordId, bytes | None]
    lost: Lost | None = None


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The committed records of a site, and where its host was connected. `number` is that of the last commit."""

    v: int = 1
    number: int
    connected: tuple[HostConnected, ...]
    records: dict[str, dict[str, bytes]]

    @property
    def by_id(self) -> dict[RecordId, bytes]:
        """The records as `bridge.core.site.restore` takes them."""
        return {
            RecordId(Table(table), id): body for table, bodies in self.records.items() for id, body in bodies.items()
        }


class Mirror:
    """The records of a site after the last span that was taken."""

    def __init__(self, number: int, records: Mapping[RecordId, bytes]) -> None:
        self.number = number
        self._records = {record: body for record, body in records.items() if record.table not in NOT_LOADED}
        self._connected: dict[str, HostConnected] = {}

    def take(self, span: Span) -> None:
        """Follow a span. To take one again, and all that came after it, changes nothing."""
        self.number = span.number
        apply(span.changes, self._records)
        for _, entered in span.inputs:
            if isinstance(entered, HostConnected):
                self._connected[entered.server] = entered
            elif isinstance(entered, HostDisconnected):
                self._connected.pop(entered.server, None)

    def snapshot(self) -> Snapshot:
        """The state now."""
        tables: dict[str, dict[str, bytes]] = {}
        for record, body in self._records.items():
            tables.setdefault(record.table.value, {})[record.id] = body
        return Snapshot(number=self.number, connected=tuple(self._connected.values()), records=tables)


def apply(changes: Mapping[RecordId, bytes | None], records: dict[RecordId, bytes]) -> None:
    """Let what a commit changed change these records, of which a start reads all."""
    for record, body in changes.items():
        if body is None:
            records.pop(record, None)
        elif record.table not in NOT_LOADED:
            records[record] = body


class Losing:
    """Spans that are being lost, as one: what they changed, and which servers the host was on, is followed all the
    same."""

    def __init__(self, reason: str) -> None:
        self._reason = reason
        self._changes: dict[RecordId, bytes | None] = {}
        self._kept: list[tuple[int, Input]] = []
        self._number = 0
        self._from_ms: int | None = None
        self._to_ms = 0
        self._inputs = 0

    def add(self, span: Span) -> None:
        """One more; it came after those before."""
        self._number = span.number
        self._changes.update(span.changes)
        self._kept += [each for each in span.inputs if isinstance(each[1], HostConnected | HostDisconnected)]
        lost = span.lost
        from_ms = span.inputs[0][0] if lost is None else lost.from_ms
        self._from_ms = from_ms if self._from_ms is None else self._from_ms
        self._to_ms = span.inputs[-1][0] if lost is None else lost.to_ms
        self._inputs += len(span.inputs) if lost is None else lost.inputs or 0

    def span(self) -> Span:
        """All of them. At least one was added."""
        assert self._from_ms is not None
        lost = Lost(from_ms=self._from_ms, to_ms=self._to_ms, inputs=self._inputs, reason=self._reason)
        return Span(number=self._number, inputs=self._kept, changes=self._changes, lost=lost)


def pack(snapshot: Snapshot) -> bytes:
    """The stored form of a snapshot."""
    return zlib.compress(msgspec.msgpack.encode(snapshot), level=1)


def unpack(stored: bytes) -> Snapshot:
    """Read what `pack` gave. Raises `zlib.error` or `msgspec.MsgspecError` for anything else."""
    return msgspec.msgpack.decode(zlib.decompress(stored), type=Snapshot)
