"""The order book: versions, closings, acknowledgements, and what a restart keeps."""

from bridge.core.note import OrderNote
from bridge.core.order import MOST_PAST, Acknowledgement, BookOutput, OrderBook, OrderNotice, PublishOrder
from bridge.core.standing import FORGET_ORDERS_EVERY_MS, MOST_FORGOTTEN
from bridge.orders.record import Answer
from odoo_adapter.odoo import DELETED, OrderRead, OrdersRead
from ruleset.sample import Plain

ANSWER_WITHIN_MS = 120_000


def book() -> OrderBook:
    return OrderBook(answer_within_ms=ANSWER_WITHIN_MS)


def read(
    state: str = "confirmed",
    quantity: str = "100",
    cursor: str = "1",
    *,
    name: str = "WH/MO/00042",
    start: str = "06:00",
    moved: frozenset[str] = frozenset(),
) -> OrdersRead:
    document: dict[str, Plain] = {"quantity": quantity, "unit": "Units", "start": start}
    order = OrderRead(order="mo-42", name=name, state=state, document=document, moved=moved)
    return OrdersRead(orders=(order,), cursor=cursor)


def deleted() -> OrdersRead:
    return OrdersRead(orders=(OrderRead(order="mo-42", name="", state=DELETED, document={}),), cursor="9")


def answer(version: int = 1, status: Answer = Answer.ACCEPTED, reason: str = "", by: str = "") -> Acknowledgement:
    return Acknowledgement(id="a1", order="mo-42", version=version, status=status, reason=reason, by=by)


def noted(what: str, text: str) -> OrderNote:
    return OrderNote(key=f"order.state:mo-42:{what}", order="mo-42", text=text)


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
        "start": "06:00",
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


def test_a_refusal_by_the_mes_is_kept_announced_and_noted_once() -> None:
    orders = book()
    orders.read(read(), 1_000)
    refused = answer(status=Answer.REFUSED, reason="unknown tool", by="line-1")
    assert orders.acknowledged(refused, 2_000) == (
        OrderNotice(name="order-refused", order="mo-42", text="unknown tool"),
        noted("1:sent", "Released to the floor as version 1."),
        noted("1:refused:2000", "The floor (line-1) refused version 1: unknown tool"),
    )
    assert orders.acknowledged(refused, 3_000) == ()
    assert orders.records["mo-42"].answer is Answer.REFUSED


def test_an_answer_to_an_older_version_is_kept_with_it() -> None:
    orders = book()
    orders.read(read(), 1_000)
    orders.read(read(quantity="120"), 2_000)
    (notice,) = orders.acknowledged(answer(version=1), 3_000)
    assert isinstance(notice, OrderNotice)
    record = orders.records["mo-42"]
    assert (notice.name, record.answer) == ("order-answer-old", Answer.WAITING)
    assert record.answered is not None
    assert (record.answered.version, record.answered.answer, record.answered.answered_ms) == (1, Answer.ACCEPTED, 3_000)


def test_silence_is_announced_once_and_a_late_answer_still_counts() -> None:
    orders = book()
    orders.read(read(), 1_000)
    assert orders.next_due_ms == 1_000 + ANSWER_WITHIN_MS
    assert orders.due(orders.next_due_ms - 1) == ()
    assert orders.due(1_000 + ANSWER_WITHIN_MS) == (
        OrderNotice(name="order-unanswered", order="mo-42", text="version 1 is not acknowledged"),
        noted("1:unanswered", "The floor has not answered version 1 in time."),
    )
    assert orders.due(2_000 + ANSWER_WITHIN_MS) == ()
    orders.acknowledged(answer(), 300_000)
    assert orders.records["mo-42"].answer is Answer.ACCEPTED


def test_a_mes_that_acknowledges_nothing_is_not_waited_for_and_its_answer_still_counts() -> None:
    orders = OrderBook(answer_within_ms=None)
    orders.read(read(), 1_000)
    assert (orders.next_due_ms, orders.due(10 * 365 * 86_400_000)) == (None, ())
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


def test_a_change_says_what_changed_and_which_version_it_replaces() -> None:
    orders = book()
    orders.read(read(), 1_000)
    (output,) = orders.read(read(quantity="120", name="WH/MO/00042-001"), 2_000)
    assert isinstance(output, PublishOrder)
    head = {name: output.record.document[name] for name in ("version", "status", "replaces", "changes")}
    assert head == {"version": 2, "status": "changed", "replaces": 1, "changes": ["name", "quantity"]}


