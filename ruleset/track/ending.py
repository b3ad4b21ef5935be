"""`at_end_of`: when a shift or an order is over, what was followed meanwhile is told or posted."""

from __future__ import annotations

from dataclasses import dataclass

from ruleset.cel import EvaluationFailed, Expression
from ruleset.form.memory import EndingMemory
from ruleset.form.moment import Moment
from ruleset.form.posting import Then, order_of, post, undecided
from ruleset.output import EngineOutput
from ruleset.track.delta import Per


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The moments that it is given have the sums of the period that is remembered."""

    per: Per
    when: Expression | None
    posting: Then

    def new_memory(self) -> EndingMemory:
        return EndingMemory()

    def changed(self, memory: EndingMemory, moment: Moment) -> tuple[EngineOutput, ...]:
        """Take new values of the equipment's signals."""
        if self.per is Per.SHIFT:
            if memory.due_ms is None:
                self._turn(memory, moment, moment.now_ms)
            return ()
        if moment.running == memory.period:
            return ()
        outputs = self._over(memory, moment)
        memory.period, memory.started_ms = moment.running, moment.at_ms
        return outputs

    def due(self, memory: EndingMemory, moment: Moment) -> tuple[EngineOutput, ...]:
        """The shift is over, or the time between two shifts."""
        outputs = self._over(memory, moment)
        self._turn(memory, moment, moment.at_ms)
        return outputs

    def _turn(self, memory: EndingMemory, moment: Moment, at_ms: int) -> None:
        """Follow the shift that is on then, if one is, until the calendar's next turn: none is left out, whether
        anything is said in it or not."""
        calendar = moment.equipment.shifts
        shift = calendar.at(at_ms) if calendar is not None else None
        memory.period, memory.due_ms = "", None
        if shift is not None:
            memory.period = f"{shift.shift}@{shift.started_ms}"
            memory.started_ms, memory.due_ms = shift.started_ms, shift.ended_ms
        elif calendar is not None:
            memory.due_ms = calendar.next_turn_ms(at_ms)

    def _over(self, memory: EndingMemory, moment: Moment) -> tuple[EngineOutput, ...]:
        if not memory.period:
            return ()
        name = memory.period.rpartition("@")[0] if self.per is Per.SHIFT else memory.period
        times = {"started": float(memory.started_ms), "ended": float(moment.at_ms)}
        then = moment.with_extra({"period": name, **times})
        fact = f"{moment.rule}:{self.per}:{memory.started_ms}"
        answer = True if self.when is None else then.holds(self.when)
        if isinstance(answer, EvaluationFailed):
            if answer.missing is not None:
                return ()  # nothing was followed in it
            return (undecided(self.posting, then, fact, answer),)
        return (post(self.posting, then, fact, order=order_of(self.posting, then)),) if answer else ()
