"""Translation: from Sparkplug facts and UNS documents to samples and events of the plant's equipment.

`Translator` is part of the core: no clock, no I/O. It remembers which events it has seen, per equipment, and
nothing else. What a peer did wrong becomes a `Complaint` in the output.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Final, TypeAlias

import msgspec

from bridge.core.topic import UNS_PREFIX, request_prefix
from bridge.translate.binding import Member, Rows, Value, bind
from bridge.translate.complaint import Complaint, ComplaintName
from bridge.translate.running import Running, judge
from bridge.translate.value import describe, read_fields, read_id, read_moment_ms
from ruleset.equipment import Assets, EventSignal, Role, TemplateBinding
from ruleset.sample import Event, Fresh, Observation, Sample, Source, Stale
from sparkplug.fact import (
    DataRead,
    DataSet,
    DeviceOffline,
    DeviceOnline,
    Fact,
    Finding,
    NodeId,
    NodeOffline,
    NodeOnline,
    Origin,
    Reading,
    Template,
)

__all__ = ["Complaint", "ComplaintName", "Translator"]

Translated: TypeAlias = Observation | Complaint

FEWEST_ROWS_KEPT: Final = 64
"""Ids of DataSet rows that are remembered at least; else twice the rows of the last DataSet."""


class _Memory(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is remembered of one equipment: running numbers, and the ids of rows with their content's hash."""

    v: int = 1
    running: dict[str, Running] = {}
    rows: dict[str, dict[str, str]] = {}


