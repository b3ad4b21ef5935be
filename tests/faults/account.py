"""Where every Sparkplug message went that the broker had for a bridge: each is in exactly one bucket.

At QoS 0 a message may be gone for good. What was gone is looked up among what was read: a node sends again, marked
historical, what it sent before it lost its host, and what comes later tells the total.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sparkplug.fact import ONLY_SERVER, DataRead, DeviceOnline, NodeId, NodeOnline, Origin, Output
from sparkplug.host import HostApplication
from sparkplug.topic import DeviceTopic, NodeTopic, StateTopic, parse_topic
from sparkplug.wire.payload import decode
from tests.faults.machine import Machine, Phase, Universe

UNACCOUNTED: Final = "sparkplug: unaccounted for"
LOST: Final = "lost on the way"
CUT: Final = "its link had ended"
ENDED: Final = "the bridge ended before it was read"
UNDONE: Final = "the bridge ended before its commit"
FELL_BACK: Final = "its commit was lost with the store's last writes"
GONE: Final = (LOST, CUT, ENDED, UNDONE, FELL_BACK)
ON_THE_WAY_S: Final = 5.0
"""What the broker sent so shortly before the end may still be on the way."""
TOLD_BY: Final = frozenset({"NBIRTH", "DBIRTH", "NDATA", "DDATA"})


class Moment(NamedTuple):
    """When a value of a metric had come to be."""

    origin: Origin
    metric: str
    at_ms: int


@dataclass(slots=True)
class Passing:
    """One message on its way to one bridge."""

    machine: Machine
    topic: str
    payload: bytes
    sent_s: float
    became: str = ""
    commit: int = 0
    """The number of the commit that has what became of it; 0 as long as there is none."""
    moments: list[Moment] = field(default_factory=list)
    """Those of the values that were read with it."""


class Account:
    """All messages of a schedule."""

    def __init__(self, universe: Universe) -> None:
        self._universe = universe
        self._all: list[Passing] = []
        self._expected: defaultdict[tuple[str, str, bytes], deque[Passing]] = defaultdict(deque)
        self._uncommitted: defaultdict[str, list[Passing]] = defaultdict(list)
        self._undone: defaultdict[str, list[Passing]] = defaultdict(list)
        """Those whose commit the store has lost, and that may be committed again by who read them."""
        self._documents: list[Passing] = []
        """The documents that were acknowledged."""
        self._newest: Counter[str] = Counter()
        """The number of each process's last commit; 0 where the store has it no more."""

    def sent(self, machine: Machine, topic: str, payload: bytes) -> Passing:
        """The broker sends it to the host of this process."""
        passing = Passing(machine, topic, payload, self._universe.now_s)
        self._all.append(passing)
        return passing

    def arrived(self, passing: Passing) -> None:
        """The link of the bridge has it."""
        self._expected[passing.machine.name, passing.topic, passing.payload].append(passing)

    def read(self, machine: Machine, topic: str, payload: bytes, became: str, outputs: Sequence[Output]) -> None:
        """The core has taken it."""
        passing = self._expected[machine.name, topic, payload].popleft()
        passing.became = became
        self._uncommitted[machine.name].append(passing)
        for output in outputs:
            if isinstance(output, DataRead):
                for reading in output.readings:
                    passing.moments.append(Moment(output.origin, reading.metric, reading.at_ms))

    def acknowledged(self, machine: Machine, topic: str, payload: bytes) -> None:
        """The bridge acknowledges a document, which it does once it has committed it."""
        passing = Passing(machine, topic, payload, self._universe.now_s, commit=self._newest[machine.name])
        self._documents.append(passing)
        if not passing.commit:
            self._undone[machine.name].append(passing)

    def committed(self, machine: Machine, number: int) -> None:
        """The store has what became of all that this process has read, also of what it had lost meanwhile."""
        self._newest[machine.name] = number
        for waiting in (self._uncommitted, self._undone):
            for passing in waiting.pop(machine.name, ()):
                passing.commit = number

    def fell_back(self, number: int) -> None:
        """The store has no commit after this one any more."""
        for name, newest in self._newest.items():
            self._newest[name] = newest if newest <= number else 0
        for passing in (*self._all, *self._documents):
            if passing.commit > number:
                passing.commit = 0
                self._undone[passing.machine.name].append(passing)

    def documents(self) -> tuple[list[Passing], list[Passing]]:
        """The documents that were acknowledged, at the end: those that the store has, and those that it lost."""
        self._settle()
        kept = [one for one in self._documents if one.became not in GONE]
        return kept, [one for one in self._documents if one.became in GONE]

    def moments(self) -> tuple[set[Moment], dict[Moment, str]]:
        """Of all values, at the end: those that the store has, and those that were on messages that were lost beyond
        recall and on no other, with what became of these."""
        self._settle()
        kept = {moment for passing in self._all if passing.became not in GONE for moment in passing.moments}
        names = self._names()
        gone: dict[Moment, str] = {}
        for passing in self._all:
            if passing.became in (LOST, FELL_BACK):
                carried = passing.moments if passing.became == FELL_BACK else _carried(passing, names)
                became = f"{passing.topic} at {passing.sent_s:.4f} s: {passing.became}"
                gone.update((moment, became) for moment in carried if moment not in kept)
        return kept, gone

    def _names(self) -> dict[tuple[NodeId, int], str]:
        """The metrics' names by their aliases, which a node never changes, from the births."""
        names: dict[tuple[NodeId, int], str] = {}
        for passing in self._all:
            topic = parse_topic(passing.topic)
            if isinstance(topic, NodeTopic | DeviceTopic) and topic.verb in ("NBIRTH", "DBIRTH"):
                for metric in decode(passing.payload).metrics:
                    if metric.name is not None and metric.alias is not None:
                        names[topic.node, metric.alias] = metric.name
        return names

    def _settle(self) -> None:
        """Say of what was read and is not in the store that it is gone."""
        for passings in self._uncommitted.values():
            for passing in passings:
                if passing.machine.phase is Phase.DEAD:
                    passing.became = UNDONE
        for passings in self._undone.values():
            for passing in passings:
                passing.became = FELL_BACK

    def buckets(self) -> Counter[str]:
        """How many messages there are in each bucket, at the end."""
        self._settle()
        read: defaultdict[Origin, set[int]] = defaultdict(set)
        for passing in self._all:
            for moment in passing.moments if passing.became not in GONE else ():
                read[moment.origin].add(moment.at_ms)
        return Counter(self._bucket(passing, read) for passing in self._all)

    def _bucket(self, passing: Passing, read: Mapping[Origin, set[int]]) -> str:
        became = passing.became
        if not became and passing.machine.phase is Phase.DEAD:
            became = ENDED
        if not became and self._universe.now_s - passing.sent_s < ON_THE_WAY_S:
            became = "on the way at the end"
        if not became:
            return f"{UNACCOUNTED}: {passing.topic} at {passing.sent_s:.4f} s"
        return f"sparkplug: {became}{_covered(passing, read) if became in GONE else ''}"


