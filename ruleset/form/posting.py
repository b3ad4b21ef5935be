"""What a rule posts: an action with its values, and how they become a transaction when the rule answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import TypeAlias

import msgspec

from ruleset.cel import EvaluationFailed, Expression, as_cel
from ruleset.equipment import Equipment
from ruleset.form.moment import Moment, OnError, Template
from ruleset.form.vocabulary import ACTIONS, Action, Lacking, converted
from ruleset.output import Alert, Post, Remark, Retraction, Saw, Unmet
from ruleset.sample import Plain
from ruleset.trace.trace import Outcome
from ruleset.transaction import DowntimeClose, DowntimeRecord, IdempotencyKey, OrderRef, Transaction
from ruleset.unit import Factor


@dataclass(frozen=True, slots=True)
class Need:
    """A condition that must hold for the posting, and the reason that a dead letter gives when it does not."""

    that: Expression
    otherwise: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """`order` None: the action has none; "running": the order that runs; else the expression that names it.

    `unit` is what the quantity is posted in, `factor` leads there from the signal's own (None: it is that). `reads` are
    the names whose values the provenance shows.
    """

    action: str
    order: Expression | str | None
    values: Mapping[str, Expression]
    unit: str | None
    factor: Factor | None
    needs: tuple[Need, ...]
    reads: frozenset[str]


Then: TypeAlias = Posting | Template
"""What a rule does: it posts, or it tells a person the text."""
_Fields: TypeAlias = "dict[str, object]"


def reads_of(then: Then) -> frozenset[str]:
    """The names that it reads."""
    return then.names if isinstance(then, Template) else then.reads


def fact_key(equipment: str, action: str, order: OrderRef | None, fact: str) -> IdempotencyKey:
    """Names the plant fact, never a rule's version, a window or a random number.

    `fact` is an event's id, an episode's start, or what else tells facts of one kind apart.
    """
    return IdempotencyKey(f"{equipment}:{action}:{order or '-'}:{fact}")


def event_key(equipment: str, action: str, event: str, id: str) -> IdempotencyKey:
    """Names what an event leads to. Without its order: the same event told again while another order runs, or with
    a corrected one, is the same fact. With the event's name: two running numbers of one equipment are both at 1 once.
    """
    return IdempotencyKey(f"{equipment}:{action}:{event}:{id}")


def order_of(posting: Then, moment: Moment) -> OrderRef | None | EvaluationFailed:
    """The order that the fact belongs to; None where there is none."""
    if isinstance(posting, Template) or posting.order is None:
        return None
    if isinstance(posting.order, str):
        return OrderRef(moment.running) if moment.running else None
    answer = moment.evaluate(posting.order)
    if isinstance(answer, EvaluationFailed):
        return None if answer.missing else answer
    return OrderRef(str(answer)) if answer not in (None, "") else None


def post(
    posting: Then,
    moment: Moment,
    fact: str,
    *,
    order: OrderRef | None | EvaluationFailed,
    event: str | None = None,
    defaults: Mapping[str, Plain] | None = None,
) -> Post | Unmet | Alert:
    """Evaluate needs and values and build the transaction; whatever is lacking makes it `Unmet`.

    `fact` ends the idempotency key; it is an id of `event` where that is given. `defaults` are fields used where
    `with` gives none.
    """
    if isinstance(posting, Template):
        return moment.alert(posting.fill(moment))
    known_order = None if isinstance(order, EvaluationFailed) else order
    action = ACTIONS[posting.action]
    key = _key(posting, moment, known_order, fact, event)
    provenance = moment.provenance(posting.reads)
    fields: _Fields = {}
    reason = _unmet_order(posting, action, order, moment.equipment) or _unmet_need(posting, moment)
    lacking = _fill(posting, action, moment, fields)
    if reason is None and lacking is None:
        own = {**_own_fields(action, posting, moment.equipment), **_shift_parts(action, fields, moment.equipment)}
        built = action.transaction(
            **{**(defaults or {}), **fields, **own},
            key=key,
            equipment=moment.equipment.path,
            at_ms=moment.at_ms,
            provenance=provenance,
            order=known_order,
        )
        trace = moment.trace(Outcome.POSTED, key=key)
        ran, telling = posting.order == "running", _telling(moment, event)
        return Post(_as_transaction(built), order_ran=ran, telling=telling, trace=trace)
    reason = reason or (lacking.reason if lacking else "")
    return Unmet(
        key=key,
        action=posting.action,
        equipment=moment.equipment.path,
        order=known_order,
        at_ms=moment.at_ms,
        rule=moment.rule,
        provenance=provenance,
        reason=reason,
        fields={name: _summarised(value) for name, value in fields.items()},
        saw=_saw(moment, fact, event, defaults),
        trace=moment.trace(Outcome.REFUSED, key=key, reason=reason),
    )


def undecided(
    posting: Then, moment: Moment, fact: str, failure: EvaluationFailed, *, event: str | None = None
) -> Unmet | Alert | Remark:
    """What becomes of a fact whose `when` cannot be evaluated, as the rule has it: by itself it is not dropped."""
    text = f"rule {moment.rule}: {fact}: when: {failure.text}"
    match moment.on_error:
        case OnError.REMARK:
            return moment.remark_failure(text)
        case OnError.ALERT:
            return moment.alert(text)
        case OnError.DEAD_LETTER | None:
            return cannot_post(posting, moment, fact, f"when: {failure.text}", event=event)


def cannot_post(posting: Then, moment: Moment, fact: str, reason: str, *, event: str | None = None) -> Unmet | Alert:
    """The dead letter of a fact for which the rule could not even decide whether to post; an alert where it would only
    have told."""
    if isinstance(posting, Template):
        return moment.alert(f"rule {moment.rule}: {fact}: {reason}")
    return _refused(posting, moment, fact, reason, event=event)


def can_retract(when: Expression | None, event: str) -> bool:
    """Whether an event may be retracted so that `when` is false. Only what it says itself can do that: a repeat of it
    comes while the equipment, or a code table, is another."""
    return when is not None and all(name.removeprefix("has.").startswith(f"{event}.") for name in when.names)


def retraction(posting: Posting, moment: Moment, fact: str, when: Expression, *, event: str) -> Retraction:
    """What an event is, if it was posted before, now that `when` does not hold for it."""
    reason = f"its source retracted it: as it is told now, {when.text} does not hold; skip it"
    refused = _refused(posting, moment, fact, reason, event=event, outcome=Outcome.FALSE)
    return Retraction(refused, telling=_telling(moment, event))


def _refused(
    posting: Posting,
    moment: Moment,
    fact: str,
    reason: str,
    *,
    event: str | None,
    outcome: Outcome = Outcome.REFUSED,
) -> Unmet:
    order = order_of(posting, moment)
    known = None if isinstance(order, EvaluationFailed) else order
    key = _key(posting, moment, known, fact, event)
    return Unmet(
        key=key,
        action=posting.action,
        equipment=moment.equipment.path,
        order=known,
        at_ms=moment.at_ms,
        rule=moment.rule,
        provenance=moment.provenance(posting.reads),
        reason=reason,
        saw=_saw(moment, fact, event, None),
        trace=moment.trace(outcome, key=key, reason=reason if outcome is Outcome.REFUSED else ""),
    )


def _telling(moment: Moment, event: str | None) -> str:
    """Tells what an event said from what it says another time. Empty for what is no event's."""
    if event is None:
        return ""
    said = {name: value for name, value in moment.extra.items() if name.startswith(f"{event}.")}
    return sha256(msgspec.json.encode(said, order="deterministic")).hexdigest()[:16]


