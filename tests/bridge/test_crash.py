"""Killed after every single step of the path, the bridge posts each fact once and loses none."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Final

import pytest

from odoo_adapter.memory import Fault
from tests.bridge.rig import ORDER, Bridge, Crash, World, new_world

Chapter = Callable[[Bridge], Awaitable[None]]

COUNTED: Final = 30
"""Pieces in each of the two chapters that count."""


async def release(bridge: Bridge) -> None:
    await bridge.poll_orders()


async def acknowledge(bridge: Bridge) -> None:
    await bridge.document(f"order/{ORDER}/ack", {"id": "a1", "order": ORDER, "version": 1, "status": "accepted"})


async def begin(bridge: Bridge) -> None:
    await bridge.document("packaging/line-1/work_started", {"id": "s1", "order": ORDER, "work_order": "wo-1"})


async def run_order(bridge: Bridge) -> None:
    await bridge.update({"Order": ORDER})


async def count_some(bridge: Bridge) -> None:
    await bridge.update({"Counters/Good": 1_000 + COUNTED})


async def count_more(bridge: Bridge) -> None:
    await bridge.update({"Counters/Good": 1_000 + 2 * COUNTED})


async def stop_counting(bridge: Bridge) -> None:
    await bridge.update({"Order": ""})
    await bridge.wait(20_000)


async def finish(bridge: Bridge) -> None:
    await bridge.document("packaging/line-1/work_finished", {"id": "f1", "order": ORDER, "work_order": "wo-1"})


STORY: Final[tuple[Chapter, ...]] = (
    release,
    acknowledge,
    begin,
    run_order,
    count_some,
    count_more,
    stop_counting,
    finish,
)


async def tell(world: World, crash_after: int | None) -> Bridge:
    """Run the story; after a crash a new process goes on, and the chapter's own messages are not repeated."""
    bridge = Bridge(world, crash_after)
    chapters = list(STORY)
    try:
        await bridge.start()
        while chapters:
            chapter = chapters.pop(0)
            await chapter(bridge)
        await bridge.wait(60_000)
        return bridge
    except Crash:
        bridge.die()
        bridge = Bridge(world)
        await bridge.start()
    for chapter in chapters:
        await chapter(bridge)
    await bridge.poll_orders()
    await bridge.wait(60_000)
    return bridge


def effects(world: World) -> list[str]:
    return [effect.kind for effect in world.odoo.effects]


async def points() -> int:
    """How many points the story passes when nothing crashes."""
    return (await tell(new_world(), None)).passed


async def test_the_story_without_a_crash_posts_each_fact_in_order() -> None:
    world = new_world()
    bridge = await tell(world, None)
    kinds = effects(world)
    assert (kinds[0], kinds[-1], sorted(set(kinds))) == ("start", "finish", ["finish", "progress", "start"])
    assert (world.odoo.totals, bridge.entries) == ({ORDER: Decimal(2 * COUNTED)}, ())
    assert list(world.retained) == [f"uns/v1/acme/berlin/order/{ORDER}"]


async def test_a_crash_after_any_step_loses_nothing_and_doubles_nothing() -> None:
    wrong: list[str] = []
    for crash_after in range(await points()):
        world = new_world()
        bridge = await tell(world, crash_after)
        kinds = effects(world)
        once = (kinds.count("start"), kinds.count("finish"), len(world.retained)) == (1, 1, 1)
        if not once or world.odoo.totals != {ORDER: Decimal(2 * COUNTED)} or bridge.entries or world.documents:
            wrong.append(f"{crash_after}: {kinds} {world.odoo.totals} {[entry.key for entry in bridge.entries]}")
    assert wrong == []


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
async def test_an_answer_of_odoo_that_is_lost_neither_loses_nor_doubles(fault: Fault) -> None:
    world = new_world()
    world.odoo.faults.extend([fault] * 3)
    bridge = await tell(world, None)
    await bridge.wait(600_000)
    assert (world.odoo.totals, bridge.entries) == ({ORDER: Decimal(2 * COUNTED)}, ())
