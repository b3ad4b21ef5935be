"""Transactions of quality and maintenance for a bench, and what of them stands in Odoo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from odoo_adapter.client.api import OdooApi
from odoo_adapter.rights import is_there
from ruleset.transaction import (
    Answer,
    MaintenanceClose,
    MaintenanceRequest,
    OrderRef,
    QualityHoldStock,
    QualityRelease,
    QualityRequest,
    QualityResult,
)
from tests.odoo_adapter.situations import AT_MS, CAUSE, PRESS, Bench, complete

HOUR_MS = 3_600_000
HOUSING = "HOUSING"


async def stocked(bench: Bench, order: str) -> str:
    """Ten housings that were made and stand in stock; their lot."""
    done = complete(bench, order)
    await bench.post([done])
    return done.lot or ""


def hold_stock(bench: Bench, lot: str, quantity: int | None = None, *, name: str = "") -> QualityHoldStock:
    return QualityHoldStock(
        key=bench.key(f"hold-stock/{lot}{name}"),
        equipment=PRESS,
        at_ms=AT_MS,
        provenance=CAUSE,
        product=HOUSING,
        lot=lot,
        quantity=None if quantity is None else Decimal(quantity),
        unit="" if quantity is None else "pcs",
        reason="Flash on <edge>",
    )


def release(bench: Bench, lot: str, quantity: int | None = None, *, name: str = "") -> QualityRelease:
    return QualityRelease(
        key=bench.key(f"release/{lot}{name}"),
        equipment=PRESS,
        at_ms=AT_MS,
        provenance=CAUSE,
        product=HOUSING,
        lot=lot,
        quantity=None if quantity is None else Decimal(quantity),
        unit="" if quantity is None else "pcs",
    )


def inspection(bench: Bench, order: str | None, *, lot: str | None = None, serial: str = "") -> QualityRequest:
    return QualityRequest(
        key=bench.key(f"inspection/{order}/{lot}/{serial}"),
        equipment=PRESS,
        at_ms=AT_MS,
        provenance=CAUSE,
        order=OrderRef(order) if order else None,
        inspection="First piece",
        lot=lot,
        product=HOUSING if lot else None,
        serial_number=serial,
        text="Measure <the> bore",
        due_ms=AT_MS + 24 * HOUR_MS,
    )


def result(
    bench: Bench, asked: QualityRequest, status: str = "pass", *, name: str = "", values: Mapping[str, str] = {}
) -> QualityResult:
    return QualityResult(
        key=bench.key(f"result/{asked.order}/{asked.lot}/{asked.serial_number}{name}"),
        equipment=PRESS,
        at_ms=AT_MS + HOUR_MS,
        provenance=CAUSE,
        order=asked.order,
        status=status,
        lot=asked.lot,
        product=asked.product,
        serial_number=asked.serial_number,
        inspection=asked.inspection,
        text="Bore 12.02",
        values=tuple(Answer(question=question, value=value) for question, value in values.items()),
    )


OCA = "qc.inspection"
CHECKS = "quality.check"
ACTIVITIES = "mail.activity"
_WHAT = {
    OCA: ("internal_notes", "date", "state"),
    CHECKS: ("note", "user_id", "quality_state"),
    ACTIVITIES: ("note", "date_deadline", "res_model"),
}
"""Of each list of inspections: what holds the key, until when or who, and how it stands."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One inspection in one of Odoo's lists, as quality people see it."""

    model: str
    id: int
    text: str
    due: str
    state: str


async def inspections(admin: OdooApi, asked: QualityRequest) -> list[Listed]:
    """Those that were asked for by this request, in whichever lists this Odoo has."""
    found: list[Listed] = []
    for model, (text, due, state) in _WHAT.items():
        if await is_there(admin, model):
            rows = await admin.call(
                model, "search_read", writes=False, domain=[[text, "ilike", asked.key]], fields=[text, due, state]
            )
            found += [Listed(model, row["id"], row[text], str(row[due]), str(row[state])) for row in rows]
    return found


async def make_test(admin: OdooApi, name: str) -> None:
    """A test of OCA's quality control: a torque of 8 to 10, and looks that are OK or NOK."""
    choices = [[0, 0, {"name": choice, "ok": choice == "OK"}] for choice in ("OK", "NOK")]
    (unit, *_) = await admin.call("uom.uom", "search", writes=False, domain=[], limit=1)
    measured = {"name": "Torque Nm", "type": "quantitative", "min_value": 8, "max_value": 10, "uom_id": unit}
    seen = {"name": "Visual", "type": "qualitative", "ql_values": choices}
    test = {"name": name, "test_lines": [[0, 0, measured], [0, 0, seen]]}
    await admin.call("qc.test", "create", writes=True, vals_list=[test])


async def keeper(admin: OdooApi) -> str:
    """Where this Odoo keeps inspections of orders and lots."""
    there = [model for model in _WHAT if await is_there(admin, model)]
    return there[0]


def asking(bench: Bench, name: str, *, cause: str = "", serial: str = "UNS-PRESS-1") -> MaintenanceRequest:
    return MaintenanceRequest(
        key=bench.key(f"asking/{name}"),
        equipment=PRESS,
        at_ms=AT_MS,
        provenance=CAUSE,
        serial_number=serial,
        title=f"Vibration {name}",
        text="More than <b>7.1</b> & less than 12",
        priority=2,
        cause=cause or f"vibration {bench.fresh}",
    )


def closing(bench: Bench, name: str, *, cause: str = "", serial: str = "UNS-PRESS-1") -> MaintenanceClose:
    return MaintenanceClose(
        key=bench.key(f"closing/{name}"),
        equipment=PRESS,
        at_ms=AT_MS + 2 * HOUR_MS,
        started_ms=AT_MS + HOUR_MS // 2,
        provenance=CAUSE,
        serial_number=serial,
        cause=cause or f"vibration {bench.fresh}",
        text="Bearing changed",
    )


async def notes(admin: OdooApi, model: str, id: int, words: str) -> int:
    """How many messages of this document have these words."""
    domain = [["model", "=", model], ["res_id", "=", id], ["body", "ilike", words]]
    found: int = await admin.call("mail.message", "search_count", writes=False, domain=domain)
    return found


async def close_by_hand(admin: OdooApi, request: int) -> None:
    """What a technician does: the request goes to a stage that is done."""
    (stage, *_) = await admin.call("maintenance.stage", "search", writes=False, domain=[["done", "=", True]])
    await admin.call("maintenance.request", "write", writes=True, ids=[request], vals={"stage_id": stage})
