"""The vocabulary of actions: what each takes under `with`, and how a value becomes what its transaction holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from math import isfinite
from typing import Final

import msgspec

from ruleset.cel import Kind, number_text
from ruleset.sample import Plain
from ruleset.transaction import (
    Answer,
    Byproduct,
    CapacityBlock,
    CapacityUnblock,
    Complete,
    Consumption,
    Correct,
    DowntimeClose,
    DowntimeOpen,
    DowntimeRecord,
    LotCreate,
    MaintenanceClose,
    MaintenanceRequest,
    MaterialConsume,
    Progress,
    QualityHold,
    QualityHoldStock,
    QualityRelease,
    QualityRequest,
    QualityResult,
    Scrap,
    Transaction,
    WorkOrderFinish,
    WorkOrderPause,
    WorkOrderStart,
    action,
)


class Want(Enum):
    """What a value of `with` must be."""

    TEXT = "text"
    QUANTITY = "quantity"
    TIME = "time"
    PRIORITY = "priority"
    CONSUMED = "consumed"
    BYPRODUCTS = "byproducts"
    NAMES = "names"
    ANSWERS = "answers"
    SHORT = "short"

    @property
    def kind(self) -> Kind:
        """What its expression must give."""
        match self:
            case Want.TEXT | Want.SHORT:
                return Kind.TEXT
            case Want.CONSUMED | Want.BYPRODUCTS | Want.NAMES | Want.ANSWERS:
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
    """One entry of the vocabulary. `from_equipment` is a field that the equipment itself must supply."""

    transaction: type[msgspec.Struct]
    parameters: Mapping[str, Parameter]
    needs_order: bool
    from_equipment: str | None = None

    @property
    def has_unit(self) -> bool:
        return "quantity" in self.parameters


_QUANTITY: Final = Parameter("quantity", Want.QUANTITY)
_LOT: Final = Parameter("lot", Want.TEXT, required=False)
_PRODUCT: Final = Parameter("product", Want.TEXT)
_TEXT: Final = Parameter("text", Want.TEXT, required=False)
_DONE: Final = {
    "quantity": _QUANTITY,
    "lot": _LOT,
    "serials": Parameter("serials", Want.NAMES, required=False),
    "consumed": Parameter("consumed", Want.CONSUMED, required=False),
    "byproducts": Parameter("byproducts", Want.BYPRODUCTS, required=False),
    "short": Parameter("short", Want.SHORT, required=False),
}
_ITS_PRODUCT: Final = Parameter("product", Want.TEXT, required=False)
_GOODS: Final = {
    "product": _PRODUCT,
    "lot": _LOT,
    "quantity": Parameter("quantity", Want.QUANTITY, required=False),
    "reason": Parameter("reason", Want.TEXT, required=False),
}
_WORK_ORDER: Final = Parameter("work_order", Want.TEXT)
_START: Final = Parameter("started_ms", Want.TIME)
_OPENED: Final = {"start": _START, "loss": Parameter("loss", Want.TEXT), "text": _TEXT}
_STOPPED: Final = {**_OPENED, "end": Parameter("ended_ms", Want.TIME)}
_BLOCKED: Final = {**_OPENED, "until": Parameter("until_ms", Want.TIME, required=False)}
_UNBLOCKED: Final = {"start": _START, "end": Parameter("ended_ms", Want.TIME)}

PROGRESS: Final = "production.progress"
ACTIONS: Final[Mapping[str, Action]] = {
    "workorder.start": Action(transaction=WorkOrderStart, parameters={"work_order": _WORK_ORDER}, needs_order=True),
    "workorder.pause": Action(transaction=WorkOrderPause, parameters={"work_order": _WORK_ORDER}, needs_order=True),
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
    "production.correct": Action(
        transaction=Correct,
        parameters={
            "quantity": _QUANTITY,
            "corrects": Parameter("corrects", Want.TEXT),
            "reason": Parameter("reason", Want.TEXT),
            "lot": _LOT,
        },
        needs_order=True,
    ),
    "material.consume": Action(
        transaction=MaterialConsume,
        parameters={"product": _PRODUCT, "quantity": _QUANTITY, "lot": _LOT},
        needs_order=True,
    ),
    "lot.create": Action(
        transaction=LotCreate,
        parameters={
            "product": _PRODUCT,
            "lot": Parameter("lot", Want.TEXT),
            "expires": Parameter("expires_ms", Want.TIME, required=False),
        },
        needs_order=False,
    ),
    "quality.hold": Action(transaction=QualityHold, parameters=_DONE, needs_order=True),
    "quality.result": Action(
        transaction=QualityResult,
        parameters={
            "status": Parameter("status", Want.TEXT),
            "inspection": Parameter("inspection", Want.TEXT, required=False),
            "product": _ITS_PRODUCT,
            "lot": _LOT,
            "text": _TEXT,
            "values": Parameter("values", Want.ANSWERS, required=False),
        },
        needs_order=False,
    ),
    "quality.request": Action(
        transaction=QualityRequest,
        parameters={
            "inspection": Parameter("inspection", Want.TEXT),
            "product": _ITS_PRODUCT,
            "lot": _LOT,
            "text": _TEXT,
            "due": Parameter("due_ms", Want.TIME, required=False),
        },
        needs_order=False,
    ),
    "quality.hold_stock": Action(transaction=QualityHoldStock, parameters=_GOODS, needs_order=False),
    "quality.release": Action(transaction=QualityRelease, parameters=_GOODS, needs_order=False),
    **{
        name: Action(transaction=made, parameters=given, needs_order=False, from_equipment="work_center")
        for name, made, given in (
            ("downtime.open", DowntimeOpen, _OPENED),
            ("downtime.close", DowntimeClose, _STOPPED),
            ("downtime.record", DowntimeRecord, _STOPPED),
            ("capacity.block", CapacityBlock, _BLOCKED),
            ("capacity.unblock", CapacityUnblock, _UNBLOCKED),
        )
    },
    "maintenance.request": Action(
        transaction=MaintenanceRequest,
        parameters={
            "title": Parameter("title", Want.TEXT),
            "text": _TEXT,
            "priority": Parameter("priority", Want.PRIORITY, required=False),
            "cause": Parameter("cause", Want.TEXT, required=False),
            "team": Parameter("team", Want.TEXT, required=False),
            "schedule": Parameter("schedule_ms", Want.TIME, required=False),
        },
        needs_order=False,
        from_equipment="serial_number",
    ),
    "maintenance.close": Action(
        transaction=MaintenanceClose,
        parameters={
            "cause": Parameter("cause", Want.TEXT),
            "start": Parameter("started_ms", Want.TIME, required=False),
            "text": _TEXT,
        },
        needs_order=False,
        from_equipment="serial_number",
    ),
}


def lacks_order(transaction: Transaction) -> bool:
    """Whether it can be posted only once a person has said which order it belongs to: none ran."""
    if transaction.order is not None:
        return False
    known = ACTIONS.get(action(transaction))
    return isinstance(transaction, Progress) or (known is not None and known.needs_order)


@dataclass(frozen=True, slots=True)
class Lacking:
    """Why a value is not what it must be."""

    reason: str


def converted(want: Want, value: Plain) -> object | Lacking | None:
    """The value as the transaction's field holds it; None where it is empty."""
    if value is None or value == "":
        return None
    match want:
        case Want.TEXT:
            return value if isinstance(value, str) else Lacking("it is not text")
        case Want.QUANTITY:
            return _quantity(value)
        case Want.TIME:
            return int(value) if isinstance(value, float) and isfinite(value) else Lacking("it is not a time")
        case Want.PRIORITY:
            fits = isinstance(value, float) and value in (0, 1, 2, 3)
            return int(str(value)[0]) if fits else Lacking("it must be 0, 1, 2 or 3")
        case Want.CONSUMED:
            return _amounts(value, Consumption)
        case Want.BYPRODUCTS:
            return _amounts(value, Byproduct)
        case Want.NAMES:
            named = isinstance(value, list) and all(isinstance(each, str) and each for each in value)
            return tuple(value) if named and isinstance(value, list) else Lacking("it is not a list of names")
        case Want.ANSWERS:
            return _answers(value)
        case Want.SHORT:
            return value if value in ("close", "backorder") else Lacking("it must be 'close' or 'backorder'")


