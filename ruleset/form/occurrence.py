"""`event`: each occurrence that meets its conditions is posted, once by its id."""

from __future__ import annotations

from dataclasses import dataclass

from ruleset.cel import EvaluationFailed, Expression
from ruleset.form.moment import Moment
from ruleset.form.posting import Posting, cannot_post, order_of, post
from ruleset.output import EngineOutput
from ruleset.sample import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    event: str
    when: Expression | None
    posting: Posting

    def happened(self, event: Event, moment: Moment) -> tuple[EngineOutput, ...]:
        """Take one event; `moment` has its fields. One that cannot be decided is not dropped: it is `Unmet`."""
        answer = True if self.when is None else moment.holds(self.when)
        if isinstance(answer, EvaluationFailed):
            return (cannot_post(self.posting, moment, event.id, f"when: {answer.text}", event=self.event),)
        if not answer:
            return ()
        return (post(self.posting, moment, event.id, order=order_of(self.posting, moment), event=self.event),)
