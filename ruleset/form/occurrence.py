"""`event`: each occurrence that meets its conditions is posted, or told, once by its id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ruleset.cel import EvaluationFailed, Expression
from ruleset.form.memory import OccurrenceMemory
from ruleset.form.moment import Moment, Template
from ruleset.form.posting import Posting, Then, can_retract, order_of, post, retraction, undecided
from ruleset.output import EngineOutput
from ruleset.sample import Event

TOLD_IDS: Final = 64
"""Ids of events that were alerted about are remembered, so that a document that comes again is not told again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """`once_ms`: after one that was posted or told, others within that time are not."""

    event: str
    when: Expression | None
    once_ms: int | None
    posting: Then

    def new_memory(self) -> OccurrenceMemory | None:
        """None where nothing has to be remembered: a posting is unique by its key."""
        return OccurrenceMemory() if self.once_ms is not None or isinstance(self.posting, Template) else None

    def happened(self, memory: OccurrenceMemory | None, event: Event, moment: Moment) -> tuple[EngineOutput, ...]:
        """Take one event; `moment` has its fields. One that cannot be decided is not dropped: it is `Unmet`."""
        answer = True if self.when is None else moment.holds(self.when)
        if answer is False:
            return self._unwanted(event, moment)
        if memory is not None and self._is_quiet(memory, event):
            return ()
        if memory is not None:
            memory.told = [*memory.told, event.id][-TOLD_IDS:]
            memory.fired_ms = event.at_ms
        if isinstance(answer, EvaluationFailed):
            return (undecided(self.posting, moment, event.id, answer, event=self.event),)
        return (post(self.posting, moment, event.id, order=order_of(self.posting, moment), event=self.event),)

    def _unwanted(self, event: Event, moment: Moment) -> tuple[EngineOutput, ...]:
        """Nothing, or the retraction of what the event was before."""
        if self.when is None or not isinstance(self.posting, Posting) or not can_retract(self.when, self.event):
            return ()
        return (retraction(self.posting, moment, event.id, self.when, event=self.event),)

    def _is_quiet(self, memory: OccurrenceMemory, event: Event) -> bool:
        if event.id in memory.told:
            return True
        fired_ms = memory.fired_ms
        return self.once_ms is not None and fired_ms is not None and abs(event.at_ms - fired_ms) < self.once_ms