def _saw(moment: Moment, fact: str, event: str | None, defaults: Mapping[str, Plain] | None) -> Saw:
    values = {**{name: as_cel(value) for name, value in moment.known.items()}, **moment.extra}
    return Saw(fact=fact, event=event or "", values=values, running=moment.running, defaults=dict(defaults or {}))


def _key(posting: Posting, moment: Moment, order: OrderRef | None, fact: str, event: str | None) -> IdempotencyKey:
    if event is not None:
        return event_key(moment.equipment.path, posting.action, event, fact)
    return fact_key(moment.equipment.path, posting.action, order, fact)


def _as_transaction(built: msgspec.Struct) -> Transaction:
    assert isinstance(built, Transaction)
    return built


def _unmet_order(
    posting: Posting, action: Action, order: OrderRef | None | EvaluationFailed, equipment: Equipment
) -> str | None:
    if isinstance(order, EvaluationFailed):
        return f"order: {order.text}"
    if order is None and action.needs_order:
        if posting.order != "running":
            return "it names no order"
        return None if equipment.holds_without_order else "no order is running"
    return None


def _unmet_need(posting: Posting, moment: Moment) -> str | None:
    for need in posting.needs:
        answer = moment.holds(need.that)
        if isinstance(answer, EvaluationFailed):
            return f"{need.that.text}: {answer.text}"
        if not answer:
            return need.otherwise.fill(moment)
    return None


def _fill(posting: Posting, action: Action, moment: Moment, fields: _Fields) -> Lacking | None:
    """Evaluate all of `with` into `fields`; the first thing that is lacking, if any."""
    lacking: Lacking | None = None
    for name, expression in posting.values.items():
        parameter = action.parameters[name]
        answer = moment.evaluate(expression)
        value = Lacking(answer.text) if isinstance(answer, EvaluationFailed) else converted(parameter.want, answer)
        if posting.factor is not None and isinstance(value, Decimal):
            value = posting.factor.of(value)
        absent = value is None or (isinstance(answer, EvaluationFailed) and answer.missing is not None)
        if absent and not parameter.required:
            continue
        if value is None:
            value = Lacking("it is empty")
        if isinstance(value, Lacking):
            lacking = lacking or Lacking(f"{name}: {value.reason}")
        else:
            fields[parameter.field] = value
    return lacking


def _own_fields(action: Action, posting: Posting, equipment: Equipment) -> _Fields:
    fields: _Fields = {}
    if action.has_unit:
        fields["unit"] = posting.unit or ""
    if action.from_equipment == "work_center":
        fields["work_center"] = equipment.work_center or ""
    if "serial_number" in action.transaction.__struct_fields__:
        fields["serial_number"] = equipment.serial_number or ""
    return fields


def _shift_parts(action: Action, fields: _Fields, equipment: Equipment) -> _Fields:
    """A stop that is over, divided among the shifts of the equipment's calendar."""
    start, end = fields.get("started_ms"), fields.get("ended_ms")
    if action.transaction not in (DowntimeClose, DowntimeRecord) or equipment.shifts is None:
        return {}
    if not isinstance(start, int) or not isinstance(end, int) or not start < end:
        return {}
    return {"parts": equipment.shifts.split(start, end)}


def _summarised(value: object) -> Plain:
    if isinstance(value, Decimal):
        return f"{value:f}"
    plain: Plain = msgspec.to_builtins(value)
    return plain
