"""A line that is cut after any byte of a posting: nothing is lost and nothing stands twice, however postings happen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

import pytest

from odoo_adapter.client.api import OdooApi
from odoo_adapter.errors import Unavailable, Uncertain
from odoo_adapter.odoo import Applied
from ruleset.transaction import Transaction
from tests.live_odoo.postings import count, scrap
from tests.odoo_adapter.simulator.conftest import BRIDGE_KEY, CONTEXT, Simulated
from tests.odoo_adapter.situations import MODES, Bench, jobs, opened

CUTS: Final = 20
"""So many places are tried in what goes each way; the first and the last byte are always among them."""
THERE, BACK = "request", "answer"


@pytest.fixture(params=["18.0", "19.0"])
def version(request: pytest.FixtureRequest) -> str:
    """One for each protocol."""
    return str(request.param)


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@dataclass(slots=True)
class CuttingLine:
    """A way to a server. Once `armed`, it lets so many bytes pass in a direction, and cuts both ways then."""

    host: str
    port: int
    url: str = ""
    direction: str = ""
    left: int = 0
    passed: int = 0
    """Bytes in that direction."""

    def armed(self, direction: str, left: int) -> None:
        """Cut after so many bytes in this direction from now on; "" cuts nothing."""
        self.direction, self.left = direction, left
        self.passed = 0 if direction else self.passed

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, out = await asyncio.open_connection(self.host, self.port)
        ways = [self._lead(THERE, reader, out), self._lead(BACK, back, writer)]
        try:
            await asyncio.gather(*ways)
        except ConnectionError:
            pass
        finally:
            out.transport.abort()
            writer.transport.abort()

    async def _lead(self, direction: str, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while read := await source.read(65536):
            if direction == self.direction:
                read, is_cut = read[: self.left], len(read) > self.left
                self.left -= len(read)
                self.passed += len(read)
                target.write(read)
                if is_cut:
                    await target.drain()
                    raise ConnectionResetError
            else:
                target.write(read)
            await target.drain()
        raise ConnectionResetError


@asynccontextmanager
async def cutting_line(url: str) -> AsyncIterator[CuttingLine]:
    where = urlsplit(url)
    line = CuttingLine(where.hostname or "", where.port or 0)
    server = await asyncio.start_server(line.accept, "127.0.0.1", 0)
    async with server:
        line.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield line


async def counted(admin: OdooApi, order: str) -> float:
    rows = await admin.call("mrp.production", "read", writes=False, ids=[int(order[3:])], fields=["qty_producing"])
    return float(rows[0]["qty_producing"])


async def scrapped(admin: OdooApi, order: str) -> float:
    domain = [["production_id", "=", int(order[3:])], ["state", "=", "done"]]
    rows = await admin.call("stock.scrap", "search_read", writes=False, domain=domain, fields=["scrap_qty"])
    return float(sum(row["scrap_qty"] for row in rows))


def places(total: int) -> Iterator[int]:
    """Spread over an exchange of so many bytes, from before the first to before the last one."""
    yield from sorted({0, 1, *range(2, total, max(1, total // CUTS)), total - 1})


@pytest.mark.parametrize("direction", [THERE, BACK])
@pytest.mark.parametrize(
    ("make", "stands", "quantity"),
    [(count, counted, 4.0), (scrap, scrapped, 3.0)],
    ids=["progress", "scrap"],
)
async def test_a_line_cut_after_any_byte_neither_loses_nor_doubles(
    make: Callable[[Bench, str], Awaitable[Transaction]],
    stands: Callable[[OdooApi, str], Awaitable[float]],
    quantity: float,
    direction: str,
    mode: str,
    bench: Bench,
    simulated: Simulated,
    admin: OdooApi,
) -> None:
    async with cutting_line(simulated.url) as line:
        there = replace(simulated.connection(BRIDGE_KEY), url=line.url)

        async def post_cut_after(left: int) -> bool:
            """Whether the cut was met. What was told to be not written is not; after a retry it stands once."""
            order = await bench.order(10)
            transaction, odoo = await make(bench, order), opened(mode, there, CONTEXT)
            assert await odoo.look_up(jobs(transaction)) == {}
            line.armed(direction, left)
            told: Exception | None = None
            try:
                await replace(bench, odoo=odoo).post([transaction])
            except (Unavailable, Uncertain) as error:
                told = error
            line.armed("", 0)
            await odoo.close()
            assert not isinstance(told, Unavailable) or await stands(admin, order) == 0
            (outcome,) = await bench.post([transaction])
            assert isinstance(outcome, Applied)
            assert await stands(admin, order) == quantity
            return told is not None

        for _ in range(2):  # the first one also makes what later ones find, such as the reason of the scrap
            assert not await post_cut_after(1_000_000)
        assert all([await post_cut_after(place) for place in places(line.passed)])