class Translator:
    """Turns what the host application and the document session read into what rules see."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets
        self._bindings = bind(assets)
        self._own_topics = (f"{UNS_PREFIX}/{assets.path}/order/", request_prefix(assets.path))
        self._memory: dict[str, _Memory] = {}
        self._changed: set[str] = set()

    @property
    def nodes(self) -> frozenset[NodeId]:
        """The nodes that the bindings name, also by their devices."""
        return frozenset(self._bindings.nodes)

    def fact(self, fact: Fact) -> tuple[Translated, ...]:
        """Translate a fact of the host application.

        Of one message: first the samples that name the running order, then the other samples as the payload has
        them, then the events. What no signal is bound to gives nothing.
        """
        match fact:
            case DataRead():
                return self._read(fact)
            case NodeOnline(node=node, at_ms=at_ms):
                equipment = self._bindings.origins.get(Origin(node.group, node.node, None), ())
                return tuple(Fresh(equipment=each, at_ms=at_ms) for each in equipment)
            case DeviceOnline(origin=origin, at_ms=at_ms):
                return tuple(Fresh(equipment=each, at_ms=at_ms) for each in self._bindings.origins.get(origin, ()))
            case NodeOffline(node=node, at_ms=at_ms, reason=reason):
                equipment = self._bindings.nodes.get(node, ())
                return tuple(Stale(equipment=each, at_ms=at_ms, reason=reason) for each in equipment)
            case DeviceOffline(origin=origin, at_ms=at_ms, reason=reason):
                equipment = self._bindings.origins.get(origin, ())
                return tuple(Stale(equipment=each, at_ms=at_ms, reason=reason) for each in equipment)
            case Finding():
                return ()

    def document(self, topic: str, payload: bytes, now_ms: int) -> tuple[Translated, ...]:
        """Translate a JSON document. The same document again gives the same event again: its id tells.

        The bridge's own order releases and requests, which the site's filter also brings, give nothing.
        """
        if topic.startswith(self._own_topics):
            return ()
        bound = self._bindings.documents.get(topic)
        if bound is None:
            return (self._unknown(topic),)
        equipment, signal = bound
        try:
            document = msgspec.json.decode(payload)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            return (_complain(equipment, signal, ComplaintName.UNREADABLE, f"not JSON: {error}"),)
        if not isinstance(document, dict):
            text = f"expected a JSON object, found {describe(document)}"
            return (_complain(equipment, signal, ComplaintName.UNREADABLE, text),)
        id, at_ms, faults = _read_envelope(document)
        if isinstance(document.get("id"), int):
            id = None
            faults = ["id: expected a text, found a number", *faults]
        fields, wrong = read_fields(signal.fields, document)
        if id is None or at_ms is None or faults or wrong:
            text = f"event {id or 'without id'}: {'; '.join([*faults, *wrong])}"
            return (_complain(equipment, signal, ComplaintName.INVALID_EVENT, text),)
        source = Source(topic=topic)
        return (Event(equipment=equipment, signal=signal.name, id=id, fields=fields, at_ms=at_ms, source=source),)

    @property
    def ids(self) -> frozenset[str]:
        """The equipment of which something is remembered."""
        return frozenset(self._memory)

    def take_changed(self) -> frozenset[str]:
        """The equipment whose snapshot changed since the last call."""
        changed = frozenset(self._changed)
        self._changed.clear()
        return changed

    def snapshot(self, equipment: str) -> bytes:
        """What is remembered of an equipment, for `restore`."""
        return msgspec.json.encode(self._memory.get(equipment, _Memory()))

    def restore(self, equipment: str, snapshot: bytes) -> None:
        """Remember what an earlier process did. Equipment that is no longer in the plant is remembered too."""
        self._memory[equipment] = msgspec.json.decode(snapshot, type=_Memory)

    def _read(self, read: DataRead) -> tuple[Translated, ...]:
        targets = self._bindings.metrics.get(read.origin)
        if targets is None:
            return ()
        source = Source(topic=_topic(read), seq=read.seq)
        samples: list[tuple[Reading, Value]] = []
        groups: dict[tuple[str, str], _Group] = {}
        events: list[Translated] = []
        for reading in read.readings:
            match targets.get(reading.metric):
                case Value() as value:
                    samples.append((reading, value))
                case Member() as member:
                    group = groups.setdefault((member.equipment, member.signal.name), _Group(member))
                    group.add(member.field, reading)
                case Rows() as rows:
                    events += self._rows(rows, reading, source)
                case None:
                    pass
        for group in groups.values():
            for occurrence in group.occurrences():
                events += self._numbered(group.member, occurrence, source, birth=read.birth)
        ordered = _order_first(samples)
        return (*(_sample(reading, value, source, read.birth) for reading, value in ordered), *events)

    def _numbered(
        self, member: Member, found: dict[str | None, Reading], source: Source, *, birth: bool
    ) -> Iterator[Translated]:
        """One occurrence of a metric group, if its running number says that it is one."""
        equipment, signal = member.equipment, member.signal
        counted = found.get(None)
        if counted is None:
            if not birth:
                text = "fields without the running number; publish all metrics of the group in one message"
                yield _complain(equipment, signal, ComplaintName.INVALID_EVENT, text)
            return
        number = counted.value
        if number is None:
            return
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            text = f"the running number must be a whole number from 0, found {describe(number)}"
            yield _complain(equipment, signal, ComplaintName.INVALID_EVENT, text)
            return
        values = {name: reading.value for name, reading in found.items() if name is not None}
        fields, faults = read_fields(signal.fields, values)
        memory = self._memory.setdefault(equipment, _Memory())
        before = memory.running.get(signal.name)
        verdict = judge(before, number, _hash(fields), historical=counted.historical)
        if faults and number > 0:
            if verdict.id is not None:
                text = f"event {number}: {'; '.join(faults)}"
                yield _complain(equipment, signal, ComplaintName.INVALID_EVENT, text)
            return
        if verdict.memory != before:
            memory.running[signal.name] = verdict.memory
            self._changed.add(equipment)
        if verdict.wrong is not None:
            yield _complain(equipment, signal, *verdict.wrong)
        if verdict.id is not None:
            yield Event(
                equipment=equipment,
                signal=signal.name,
                id=verdict.id,
                fields=fields,
                at_ms=counted.at_ms,
                source=source,
                historical=counted.historical,
            )

    def _rows(self, bound: Rows, reading: Reading, source: Source) -> Iterator[Translated]:
        """The rows of a DataSet that were not seen before, as it has them."""
        equipment, signal, value = bound.equipment, bound.signal, reading.value
        is_single = isinstance(signal.binding, TemplateBinding)
        if value is None or (isinstance(value, Template) and value.is_definition):
            return
        if not isinstance(value, Template if is_single else DataSet):
            text = f"expected a {'template instance' if is_single else 'DataSet'}, found {describe(value)}"
            yield _complain(equipment, signal, ComplaintName.INVALID_EVENT, text)
            return
        dataset = _one_row(value) if isinstance(value, Template) else value
        wanted = ["id", "at", *(field.name for field in signal.fields if not field.optional)]
        if lacking := [name for name in wanted if name not in dataset.columns]:
            what = "template instance has no member" if is_single else "DataSet has no column"
            text = f"the {what} {', '.join(lacking)}"
            yield _complain(equipment, signal, ComplaintName.INVALID_EVENT, text)
            return
        memory = self._memory.setdefault(equipment, _Memory())
        seen = memory.rows.get(signal.name, {})
        rows = [dict(zip(dataset.columns, row, strict=False)) for row in dataset.rows]
        named = [(str(row["id"]), _hash(row), row) for row in rows if "id" in row]
        fresh = [(content, row) for name, content, row in named if seen.get(name) != content]
        if not fresh:
            return
        if seen and not is_single and not any(name in seen for name, _, _ in named):
            text = "none of the rows was seen before; rows between may be missing"
            yield _complain(equipment, signal, ComplaintName.EVENT_GAP, text)
        kept = {**seen, **{name: content for name, content, _ in named}}
        limit = max(FEWEST_ROWS_KEPT, 2 * len(rows))
        memory.rows[signal.name] = dict(list(kept.items())[-limit:])
        self._changed.add(equipment)
        for _, row in fresh:
            yield _row_event(bound, row, reading, source)

    def _unknown(self, topic: str) -> Complaint:
        path, _, name = topic.removeprefix(f"{UNS_PREFIX}/").rpartition("/")
        equipment = self._assets.equipment.get(path)
        if equipment is None:
            text = f'no equipment of assets.yaml has the path "{path}"'
        else:
            prefix = f"{UNS_PREFIX}/{path}/"
            documents = self._bindings.documents.items()
            known = [topic.removeprefix(prefix) for topic, (owner, _) in documents if owner == path]
            text = f'{path} has no document "{name}"; it has {", ".join(known) or "none"}'
        return Complaint(equipment=path, signal=name, name=ComplaintName.UNKNOWN_TOPIC, text=text)


class _Group:
    """Gathers the readings of one group's metrics; a metric that comes again begins the next occurrence."""

    __slots__ = ("_done", "_open", "_open_ms", "member")

    def __init__(self, member: Member) -> None:
        self.member = member
        self._done: list[dict[str | None, Reading]] = []
        self._open: dict[str | None, Reading] = {}
        self._open_ms = 0

    def add(self, field: str | None, reading: Reading) -> None:
        """Take a reading. Stored history is told apart by time too, since an optional field may be absent."""
        if field in self._open or (self._open and reading.historical and reading.at_ms != self._open_ms):
            self._done.append(self._open)
            self._open = {}
        self._open[field] = reading
        self._open_ms = reading.at_ms

    def occurrences(self) -> list[dict[str | None, Reading]]:
        return [*self._done, self._open]


