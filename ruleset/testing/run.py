"""The run of one test: a virtual clock, the floor as the test tells it, and what the bridge under test answers.

At one moment timers come first; then what happens to edge nodes and to the bridge, then readings, then events. An edge
node tells what changed. While it is gone, or the bridge is away, it stores that; documents are kept by the broker.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeAlias

from msgspec import structs

from ruleset.equipment import Assets, DocumentBinding, Equipment, ReleaseBinding, Role, Signal
from ruleset.output import Alert, EngineOutput, Post, Remark, Retraction, Unmet
from ruleset.rules import Rules
from ruleset.sample import Event, Fresh, Observation, Sample, Source, Stale
from ruleset.testing.case import Act, Bear, Close, Happened, Lose, Restart, RuleTest, Said, Value
from ruleset.trace.trace import Trace
from ruleset.transaction import Provenance, Transaction

MOST_TIMERS: Final = 1_000_000
"""A timer that is due again at once must not keep a test for ever."""


class Bridge(Protocol):
    """The bridge as a test sees it. Times are UTC milliseconds."""

    def take(self, observations: Sequence[Observation], now_ms: int) -> Iterable[EngineOutput]:
        """What one message says. Due timers fire before."""
        ...

    def due(self, now_ms: int) -> Iterable[EngineOutput]:
        """Let due timers fire."""
        ...

    @property
    def next_due_ms(self) -> int | None:
        """When `due` has something to do."""
        ...

    def restart(self, now_ms: int) -> Iterable[EngineOutput]:
        """A new process takes over what was stored."""
        ...

    def order_closed(self, order: str, now_ms: int) -> Iterable[EngineOutput]:
        """Odoo is done with an order."""
        ...

    def looks(self) -> tuple[Trace, ...]:
        """The last looks that the rules took, since the last start."""
        ...


@dataclass(frozen=True, slots=True)
class Came:
    """One thing that came of the test, and when it was decided."""

    now_ms: int
    output: Post | Unmet | Alert | Remark


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a test, and the last looks of its rules: why nothing more came."""

    came: tuple[Came, ...]
    looks: tuple[Trace, ...]


def plant_of(test: RuleTest, rules: Rules, assets: Assets) -> tuple[Rules, Assets]:
    """The part of the plant that takes part in a test."""
    chosen = tuple(
        each for each in rules.instances if each.rule in test.rules and each.equipment.path in test.equipment
    )
    equipment = {path: assets.equipment[path] for path in test.equipment}
    return replace(rules, instances=chosen), replace(assets, equipment=equipment)


def run(test: RuleTest, assets: Assets, bridge: Bridge) -> Ran:
    """Run a test to its end. What tells a fact again, unchanged, is left out, as the outbox leaves it out; and so is
    what retracts nothing."""
    came = tuple(_once(_Run(test, assets, bridge).outputs()))
    return Ran(came, bridge.looks())


def _once(answers: Iterable[_Answer]) -> Iterator[Came]:
    known: dict[str, Transaction | Unmet] = {}
    for now_ms, output in answers:
        match output:
            case Post():
                fact = _fact(output)
                if known.get(fact.key) == fact:
                    continue
                known[fact.key] = fact
                yield Came(now_ms, output)
            case Retraction(refused=refused):
                if known.pop(refused.key, None) is not None:
                    yield Came(now_ms, refused)
            case Unmet():
                known[output.key] = output
                yield Came(now_ms, output)
            case Alert() | Remark():
                yield Came(now_ms, output)


def _fact(post: Post) -> Transaction:
    """What makes a repeat the same fact: all but how it was learnt, and which order ran then."""
    order = None if post.order_ran else post.transaction.order
    return structs.replace(post.transaction, provenance=NOWHERE, order=order)


NOWHERE: Final = Provenance(rule="", version="", topic="")
"""How a fact was learnt does not make it another one."""


_Answer: TypeAlias = tuple[int, EngineOutput]
"""What the bridge answers, and when."""


