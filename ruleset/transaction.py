"""Transactions: what rules decide, in the words between the floor and the ERP. Typed values with a key.

Every transaction names the plant fact by its idempotency key, the equipment, the order release it belongs to
(`order`, as published, e.g. `mo-42`; None where no order is concerned) and where it came from. Quantities are
`Decimal` with their unit. They are stored and sent as JSON by `encode` and read back by `decode`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, Literal, NewType, TypeAlias

import msgspec

IdempotencyKey = NewType("IdempotencyKey", str)
OrderRef = NewType("OrderRef", str)
WorkOrderRef = NewType("WorkOrderRef", str)


class Provenance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a transaction exists: the rule and its version, the message and the values (`Plain`) that the rule read.

    Where rules are released, `release` is the version of all rules that was live, and `approved_by` who approved it.
    `corrected_by` is the person who gave other values than the floor did, in `corrected`.
    """

    rule: str
    version: str
    release: str = ""
    approved_by: str = ""
    topic: str
    seq: int | None = None
    values: dict[str, Any] = {}  # msgspec cannot resolve the recursive `Plain`
    corrected_by: str = ""
    corrected: dict[str, str] = {}


class _Transaction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="do"):
    key: IdempotencyKey
    equipment: str
    at_ms: int
    provenance: Provenance
    order: OrderRef | None = None


class WorkOrderStart(_Transaction, frozen=True, kw_only=True, tag="workorder.start"):
    """An operator or a machine began a work order."""

    work_order: WorkOrderRef


class WorkOrderPause(_Transaction, frozen=True, kw_only=True, tag="workorder.pause"):
    """Work on a work order rests from `at_ms` on. `workorder.start` resumes it."""

    work_order: WorkOrderRef


class WorkOrderFinish(_Transaction, frozen=True, kw_only=True, tag="workorder.finish"):
    """A work order ended. `started_ms` and `at_ms` are the machine's times."""

    work_order: WorkOrderRef
    started_ms: int | None = None


class Progress(_Transaction, frozen=True, kw_only=True, tag="production.progress"):
    """The cumulative total `upto` of one stream (order, equipment, measure, counter epoch).

    Odoo adds what is new: max(0, upto - the last upto applied for `stream`). `consent` names who allowed more than
    the plant's tolerance; no rule sets it.
    """

    stream: str
    upto: Decimal
    unit: str
    consent: str | None = None


class Scrap(_Transaction, frozen=True, kw_only=True, tag="production.scrap"):
    """Pieces thrown away. `product` (default code) None means the order's own product."""

    quantity: Decimal
    unit: str
    reason: str
    product: str | None = None
    lot: str | None = None


