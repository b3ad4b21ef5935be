"""What our own postings left on an order, and how long that is remembered."""

from __future__ import annotations

from decimal import Decimal

from bridge.core.standing import FORGET_ORDERS_EVERY_MS, Standings
from odoo_adapter.odoo import Receipt, Standing
from ruleset.sample import Plain
from ruleset.transaction import IdempotencyKey, MaterialConsume, Scrap, Transaction
from tests.bridge.core.test_posting import ORDER, cause, correct, progress, start


def receipt(**details: Plain) -> Receipt:
    return Receipt(model="mrp.production", id=1, details=details)


def scrap() -> Scrap:
    return Scrap(
        key=IdempotencyKey("scrap"),
        equipment="press",
        at_ms=1,
        provenance=cause(),
        order=ORDER,
        quantity=Decimal(3),
        unit="pcs",
        reason="Spill",
    )


def posted(*applied: tuple[Transaction, Receipt]) -> Standings:
    standings = Standings()
    for at_ms, (transaction, answer) in enumerate(applied, start=1):
        standings.applied(transaction, answer, at_ms)
    return standings


def test_nothing_is_known_of_an_order_before_the_first_posting() -> None:
    assert Standings().of(ORDER) == Standing()


def test_the_last_quantity_and_the_last_total_of_each_stream_are_kept() -> None:
    first, second, other = progress(10), progress(25), progress(5, "2")
    standings = posted(
        (start(), receipt()),
        (first, receipt(qty_producing=10.0)),
        (other, receipt(qty_producing=15.0)),
        (second, receipt(qty_producing=30.0)),
    )
    assert standings.of(ORDER) == Standing(
        quantity=Decimal("30.0"),
        streams={first.stream: Decimal(25), other.stream: Decimal(5)},
        units={first.stream: "pcs", other.stream: "pcs"},
    )


def used_up(quantity: str, lot: str) -> MaterialConsume:
    return MaterialConsume(
        key=IdempotencyKey(f"{lot}/{quantity}"),
        equipment="scale",
        at_ms=1,
        provenance=cause(),
        order=ORDER,
        product="RESIN",
        quantity=Decimal(quantity),
        unit="g",
        lot=lot,
    )


def test_what_was_recorded_of_each_component_and_lot_is_kept_over_a_restart() -> None:
    standings = posted(
        (used_up("300", "R-1"), receipt(lot="R-1", consumed=0.3)),
        (used_up("200", "R-2"), receipt(lot="R-2", consumed=0.2)),
        (used_up("100", "R-1"), receipt(lot="R-1", consumed=0.4)),
    )
    again, stored = Standings(), standings.snapshot(ORDER)
    assert stored is not None
    again.restore(ORDER, stored)
    recorded = {"RESIN": {"R-1": Decimal("0.4"), "R-2": Decimal("0.2")}}
    assert again.of(ORDER) == standings.of(ORDER) == Standing(consumed=recorded)


def test_what_corrections_came_to_is_kept_beside_the_totals() -> None:
    counted, wrong = (progress(25), receipt(qty_producing=25)), (correct(-5), receipt(corrected=-5, qty_producing=20))
    taken_apart = (correct(-2), receipt(added=-2))
    standing = posted(counted, wrong, taken_apart).of(ORDER)
    assert (standing.quantity, standing.corrected) == (Decimal(20), Decimal(-5))
    assert standing.streams == {progress(25).stream: Decimal(25)}


def test_an_older_total_does_not_take_the_place_of_a_later_one() -> None:
    standings = posted((progress(25), receipt(qty_producing=25)), (progress(10), receipt(qty_producing=25, added=0)))
    assert standings.of(ORDER).streams == {progress(25).stream: Decimal(25)}


def test_a_start_may_say_what_the_quantity_is() -> None:
    assert posted((start(), receipt(qty_producing=100))).of(ORDER) == Standing(quantity=Decimal(100))


def test_a_start_is_kept_also_where_its_receipt_says_no_quantity() -> None:
    standings = posted((start(), receipt()))
    again = Standings()
    again.restore(ORDER, standings.snapshot(ORDER) or b"")
    assert (again.of(ORDER), again.is_started(ORDER), again.is_started("mo-2")) == (Standing(), True, False)


def test_a_transaction_of_another_kind_leaves_nothing() -> None:
    assert posted((scrap(), receipt())).take_changed() == frozenset()


def test_it_is_the_same_after_a_restart() -> None:
    standings = posted((progress(10), receipt(qty_producing=10.5)))
    assert standings.take_changed() == {ORDER}
    snapshot = standings.snapshot(ORDER)
    assert snapshot is not None
    restored = Standings()
    restored.restore(ORDER, snapshot)
    assert (restored.of(ORDER), restored.take_changed()) == (standings.of(ORDER), frozenset())


def test_an_order_is_forgotten_when_it_is_closed_and_was_last_posted_to_long_ago() -> None:
    standings = posted((progress(10), receipt(qty_producing=10)))
    standings.take_changed()
    standings.forget_before(1, lambda _: False)
    standings.forget_before(1 + FORGET_ORDERS_EVERY_MS, lambda _: True)
    assert standings.take_changed() == frozenset()
    standings.forget_before(1 + 2 * FORGET_ORDERS_EVERY_MS, lambda _: False)
    assert list(standings.take_changed()) == [ORDER]
    assert standings.snapshot(ORDER) is None