def _order_first(samples: list[tuple[Reading, Value]]) -> Iterable[tuple[Reading, Value]]:
    """A message that carries the order and the count belongs together: the new order applies to the count.

    A message that carries several orders is a history; there each moment has its own.
    """
    orders = [reading.metric for reading, value in samples if value.signal.role is Role.ORDER]
    if not orders:
        return samples
    if len(orders) == len(set(orders)):
        return sorted(samples, key=lambda each: each[1].signal.role is not Role.ORDER)
    moment = 0
    numbered: list[tuple[int, bool, tuple[Reading, Value]]] = []
    for index, (reading, value) in enumerate(samples):
        moment += index > 0 and reading.at_ms != samples[index - 1][0].at_ms
        numbered.append((moment, value.signal.role is not Role.ORDER, (reading, value)))
    return [each for _, _, each in sorted(numbered, key=lambda entry: entry[:2])]


def _sample(reading: Reading, bound: Value, source: Source, birth: bool) -> Sample | Complaint:
    signal = bound.signal
    value = bound.fit(reading.value)
    if value is None and reading.value is not None:
        return Complaint(
            equipment=bound.equipment,
            signal=signal.name,
            name=ComplaintName.WRONG_TYPE,
            text=f'metric "{reading.metric}": expected {signal.type}, found {describe(reading.value)}',
        )
    return Sample(
        equipment=bound.equipment,
        signal=signal.name,
        value=value,
        at_ms=reading.at_ms,
        source=source,
        birth=birth,
        historical=reading.historical,
    )


def _one_row(instance: Template) -> DataSet:
    """A template instance as a DataSet of one event; members that are no plain values fit no field."""
    plain = {name: each for name, each in instance.members.items() if not isinstance(each, DataSet | Template | tuple)}
    return DataSet(columns=tuple(plain), rows=(tuple(plain.values()),))


def _row_event(bound: Rows, row: Mapping[str, object], reading: Reading, source: Source) -> Event | Complaint:
    id, at_ms, faults = _read_envelope(row)
    fields, wrong = read_fields(bound.signal.fields, row)
    if id is None or at_ms is None or faults or wrong:
        text = f"row {id or 'without id'}: {'; '.join([*faults, *wrong])}"
        return _complain(bound.equipment, bound.signal, ComplaintName.INVALID_EVENT, text)
    return Event(
        equipment=bound.equipment,
        signal=bound.signal.name,
        id=id,
        fields=fields,
        at_ms=at_ms,
        source=source,
        historical=reading.historical,
    )


def _read_envelope(found: Mapping[str, object]) -> tuple[str | None, int | None, list[str]]:
    """`id` and `at`, and a sentence for each that is missing or wrong."""
    id, at_ms = read_id(found.get("id")), read_moment_ms(found.get("at"))
    faults: list[str] = []
    if id is None:
        faults.append("id is missing" if found.get("id") is None else "id: expected a short, printable text")
    if at_ms is None:
        moment = "ISO 8601 with a zone, or milliseconds"
        faults.append(
            "at is missing" if found.get("at") is None else f"at: expected {moment}, found {describe(found['at'])}"
        )
    return id, at_ms, faults


def _complain(equipment: str, signal: EventSignal, name: ComplaintName, text: str) -> Complaint:
    return Complaint(equipment=equipment, signal=signal.name, name=name, text=text)


def _hash(content: object) -> str:
    """Short: it tells the content of one id from another content of the same id, no more."""
    return sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()[:12]


def _topic(read: DataRead) -> str:
    kind = ("N" if read.origin.device is None else "D") + ("BIRTH" if read.birth else "DATA")
    levels = ["spBv1.0", read.origin.group, kind, read.origin.node]
    return "/".join(levels if read.origin.device is None else [*levels, read.origin.device])
