"""The order book: versions, closings, acknowledgements, and what a restart keeps."""

from bridge.core.order import Acknowledgement, Answer, BookOutput, OrderBook, OrderNotice, PublishOrder
from odoo_adapter.odoo import OrderRead, OrdersRead
from ruleset.sample import Plain

ANSWER_WITHIN_MS = 120_000


def book() -> OrderBook:
    return OrderBook(answer_within_ms=ANSWER_WITHIN_MS)


def read(state: str = "confirmed", quantity: str = "100", cursor: str = "1") -> OrdersRead:
    document: dict[str, Plain] = {"quantity": quantity, "unit": "Units"}
    return OrdersRead(
        orders=(OrderRead(order="mo-42", name="WH/MO/00042", state=state, document=document),), cursor=cursor
    )


def answer(version: int = 1, status: Answer = Answer.ACCEPTED, reason: str = "") -> Acknowledgement:
    return Acknowledgement(id="a1", order="mo-42", version=version, status=status, reason=reason)


def published(outputs: tuple[BookOutput, ...]) -> list[tuple[int, str]]:
    return [(output.record.version, output.record.status) for output in outputs if isinstance(output, PublishOrder)]


def test_a_new_order_is_published_as_its_first_version() -> None:
    orders = book()
    (output,) = orders.read(read(), 1_000)
    assert isinstance(output, PublishOrder)
    assert output.record.document == {
        "order": "mo-42",
        "name": "WH/MO/00042",
        "version": 1,
        "status": "released",
        "at": "1970-01-01T00:00:01.000Z",
        "quantity": "100",
        "unit": "Units",
    }


def test_an_order_that_is_read_again_unchanged_is_not_published_again() -> None:
    orders = book()
    orders.read(read(), 1_000)
    assert orders.read(read(state="progress", cursor="2"), 2_000) == ()


def test_a_change_and_a_cancellation_are_versions_of_their_own() -> None:
    orders = book()
    orders.read(read(), 1_000)
    assert published(orders.read(read(quantity="120"), 2_000)) == [(2, "changed")]
    assert published(orders.read(read(quantity="120", state="cancel"), 3_000)) == [(3, "cancelled")]
    assert orders.read(read(quantity="120", state="cancel"), 4_000) == ()


def test_an_order_that_was_done_before_it_was_ever_seen_is_not_published() -> None:
    assert book().read(read(state="done"), 1_000) == ()


def test_a_refusal_by_the_mes_is_kept_and_announced_once() -> None:
    orders = book()
    orders.read(read(), 1_000)
    refused = answer(status=Answer.REFUSED, reason="unknown tool")
    notice = OrderNotice(name="order-refused", order="mo-42", text="unknown tool")
    assert (orders.acknowledged(refused, 2_000), orders.acknowledged(refused, 3_000)) == ((notice,), ())
    assert orders.records["mo-42"].answer is Answer.REFUSED


def test_an_answer_to_an_older_version_changes_nothing() -> None:
    orders = book()
    orders.read(read(), 1_000)
    orders.read(read(quantity="120"), 2_000)
    (notice,) = orders.acknowledged(answer(version=1), 3_000)
    assert isinstance(notice, OrderNotice)
    assert (notice.name, orders.records["mo-42"].answer) == ("order-answer-old", Answer.WAITING)


def test_silence_is_announced_once_and_a_late_answer_still_counts() -> None:
    orders = book()
    orders.read(read(), 1_000)
    assert orders.next_due_ms == 1_000 + ANSWER_WITHIN_MS
    assert orders.due(orders.next_due_ms - 1) == ()
    assert len(orders.due(1_000 + ANSWER_WITHIN_MS)) == 1
    assert orders.due(2_000 + ANSWER_WITHIN_MS) == ()
    orders.acknowledged(answer(), 300_000)
    assert orders.records["mo-42"].answer is Answer.ACCEPTED


def test_a_restart_keeps_versions_answers_and_the_cursor() -> None:
    orders = book()
    orders.read(read(cursor="7"), 1_000)
    orders.acknowledged(answer(), 2_000)
    after = book()
    for id in orders.take_changed():
        snapshot = orders.snapshot(id)
        assert snapshot is not None
        after.restore(id, snapshot)
    assert (after.cursor, after.records) == ("7", orders.records)
    assert after.read(read(cursor="7"), 3_000) == ()


def test_a_closing_keeps_the_answer_to_what_was_made_and_asks_for_none() -> None:
    orders = book()
    orders.read(read(), 1_000)
    orders.acknowledged(answer(), 2_000)
    assert published(orders.read(read(state="done"), 3_000)) == [(2, "closed")]
    record = orders.records["mo-42"]
    assert (record.answer, record.answered_version, orders.next_due_ms) == (Answer.ACCEPTED, 1, None)


def test_a_cancellation_waits_for_an_answer_of_its_own() -> None:
    orders = book()
    orders.read(read(), 1_000)
    orders.acknowledged(answer(), 2_000)
    orders.read(read(state="cancel"), 3_000)
    assert (orders.records["mo-42"].answer, orders.next_due_ms) == (Answer.WAITING, 3_000 + ANSWER_WITHIN_MS)
