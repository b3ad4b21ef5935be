"""Killed after every single step of the path, the bridge posts each fact once and loses none."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Final

import pytest

from bridge.core.input import Acted, ActKind
from odoo_adapter.memory import Fault
from state.entry import Entry, EntryState
from tests.bridge.rig import ORDER, Bridge, Crash, World, new_world

Chapter = Callable[[Bridge], Awaitable[None]]

COUNTED: Final = 30
"""Pieces in each of the two chapters that count."""

LINES: Final = ["Released to the floor as version 1.", "The floor accepted version 1."]
"""What planners read on the order at the end."""

SETTLED_MS: Final = 300_000
"""Longer than any retry and any wait before a look."""

in_both_ways = pytest.mark.parametrize("look_first", [False, True], ids=["inbox", "look-first"])


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


def act(kind: ActKind, entry: Entry) -> Acted:
    return Acted(id="1", kind=kind, keys=(entry.key,), by="ana", reason="looked in Odoo")


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
        await bridge.poll_orders()
    for chapter in chapters:
        await chapter(bridge)
    await bridge.poll_orders()
    await bridge.wait(SETTLED_MS if world.odoo.look_first else 60_000)
    return bridge


def effects(world: World) -> list[str]:
    """What was posted of the floor, in order."""
    return [effect.kind for effect in world.odoo.effects if effect.kind != "note"]


def read_by_planners(world: World) -> list[str]:
    """The lines on the order, in order."""
    return [str(effect.p["text"]) for effect in world.odoo.effects if effect.kind == "note"]


async def points(*, look_first: bool) -> int:
    """How many points the story passes when nothing crashes."""
    return (await tell(new_world(look_first=look_first), None)).passed


@in_both_ways
async def test_the_story_without_a_crash_posts_each_fact_in_order(look_first: bool) -> None:
    world = new_world(look_first=look_first)
    bridge = await tell(world, None)
    kinds = effects(world)
    assert (kinds[0], kinds[-1], sorted(set(kinds))) == ("start", "finish", ["finish", "progress", "start"])
    assert (world.odoo.totals, bridge.entries) == ({ORDER: Decimal(2 * COUNTED)}, ())
    assert list(world.retained) == [f"uns/v1/acme/berlin/order/{ORDER}"]
    assert read_by_planners(world) == LINES


@in_both_ways
async def test_a_crash_after_any_step_loses_nothing_and_doubles_nothing(look_first: bool) -> None:
    wrong: list[str] = []
    for crash_after in range(await points(look_first=look_first)):
        world = new_world(look_first=look_first)
        bridge = await tell(world, crash_after)
        kinds = effects(world)
        once = (kinds.count("start"), kinds.count("finish"), len(world.retained)) == (1, 1, 1)
        once = once and sorted(read_by_planners(world)) == sorted(LINES)
        if not once or world.odoo.totals != {ORDER: Decimal(2 * COUNTED)} or bridge.entries or world.documents:
            lines, left = read_by_planners(world), [entry.key for entry in bridge.entries]
            wrong.append(f"{crash_after}: {kinds} {lines} {world.odoo.totals} {left}")
    assert wrong == []


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
@in_both_ways
async def test_an_answer_of_odoo_that_is_lost_neither_loses_nor_doubles(look_first: bool, fault: Fault) -> None:
    world = new_world(look_first=look_first)
    world.odoo.faults.extend([fault] * 3)
    bridge = await tell(world, None)
    await bridge.wait(3 * SETTLED_MS)
    assert (world.odoo.totals, bridge.entries) == ({ORDER: Decimal(2 * COUNTED)}, ())
    assert (effects(world).count("start"), effects(world).count("finish")) == (1, 1)


async def count_with_a_lost_answer(world: World) -> Bridge:
    """The order runs and counts; the first progress was carried out, but its answer was lost."""
    bridge = Bridge(world)
    await bridge.start()
    for chapter in (release, acknowledge, begin, run_order):
        await chapter(bridge)
    world.odoo.faults.extend([Fault.NONE, Fault.AFTER])  # the start of the work order, then the progress
    await count_some(bridge)
    await bridge.wait(60_000)
    assert world.odoo.totals == {ORDER: Decimal(COUNTED)}
    return bridge


@pytest.mark.parametrize("look_first", [False, True], ids=["then without the inbox", "then through the inbox"])
async def test_a_site_that_changes_the_way_of_posting_in_an_order_posts_no_total_twice(look_first: bool) -> None:
    world = new_world(look_first=look_first)
    bridge = Bridge(world)
    await bridge.start()
    for chapter in (release, acknowledge, begin, run_order, count_some):
        await chapter(bridge)
    await bridge.wait(SETTLED_MS)
    bridge.die()
    world.odoo.look_first = not look_first
    bridge = Bridge(world)
    await bridge.start()
    await count_more(bridge)
    await bridge.wait(SETTLED_MS)
    assert (world.odoo.totals, bridge.entries) == ({ORDER: Decimal(2 * COUNTED)}, ())


async def test_a_standby_whose_clock_is_ahead_does_not_look_sooner() -> None:
    world = new_world(look_first=True)
    bridge = await count_with_a_lost_answer(world)
    bridge.die()
    world.now_ms += SETTLED_MS
    standby = Bridge(world)
    await standby.start()
    await standby.wait(120_000)
    assert [entry.state for entry in standby.entries] == [EntryState.CLAIMED]
    await standby.wait(SETTLED_MS)
    assert (world.odoo.totals, standby.entries) == ({ORDER: Decimal(COUNTED)}, ())


async def test_a_quantity_that_a_person_changed_before_the_bridge_could_look_is_held() -> None:
    world = new_world(look_first=True)
    bridge = await count_with_a_lost_answer(world)
    world.odoo.totals[ORDER] += 5
    await bridge.wait(SETTLED_MS)
    (held,) = bridge.entries
    assert (held.state, held.reason) == (EntryState.HELD, "35 stand in Odoo, 0 were expected")
    assert world.odoo.totals == {ORDER: Decimal(COUNTED + 5)}


async def test_a_held_quantity_that_a_person_skips_leaves_what_stands_and_the_next_one_is_decided_again() -> None:
    world = new_world(look_first=True)
    bridge = await count_with_a_lost_answer(world)
    world.odoo.totals[ORDER] += 5
    await bridge.wait(SETTLED_MS)
    (held,) = bridge.entries
    await bridge.take(act(ActKind.SKIP, held))
    assert (bridge.entries, world.odoo.totals) == ((), {ORDER: Decimal(COUNTED + 5)})
    await count_more(bridge)
    await bridge.wait(SETTLED_MS)
    assert [entry.state for entry in bridge.entries] == [EntryState.HELD]


async def test_a_held_quantity_that_a_person_releases_is_added_to_what_stands_and_counting_goes_on() -> None:
    world = new_world(look_first=True)
    bridge = await count_with_a_lost_answer(world)
    world.odoo.totals[ORDER] = Decimal(5)  # the person took ours for a mistake
    await bridge.wait(SETTLED_MS)
    (held,) = bridge.entries
    await bridge.take(act(ActKind.RELEASE, held))
    assert (bridge.entries, world.odoo.totals) == ((), {ORDER: Decimal(COUNTED + 5)})
    await count_more(bridge)
    await bridge.wait(SETTLED_MS)
    assert (bridge.entries, world.odoo.totals) == ((), {ORDER: Decimal(2 * COUNTED + 5)})


async def test_a_release_whose_answer_is_lost_is_decided_again_and_never_added_twice() -> None:
    world = new_world(look_first=True)
    bridge = await count_with_a_lost_answer(world)
    world.odoo.totals[ORDER] = Decimal(5)
    await bridge.wait(SETTLED_MS)
    (held,) = bridge.entries
    world.odoo.faults.append(Fault.AFTER)
    await bridge.take(act(ActKind.RELEASE, held))
    await bridge.wait(SETTLED_MS)
    assert [entry.state for entry in bridge.entries] == [EntryState.HELD]
    assert world.odoo.totals == {ORDER: Decimal(COUNTED + 5)}