def _answers(value: Plain) -> tuple[object, ...] | Lacking:
    """Members of a list field as answers to an inspection's questions."""
    if not isinstance(value, list):
        return Lacking("it is not a list")
    answers: list[object] = []
    for number, each in enumerate(value, start=1):
        fields = each if isinstance(each, dict) else {}
        question, given = fields.get("name"), fields.get("value")
        if not isinstance(question, str) or not question:
            return Lacking(f"entry {number} has no name")
        answer = given if isinstance(given, str) and given else _quantity(given)
        if isinstance(answer, Lacking):
            return Lacking(f"the value of {question} is neither a number nor text")
        answers.append(Answer(question=question, value=str(answer)))
    return tuple(answers)


def _quantity(value: Plain) -> Decimal | Lacking:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return Lacking("it is not a number")
    return Decimal(number_text(float(value)))


def _amounts(value: Plain, of: type[Consumption] | type[Byproduct]) -> tuple[object, ...] | Lacking:
    """Members of a list field as quantities of products."""
    if not isinstance(value, list):
        return Lacking("it is not a list")
    amounts: list[object] = []
    for number, each in enumerate(value, start=1):
        fields = each if isinstance(each, dict) else {}
        product, unit, lot = fields.get("product"), fields.get("unit"), fields.get("lot")
        quantity = _quantity(fields.get("quantity", fields.get("qty")))
        if not isinstance(product, str) or not product:
            return Lacking(f"entry {number} names no product")
        if isinstance(quantity, Lacking):
            return Lacking(f"the quantity of {product} is not a number")
        if not isinstance(unit, str) or not unit:
            return Lacking(f"the quantity of {product} has no unit")
        lot_name = lot if isinstance(lot, str) and lot else None
        amounts.append(of(product=product, quantity=quantity, unit=unit, lot=lot_name))
    return tuple(amounts)
