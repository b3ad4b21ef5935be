"""The last look that a rule took at an equipment, of each outcome: why it did not post, and when it last did.

In memory, because a rule looks at every message; the core stores them at a bounded pace.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple, TypeAlias

from msgspec.structs import replace

from ruleset.cel import EvaluationFailed
from ruleset.form.memory import AlarmMemory, EndingMemory, EpisodeMemory, RuleMemory
from ruleset.form.moment import Moment
from ruleset.output import EngineOutput, Remark
from ruleset.trace.trace import Outcome, Trace

MOST_CHECKS: Final = 20
"""Of one look: the latest."""
REMEMBERED: Final = ("raised", "since_ms", "due_ms", "posted_ms", "started_ms", "ended_ms")
"""What a look tells of the rule's memory."""


class _Look(NamedTuple):
    """`facts` is what the rule remembered then."""

    moment: Moment
    outcome: Outcome
    facts: Mapping[str, Any]

    @property
    def at_ms(self) -> int:
        return self.moment.at_ms

    @property
    def decided_ms(self) -> int:
        return self.moment.now_ms


Look: TypeAlias = "Trace | _Look"
"""What `trace_of` works out."""


class Looks:
    """Of all rules of a site. `id` is that of the rule's memory at the equipment.

    A rule mostly answers the same again and again. Such a look costs an entry in a dict: what came of it is worked out
    when it is read, or when the rule's memory changes. What is in `_latest` is not taken either.
    """

    __slots__ = ("_latest", "_past", "_untaken")

    def __init__(self) -> None:
        self._latest: dict[str, tuple[Moment, RuleMemory | None, type[object] | None]] = {}
        self._past: dict[str, dict[Outcome, Look]] = {}
        self._untaken: dict[str, set[Outcome]] = {}

    def same(self, id: str, moment: Moment, memory: RuleMemory | None) -> None:
        """A rule looked, nothing came of it, and its memory is as it was."""
        kind, latest = _kind(moment), self._latest.get(id)
        if latest is None:
            self._untaken.setdefault(id, set())
        elif latest[2] is not kind:
            self._settle(id, latest[0], memory)
        self._latest[id] = moment, memory, kind

    def note(
        self,
        id: str,
        moment: Moment,
        outputs: Iterable[EngineOutput],
        memory: RuleMemory | None = None,
        was: RuleMemory | None = None,
    ) -> None:
        """A rule answered, or its memory changed. `was` is its memory before."""
        if (latest := self._latest.pop(id, None)) is not None:
            self._settle(id, latest[0], was)
        past = self._past.setdefault(id, {})
        decided = [each for each in outputs if not isinstance(each, Remark)]
        for output in decided:
            past[output.trace.outcome] = output.trace
            self._untaken.setdefault(id, set()).add(output.trace.outcome)
        if not decided:
            self._settle(id, moment, memory, was)

    def of(self, id: str) -> tuple[Trace, ...]:
        """The last look of each outcome, the newest first."""
        self._settle_latest(id)
        found = [trace_of(each) for each in self._past.get(id, {}).values()]
        return tuple(sorted(found, key=lambda each: -each.decided_ms))

    @property
    def untaken(self) -> bool:
        return bool(self._untaken)

    def take(self, most: int) -> tuple[Trace, ...]:
        """The last looks of so many rules at an equipment that looked since they were last taken, those that wait
        longest first."""
        taken = list(islice(self._untaken, most))
        for id in taken:
            self._settle_latest(id)
        return tuple(trace_of(self._past[id][outcome]) for id in taken for outcome in sorted(self._untaken.pop(id)))

    def fresh(self) -> Iterator[tuple[str, Look]]:
        """The looks since they were last taken, with the ids of their rules; they count as taken."""
        for id in tuple(self._untaken):
            self._settle_latest(id)
            for outcome in sorted(self._untaken.pop(id)):
                yield id, self._past[id][outcome]

    def _settle_latest(self, id: str) -> None:
        if (latest := self._latest.pop(id, None)) is not None:
            moment, memory, _ = latest
            self._settle(id, moment, memory)

    def _settle(self, id: str, moment: Moment, memory: RuleMemory | None, was: RuleMemory | None = None) -> None:
        outcome = _outcome(moment, memory, was)
        remembered = was if outcome is Outcome.TOO_SHORT else memory
        look = _Look(moment, outcome, {} if outcome is Outcome.FALSE else _facts(remembered))
        self._past.setdefault(id, {})[outcome] = look
        self._untaken.setdefault(id, set()).add(outcome)


def _kind(moment: Moment) -> type[object] | None:
    """Tells an answer from none."""
    return type(moment.seen[-1][2]) if moment.seen else None


def _outcome(moment: Moment, memory: RuleMemory | None, was: RuleMemory | None) -> Outcome:
    """Of an evaluation from which nothing came that has a key."""
    answer = moment.seen[-1][2] if moment.seen else None
    match memory:
        case AlarmMemory():
            if memory.raised:
                return Outcome.OPEN
            if memory.since_ms is not None:
                return Outcome.WAITS
            if answer is False and isinstance(was, AlarmMemory) and was.since_ms is not None and not was.raised:
                return Outcome.TOO_SHORT
        case EpisodeMemory():
            if memory.started_ms is not None:
                return Outcome.OPEN if memory.ended_ms is None else Outcome.WAITS
            if "ended_ms" in moment.notes:
                return Outcome.TOO_SHORT
            answer = next((each for _, _, each in moment.seen if isinstance(each, EvaluationFailed)), False)
        case EndingMemory() if not moment.seen:
            return Outcome.LASTS if memory.period else Outcome.FALSE
        case _:
            pass
    if isinstance(answer, EvaluationFailed):
        return Outcome.UNDECIDED
    return Outcome.FALSE if answer is False else Outcome.WAITS


def _facts(memory: RuleMemory | None) -> dict[str, Any]:
    values = ((name, getattr(memory, name, None)) for name in REMEMBERED)
    return {name: value for name, value in values if value is not None and value is not False}


def trace_of(look: Look) -> Trace:
    """A look with all that can be told of it."""
    if isinstance(look, Trace):
        return look
    seen, notes = look.moment.seen[-MOST_CHECKS:], {**look.facts, **look.moment.notes}
    return replace(look.moment, seen=seen, notes=notes).trace(look.outcome)