class _Run:
    """`present` is what each equipment would say if it were asked, `stored` what nobody heard of it, by equipment;
    `kept` are documents for a bridge that is away until `back_ms`."""

    def __init__(self, test: RuleTest, assets: Assets, bridge: Bridge) -> None:
        self._test = test
        self._equipment = {path: assets.equipment[path] for path in test.equipment}
        self._sources = tuple(path for path, each in self._equipment.items() if each.node is not None)
        self._bridge = bridge
        self._present: dict[str, dict[str, Value]] = defaultdict(dict)
        self._stored: dict[str, list[Said | Happened]] = defaultdict(list)
        self._kept: list[Happened] = []
        self._gone: set[str] = set()
        self._back_ms: int | None = None

    def outputs(self) -> Iterator[_Answer]:
        """The test begins with a bridge at work, and with births of all that takes part."""
        acts: dict[int, list[Act]] = defaultdict(list, {0: [Act(0, Bear(self._sources, stored=False))]})
        told: dict[int, list[Said | Happened]] = defaultdict(list)
        for act in self._test.acts:
            acts[act.at_ms].append(act)
            if isinstance(act.what, Restart):
                acts.setdefault(act.at_ms + act.what.away_ms, [])
        for said in self._test.said:
            told[said.told_ms].append(said)
        for event in self._test.happened:
            told[event.told_ms].append(event)
        for at_ms in sorted({*acts, *told}):
            yield from self._pass_time(at_ms)
            for each in told.get(at_ms, ()):
                if isinstance(each, Said) and each.at_ms == at_ms:
                    self._present[each.equipment].update(each.values)
            yield from self._come_back(at_ms)
            for act in acts.get(at_ms, ()):
                yield from self._act(act.what, at_ms)
            for each in told.get(at_ms, ()):
                yield from self._tell(each, at_ms)
        yield from self._pass_time(self._test.until_ms)

    def _pass_time(self, to_ms: int) -> Iterator[_Answer]:
        now_ms = 0
        for _ in range(MOST_TIMERS):
            due_ms = self._bridge.next_due_ms
            if self._back_ms is not None or due_ms is None or due_ms > self._test.start_ms + to_ms:
                return
            now_ms = max(now_ms, due_ms - self._test.start_ms)
            yield from self._came(self._bridge.due(self._test.start_ms + now_ms), now_ms)
        raise ValueError(f"{self._test.place}: timers are due for ever at {now_ms} ms")

    def _act(self, act: Restart | Lose | Bear | Close, at_ms: int) -> Iterator[_Answer]:
        match act:
            case Restart():
                self._back_ms = at_ms + act.away_ms
                yield from self._come_back(at_ms)
            case Lose():
                self._gone.update(act.equipment)
                gone = [Stale(equipment=each, at_ms=self._clock(at_ms), reason="death") for each in act.equipment]
                yield from self._hear(gone, at_ms)
            case Bear():
                self._gone.difference_update(act.equipment)
                for path in act.equipment:
                    if not act.stored:
                        self._stored[path].clear()
                    yield from self._bear(path, at_ms)
            case Close():
                yield from self._came(self._bridge.order_closed(act.order, self._clock(at_ms)), at_ms)

    def _come_back(self, at_ms: int) -> Iterator[_Answer]:
        """The bridge starts; edge nodes that are there are born and tell what they stored, the broker what it kept."""
        if self._back_ms is None or at_ms < self._back_ms:
            return
        self._back_ms = None
        yield from self._came(self._bridge.restart(self._clock(at_ms)), at_ms)
        for path in self._sources:
            if path not in self._gone:
                yield from self._bear(path, at_ms)
        kept, self._kept = self._kept, []
        for each in kept:  # which released order runs, the bridge finds out when it asks: then it is so
            yield from self._tell(replace(each, at_ms=at_ms) if self._is_release(each) else each, at_ms)

    def _bear(self, path: str, at_ms: int) -> Iterator[_Answer]:
        if self._back_ms is not None:
            return
        present = Said(equipment=path, at_ms=at_ms, told_ms=at_ms, values=self._present[path])
        fresh = Fresh(equipment=path, at_ms=self._clock(at_ms))
        yield from self._hear([fresh, *self._samples(present, birth=True)], at_ms)
        stored, self._stored[path] = self._stored[path], []
        for each in stored:
            yield from self._hear(self._observations(each, historical=True), at_ms)

    def _tell(self, told: Said | Happened, at_ms: int) -> Iterator[_Answer]:
        is_document = isinstance(told, Happened) and self._is_document(told)
        if is_document and self._back_ms is not None and isinstance(told, Happened):
            self._kept.append(told)
        elif not is_document and (self._back_ms is not None or told.equipment in self._gone):
            self._stored[told.equipment].append(told)
        else:
            yield from self._hear(self._observations(told, historical=told.told_ms > told.at_ms), at_ms)

    def _observations(self, told: Said | Happened, *, historical: bool) -> list[Observation]:
        if isinstance(told, Said):
            return [*self._samples(told, historical=historical)]
        equipment = self._equipment[told.equipment]
        document = self._is_document(told)
        event = Event(
            equipment=told.equipment,
            signal=told.signal,
            id=told.id,
            fields=told.fields,
            at_ms=self._clock(told.at_ms),
            source=Source(topic=f"uns/v1/{told.equipment}/{told.signal}" if document else _topic(equipment, "DATA")),
            historical=historical and not document,
        )
        return [event]

    def _samples(self, said: Said, *, birth: bool = False, historical: bool = False) -> Iterator[Sample]:
        """The running order comes first: it applies to what the message counts."""
        equipment = self._equipment[said.equipment]
        source = Source(topic=_topic(equipment, "BIRTH" if birth else "DATA"))
        for signal in sorted(said.values, key=lambda name: not _names_order(equipment, name)):
            yield Sample(
                equipment=said.equipment,
                signal=signal,
                value=said.values[signal],
                at_ms=self._clock(said.at_ms),
                source=source,
                birth=birth,
                historical=historical,
            )

    def _is_document(self, event: Happened) -> bool:
        binding = self._equipment[event.equipment].signals[event.signal].binding
        return isinstance(binding, DocumentBinding | ReleaseBinding)

    def _is_release(self, event: Happened) -> bool:
        return isinstance(self._equipment[event.equipment].signals[event.signal].binding, ReleaseBinding)

    def _hear(self, observations: Sequence[Observation], at_ms: int) -> Iterator[_Answer]:
        if self._back_ms is None:
            yield from self._came(self._bridge.take(observations, self._clock(at_ms)), at_ms)

    def _came(self, outputs: Iterable[EngineOutput], at_ms: int) -> Iterator[_Answer]:
        for output in outputs:
            yield self._clock(at_ms), output

    def _clock(self, at_ms: int) -> int:
        return self._test.start_ms + at_ms


def _names_order(equipment: Equipment, name: str) -> bool:
    signal = equipment.signals[name]
    return isinstance(signal, Signal) and signal.role is Role.ORDER


def _topic(equipment: Equipment, message: str) -> str:
    kind = ("N" if equipment.device is None else "D") + message
    levels = ["spBv1.0", equipment.group or "", kind, equipment.node or ""]
    return "/".join(levels if equipment.device is None else [*levels, equipment.device])
