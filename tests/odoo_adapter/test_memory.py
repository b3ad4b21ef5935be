"""The in-memory Odoo keeps the promises of the real one."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from itertools import count

import pytest

from odoo_adapter.errors import Unavailable, Uncertain
from odoo_adapter.memory import Fault, MemoryOdoo
from odoo_adapter.odoo import Applied, OrderRead
from odoo_adapter.plan import PlanContext
from tests.live_odoo import test_totals
from tests.odoo_adapter.situations import SUITE, Bench, jobs, progress

UNITS = PlanContext(units={"pcs": "Units", "kg": "kg", "g": "g"})


def bench(odoo: MemoryOdoo) -> Bench:
    numbers = count(1)

    async def order(quantity: float) -> str:
        return f"mo-{next(numbers)}"

    return Bench(odoo=odoo, order=order, fresh="memory")


@pytest.mark.parametrize("case", SUITE, ids=lambda case: case.__name__)
async def test_it_behaves_as_every_odoo(case: Callable[[Bench], Awaitable[None]]) -> None:
    await case(bench(MemoryOdoo(context=UNITS)))


async def test_a_late_total_adds_nothing_where_the_completed_quantity_covers_all_totals() -> None:
    await test_totals.test_a_late_total_adds_nothing_where_the_completed_quantity_covers_all_totals(
        bench(MemoryOdoo(context=UNITS))
    )


async def test_a_fault_before_applies_nothing_and_one_after_applies_all() -> None:
    odoo = MemoryOdoo(context=UNITS, faults=deque([Fault.BEFORE, Fault.AFTER]))
    transaction = progress(bench(odoo), "mo-1", 4)
    with pytest.raises(Unavailable):
        await odoo.post(jobs(transaction))
    assert odoo.effects == []
    with pytest.raises(Uncertain):
        await odoo.post(jobs(transaction))
    (outcome,) = await odoo.post(jobs(transaction))
    assert isinstance(outcome, Applied)
    assert outcome.receipt.repeated
    assert len(odoo.effects) == 1


async def test_orders_are_read_once_per_change() -> None:
    odoo = MemoryOdoo(context=UNITS)
    released = OrderRead(order="mo-1", name="WH/MO/1", state="confirmed", document={"quantity": "10"})
    closed = OrderRead(order="mo-1", name="WH/MO/1", state="done", document={"quantity": "10"})
    odoo.put_order(released)
    first = await odoo.read_orders("")
    odoo.put_order(closed)
    second = await odoo.read_orders(first.cursor)
    third = await odoo.read_orders(second.cursor)
    assert (first.orders, second.orders, third.orders) == ((released,), (closed,), ())
