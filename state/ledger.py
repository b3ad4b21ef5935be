"""What an outbox keeps: its entries that are not done, what was accepted before, and which records changed.

Everything but what `take_changed` reports is in the records; a ledger restored from them is the same ledger.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import islice
from typing import Final, TypeVar

import msgspec

from state.entry import Entry, EntryState, decode, encode
from state.record import RecordId, Table
from state.retry import Circuit, RetryPolicy
from state.waiting.change import met_again
from state.waiting.entries import Waiting

FORGET_DONE_EVERY_MS: Final = 3_600_000
MOST_FORGOTTEN: Final = 10_000
"""So that a commit stays small enough: Redis takes no command of more than a million arguments."""
FORGET_MORE_MS: Final = 1_000
"""Pause before the next ones, where there were too many."""

BY_AGE_EVERY: Final = 10
"""Of so many batches without room for all lanes one goes by age alone: nothing waits for ever behind what is urgent."""

MOST_REFUSED: Final = 20
"""Contents of a fact that people refused and that are remembered: one of them that comes again proposes nothing."""

CHUNK: Final = 100
"""Done entries per index record: an index makes it possible to forget them without loading them."""


Name = TypeVar("Name", str, int)


class Accepted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="v", tag=1):
    """A key whose entry is done: delivered or skipped, with this content, or corrected to it.

    `gist` is what its owner wanted to be remembered of that content; empty where it is not known what stands.
    `refused` are other contents that were proposed since and that people did not want, the latest, and `corrections`
    how many proposals are done.
    """

    content_hash: str
    state: EntryState
    at_ms: int
    gist: bytes = b""
    refused: tuple[str, ...] = msgspec.field(default=(), name="proposed")
    corrections: int = 0


class Total(msgspec.Struct, frozen=True, kw_only=True, tag_field="v", tag=1):
    """The highest total accepted of a stream."""

    upto: Decimal
    at_ms: int


class Numbers(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="v", tag=1):
    """The last number given out, the circuits that are not at rest, and the full batches since the last by age."""

    number: int = 0
    circuits: dict[str, Circuit] = {}
    full: dict[str, int] = {}


class DoneChunk(msgspec.Struct, frozen=True, kw_only=True, tag_field="v", tag=1):
    """Keys of entries done, in the order in which they were done, and when the last one was."""

    keys: tuple[str, ...]
    at_ms: int


_encoder = msgspec.msgpack.Encoder(decimal_format="string")
_accepted = msgspec.msgpack.Decoder(Accepted)
_total = msgspec.msgpack.Decoder(Total)
_numbers = msgspec.msgpack.Decoder(Numbers)
_chunk = msgspec.msgpack.Decoder(DoneChunk)

_CORRECTION: Final = "correction:"
_KEY: Final = "key:"
_STREAM: Final = "stream:"
_CHUNK: Final = "done:"
_NUMBERS: Final = RecordId(Table.KEY, "outbox")


class Ledger:
    """The books of one outbox. `waiting` is to be asked only: what changes there is written by the ledger."""

    def __init__(self) -> None:
        self.waiting = Waiting()
        self._accepted: dict[str, Accepted] = {}
        self._totals: dict[str, dict[str, Total]] = {}
        self._numbers = Numbers()
        self._chunks: dict[int, DoneChunk] = {}
        self._changed: set[RecordId] = set()
        self._done: dict[str, Entry] = {}
        self._forget_from_ms = 0

    def total(self, stream: str) -> Total | None:
        """The highest total accepted of a stream."""
        return self._totals.get(_level(stream), {}).get(stream)

    def totals(self, prefix: str) -> Iterator[tuple[str, Total]]:
        """The streams that begin so, each with its highest total. A whole first level (`mo-1/`) is found at once."""
        groups = self._totals.values() if "/" not in prefix else (self._totals.get(_level(prefix), {}),)
        return ((stream, total) for group in groups for stream, total in group.items() if stream.startswith(prefix))

    def accepted(self, key: str) -> Accepted | None:
        """What is remembered of a key whose entry is done."""
        return self._accepted.get(key)

    def next_number(self) -> int:
        """A number greater than all before."""
        self._renumber(msgspec.structs.replace(self._numbers, number=self._numbers.number + 1))
        return self._numbers.number

    def circuit(self, destination: str) -> Circuit:
        return self._numbers.circuits.get(destination, Circuit())

    def set_circuit(self, destination: str, circuit: Circuit) -> None:
        if circuit == self.circuit(destination):
            return
        others = {name: one for name, one in self._numbers.circuits.items() if name != destination}
        circuits = others if circuit == Circuit() else others | {destination: circuit}
        self._renumber(msgspec.structs.replace(self._numbers, circuits=circuits))

    def is_turn_of_age(self, destination: str) -> bool:
        """Whether it is the oldest entry's turn there, however urgent others are."""
        return self._numbers.full.get(destination, 0) >= BY_AGE_EVERY - 1

    def count_full(self, destination: str) -> None:
        """A batch goes there that has no room for other lanes."""
        count = 0 if self.is_turn_of_age(destination) else self._numbers.full.get(destination, 0) + 1
        self._renumber(msgspec.structs.replace(self._numbers, full=self._numbers.full | {destination: count}))

    def advance(self, stream: str, upto: Decimal, at_ms: int) -> None:
        """Remember a total; a lower one changes nothing."""
        if (total := self.total(stream)) is None or total.upto < upto:
            self._put_total(stream, Total(upto=upto, at_ms=at_ms))
            self._changed.add(RecordId(Table.KEY, _STREAM + stream))

    def put(self, entry: Entry) -> None:
        """Write an entry that is not done. A new number puts it at the end of its lane."""
        self.waiting.put(entry)
        self._changed.add(RecordId(Table.ENTRY, entry.key))

    def take_place(self, of: Entry, entry: Entry) -> None:
        """Write a new total where the one was that it holds too. Nothing is kept of that one: its stream goes on."""
        self.waiting.take_place(of, entry)
        self._changed |= {RecordId(Table.ENTRY, of.key), RecordId(Table.ENTRY, entry.key)}

    def finish(self, entry: Entry) -> None:
        """Move an entry that is delivered or skipped to the done ones and remember its key, unless it is a total.

        A correction is remembered with the fact that it amends.
        """
        self.waiting.drop(entry.key)
        self._done[entry.key] = entry
        self._changed |= {RecordId(Table.ENTRY, entry.key), RecordId(Table.DONE, entry.key)}
        if entry.amends:
            self._amended(entry)
        elif entry.stream is None:
            gist = entry.gist if entry.state is EntryState.DELIVERED else b""
            done = Accepted(content_hash=entry.content_hash, state=entry.state, at_ms=entry.changed_ms, gist=gist)
            self._accept(entry.key, done)
        self._index(entry)

    def withdraw(self, proposal: Entry) -> None:
        """Move a correction to the done ones that is wanted no more: of what it amends nothing else changes."""
        stands = self._accepted.get(proposal.amends)
        self.finish(proposal)
        if stands is not None:
            self._accept(proposal.amends, msgspec.structs.replace(stands, corrections=stands.corrections + 1))

    def correction_key(self, fact: str) -> str:
        """The key of the correction of a fact that is open, or would be the next one."""
        done = self._accepted.get(fact)
        return f"{_CORRECTION}{done.corrections + 1 if done else 1}:{fact}"

    def done_keys(self) -> Iterator[str]:
        """Keys of the done entries, the latest first. To be read at once: it does not stand a change."""
        return (key for number in reversed(self._chunks) for key in reversed(self._chunks[number].keys))

    def met_again(self, look_after_ms: Mapping[str, int], policy: RetryPolicy, now_ms: int) -> None:
        """A process begins with these books: by its own clock everything waits as long as was meant, and no longer."""
        for entry in tuple(self.waiting.entries.values()):
            met = met_again(entry, now_ms, look_after_ms.get(entry.destination, 0))
            if met is not entry:
                self.put(met)
        for destination, circuit in self._numbers.circuits.items():
            self.set_circuit(destination, circuit.met_again(policy, now_ms))

    def forget_before(self, at_ms: int) -> None:
        """Drop keys and totals that were last touched before this moment, and done entries in whole chunks.

        To be called often: it works once an hour of `at_ms`, and sooner while there is more than fits a commit.
        """
        if at_ms < self._forget_from_ms:
            return
        live = {entry.stream for entry in self.waiting.entries.values()}
        amended = {entry.amends for entry in self.waiting.entries.values()}
        keys = _first(key for key, done in self._accepted.items() if done.at_ms < at_ms and key not in amended)
        streams = _first(name for name, total in self.totals("") if total.at_ms < at_ms and name not in live)
        chunks = _first((number for number, chunk in self._chunks.items() if chunk.at_ms < at_ms), CHUNK)
        for key in keys:
            del self._accepted[key]
            self._changed.add(RecordId(Table.KEY, _KEY + key))
        for stream in streams:
            self._drop_total(stream)
            self._changed.add(RecordId(Table.KEY, _STREAM + stream))
        for number in chunks:
            for key in self._chunks.pop(number).keys:
                self._done.pop(key, None)
                self._changed.add(RecordId(Table.DONE, key))
            self._changed.add(_chunk_id(number))
        is_more = max(len(keys), len(streams), len(chunks) * CHUNK) >= MOST_FORGOTTEN
        self._forget_from_ms = at_ms + (FORGET_MORE_MS if is_more else FORGET_DONE_EVERY_MS)

    def take_changed(self) -> frozenset[RecordId]:
        """The records that changed since the last call. `snapshot` answers for them until the next call."""
        changed = frozenset(self._changed)
        self._changed.clear()
        self._done = {key: entry for key, entry in self._done.items() if RecordId(Table.DONE, key) in changed}
        return changed

    def snapshot(self, record: RecordId) -> bytes | None:
        """A changed record's value now; None: it is gone."""
        if record.table is Table.ENTRY:
            entry = self.waiting.entries.get(record.id)
            return None if entry is None else encode(entry)
        if record.table is Table.DONE:
            done = self._done.get(record.id)
            return None if done is None else encode(done)
        value = self._value(record)
        return None if value is None else _encoder.encode(value)

    def restore(self, records: Mapping[RecordId, bytes]) -> None:
        """Take over what an earlier ledger wrote. Only for a new one."""
        entries = [decode(value) for record, value in records.items() if record.table is Table.ENTRY]
        for entry in sorted(entries, key=lambda entry: entry.number):
            self.put(entry)
        for record, value in records.items():
            if record == _NUMBERS:
                self._numbers = _numbers.decode(value)
            elif record.table is Table.KEY and record.id.startswith(_KEY):
                self._accepted[record.id.removeprefix(_KEY)] = _accepted.decode(value)
            elif record.table is Table.KEY and record.id.startswith(_STREAM):
                self._put_total(record.id.removeprefix(_STREAM), _total.decode(value))
            elif record.table is Table.KEY and record.id.startswith(_CHUNK):
                self._chunks[int(record.id.removeprefix(_CHUNK))] = _chunk.decode(value)
        self._chunks = dict(sorted(self._chunks.items()))
        self._changed.clear()

    def _value(self, record: RecordId) -> msgspec.Struct | None:
        if record == _NUMBERS:
            return self._numbers
        if record.id.startswith(_KEY):
            return self._accepted.get(record.id.removeprefix(_KEY))
        if record.id.startswith(_STREAM):
            return self.total(record.id.removeprefix(_STREAM))
        return self._chunks.get(int(record.id.removeprefix(_CHUNK)))

    def _accept(self, key: str, done: Accepted) -> None:
        self._accepted[key] = done
        self._changed.add(RecordId(Table.KEY, _KEY + key))

    def _amended(self, correction: Entry) -> None:
        """A correction is done: remember what stands now, and what was refused of that.

        What stands is not known where a person ended one of which something may have been written, or of which nothing
        could be sent: they may have corrected it by hand. The last content that they dealt with is known then.
        """
        if (fact := self._accepted.get(correction.amends)) is None:
            return
        content, gist, refused = correction.content_hash, correction.gist, tuple[str, ...]()
        if correction.state is EntryState.SKIPPED:
            if fact.state is EntryState.SKIPPED or (correction.gist and not correction.uncertain):
                content, gist, refused = fact.content_hash, fact.gist, (*fact.refused, content)[-MOST_REFUSED:]
            else:
                gist = b""
        done = Accepted(
            content_hash=content,
            state=fact.state,
            at_ms=correction.changed_ms,
            gist=gist,
            refused=refused,
            corrections=fact.corrections + 1,
        )
        self._accept(correction.amends, done)

    def _put_total(self, stream: str, total: Total) -> None:
        self._totals.setdefault(_level(stream), {})[stream] = total

    def _drop_total(self, stream: str) -> None:
        group = self._totals[_level(stream)]
        del group[stream]
        if not group:
            del self._totals[_level(stream)]

    def _renumber(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._changed.add(_NUMBERS)

    def _index(self, entry: Entry) -> None:
        number = next(reversed(self._chunks), 0)
        chunk = self._chunks.get(number)
        if chunk is None or len(chunk.keys) >= CHUNK:
            number += 1
            chunk = DoneChunk(keys=(), at_ms=entry.changed_ms)
        at_ms = max(chunk.at_ms, entry.changed_ms)
        self._chunks[number] = DoneChunk(keys=(*chunk.keys, entry.key), at_ms=at_ms)
        self._changed.add(_chunk_id(number))


def _first(found: Iterator[Name], each: int = 1) -> list[Name]:
    """As many as one commit may forget, where each stands for several records."""
    return list(islice(found, MOST_FORGOTTEN // each))


def _level(stream: str) -> str:
    """The first level of a stream's name."""
    return stream.partition("/")[0]


def _chunk_id(number: int) -> RecordId:
    return RecordId(Table.KEY, f"{_CHUNK}{number}")