class Consumption(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an order really used of one component (default code), from one lot."""

    product: str
    quantity: Decimal
    unit: str
    lot: str | None = None


class Byproduct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an order really brought of one by-product (default code), into one lot. None of it is a quantity too."""

    product: str
    quantity: Decimal
    unit: str
    lot: str | None = None


Short: TypeAlias = Literal["close", "backorder"]
"""What becomes of a rest that was not made: nothing, or an order of its own."""


class Complete(_Transaction, frozen=True, kw_only=True, tag="production.complete"):
    """The order is done with this total quantity, into this lot, having consumed this.

    Components that `consumed` does not name are consumed at the bill of materials' ratio, and so are by-products made
    that `byproducts` does not name. `serials` are the serial numbers of the pieces, one each, where the product has
    such. `short` None leaves it to the plant. `consent` as in `Progress`.
    """

    quantity: Decimal
    unit: str
    lot: str | None = None
    serials: tuple[str, ...] = ()
    consumed: tuple[Consumption, ...] = ()
    byproducts: tuple[Byproduct, ...] = ()
    short: Short | None = None
    consent: str | None = None


class Correct(_Transaction, frozen=True, kw_only=True, tag="production.correct"):
    """What was counted on an order, or what it was completed with, was wrong by `quantity`: too little, or too much
    where it is negative.

    `corrects` names what was wrong: the key of its posting, or what the floor calls it. `lot` is the lot or the serial
    number that has less in it, where the order is done and has several. `consent` as in `Progress`.
    """

    corrects: str
    quantity: Decimal
    unit: str
    reason: str
    lot: str | None = None
    consent: str | None = None


class ShiftPart(msgspec.Struct, frozen=True, kw_only=True):
    """What of a stop lies in one shift. `shift` is its name; "" between shifts."""

    shift: str
    started_ms: int
    ended_ms: int


class _Stop(_Transaction, frozen=True, kw_only=True):
    """A stop of a work center. Equipment and `started_ms` tell it from all others, whatever is said of it."""

    work_center: str
    started_ms: int


class DowntimeOpen(_Stop, frozen=True, kw_only=True, tag="downtime.open"):
    """A stop has begun and lasts. `loss` is a loss category, as it is believed now."""

    loss: str
    text: str = ""


class DowntimeRecord(_Stop, frozen=True, kw_only=True, tag="downtime.record"):
    """A stop that is over. `loss` is a loss category of `codes.yaml`; `parts` are those of its shifts, all together
    as long as it; none: it is not divided."""

    ended_ms: int
    loss: str
    text: str = ""
    parts: tuple[ShiftPart, ...] = ()


class DowntimeClose(_Stop, frozen=True, kw_only=True, tag="downtime.close"):
    """The stop that was opened is over; one that was not is recorded. As `DowntimeRecord`."""

    ended_ms: int
    loss: str
    text: str = ""
    parts: tuple[ShiftPart, ...] = ()


class CapacityBlock(_Stop, frozen=True, kw_only=True, tag="capacity.block"):
    """The work center cannot run, presumably until `until_ms` (None: a day from `at_ms`): nothing is to be planned
    there. Said again with a later end, it lasts longer."""

    loss: str
    until_ms: int | None = None
    text: str = ""


class CapacityUnblock(_Stop, frozen=True, kw_only=True, tag="capacity.unblock"):
    """The work center can run again since `ended_ms`."""

    ended_ms: int


class MaterialConsume(_Transaction, frozen=True, kw_only=True, tag="material.consume"):
    """An order used this much of a component (default code), from one lot, while it runs. Reports add up.

    `consent` names who allowed what a person must look at first: another component, an expired lot, one on hold.
    """

    product: str
    quantity: Decimal
    unit: str
    lot: str | None = None
    consent: str | None = None


class LotCreate(_Transaction, frozen=True, kw_only=True, tag="lot.create"):
    """The floor named a lot of a product (default code). One that is there is left as it is."""

    product: str
    lot: str
    expires_ms: int | None = None


class QualityRequest(_Transaction, frozen=True, kw_only=True, tag="quality.request"):
    """Somebody is to inspect the order, or the lot of a product (default code), or the equipment with this serial
    number: the first of them that is given. `inspection` is what is to be looked at, by the name that the result has
    too."""

    inspection: str
    lot: str | None = None
    product: str | None = None
    serial_number: str = ""
    text: str = ""
    due_ms: int | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What was measured or seen: a question of the inspection, and its answer, a number or words."""

    question: str
    value: str


class QualityResult(_Transaction, frozen=True, kw_only=True, tag="quality.result"):
    """An inspection's result or disposition, kept with what was inspected: see `QualityRequest`.

    `inspection` names the request that it answers; "" answers none.
    """

    status: str
    lot: str | None = None
    text: str = ""
    inspection: str = ""
    product: str | None = None
    serial_number: str = ""
    values: tuple[Answer, ...] = ()


class _Transfer(_Transaction, frozen=True, kw_only=True):
    """Goods of a product (default code) and lot. `quantity` None: all that there is, and then it has no unit."""

    product: str
    lot: str | None = None
    quantity: Decimal | None = None
    unit: str = ""
    reason: str = ""


class QualityHoldStock(_Transfer, frozen=True, kw_only=True, tag="quality.hold_stock"):
    """What stands in stock goes to the hold location, available to nobody."""


class QualityRelease(_Transfer, frozen=True, kw_only=True, tag="quality.release"):
    """What is on hold goes back to stock."""


class QualityHold(_Transaction, frozen=True, kw_only=True, tag="quality.hold"):
    """The order is done with this quantity, but its goods go to the hold location, available to nobody.

    The rest is as in `Complete`.
    """

    quantity: Decimal
    unit: str
    lot: str | None = None
    serials: tuple[str, ...] = ()
    consumed: tuple[Consumption, ...] = ()
    byproducts: tuple[Byproduct, ...] = ()
    short: Short | None = None
    consent: str | None = None


class MaintenanceRequest(_Transaction, frozen=True, kw_only=True, tag="maintenance.request"):
    """Ask maintenance to look at an equipment, known in Odoo by its serial number. `priority` 0 to 3.

    Of one `cause` ("": the rule's name) there is one request while it is open in Odoo: what is asked again is a note
    on it.
    """

    serial_number: str
    title: str
    text: str = ""
    priority: int = 1
    cause: str = ""
    team: str | None = None
    schedule_ms: int | None = None


class MaintenanceClose(_Transaction, frozen=True, kw_only=True, tag="maintenance.close"):
    """The open request of this cause is done. `started_ms` is when the work began."""

    serial_number: str
    cause: str
    started_ms: int | None = None
    text: str = ""


class OrderState(_Transaction, frozen=True, kw_only=True, tag="order.state"):
    """What became of an order release, as a line for the planner. The bridge says it by itself; no rule does."""

    text: str


Transaction: TypeAlias = (
    WorkOrderStart
    | WorkOrderPause
    | WorkOrderFinish
    | Progress
    | Scrap
    | Complete
    | Correct
    | MaterialConsume
    | LotCreate
    | DowntimeOpen
    | DowntimeClose
    | DowntimeRecord
    | CapacityBlock
    | CapacityUnblock
    | QualityRequest
    | QualityResult
    | QualityHold
    | QualityHoldStock
    | QualityRelease
    | MaintenanceRequest
    | MaintenanceClose
    | OrderState
)

Consented: TypeAlias = Progress | Complete | QualityHold | Correct | MaterialConsume
"""Those of which a person may allow more than the plant's tolerance, or what must be looked at first."""

_encoder = msgspec.json.Encoder(decimal_format="string", order="deterministic")
_decoder: Final[msgspec.json.Decoder[Transaction]] = msgspec.json.Decoder(Transaction)


def action(transaction: Transaction) -> str:
    """The transaction's name in rules and lists, such as `production.progress`."""
    tag = transaction.__struct_config__.tag
    assert isinstance(tag, str)
    return tag


def encode(transaction: Transaction) -> bytes:
    """The stored and recorded form: deterministic JSON, quantities as strings."""
    return _encoder.encode(transaction)


def decode(body: bytes) -> Transaction:
    """Read back what `encode` wrote. Raises `msgspec.ValidationError` for anything else."""
    return _decoder.decode(body)
