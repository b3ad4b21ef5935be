"""The pace of calls: so many at once, so many per second, and deliveries before what gives way."""

from __future__ import annotations

import asyncio

from odoo_adapter.client.pace import Pace, giving_way


async def taking_turns(pace: Pace, done: list[str], name: str, calls: int) -> None:
    for _ in range(calls):
        async with pace.turn():
            done.append(name)


async def test_no_more_calls_are_made_at_once_than_are_allowed() -> None:
    pace, now, most = Pace(None, 2), 0, 0

    async def call() -> None:
        nonlocal now, most
        async with pace.turn():
            now += 1
            most = max(most, now)
            for _ in range(5):
                await asyncio.sleep(0)
            now -= 1

    await asyncio.gather(*(call() for _ in range(10)))
    assert most == 2


async def test_calls_are_spread_over_the_second() -> None:
    began_s = asyncio.get_running_loop().time()
    await taking_turns(Pace(100, 4), [], "delivery", 11)
    assert asyncio.get_running_loop().time() - began_s >= 0.099


async def test_a_delivery_overtakes_the_polls_that_wait() -> None:
    pace, done = Pace(50, 4), list[str]()

    async def poll(name: str) -> None:
        with giving_way():
            await taking_turns(pace, done, name, 1)

    async with asyncio.TaskGroup() as tasks:
        for name in ("poll-1", "poll-2", "poll-3"):
            tasks.create_task(poll(name))
        await asyncio.sleep(0)
        tasks.create_task(taking_turns(pace, done, "delivery", 3))
    assert done == ["poll-1", "delivery", "delivery", "delivery", "poll-2", "poll-3"]


async def test_a_poll_waits_no_longer_than_its_patience_while_deliveries_go_on() -> None:
    pace, done = Pace(100, 4, patience_s=0.05), list[str]()

    async def poll() -> None:
        with giving_way():
            await taking_turns(pace, done, "poll", 1)

    async with asyncio.TaskGroup() as tasks:
        busy = [tasks.create_task(taking_turns(pace, done, "delivery", 1000)) for _ in range(2)]
        polling = tasks.create_task(poll())
        await polling
        for one in busy:
            one.cancel()
    assert done[-1] == "poll"
