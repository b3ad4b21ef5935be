"""What happened while no order ran: why it is held, and which order a person may give it to."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.correction.given import given, why_without_order
from bridge.orders.record import OrderRecord, Status
from ruleset.transaction import (
    IdempotencyKey,
    LotCreate,
    OrderRef,
    Progress,
    Provenance,
    Scrap,
    Transaction,
    encode,
)
from state.entry import Entry, EntryState, FollowUp
from state.waiting.change import first_entry

WHERE = "acme/berlin/assembly/cell-1"
NOWHERE = Provenance(rule="broken", version="1", topic="t")
ORDERS = {
    "mo-1": OrderRecord(
        order="mo-1", name="WH/MO/00001", version=1, status=Status.RELEASED, document={}, published_ms=0
    )
}


def scrap(order: str | None = None) -> Scrap:
    return Scrap(
        key=IdempotencyKey("s"),
        equipment=WHERE,
        at_ms=0,
        provenance=NOWHERE,
        order=None if order is None else OrderRef(order),
        quantity=Decimal(2),
        unit="pcs",
        reason="S01",
    )


def stretch() -> Progress:
    return Progress(
        key=IdempotencyKey("p"),
        equipment=WHERE,
        at_ms=0,
        provenance=NOWHERE,
        stream=f"-/{WHERE}/good_count/0+5",
        upto=Decimal(3),
        unit="pcs",
    )


def held(transaction: Transaction | None) -> Entry:
    body = b"{}" if transaction is None else encode(transaction)
    told = FollowUp(body=body, content_hash="", at_ms=0, lane=WHERE, priority=50, hold="no order ran")
    entry = first_entry(told, key="k", number=1, action="a", destination="odoo")
    assert entry.state is EntryState.HELD
    return entry


def test_only_what_belongs_to_an_order_and_has_none_is_held_for_that() -> None:
    lot = LotCreate(key=IdempotencyKey("l"), equipment=WHERE, at_ms=0, provenance=NOWHERE, product="P", lot="L")
    asked = [why_without_order(each, "noon") is not None for each in (scrap(), stretch(), scrap("mo-1"), lot)]
    assert asked == [True, True, False, False]


@pytest.mark.parametrize("name", ["mo-1", "WH/MO/00001"])
def test_it_is_given_to_an_order_by_its_reference_or_its_name_in_odoo(name: str) -> None:
    broken, made = (given(held(each), {"order": name}, ORDERS) for each in (scrap(), stretch()))
    assert broken == scrap("mo-1")
    assert isinstance(made, Progress)
    assert (made.order, made.stream, made.upto) == ("mo-1", f"mo-1/{WHERE}/good_count/0+5", Decimal(3))


@pytest.mark.parametrize(
    ("transaction", "values", "answer"),
    [
        (scrap(), {}, "no order ran for it; name the order that it belongs to, or skip it"),
        (
            scrap(),
            {"order": "mo-9"},
            "there is no order 'mo-9' that the bridge knows; `uns-bridge orders list` shows what there is",
        ),
        (scrap("mo-1"), {"order": "mo-1"}, "it has an order; release it without naming one"),
        (scrap("mo-1"), {}, None),
        (None, {}, None),
    ],
)
def test_what_cannot_be_given_is_said(
    transaction: Transaction | None, values: dict[str, str], answer: str | None
) -> None:
    assert given(held(transaction), values, ORDERS) == answer
