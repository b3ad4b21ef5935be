"""A run: orders, what is told of them, two posters on bad lines, a planner who edits meanwhile, and the comparison."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from bridge.plant import Plant
from odoo_adapter.client.connection import Connection
from odoo_adapter.plan import PlanContext
from ruleset.transaction import Complete, QualityHold, Transaction
from tests.odoo_adapter.situations import opened
from tests.thousand.bad_line import BadLine, bad_line
from tests.thousand.books import Differences, differences
from tests.thousand.floor import Floor, happened, planned
from tests.thousand.ground import PRESSES, Ground, Office
from tests.thousand.poster import Poster
from tests.thousand.reading import Reading
from tests.thousand.reference import Reference

POSTERS: Final = 2
UNITS: Final = PlanContext(units={"pcs": "Units", "kg": "kg", "g": "g"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where a run takes place, and in what time all is to be posted. `restart` kills the server and starts it again;
    None: it stays."""

    ground: Ground
    connection: Connection
    plant: Plant
    mode: str
    timeout_ms: int
    server_limit_ms: int
    limit_s: float
    restart: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a run."""

    transactions: int
    failures: int
    differences: Differences
    complaints: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.transactions} transactions, {self.failures} injected failures, {self.differences}"

    @property
    def told(self) -> list[str]:
        """Each thing that is not as it must be."""
        return [*self.complaints, *self.differences.told]


async def run(server: Server, count: int, seed: int) -> Result:
    """Tell so many transactions and post them under injected failures; compare what stands with the reference.

    Raises `TimeoutError` with what is still open when the server's limit is over.
    """
    chance, ground = Random(seed), server.ground
    await ground.prepare()
    orders = [
        await ground.order(number, product, quantity, PRESSES[number % len(PRESSES)])
        for number, (product, quantity) in enumerate(planned(chance, count))
    ]
    told = happened(Floor(ground.fresh, chance), orders, count)
    ended = {one.order for one in told if isinstance(one, Complete | QualityHold)}
    raised = [order for order in orders if order.ref not in ended] if server.mode == "inbox" else []
    office = Office(ground, Random(seed))
    async with AsyncExitStack() as stack:
        lines, posters = await _posters(stack, server, seed)
        editing = asyncio.create_task(office.edits_again(orders), name="planner")
        restarting = asyncio.create_task(_restarts(server, posters, len(told)), name="restarts")
        try:
            posting = (poster.post(_share_of(told, place, server.mode)) for place, poster in enumerate(posters))
            async with asyncio.timeout(server.limit_s):
                await asyncio.gather(office.edits(orders, raised), *posting)
        except TimeoutError as error:
            still_open = "; ".join(one for poster in posters for one in poster.still_open) or "the planner's edits"
            raise TimeoutError(f"not over after {server.limit_s:g} s: {still_open}") from error
        finally:
            editing.cancel()
            await asyncio.gather(editing, return_exceptions=True)
            restarts = await restarting
    expected = Reference(orders, raised, ground.fresh).after(told)
    return Result(
        transactions=len(told),
        failures=sum(line.injected.total() for line in lines) + restarts,
        differences=differences(expected, await Reading(ground, orders).after(told)),
        complaints=tuple(one for poster in posters for one in poster.complaints),
    )


async def _posters(stack: AsyncExitStack, server: Server, seed: int) -> tuple[list[BadLine], list[Poster]]:
    lines: list[BadLine] = []
    posters: list[Poster] = []
    for place in range(POSTERS):
        chance = Random(f"{seed}/{place}")
        line = await stack.enter_async_context(bad_line(server.connection.url, chance))
        there = replace(server.connection, url=line.url, timeout_s=server.timeout_ms / 1000)
        odoo = opened(server.mode, there, UNITS)
        stack.push_async_callback(odoo.close)
        lines.append(line)
        posters.append(
            Poster(
                server.plant,
                odoo,
                server.mode,
                timeout_ms=server.timeout_ms,
                server_limit_ms=server.server_limit_ms,
            )
        )
    return lines, posters


def _share_of(told: Sequence[Transaction], place: int, mode: str) -> list[Transaction]:
    """What this poster posts: each order, and each equipment, is one's own. Who looks first must be the only one on a
    work center, for all orders of it."""
    shared = mode == "inbox"
    return [one for one in told if sum(((shared and one.order) or one.equipment).encode()) % POSTERS == place]


async def _restarts(server: Server, posters: Sequence[Poster], count: int) -> int:
    """Kill the server and start it again when a third and two thirds are posted. How often it was."""
    if server.restart is None:
        return 0
    for part in (1, 2):
        while sum(poster.posted for poster in posters) < count * part // 3:
            if all(poster.is_over for poster in posters):
                return part - 1
            await asyncio.sleep(0.2)
        await server.restart()
    return 2
