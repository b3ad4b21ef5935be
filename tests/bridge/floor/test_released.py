"""What is released to a work center runs there: which order that is, when it changes, and what a restart keeps."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest

from bridge.core.order import Acknowledgement, OrderBook
from bridge.floor.floor import Decisions, Floor
from bridge.floor.released import Released
from bridge.orders.record import Answer
from odoo_adapter.odoo import OrderRead, OrdersRead
from ruleset.equipment import RUNS
from ruleset.output import Remark
from ruleset.sample import Event, Plain
from state.record import RecordId, Table
from tests.ruleset.floor import CELL, WITH_CELL, compiled, plant

ACCEPTING = WITH_CELL.replace("released: started", "released: accepted")
RULE = """
- rule: progress
  assets: "assembly/*"
  order: running
  collect: {good: {delta: good_count}}
  post: {every: 60s}
  do: production.progress
  with: {quantity: good}
"""


class Office:
    """The order book, and what it shows at the cell."""

    def __init__(self, assets: str = WITH_CELL) -> None:
        self.book = OrderBook(answer_within_ms=60_000)
        self.released = Released(plant(assets))
        self.now_ms = 0

    def reads(self, order: str, work: str, *, state: str = "progress", quantity: str = "100") -> list[str]:
        """The poller read an order with one work order at the cell, which is in this state."""
        step: Plain = {"work_order": f"wo-{order}", "work_center": "CELL-1"}
        document: dict[str, Plain] = {"quantity": quantity, "unit": "Units", "operations": [step]}
        read = OrderRead(order=order, name=order, state=state, document=document, work={f"wo-{order}": work})
        self.book.read(OrdersRead(orders=(read,), cursor="1"), self.now_ms)
        return self.shows()

    def answers(self, order: str, status: Answer, version: int = 1) -> list[str]:
        answer = Acknowledgement(id="a", order=order, version=version, status=status)
        self.book.acknowledged(answer, self.now_ms)
        return self.shows()

    def shows(self) -> list[str]:
        """What changed at the cell: the order that runs, and remarks."""
        self.now_ms += 1_000
        told = self.released.take(self.book.records.values(), self.now_ms)
        return [each.text if isinstance(each, Remark) else f"runs {each.fields[RUNS]!r}" for each in told]

    def restarts(self) -> None:
        kept = {id: self.released.snapshot(id) for id in self.released.ids}
        self.released = Released(plant(WITH_CELL))
        for id, snapshot in kept.items():
            assert snapshot is not None
            self.released.restore(id, snapshot)
        assert self.released.take_changed() == frozenset()


def test_the_order_whose_work_is_started_there_runs_until_that_is_done() -> None:
    office = Office()
    assert office.reads("mo-1", "ready", state="confirmed") == ["runs ''"]
    assert office.reads("mo-1", "progress") == ["runs 'mo-1'"]
    assert office.reads("mo-1", "progress") == []
    assert office.reads("mo-1", "done") == ["runs ''"]
    assert office.reads("mo-2", "progress") == ["runs 'mo-2'"]


@pytest.mark.parametrize("state", ["cancel", "done"])
def test_an_order_that_ends_runs_no_longer(state: str) -> None:
    office = Office()
    office.reads("mo-1", "progress")
    assert office.reads("mo-1", "progress", state=state) == ["runs ''"]


def test_an_order_whose_work_goes_to_another_center_runs_no_longer() -> None:
    office = Office()
    office.reads("mo-1", "progress")
    read = OrderRead(order="mo-1", name="mo-1", state="progress", document={"operations": []})
    office.book.read(OrdersRead(orders=(read,), cursor="2"), 0)
    assert office.shows() == ["runs ''"]


def test_of_two_that_are_started_there_nobody_knows_which_runs_and_a_remark_names_them() -> None:
    office = Office()
    office.reads("mo-1", "progress")
    assert office.reads("mo-2", "progress") == [
        "mo-1 and mo-2 are started at CELL-1: nobody knows which of them runs, so none does",
        "runs ''",
    ]
    assert office.reads("mo-1", "done") == ["runs 'mo-2'"]


def test_what_the_floor_accepted_runs_also_where_a_later_version_is_not_answered_yet() -> None:
    office = Office(ACCEPTING)
    assert office.reads("mo-1", "ready", state="confirmed") == ["runs ''"]
    assert office.answers("mo-1", Answer.ACCEPTED) == ["runs 'mo-1'"]
    assert office.reads("mo-1", "ready", quantity="120") == []
    assert office.answers("mo-1", Answer.REFUSED, version=2) == ["runs ''"]


def test_what_is_accepted_gives_way_to_the_next_one_once_its_work_there_is_done() -> None:
    office = Office(ACCEPTING)
    office.reads("mo-1", "progress")
    office.answers("mo-1", Answer.ACCEPTED)
    office.reads("mo-2", "ready")
    assert office.answers("mo-2", Answer.ACCEPTED)[-1] == "runs ''"
    assert office.reads("mo-1", "done") == ["runs 'mo-2'"]


def test_a_restart_tells_nothing_anew() -> None:
    office = Office()
    office.reads("mo-1", "progress")
    office.reads("mo-2", "progress")
    office.restarts()
    assert office.shows() == []
    assert office.reads("mo-1", "done") == ["runs 'mo-2'"]


def test_what_is_kept_of_equipment_that_follows_releases_no_longer_goes_away() -> None:
    released = Released(plant())
    released.restore(f"released/{CELL}", b'{"v":1,"orders":["mo-1"]}')
    assert released.take_changed() == {f"released/{CELL}"}
    assert released.snapshot(f"released/{CELL}") is None


def test_the_state_of_work_in_odoo_is_kept_and_makes_no_version() -> None:
    office = Office()
    office.reads("mo-1", "ready")
    office.book.take_changed()
    office.reads("mo-1", "progress")
    assert office.book.take_changed() == {"mo-1"}
    stored = office.book.snapshot("mo-1")
    assert stored is not None
    other = OrderBook(answer_within_ms=60_000)
    other.restore("mo-1", stored)
    assert (other.records["mo-1"].work, other.records["mo-1"].version) == ({"wo-mo-1": "progress"}, 1)


def test_an_order_record_of_an_earlier_bridge_is_read() -> None:
    office = Office()
    office.reads("mo-1", "ready")
    stored = msgspec.json.decode(office.book.snapshot("mo-1") or b"")
    del stored["work"]
    office.book.restore("mo-1", msgspec.json.encode(stored))
    assert office.book.records["mo-1"].work == {}


def test_while_equipment_settles_the_order_waits_among_what_else_waits() -> None:
    """The pieces that a birth shows were made before anybody learnt of the next order."""
    office, floor = Office(), Floor(plant(WITH_CELL), compiled(RULE, WITH_CELL), grace_ms=30_000)
    office.reads("mo-1", "progress")
    drained(floor.started(1_000))
    drained(floor.orders(office.book.records.values(), 1_000))
    assert floor.engine.snapshot(f"equipment/{CELL}") is None
    assert drained(floor.due(40_000)) == [(CELL, "order", "mo-1")]
    assert (floor.snapshot(RecordId(Table.MEMORY, f"released/{CELL}")) or b"").count(b"mo-1") == 1
    assert b'"order":"mo-1"' in (floor.engine.snapshot(f"equipment/{CELL}") or b"")


def drained(decisions: Iterable[Decisions]) -> list[tuple[str, str, object]]:
    """What the rules were told of released orders."""
    events = [one for each in decisions for one in each.observations if isinstance(one, Event)]
    return [(one.equipment, one.signal, one.fields[RUNS]) for one in events]
