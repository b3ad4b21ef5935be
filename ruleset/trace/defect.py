"""What becomes of a rule's answer that a defect of ours prevented."""

from __future__ import annotations

from collections.abc import Callable

from ruleset.form.count import Count
from ruleset.form.moment import Moment
from ruleset.form.occurrence import Occurrence
from ruleset.form.posting import Posting, event_key
from ruleset.form.records import Form
from ruleset.form.wait import Wait
from ruleset.output import DEFECT, EngineOutput, Unmet
from ruleset.sample import Event
from ruleset.trace.trace import Outcome


def told(
    form: Form, moment: Moment, tell: Callable[[], tuple[EngineOutput, ...]], event: Event | None = None
) -> tuple[EngineOutput, ...]:
    """What a rule answers. A defect in its evaluation is said, with the event kept as a dead letter; nothing that the
    other rules answer to the same message is lost by it."""
    try:
        return tell()
    except Exception as error:
        reason = f"{DEFECT}: {type(error).__name__}: {error}"
        if event is None or (posting := _posting_of(form)) is None:
            return (moment.alert(f"rule {moment.rule}: {reason}"),)
        key = event_key(moment.equipment.path, posting.action, event.signal, event.id)
        unmet = Unmet(
            key=key,
            action=posting.action,
            equipment=moment.equipment.path,
            order=None,
            at_ms=event.at_ms,
            rule=moment.rule,
            provenance=moment.provenance(()),
            reason=reason,
            fields=event.fields,
            trace=moment.trace(Outcome.REFUSED, key=key, reason=reason),
        )
        return (unmet,)


def _posting_of(form: Form) -> Posting | None:
    match form:
        case Occurrence() | Count():
            return form.posting if isinstance(form.posting, Posting) else None
        case Wait():
            return next((each.then for each in form.branches if isinstance(each.then, Posting)), None)
        case _:
            return None
