"""What a rule posts: an action with its values, and how they become a transaction when the rule answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from math import isfinite
from typing import Final, TypeAlias

import msgspec

from ruleset.cel import EvaluationFailed, Expression, Kind, number_text
from ruleset.equipment import Equipment
from ruleset.form.moment import Moment, Template
from ruleset.output import Post, Unmet
from ruleset.sample import Plain
from ruleset.transaction import (
    Complete,
    Consumption,
    DowntimeRecord,
    IdempotencyKey,
    MaintenanceRequest,
    OrderRef,
    QualityHold,
    QualityResult,
    Scrap,
    Transaction,
    WorkOrderFinish,
    WorkOrderStart,
)
from ruleset.unit import Factor


class Want(Enum):
    """What a value of `with` must be."""

    TEXT = "text"
    QUANTITY = "quantity"
    TIME = "time"
    PRIORITY = "priority"
    CONSUMED = "consumed"

    @property
    def kind(self) -> Kind:
        """What its expression must give."""
        match self:
            case Want.TEXT:
                return Kind.TEXT
            case Want.CONSUMED:
                return Kind.LIST
            case Want.QUANTITY | Want.TIME | Want.PRIORITY:
                return Kind.NUMBER


@dataclass(frozen=True, slots=True)
class Parameter:
    """One name under `with`: the transaction's field that it fills, and what it must be."""

    field: str
    want: Want
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One entry of the vocabulary. `from_equipment` is a field that the equipment itself supplies."""

    transaction: type[msgspec.Struct]
    parameters: Mapping[str, Parameter]
    needs_order: bool
    from_equipment: str | None = None

    @property
    def has_unit(self) -> bool:
        return "quantity" in self.parameters


_QUANTITY: Final = Parameter("quantity", Want.QUANTITY)
_LOT: Final = Parameter("lot", Want.TEXT, required=False)
_TEXT: Final = Parameter("text", Want.TEXT, required=False)
_DONE: Final = {"quantity": _QUANTITY, "lot": _LOT, "consumed": Parameter("consumed", Want.CONSUMED, required=False)}
_WORK_ORDER: Final = Parameter("work_order", Want.TEXT)

PROGRESS: Final = "production.progress"
ACTIONS: Final[Mapping[str, Action]] = {
    "workorder.start": Action(transaction=WorkOrderStart, parameters={"work_order": _WORK_ORDER}, needs_order=True),
    "workorder.finish": Action(
        transaction=WorkOrderFinish,
        parameters={"work_order": _WORK_ORDER, "start": Parameter("started_ms", Want.TIME, required=False)},
        needs_order=True,
    ),
    "production.scrap": Action(
        transaction=Scrap,
        parameters={
            "quantity": _QUANTITY,
            "reason": Parameter("reason", Want.TEXT),
            "product": Parameter("product", Want.TEXT, required=False),
            "lot": _LOT,
        },
        needs_order=True,
    ),
    "production.complete": Action(transaction=Complete, parameters=_DONE, needs_order=True),
    "quality.hold": Action(transaction=QualityHold, parameters=_DONE, needs_order=True),
    "quality.result": Action(
        transaction=QualityResult,
        parameters={"status": Parameter("status", Want.TEXT), "lot": _LOT, "text": _TEXT},
        needs_order=True,
    ),
    "downtime.record": Action(
        transaction=DowntimeRecord,
        parameters={
            "start": Parameter("started_ms", Want.TIME),
            "end": Parameter("ended_ms", Want.TIME),
            "loss": Parameter("loss", Want.TEXT),
            "text": _TEXT,
        },
        needs_order=False,
        from_equipment="work_center",
    ),
    "maintenance.request": Action(
        transaction=MaintenanceRequest,
        parameters={
            "title": Parameter("title", Want.TEXT),
            "text": _TEXT,
            "priority": Parameter("priority", Want.PRIORITY, required=False),
        },
        needs_order=False,
        from_equipment="serial_number",
    ),
}


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


_Fields: TypeAlias = "dict[str, object]"


@dataclass(frozen=True, slots=True)
class _Lacking:
    reason: str


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


def order_of(posting: Posting, moment: Moment) -> OrderRef | None | EvaluationFailed:
    """The order that the fact belongs to; None where there is none."""
    if posting.order is None:
        return None
    if isinstance(posting.order, str):
        return OrderRef(moment.running) if moment.running else None
    answer = moment.evaluate(posting.order)
    if isinstance(answer, EvaluationFailed):
        return None if answer.missing else answer
    return OrderRef(str(answer)) if answer not in (None, "") else None


def post(
    posting: Posting,
    moment: Moment,
    fact: str,
    *,
    order: OrderRef | None | EvaluationFailed,
    event: str | None = None,
    defaults: Mapping[str, Plain] | None = None,
) -> Post | Unmet:
    """Evaluate needs and values and build the transaction; whatever is lacking makes it `Unmet`.

    `fact` ends the idempotency key; it is an id of `event` where that is given. `defaults` are fields used where
    `with` gives none.
    """
    known_order = None if isinstance(order, EvaluationFailed) else order
    action = ACTIONS[posting.action]
    key = _key(posting, moment, known_order, fact, event)
    provenance = moment.provenance(posting.reads)
    fields: _Fields = {}
    reason = _unmet_order(posting, action, order) or _unmet_need(posting, moment)
    lacking = _fill(posting, action, moment, fields)
    if reason is None and lacking is None:
        own = _own_fields(action, posting, moment.equipment)
        built = action.transaction(
            **{**(defaults or {}), **fields, **own},
            key=key,
            equipment=moment.equipment.path,
            at_ms=moment.at_ms,
            provenance=provenance,
            order=known_order,
        )
        return Post(_as_transaction(built), order_ran=posting.order == "running")
    return Unmet(
        key=key,
        action=posting.action,
        equipment=moment.equipment.path,
        order=known_order,
        at_ms=moment.at_ms,
        rule=moment.rule,
        provenance=provenance,
        reason=reason or (lacking.reason if lacking else ""),
        fields={name: _summarised(value) for name, value in fields.items()},
    )


def cannot_post(posting: Posting, moment: Moment, fact: str, reason: str, *, event: str | None = None) -> Unmet:
    """The dead letter of a fact for which the rule could not even decide whether to post."""
    order = order_of(posting, moment)
    known = None if isinstance(order, EvaluationFailed) else order
    return Unmet(
        key=_key(posting, moment, known, fact, event),
        action=posting.action,
        equipment=moment.equipment.path,
        order=known,
        at_ms=moment.at_ms,
        rule=moment.rule,
        provenance=moment.provenance(posting.reads),
        reason=reason,
    )


def _key(posting: Posting, moment: Moment, order: OrderRef | None, fact: str, event: str | None) -> IdempotencyKey:
    if event is not None:
        return event_key(moment.equipment.path, posting.action, event, fact)
    return fact_key(moment.equipment.path, posting.action, order, fact)


def _as_transaction(built: msgspec.Struct) -> Transaction:
    assert isinstance(built, Transaction)
    return built


def _unmet_order(posting: Posting, action: Action, order: OrderRef | None | EvaluationFailed) -> str | None:
    if isinstance(order, EvaluationFailed):
        return f"order: {order.text}"
    if order is None and action.needs_order:
        return "no order is running" if posting.order == "running" else "it names no order"
    return None


def _unmet_need(posting: Posting, moment: Moment) -> str | None:
    for need in posting.needs:
        answer = moment.holds(need.that)
        if isinstance(answer, EvaluationFailed):
            return f"{need.that.text}: {answer.text}"
        if not answer:
            return need.otherwise.fill(moment)
    return None


def _fill(posting: Posting, action: Action, moment: Moment, fields: _Fields) -> _Lacking | None:
    """Evaluate all of `with` into `fields`; the first thing that is lacking, if any."""
    lacking: _Lacking | None = None
    for name, expression in posting.values.items():
        parameter = action.parameters[name]
        answer = moment.evaluate(expression)
        value = _Lacking(answer.text) if isinstance(answer, EvaluationFailed) else _converted(parameter.want, answer)
        if posting.factor is not None and isinstance(value, Decimal):
            value = posting.factor.of(value)
        absent = value is None or (isinstance(answer, EvaluationFailed) and answer.missing is not None)
        if absent and not parameter.required:
            continue
        if value is None:
            value = _Lacking("it is empty")
        if isinstance(value, _Lacking):
            lacking = lacking or _Lacking(f"{name}: {value.reason}")
        else:
            fields[parameter.field] = value
    return lacking


def _converted(want: Want, value: Plain) -> object | _Lacking | None:
    """The value as the transaction's field holds it; None where it is empty."""
    if value is None or value == "":
        return None
    match want:
        case Want.TEXT:
            return value if isinstance(value, str) else _Lacking("it is not text")
        case Want.QUANTITY:
            return _quantity(value)
        case Want.TIME:
            return int(value) if isinstance(value, float) and isfinite(value) else _Lacking("it is not a time")
        case Want.PRIORITY:
            fits = isinstance(value, float) and value in (0, 1, 2, 3)
            return int(str(value)[0]) if fits else _Lacking("it must be 0, 1, 2 or 3")
        case Want.CONSUMED:
            return _consumed(value)