def _carried(passing: Passing, names: Mapping[tuple[NodeId, int], str]) -> list[Moment]:
    """When the values that a message has on the wire had come to be."""
    topic = parse_topic(passing.topic)
    if not isinstance(topic, NodeTopic | DeviceTopic) or topic.verb not in TOLD_BY:
        return []
    origin = Origin(topic.node.group, topic.node.node, topic.device if isinstance(topic, DeviceTopic) else None)
    told = decode(passing.payload)
    return [
        Moment(
            origin,
            metric.name or names.get((topic.node, metric.alias or 0), ""),
            metric.at_ms or told.timestamp_ms or 0,
        )
        for metric in told.metrics
        if metric.name != "bdSeq"
    ]


def _covered(passing: Passing, read: Mapping[Origin, set[int]]) -> str:
    """What makes up for a message that is gone."""
    carried = _carried(passing, {})
    if not carried:
        return ": no data"
    moments, found = {moment.at_ms for moment in carried}, read.get(carried[0].origin, set())
    if moments <= found:
        return ": its values came again"
    return ": later ones told the totals" if max(found, default=0) > max(moments) else ": the last of its kind"


@contextmanager
def counted(account: Account) -> Iterator[None]:
    """Let the account see what the hosts of all bridges read in here, and what became of it."""
    receive = HostApplication.receive

    def seen(
        self: HostApplication, topic: str, payload: bytes, *, retain: bool, now_ms: int, server: str = ONLY_SERVER
    ) -> tuple[Output, ...]:
        before = _standing(self, topic)
        outputs = receive(self, topic, payload, retain=retain, now_ms=now_ms, server=server)
        machine = asyncio.get_running_loop()
        assert isinstance(machine, Machine)
        account.read(machine, topic, payload, _became(topic, outputs, before, _standing(self, topic)), outputs)
        return outputs

    setattr(HostApplication, "receive", seen)  # noqa: B010  # mypy takes no method for a variable
    try:
        yield
    finally:
        setattr(HostApplication, "receive", receive)  # noqa: B010


@dataclass(frozen=True, slots=True)
class _Standing:
    """What a host has of a node: how often it found what, and how many messages wait for one before them."""

    findings: dict[str, int]
    waiting: int


def _standing(host: HostApplication, topic: str) -> _Standing:
    parsed = parse_topic(topic)
    session = host._nodes.sessions.get(parsed.node) if isinstance(parsed, NodeTopic | DeviceTopic) else None
    tallies = dict(host.findings) if session is None else session.findings.tallies
    waiting = 0 if session is None else len(session.sequence.waiting)
    return _Standing({name: tally.count for name, tally in tallies.items()}, waiting)


def _became(topic: str, outputs: Sequence[Output], before: _Standing, after: _Standing) -> str:
    """The bucket of a message that the core took."""
    parsed = parse_topic(topic)
    if isinstance(parsed, StateTopic):
        return "STATE of the host"
    assert isinstance(parsed, NodeTopic | DeviceTopic), topic
    verb = str(parsed.verb)
    if verb.endswith("CMD"):
        return "commands, which are for nodes"
    found = next((name for name, count in after.findings.items() if count > before.findings.get(name, 0)), "")
    read = [output for output in outputs if isinstance(output, DataRead)]
    if read and all(reading.historical for one in read for reading in one.readings):
        return "read: history that was sent again"
    if read or any(isinstance(output, NodeOnline | DeviceOnline) for output in outputs):
        return f"read: {verb}" + (f", with {found}" if found else "")
    if found:
        return f"refused: {found}"
    if after.waiting > before.waiting:
        return "read: came early and waited for its turn"
    if outputs:
        return f"read: {verb}"
    return f"nothing new: {verb}"