def test_what_making_the_order_moves_by_itself_is_no_change_but_goes_along_with_one() -> None:
    orders, moved = book(), frozenset({"start"})
    orders.read(read(), 1_000)
    assert orders.read(read(state="progress", start="06:07", moved=moved), 2_000) == ()
    (output,) = orders.read(read(state="progress", quantity="90", start="06:07", moved=moved), 3_000)
    assert isinstance(output, PublishOrder)
    assert (output.record.changes, output.record.document["start"]) == (("quantity",), "06:07")


def why(orders: OrderBook, read: OrdersRead, *, completing: bool = False) -> tuple[str, str, str]:
    (output,) = orders.read(read, 5_000, lambda order: completing)
    assert isinstance(output, PublishOrder)
    return output.record.status, output.record.document["reason"], output.record.document["quantity"]


def test_an_end_says_why_it_is() -> None:
    orders = [book() for _ in range(5)]
    for each in orders:
        each.read(read(), 1_000)
    orders[0].completed("mo-42")
    assert why(orders[0], read(state="done")) == ("closed", "completed", "100")
    assert why(orders[1], read(state="done"), completing=True) == ("closed", "completed", "100")
    assert why(orders[2], read(state="done")) == ("closed", "done_outside", "100")
    assert why(orders[3], read(state="cancel")) == ("cancelled", "cancelled", "100")
    assert why(orders[4], deleted()) == ("cancelled", "deleted", "100")


def test_an_order_that_ended_and_is_deleted_then_has_ended_once() -> None:
    orders = book()
    orders.read(read(), 1_000)
    orders.read(read(state="done"), 2_000)
    assert orders.read(deleted(), 3_000) == ()
    assert book().read(deleted(), 1_000) == ()


def test_nobody_is_told_on_an_order_that_is_deleted() -> None:
    orders = book()
    orders.read(read(), 1_000)
    orders.read(deleted(), 2_000)
    assert (orders.sent("mo-42", 2, 2_100), orders.acknowledged(answer(version=2), 2_200)) == ((), ())


def test_each_version_is_noted_when_the_broker_has_it() -> None:
    orders = book()
    orders.read(read(), 1_000)
    assert orders.sent("mo-42", 1, 1_100) == (noted("1:sent", "Released to the floor as version 1."),)
    assert orders.sent("mo-42", 1, 1_200) == ()
    orders.read(read(quantity="120"), 2_000)
    assert orders.sent("mo-42", 2, 2_100) == (noted("2:sent", "Sent to the floor as version 2: quantity changed."),)
    orders.read(read(state="cancel"), 3_000)
    assert orders.sent("mo-42", 3, 3_100) == (noted("3:sent", "Taken back from the floor as version 3."),)


def test_what_became_of_each_version_is_remembered() -> None:
    orders = book()
    orders.read(read(), 1_000)
    orders.read(read(quantity="120"), 2_000)
    assert orders.sent("mo-42", 1, 2_050) == (), "it is no news any more"
    orders.sent("mo-42", 2, 2_100)
    orders.acknowledged(answer(version=2, by="line-1"), 2_500)
    orders.read(read(state="done", quantity="120"), 3_000)
    past = [
        (one.version, one.status, one.sent_ms, one.answer, one.answered_by) for one in orders.records["mo-42"].history
    ]
    assert past == [
        (1, "released", 2_050, "waiting", ""),
        (2, "changed", 2_100, "accepted", "line-1"),
        (3, "closed", None, "waiting", ""),
    ]


def test_no_more_versions_are_remembered_than_a_person_reads() -> None:
    orders = book()
    for at in range(MOST_PAST + 5):
        orders.read(read(quantity=str(at)), at)
    assert len(orders.records["mo-42"].past) == MOST_PAST


def test_where_more_orders_ended_than_are_forgotten_at_once_the_rest_is_forgotten_when_asked_next() -> None:
    orders, names = book(), [f"mo-{nth}" for nth in range(MOST_FORGOTTEN + 1)]
    for state in ("confirmed", "cancel"):
        reads = tuple(OrderRead(order=name, name=name, state=state, document={}) for name in names)
        orders.read(OrdersRead(orders=reads, cursor="1"), 1_000)
    left = []
    for _ in range(2):
        orders.forget_before(FORGET_ORDERS_EVERY_MS)
        left.append(len(orders.records))
    assert left == [1, 0]
