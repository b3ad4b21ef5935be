"""What is sent for each transaction, and what is declined before anything is sent."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoo_adapter.odoo import Declined, Standing
from odoo_adapter.plan import PlanContext, Posting, batches, moment, plan, quantity
from ruleset.transaction import (
    Answer,
    Complete,
    Consumption,
    DowntimeRecord,
    IdempotencyKey,
    LotCreate,
    MaintenanceRequest,
    MaterialConsume,
    OrderRef,
    Progress,
    Provenance,
    QualityHold,
    QualityResult,
    Scrap,
    Transaction,
    WorkOrderFinish,
    WorkOrderRef,
    WorkOrderStart,
)

UNITS = PlanContext(units={"pcs": "Units", "kg": "kg", "g": "g", "mm/s": ""}, over=Decimal("0.05"))
FACT: dict[str, Any] = {
    "key": IdempotencyKey("press-1/fact/1"),
    "equipment": "acme/berlin/machining/press-1",
    "at_ms": 1_795_400_000_999,
    "provenance": Provenance(rule="progress", version="v7", topic="spBv1.0/acme/DDATA/machining", seq=12),
}
ORDER = {**FACT, "order": OrderRef("mo-42")}
ANSWERS = (Answer(question="Torque Nm", value="9.1"), Answer(question="Visual", value="NOK"))


@pytest.mark.parametrize(
    ("transaction", "kind", "p"),
    [
        (
            WorkOrderStart(**ORDER, work_order=WorkOrderRef("wo-57")),
            "start",
            {"wo": "wo-57", "at": "2026-11-23 02:13:20"},
        ),
        (
            WorkOrderFinish(**ORDER, work_order=WorkOrderRef("wo-57"), started_ms=1_795_399_000_000),
            "finish",
            {"wo": "wo-57", "at": "2026-11-23 02:13:20", "start": "2026-11-23 01:56:40"},
        ),
        (
            Progress(**ORDER, stream="mo-42/press-1/good/1", upto=Decimal("25.0"), unit="pcs"),
            "progress",
            {"order": "mo-42", "stream": "mo-42/press-1/good/1", "upto": "25", "uom": "Units", "over": "0.05"},
        ),
        (
            Scrap(**ORDER, quantity=Decimal(3), unit="pcs", reason="Burn mark"),
            "scrap",
            {"order": "mo-42", "qty": "3", "uom": "Units", "reason": "Burn mark"},
        ),
        (
            Scrap(**FACT, quantity=Decimal("0.125"), unit="kg", reason="Spill", product="RESIN-A", lot="R-1"),
            "scrap",
            {"product": "RESIN-A", "qty": "0.125", "uom": "kg", "lot": "R-1", "reason": "Spill"},
        ),
        (
            MaterialConsume(**ORDER, product="RESIN-A", quantity=Decimal("12480"), unit="g", lot="R-1"),
            "consume",
            {
                "order": "mo-42",
                "product": "RESIN-A",
                "qty": "12480",
                "uom": "g",
                "lot": "R-1",
                "at": "2026-11-23 02:13:20",
            },
        ),
        (
            LotCreate(**FACT, product="HOUSING", lot="H-1", expires_ms=1_795_400_000_000),
            "lot",
            {"product": "HOUSING", "lot": "H-1", "expires": "2026-11-23 02:13:20"},
        ),
        (
            Complete(
                **ORDER,
                quantity=Decimal(100),
                unit="pcs",
                lot="H-1",
                consumed=(Consumption(product="RESIN-A", quantity=Decimal(5), unit="kg", lot="R-1"),),
            ),
            "complete",
            {
                "order": "mo-42",
                "qty": "100",
                "uom": "Units",
                "lot": "H-1",
                "consume": [{"product": "RESIN-A", "qty": "5", "uom": "kg", "lot": "R-1"}],
                "at": "2026-11-23 02:13:20",
                "over": "0.05",
            },
        ),
        (
            QualityHold(**ORDER, quantity=Decimal(100), unit="pcs"),
            "complete",
            {
                "order": "mo-42",
                "qty": "100",
                "uom": "Units",
                "consume": [],
                "at": "2026-11-23 02:13:20",
                "over": "0.05",
                "hold": True,
            },
        ),
        (
            DowntimeRecord(
                **ORDER,
                work_center="PRESS-1",
                started_ms=1_795_399_000_400,
                ended_ms=1_795_399_000_900,
                loss="breakdown",
                text="E12",
            ),
            "downtime",
            {
                "wc": "PRESS-1",
                "order": "mo-42",
                "start": "2026-11-23 01:56:40",
                "end": "2026-11-23 01:56:41",
                "loss": "breakdown",
                "text": "E12",
                "mark": "acme/berlin/machining/press-1 stopped at 2026-11-23 01:56:40",
            },
        ),
        (
            QualityResult(**ORDER, status="accept", lot="H-1"),
            "note",
            {"order": "mo-42", "text": "Quality: accept, lot H-1."},
        ),
        (
            QualityResult(**ORDER, status="Reject", inspection="First  piece", text="Bent", values=ANSWERS),
            "result",
            {
                "order": "mo-42",
                "name": "First piece",
                "text": "Quality: Reject. Torque Nm: 9.1, Visual: NOK. Bent",
                "values": {"Torque Nm": "9.1", "Visual": "NOK"},
                "outcome": "fail",
            },
        ),
        (
            QualityResult(**ORDER, status="rework", inspection="First piece"),
            "result",
            {"order": "mo-42", "name": "First piece", "text": "Quality: rework."},
        ),
        (
            MaintenanceRequest(**FACT, serial_number="UNS-PRESS-1", title="Vibration", priority=9),
            "maintenance",
            {
                "serial": "UNS-PRESS-1",
                "name": "Vibration",
                "text": "",
                "priority": 3,
                "at": "2026-11-23 02:13:20",
                "cause": "progress",
            },
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_it_is_sent_as(transaction: Transaction, kind: str, p: dict[str, object]) -> None:
    planned = plan(transaction, UNITS)
    assert isinstance(planned, Posting)
    assert (planned.kind, planned.p) == (kind, p)
    assert planned.key == transaction.key
    assert planned.lane == (transaction.order or transaction.equipment)
    assert planned.by == "rule progress v7, spBv1.0/acme/DDATA/machining seq 12"


@pytest.mark.parametrize(
    ("transaction", "code", "reason"),
    [
        (
            Progress(**FACT, stream="s", upto=Decimal(1), unit="pcs"),
            "reference",
            '"" is not the reference of an order release, such as mo-42',
        ),
        (
            Progress(**{**FACT, "order": OrderRef("WH/MO/1")}, stream="s", upto=Decimal(1), unit="pcs"),
            "reference",
            '"WH/MO/1" is not the reference of an order release, such as mo-42',
        ),
        (
            WorkOrderStart(**ORDER, work_order=WorkOrderRef("mo-42")),
            "reference",
            '"mo-42" is not the reference of a work order, such as wo-42',
        ),
        (
            Progress(**ORDER, stream="s", upto=Decimal(1), unit="furlong"),
            "unit",
            'unit "furlong" has no unit of Odoo in codes.yaml',
        ),
        (
            Progress(**ORDER, stream="s", upto=Decimal(1), unit="mm/s"),
            "unit",
            'unit "mm/s" has no unit of Odoo in codes.yaml',
        ),
        (Scrap(**ORDER, quantity=Decimal(0), unit="pcs", reason="x"), "quantity", "0 is not a quantity above 0"),
        (
            Scrap(**ORDER, quantity=Decimal("NaN"), unit="pcs", reason="x"),
            "quantity",
            "NaN is not a quantity above 0",
        ),
        (Scrap(**FACT, quantity=Decimal(1), unit="pcs", reason="x"), "reference", "scrap needs an order or a product"),
        (
            DowntimeRecord(**FACT, work_center="P", started_ms=2000, ended_ms=1000, loss="breakdown"),
            "bad_interval",
            "ends at 1970-01-01 00:00:01, before it starts at 1970-01-01 00:00:02",
        ),
        (
            WorkOrderStart(**{**ORDER, "at_ms": 253_402_300_800_000}, work_order=WorkOrderRef("wo-57")),
            "bad_time",
            "253402300800000 ms is no moment between the years 1 and 9999: is the clock of what sent it right?",
        ),
        (
            Complete(**ORDER, quantity=Decimal(1), unit="pcs", lot="L" * 201),
            "name",
            f'"{"L" * 50}" is empty, too long or has characters that Odoo cannot store',
        ),
    ],
)
def test_it_is_declined_before_it_is_sent(transaction: Transaction, code: str, reason: str) -> None:
    assert plan(transaction, UNITS) == Declined(key=transaction.key, code=code, reason=reason)


def test_an_unknown_loss_names_the_known_ones() -> None:
    declined = plan(DowntimeRecord(**FACT, work_center="P", started_ms=0, ended_ms=1000, loss="broken"), UNITS)
    assert isinstance(declined, Declined)
    assert declined.reason.startswith('unknown loss category "broken"; known: breakdown, defect')


def test_a_total_tells_all_totals_and_corrections_that_stand_as_far_as_the_bridge_knows() -> None:
    counted = Progress(**ORDER, stream="s", upto=Decimal(105), unit="pcs")
    streams = {"s": Decimal("80.50"), "other": Decimal(3), "of an unknown unit": Decimal(4)}
    planned = plan(counted, UNITS, Standing(streams=streams, units={"other": "kg"}, corrected=Decimal("-5.0")))
    plain = plan(counted, UNITS, Standing(quantity=Decimal(9)))
    assert isinstance(planned, Posting)
    assert isinstance(plain, Posting)
    known = {"bases": {"other": ["3", "kg"], "s": ["80.5", "Units"]}, "corrected": "-5"}
    assert (planned.p, planned.hash) == ({**plain.p, **known}, plain.hash)


def test_the_hash_is_of_the_fact_and_not_of_who_caused_it() -> None:
    fact = QualityResult(**ORDER, status="accept")
    newer = msgspec.structs.replace(fact, provenance=Provenance(rule="disposition", version="v8", topic="other"))
    other = msgspec.structs.replace(fact, status="reject")
    hashes = [planned.hash for one in (fact, newer, other) if isinstance(planned := plan(one, UNITS), Posting)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_release_lets_more_through_and_names_who_but_leaves_the_fact_as_it_was() -> None:
    counted = Progress(**ORDER, stream="s", upto=Decimal(105), unit="pcs")
    plain = plan(counted, UNITS)
    released = plan(msgspec.structs.replace(counted, consent="eve@example.com"), UNITS)
    assert isinstance(plain, Posting)
    assert isinstance(released, Posting)
    assert (released.key, released.hash, released.lane) == (plain.key, plain.hash, plain.lane)
    assert released.p == {"order": "mo-42", "stream": "s", "upto": "105", "uom": "Units", "consent": "eve@example.com"}
    assert released.by == "rule progress v7, spBv1.0/acme/DDATA/machining seq 12; released by eve@example.com"


def test_another_tolerance_leaves_the_fact_as_it_was() -> None:
    done = Complete(**ORDER, quantity=Decimal(100), unit="pcs")
    planned = [plan(done, replace(UNITS, over=over)) for over in (Decimal(0), Decimal("0.03"))]
    assert len({one.hash for one in planned if isinstance(one, Posting)}) == 1


def test_a_long_cause_never_pushes_out_who_released_it() -> None:
    long = Provenance(rule="r" * 400, version="v1", topic="t" * 400)
    hold = QualityHold(**{**ORDER, "provenance": long}, quantity=Decimal(1), unit="pcs", consent="eve")
    planned = plan(hold, UNITS)
    assert isinstance(planned, Posting)
    assert len(planned.by) == 500
    assert planned.by.endswith("t; released by eve")


def test_free_text_is_cut_and_mended_but_a_key_never() -> None:
    request = MaintenanceRequest(**FACT, serial_number="S", title="t\x00" * 300, text="\ud800" + "x" * 9000)
    planned = plan(request, UNITS)
    assert isinstance(planned, Posting)
    assert (planned.p["name"], len(str(planned.p["text"]))) == ("t" * 200, 2000)
    declined = plan(msgspec.structs.replace(request, key=IdempotencyKey("k\x00")), UNITS)
    assert isinstance(declined, Declined)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9))
def test_a_quantity_is_a_plain_decimal_of_the_same_value(number: Decimal) -> None:
    text = quantity(number)
    assert "E" not in text.upper()
    assert Decimal(text) == number.normalize()


@given(st.integers(min_value=-62_135_596_800_000, max_value=253_402_300_799_999))
def test_a_moment_drops_parts_of_a_second_and_is_written_in_nineteen_characters(at_ms: int) -> None:
    assert moment(at_ms) == moment(at_ms // 1000 * 1000)
    assert len(moment(at_ms)) == 19


def posting(kind: str) -> Posting:
    return Posting(key=kind, kind=kind, hash="", lane="", by="", p={})


@given(st.lists(st.sampled_from(["progress", "complete", "note", "scrap"]), max_size=200))
def test_calls_keep_the_order_and_few_move_stock(kinds: list[str]) -> None:
    calls = batches([posting(kind) for kind in kinds], most=50, most_with_stock=10)
    assert [one.kind for call in calls for one in call] == kinds
    for call in calls:
        assert 0 < len(call) <= (10 if {"complete", "scrap"} & {one.kind for one in call} else 50)


def test_a_posting_tells_its_request() -> None:
    assert replace(posting("note"), p={"text": "x"}).request() == {
        "key": "note",
        "kind": "note",
        "hash": "",
        "lane": "",
        "by": "",
        "p": {"text": "x"},
    }
