"""`raise` and `clear`: a condition that lasted becomes one posting until it cleared."""

from __future__ import annotations

from dataclasses import dataclass

from ruleset.cel import EvaluationFailed, Expression
from ruleset.form.memory import AlarmMemory, Origin
from ruleset.form.moment import Moment
from ruleset.form.posting import Then, order_of, post
from ruleset.output import EngineOutput


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """`clear` None: cleared when `when` is false. `once_ms` None: once while open; else also once in that time.

    `without` are signals of which nothing may come meanwhile: what comes begins the time anew, and clears where
    `clear` is None.
    """

    when: Expression
    for_ms: int
    without: frozenset[str]
    clear: Expression | None
    clear_for_ms: int
    once_ms: int | None
    fires_when_stale: bool
    posting: Then

    def new_memory(self) -> AlarmMemory:
        return AlarmMemory()

    def hasten(self, memory: AlarmMemory, now_ms: int) -> None:
        """Wait no longer than what begins now: the clock stood ahead when the wait began."""
        if memory.due_ms is not None:
            memory.due_ms = min(memory.due_ms, now_ms + (self.clear_for_ms if memory.raised else self.for_ms))

    def condition(self, memory: AlarmMemory) -> Expression:
        """What decides now: raising, or clearing once raised."""
        return self.clear if memory.raised and self.clear is not None else self.when

    def changed(self, memory: AlarmMemory, moment: Moment) -> tuple[EngineOutput, ...]:
        """Take new values of the equipment's signals, or an event that the rule is `without`."""
        came = self.without & moment.changed_ms.keys()
        if came and not (memory.raised and self.clear is not None):
            memory.raised, memory.since_ms = False, None
        condition = self.condition(memory)
        answer = moment.holds(condition)
        if isinstance(answer, EvaluationFailed):
            if answer.missing or memory.failed:
                return ()
            memory.failed = True
            return (moment.failed(condition, answer),)
        memory.failed = False
        if answer == (memory.raised and self.clear is None):
            memory.since_ms = memory.due_ms = memory.origin = None
            return ()
        waits_ms = self.clear_for_ms if memory.raised else self.for_ms
        if memory.since_ms is None:
            memory.since_ms = max([moment.since_ms(condition), *(moment.changed_ms[name] for name in came)])
            memory.due_ms = moment.now_ms + waits_ms
            memory.origin = Origin(moment.source.topic, moment.source.seq)
        elif memory.due_ms is not None:  # it lasts by the device's clock, also where its beginning came late
            left_ms = max(0, memory.since_ms + waits_ms - moment.at_ms)
            memory.due_ms = min(memory.due_ms, moment.now_ms + left_ms)
        return self.due(memory, moment) if waits_ms == 0 else ()

    def due(self, memory: AlarmMemory, moment: Moment) -> tuple[EngineOutput, ...]:
        """The condition lasted: raise, or clear."""
        since_ms, origin = memory.since_ms, memory.origin
        memory.since_ms = memory.due_ms = memory.origin = None
        if since_ms is None or origin is None:
            return ()
        if memory.raised:
            memory.raised = False
            return ()
        memory.raised = True
        if (
            self.once_ms is not None
            and memory.posted_ms is not None
            and moment.now_ms < memory.posted_ms + self.once_ms
        ):
            return ()
        memory.posted_ms = moment.now_ms
        moment.notes["since_ms"] = since_ms
        then = moment.of(origin.source, since_ms + self.for_ms)
        return (post(self.posting, then, f"{moment.rule}:{since_ms}", order=order_of(self.posting, then)),)
