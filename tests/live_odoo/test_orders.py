"""Reading orders from a real Odoo: what is released, what changes, and what the cursor never misses."""

from __future__ import annotations

from odoo_adapter.odoo import OrderRead
from odoo_adapter.seed import Planner
from tests.odoo_adapter.situations import Bench, both_modes, complete

mode = both_modes


async def read(bench: Bench, order: str, cursor: str) -> tuple[OrderRead | None, str]:
    answer = await bench.odoo.read_orders(cursor)
    return next((one for one in answer.orders if one.order == order), None), answer.cursor


async def test_an_order_is_read_when_released_changed_completed_and_taken_back(bench: Bench, planner: Planner) -> None:
    before = (await bench.odoo.read_orders("")).cursor
    order, other = await bench.order(10), await bench.order(5)
    released, cursor = await read(bench, order, before)
    assert released is not None
    assert (released.state, released.document["quantity"]) == ("confirmed", "10")
    await planner.change_quantity(order, 12)
    changed, cursor = await read(bench, order, cursor)
    assert changed is not None
    components = changed.document["components"]
    assert isinstance(components, list)
    assert [one["quantity"] for one in components if isinstance(one, dict)] == ["0.6", "12"]
    await bench.post([complete(bench, order)])
    await planner.cancel_order(other)
    closed, _ = await read(bench, order, cursor)
    taken, _ = await read(bench, other, cursor)
    assert closed is not None
    assert taken is not None
    assert (closed.state, taken.state) == ("done", "cancel")
    assert order not in [one.order for one in (await bench.odoo.read_orders("")).orders]
