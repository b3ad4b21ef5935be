"""What an operator expects of a bad day, on real processes: broker, Redis, bridge and Odoo (docs/scenarios.md).

Here Odoo is the simulator; tests/live_odoo/test_operations.py runs the same tests on a real one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis as Client

from bridge.clock import SystemClock
from bridge.demo.odoo import simulated_odoo
from state.entry import EntryState
from tests.integration.patience import until
from tests.integration.works import LIMIT_S, Works, another, opened_works
from tests.scenarios.bridge import Clock
from tests.scenarios.factory import Ground
from tests.scenarios.office import Running, Stop
from tests.servers import StartMosquitto, StartRedis

pytestmark = pytest.mark.slow


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[Ground]:
    """The simulator, as a process."""
    async with simulated_odoo(tmp_path) as odoo:
        await odoo.prepare(lambda _: None)
        clock = Clock(SystemClock().now_ms())
        yield Ground(admin=odoo.admin, user=odoo.user, key=odoo.key, clock=clock, suffix="-SIM")


@pytest.fixture
def way() -> str:
    """How postings happen."""
    return "inbox"


@pytest.fixture
def stores() -> bool:
    """Whether edge nodes store and send again while the bridge is away."""
    return True


@pytest.fixture
async def works(
    ground: Ground, way: str, stores: bool, tmp_path: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis
) -> AsyncIterator[Works]:
    """The plant, which runs."""
    async with opened_works(ground, way, tmp_path, start_mosquitto(), start_redis(), stores=stores) as works:
        yield works
        await works.ends()


async def scrap(works: Works, order: str, quantity: int, *, id: str, reason: str = "S01") -> None:
    """The MES tells of pieces that were thrown away."""
    await works.mes.says("pressing/press-1/scrap", id, order=order, qty=quantity, reason=reason)


async def until_scrapped(works: Works, order: str, times: int) -> None:
    """Wait until so many scraps stand in Odoo."""

    async def stand() -> bool:
        return len(await works.office.scrapped(order)) >= times

    await until(stand, f"{times} scraps of {order} in Odoo", LIMIT_S)


async def scrapped(works: Works, order: str) -> list[float]:
    """How much was thrown away, scrap by scrap."""
    return [one.quantity for one in await works.office.scrapped(order)]


@pytest.mark.parametrize("way", ["inbox"])  # looking first asks much before it writes, and would get no answer
async def test_killed_after_odoo_committed_and_before_it_knew_the_bridge_learns_that_it_was_posted(
    works: Works,
) -> None:
    order = await works.releases(100)
    await scrap(works, order, 1, id="A")
    await works.until_posted("production.scrap")
    works.to_odoo.lose_answers()
    await scrap(works, order, 2, id="B")
    await until_scrapped(works, order, 2)
    await works.bridge.kill()
    await works.to_odoo.mend()
    await works.bridge.start()
    await works.until_posted("production.scrap")
    told = {line["key"]: line["repeated"] for line in works.bridge.told("entry.delivered", model="stock.scrap")}
    assert sorted(told.values()) == [False, True]
    assert await scrapped(works, order) == [1, 2]


async def test_what_happens_while_odoo_is_away_over_a_change_of_shifts_is_posted_once_and_in_order(
    works: Works,
) -> None:
    first, second = await works.releases(100), await works.releases(100)
    await works.lines[0].runs(first)
    await works.lines[1].runs(second)
    works.to_odoo.cut()
    await works.bridge.until_told("orders.unreadable")
    await works.mill_becomes("FAULT", minute=-5, fault="E12")
    await works.lines[0].makes(30)
    await works.lines[1].makes(25)
    await scrap(works, first, 2, id="A")
    await works.mill_becomes("RUN", minute=2)
    await works.until_waiting(progress=2, scrap=1, record=1)
    await works.restarts()
    await works.lines[0].makes(25)
    await scrap(works, second, 3, id="B")
    await works.until_waiting(scrap=2)
    await works.to_odoo.mend()
    await works.until_counted(first, 55)
    await works.until_counted(second, 25)
    await works.until_posted("production.scrap", "downtime.record")
    assert (await scrapped(works, first), await scrapped(works, second)) == ([2], [3])
    stops = [Stop("Equipment Failure", begins=-5, ends=0), Stop("Equipment Failure", begins=0, ends=2)]
    assert await works.office.stops("MILL-1") == stops
    assert await works.posted_in_order()


async def test_a_site_that_is_cut_off_serves_the_releases_that_it_has_and_catches_up_in_order(works: Works) -> None:
    order = await works.releases(100)
    works.to_odoo.cut()
    await works.bridge.until_told("orders.unreadable")
    later = await works.planner.order("HOUSING", 50)
    async with another(works.mes) as newcomer:
        await newcomer.until_released(order)
        await newcomer.accepts(order)
    await works.lines[0].runs(order)
    await works.lines[0].makes(30)
    await scrap(works, order, 2, id="A")
    await works.until_waiting(progress=1, scrap=1, state=1)
    assert later not in works.mes.retained
    await works.to_odoo.mend()
    await works.mes.until_released(later)
    await works.until_posted("production.progress", "production.scrap", "order.state")
    assert (await works.office.order(order), await scrapped(works, order)) == (Running(30), [2])
    assert "The floor (MES) accepted version 1." in await works.office.notes_of_the_bridge(order)
    assert await works.posted_in_order()


async def test_what_a_hall_made_while_its_line_was_cut_goes_to_the_orders_that_ran_then(works: Works) -> None:
    first, second = await works.releases(100), await works.releases(100)
    line = works.lines[0]
    await line.runs(first)
    await line.makes(30)
    await works.until_posted("production.progress")
    works.to_packing.cut()
    await until(lambda: not line.session.node.is_online, "a node that knows that it is cut off", LIMIT_S)
    await line.makes(10)
    await line.runs(second)
    await line.makes(26)
    await works.to_packing.mend()
    await works.until_counted(second, 26)
    assert await works.office.order(first) == Running(40)
    assert await works.posted_in_order()


async def test_what_the_mes_the_broker_and_edge_nodes_tell_again_is_posted_once(works: Works) -> None:
    order = await works.releases(100)
    await works.lines[0].runs(order)
    await scrap(works, order, 1, id="A")
    await scrap(works, order, 1, id="A")
    works.bridge.pause()
    await scrap(works, order, 2, id="B")
    await works.lines[0].makes(30)
    await works.bridge.kill()
    await works.mill_becomes("FAULT", minute=-6, fault="E12")
    await works.mill_becomes("RUN", minute=-2)
    await works.bridge.start()
    await works.until_posted("production.progress", "production.scrap", "downtime.record")
    await works.restarts()
    for id, quantity in (("B", 2), ("A", 1), ("C", 3)):
        await scrap(works, order, quantity, id=id)
    await until_scrapped(works, order, 3)
    await works.until_posted("production.scrap")
    assert await scrapped(works, order) == [1, 2, 3]
    assert await works.office.order(order) == Running(30)
    assert await works.office.stops("MILL-1") == [Stop("Equipment Failure", begins=-6, ends=-2)]


@pytest.mark.parametrize("stores", [False])
async def test_nodes_that_did_not_notice_a_restart_are_asked_once_and_a_birth_with_the_same_count_adds_nothing(
    works: Works,
) -> None:
    order, line = await works.releases(100), works.lines[0]
    await line.runs(order)
    await line.makes(30)
    await works.until_posted("production.progress")
    works.mes.asked.clear()
    await works.restarts()
    await line.makes(10)
    await until(lambda: len(works.mes.asked) == 2, lambda: f"two rebirths asked, not {works.mes.asked}", LIMIT_S)
    await line.makes(15)
    await works.until_counted(order, 55)
    assert Counter(works.mes.asked) == {"packing": 1, "pressing": 1}


async def test_a_planner_who_edits_the_order_meets_no_error_while_four_lines_report(works: Works) -> None:
    order = await works.releases(400)
    for line in works.lines:
        await line.runs(order)

    async def edit() -> None:
        for number in range(1, 9):
            await works.planner.edits(order, origin=f"SO-{number}")

    async def report() -> None:
        for _ in range(4):
            for line in works.lines:
                await line.makes(25)

    await asyncio.gather(edit(), report())
    await works.until_counted(order, 400)
    assert await works.office.origin(order) == "SO-8"
    assert await works.entries(EntryState.HELD, EntryState.DEAD) == []


DEAD, STANDING = 312, 2
"""Dead letters of one cause, and how many of them stand in Odoo."""
ALL_LIMIT_S = 900.0
"""Until all of them are posted: one takes a real Odoo a second and a half, looking first, where much else runs."""


async def backup_of(works: Works) -> dict[bytes, bytes]:
    """All that Redis knows."""
    async with Client.from_url(works.redis.url) as client:
        return {key: await client.dump(key) or b"" async for key in client.scan_iter()}


async def restore(works: Works, backup: dict[bytes, bytes]) -> None:
    """Let Redis know that, and nothing else."""
    async with Client.from_url(works.redis.url) as client:
        await client.flushall()
        for key, value in backup.items():
            await client.restore(key, 0, value)


def by_outcome(said: list[dict[str, Any]]) -> Counter[str]:
    return Counter(one["would"] for one in said)


async def test_dead_letters_of_one_cause_become_what_the_dry_run_says_also_those_that_stood_before_a_backup(
    works: Works,
) -> None:
    orders = [await works.releases(60) for _ in range(12)]
    for number in range(DEAD):
        reason = "S78" if number == DEAD - 1 else "S77"
        await scrap(works, orders[number % len(orders)], 1, id=f"D{number}", reason=reason)
    await works.until_dead(DEAD)
    await works.ends()
    backup = await backup_of(works)
    codes = works.folder / "codes.yaml"
    codes.write_text(codes.read_text().replace("S01: Short shot", "S01: Short shot\n  S77: Wrong colour"))

    await works.bridge.start()
    some = [entry.key for entry in await works.entries(EntryState.DEAD) if "S77" in entry.reason][:STANDING]
    code, done = await works.command("outbox", "replay", *some, "--reason", "S77 is mapped")
    assert (code, by_outcome(done)) == (0, {"pending": STANDING})
    await works.until_posted("production.scrap")
    await works.ends()
    await restore(works, backup)
    await works.bridge.start()
    assert await works.bridge.ended() == 2
    assert "the store has commit" in works.bridge.log
    (works.folder / "data" / "commit").unlink()
    await works.bridge.start()

    _, (cause,) = await works.command("outbox", "causes")
    assert cause["count"] == DEAD
    replay = ("outbox", "replay", "--cause", cause["cause"], "--reason", "S77 is mapped")
    _, foreseen = await works.command(*replay, "--dry-run")
    expected = {"pending": DEAD - STANDING - 1, "delivered": STANDING, "dead": 1}
    assert by_outcome(foreseen) == expected
    _, done = await works.command(*replay)
    assert by_outcome(done) == expected
    await works.until_posted("production.scrap", limit_s=ALL_LIMIT_S)
    left = await works.entries(EntryState.DEAD, EntryState.HELD)
    assert [(entry.action, entry.state) for entry in left] == [("production.scrap", EntryState.DEAD)]
    posted = [await scrapped(works, order) for order in orders]
    assert sum(len(one) for one in posted) == DEAD - 1
    again = [line["repeated"] for line in works.bridge.told("entry.delivered", model="stock.scrap")]
    assert Counter(again) == {False: DEAD - 1, True: STANDING}