def _quantity(value: Plain) -> Decimal | _Lacking:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return _Lacking("it is not a number")
    return Decimal(number_text(float(value)))


def _consumed(value: Plain) -> tuple[Consumption, ...] | _Lacking:
    if not isinstance(value, list):
        return _Lacking("it is not a list")
    consumed: list[Consumption] = []
    for number, each in enumerate(value, start=1):
        fields = each if isinstance(each, dict) else {}
        product, unit, lot = fields.get("product"), fields.get("unit"), fields.get("lot")
        quantity = _quantity(fields.get("quantity", fields.get("qty")))
        if not isinstance(product, str) or not product:
            return _Lacking(f"entry {number} names no product")
        if isinstance(quantity, _Lacking):
            return _Lacking(f"the quantity of {product} is not a number")
        if not isinstance(unit, str) or not unit:
            return _Lacking(f"the quantity of {product} has no unit")
        lot_name = lot if isinstance(lot, str) and lot else None
        consumed.append(Consumption(product=product, quantity=quantity, unit=unit, lot=lot_name))
    return tuple(consumed)


def _own_fields(action: Action, posting: Posting, equipment: Equipment) -> _Fields:
    fields: _Fields = {}
    if action.has_unit:
        fields["unit"] = posting.unit or ""
    if action.from_equipment == "work_center":
        fields["work_center"] = equipment.work_center or ""
    if action.from_equipment == "serial_number":
        fields["serial_number"] = equipment.serial_number or ""
    return fields


def _summarised(value: object) -> Plain:
    if isinstance(value, Decimal):
        return f"{value:f}"
    plain: Plain = msgspec.to_builtins(value)
    return plain
