"""What a poll reads again, and what it does not: nothing is missed, whatever the reader remembers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import pytest

from odoo_adapter.client.api import OdooApi
from odoo_adapter.errors import Unavailable
from odoo_adapter.odoo import DELETED, OrderRead
from odoo_adapter.orders import OVERLAP_S
from odoo_adapter.seed import Planner
from odoo_adapter.server import OdooServer
from tests.odoo_adapter.simulator.conftest import BRIDGE_KEY, CONTEXT, Clock, Simulated

SETTLED_MS = 20_000
WINDOW_MS = OVERLAP_S * 1000


@dataclass(slots=True)
class Line:
    """The exchanges of one reader; `cut` makes the next one of that path fail."""

    paths: list[str] = field(default_factory=list)
    cut: str = ""

    def __call__(self, path: str, body: Mapping[str, object], status: int, answer: object) -> None:
        self.paths.append(path.removeprefix("/json/2/"))
        if self.cut and path.endswith(self.cut):
            self.cut = ""
            raise Unavailable("cut off")


@dataclass(slots=True)
class Reader:
    """Someone who polls, and keeps the cursor."""

    server: OdooServer
    line: Line
    clock: Clock
    cursor: str

    async def poll(self, after_ms: int = 1000) -> dict[str, OrderRead]:
        self.line.paths.clear()
        self.clock.now_ms += after_ms
        read = await self.server.read_orders(self.cursor)
        self.cursor = read.cursor
        return {one.order: one for one in read.orders}


@pytest.fixture
async def reader(simulated: Simulated, planner: Planner) -> AsyncIterator[Reader]:
    """A reader who has taken all that there is: whatever was written before is out of its window."""
    line = Line()
    server = OdooServer(OdooApi(simulated.connection(BRIDGE_KEY), line), CONTEXT)
    await server.check()
    reader = Reader(server, line, simulated.clock, "")
    await reader.poll()
    await reader.poll(2 * WINDOW_MS)
    await reader.poll(2 * WINDOW_MS)
    assert await reader.poll() == {}
    yield reader
    await server.close()


async def test_a_change_is_read_once_it_is_settled_and_once_more_when_it_leaves_the_window(
    reader: Reader, planner: Planner
) -> None:
    order = await planner.create_order(10, press=1)
    assert list(await reader.poll()) == [order]
    assert list(await reader.poll(SETTLED_MS)) == [order]
    quiet = [await reader.poll(WINDOW_MS // 4) for _ in range(3)]
    assert quiet == [{}, {}, {}]
    assert list(await reader.poll(WINDOW_MS // 4)) == [order]
    assert await reader.poll(WINDOW_MS // 4) == {}


async def test_a_quiet_poll_asks_for_ids_and_dates_only(reader: Reader, planner: Planner) -> None:
    await planner.create_order(10, press=1)
    await reader.poll(SETTLED_MS)
    await reader.poll()
    assert reader.line.paths == [
        "ir.actions.server/run",
        "mrp.production/search_read",
        "mrp.workorder/search_read",
        "stock.move/search_read",
        "stock.move.line/search_read",
        "mrp.bom/search_read",
        "mrp.bom.line/search_read",
    ]


async def test_another_change_of_the_same_order_is_read_at_once(reader: Reader, planner: Planner) -> None:
    order = await planner.create_order(10, press=1)
    await reader.poll(SETTLED_MS)
    await planner.change_quantity(order, 12)
    assert (await reader.poll())[order].document["quantity"] == "12"


async def test_a_change_with_the_date_of_one_that_was_read_is_read_while_it_is_in_the_window(
    reader: Reader, planner: Planner, admin: OdooApi
) -> None:
    """Its transaction began in the same second as the first one, and ended after that had been read and settled."""
    order = await planner.create_order(10, press=1)
    began_ms = reader.clock.now_ms
    await reader.poll(SETTLED_MS)
    read_ms = reader.clock.now_ms
    reader.clock.now_ms = began_ms
    await admin.call("mrp.production", "write", writes=True, ids=[int(order[3:])], vals={"priority": "1"})
    reader.clock.now_ms = read_ms
    assert await reader.poll() == {}
    assert (await reader.poll(WINDOW_MS - SETTLED_MS))[order].document["priority"] == 1


async def test_a_component_that_was_deleted_is_left_out_at_once(
    reader: Reader, planner: Planner, admin: OdooApi
) -> None:
    order = await planner.create_order(10, press=1)
    before = (await reader.poll(SETTLED_MS))[order].document["components"]
    moves = await admin.call(
        "stock.move",
        "search",
        writes=False,
        domain=[["raw_material_production_id", "=", int(order[3:])], ["product_id.default_code", "=", "BOX"]],
    )
    await admin.call("stock.move", "unlink", writes=True, ids=moves)
    after = (await reader.poll())[order].document["components"]
    assert isinstance(before, list)
    assert after == [one for one in before if isinstance(one, dict) and one["product"] != "BOX"]


async def test_a_reservation_that_is_taken_back_is_read_at_once(
    reader: Reader, planner: Planner, admin: OdooApi
) -> None:
    order = await planner.create_order(10, press=1)
    await reader.poll(SETTLED_MS)
    assert await reader.poll() == {}
    domain = [["move_id.raw_material_production_id", "=", int(order[3:])], ["lot_id", "!=", False]]
    lines = await admin.call("stock.move.line", "search", writes=False, domain=domain)
    await admin.call("stock.move.line", "unlink", writes=True, ids=lines)
    components = (await reader.poll())[order].document["components"]
    assert isinstance(components, list)
    assert [one["lots"] for one in components if isinstance(one, dict)] == [[], []]


async def test_an_order_that_was_deleted_is_read_as_deleted_while_it_is_remembered(
    reader: Reader, planner: Planner, admin: OdooApi
) -> None:
    order = await planner.create_order(10, press=1)
    await reader.poll(SETTLED_MS)
    await admin.call("mrp.production", "unlink", writes=True, ids=[int(order[3:])])
    read = await reader.poll()
    assert (read[order].state, read[order].document) == (DELETED, {})


async def test_a_changed_line_of_a_bill_of_materials_is_a_change_of_the_orders_that_use_it(
    reader: Reader, planner: Planner, admin: OdooApi
) -> None:
    one, other = await planner.create_order(10, press=1), await planner.create_order(10, press=2)
    await reader.poll(SETTLED_MS)
    lines = await admin.call("mrp.bom.line", "search", writes=False, domain=[["bom_id.code", "=", "HOUSING-A2"]])
    await admin.call("mrp.bom.line", "write", writes=True, ids=lines[:1], vals={"product_qty": 0.06})
    assert one not in (read := await reader.poll())
    assert other in read


async def test_whoever_asks_with_another_cursor_gets_all_of_the_window(
    reader: Reader, planner: Planner, simulated: Simulated
) -> None:
    order = await planner.create_order(10, press=1)
    cursor = reader.cursor
    await reader.poll(SETTLED_MS)
    reader.cursor = cursor
    assert list(await reader.poll()) == [order]
    started = Reader(
        OdooServer(OdooApi(simulated.connection(BRIDGE_KEY)), CONTEXT), Line(), simulated.clock, reader.cursor
    )
    assert list(await started.poll()) == [order]
    await started.server.close()


async def test_what_a_poll_that_failed_had_read_is_read_by_the_next_one(reader: Reader, planner: Planner) -> None:
    order = await planner.create_order(10, press=1)
    reader.line.cut = "product.product/read"
    with pytest.raises(Unavailable, match="cut off"):
        await reader.poll(SETTLED_MS)
    assert list(await reader.poll()) == [order]
