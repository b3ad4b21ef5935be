"""The whole bridge in memory: what it does, how it stops, and what ends it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.broker.link import BrokerLink, LinkSettings, MayConnect, Message, Subscription, Subscriptions, WillSource
from bridge.broker.memory import MemoryLink
from bridge.core.act import new_act
from bridge.core.input import ActKind
from bridge.errors import ConfigError, NotDurable, PartFailed
from bridge.orders.record import Answer
from bridge.service import Service
from odoo_adapter.odoo import OrdersRead
from sparkplug.wire.payload import decode
from sparkplug.wire.state import HostState
from state.audit import verify
from state.entry import EntryState
from state.errors import Fenced, StoreUnavailable
from state.memory_store import FaultPoint, MemoryStore
from state.record import Commit, Table
from state.store import Act, Lease
from tests.bridge.simulator.listener import running, settings, until
from tests.bridge.site import LINE, ORDER, ORDER_TOPIC, Site, bridge_on, plant_in

COUNTED = 30


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(plant_in(tmp_path))


async def count(site: Site, good: int) -> None:
    await site.line.report("line-1", {"Counters/Good": 1_000 + good}, site.clock.now_ms())


async def counted(site: Site, good: int) -> None:
    """Wait until Odoo has the pieces."""
    await site.pass_time(lambda: site.odoo.totals.get(ORDER) == Decimal(good))


async def has_dead(site: Site) -> bool:
    return bool(await dead(site))


async def has_no_acts(site: Site) -> bool:
    return not await site.store.acts()


async def dead(site: Site) -> list[str]:
    return [entry.key for entry in await site.entries() if entry.state is EntryState.DEAD]


async def test_an_order_goes_down_to_the_floor_and_its_pieces_come_up_to_odoo(site: Site) -> None:
    site.release_order()
    async with bridge_on(site):
        await until(lambda: site.released is not None)
        site.tell(f"order/{ORDER}/ack", id="a1", order=ORDER, version=1, status="accepted")
        await site.settle()
        await site.line.report("line-1", {"Order": ORDER}, site.clock.now_ms())
        await count(site, COUNTED)
        await counted(site, COUNTED)
    released = site.released or {}
    assert (released["order"], released["version"], released["quantity"]) == (ORDER, 1, "100")
    assert ((await site.order()).answer, site.kinds[0], set(site.kinds)) == (
        Answer.ACCEPTED,
        "start",
        {"start", "progress"},
    )
    assert await site.entries() == []


async def test_after_a_stop_the_namespace_says_that_the_host_is_offline(site: Site) -> None:
    async with bridge_on(site) as run:
        await run.end()
    assert not site.is_host_online
    assert await site.store.acquire("successor", 1_000) is not None


async def test_a_stop_ends_the_bridges_own_edge_node_with_its_death(site: Site) -> None:
    site.release_order()
    listener = MemoryLink(site.broker, settings("listener"), [Subscription(filter="spBv1.0/+/+/orders", qos=1)])
    heard: list[str] = []

    async def listen() -> None:
        while True:
            if isinstance(event := await listener.next_event(), Message):
                heard.append(event.topic.split("/")[2])
                await listener.acknowledge(event.token)

    async with running(listener.run(), listen()), bridge_on(site):
        await until(lambda: "NBIRTH" in heard and site.released is not None)
    assert (heard[0], heard[-1]) == ("NBIRTH", "NDEATH")


async def test_a_document_that_was_not_committed_is_not_acknowledged_and_comes_again(site: Site) -> None:
    site.release_order()
    async with bridge_on(site) as run:
        await until(lambda: site.released is not None)
        site.refuse_commits(StoreUnavailable("the store is away"))
        site.tell(f"{LINE}/work_started", id="s1", order=ORDER, work_order="wo-1")
        await run.end()
    assert site.kinds == []
    site.refuse_commits(None)
    async with bridge_on(site):
        await site.settle()
    keys = [effect.key for effect in site.odoo.effects]
    assert [key for key in keys if "s1" in key] == [keys[0]]


async def test_while_the_store_takes_no_commits_the_host_is_offline_and_nothing_is_lost(site: Site) -> None:
    limits = replace(site.plant.settings.limits, commit_patience_ms=100)
    site.plant = replace(site.plant, settings=replace(site.plant.settings, limits=limits))
    site.release_order()
    async with bridge_on(site):
        await until(lambda: site.released is not None)
        await site.settle()
        await site.line.report("line-1", {"Order": ORDER}, site.clock.now_ms())
        await count(site, 1)
        site.refuse_commits(StoreUnavailable("the store is away"))
        await count(site, 10)
        await until(lambda: not site.is_host_online)
        await until(lambda: not site.line.node.is_online)
        await count(site, COUNTED)
        assert site.line.node.stored > 0
        site.refuse_commits(None)
        await site.pass_time(lambda: site.is_host_online)
        await counted(site, COUNTED)
    assert site.odoo.totals == {ORDER: Decimal(COUNTED)}


async def test_a_full_outbox_takes_the_host_offline_until_there_is_room(tmp_path: Path) -> None:
    site = Site(plant_in(tmp_path, ", outbox: 5"))
    site.release_order()
    async with bridge_on(site):
        await until(lambda: site.released is not None)
        await site.settle()
        site.odoo.down = True
        for number in range(6):
            site.tell(f"{LINE}/work_started", id=f"s{number}", order=f"mo-{number}", work_order=f"wo-{number}")
        await site.pass_time(lambda: not site.is_host_online)
        assert {entry.state for entry in await site.entries()} <= {EntryState.PENDING, EntryState.CLAIMED}
        site.odoo.down = False
        await site.pass_time(lambda: site.is_host_online and site.kinds.count("start") == 7)


async def test_a_bridge_whose_site_was_taken_over_ends_with_that(site: Site) -> None:
    async with bridge_on(site) as run:
        site.clock.advance(60_000)
        assert await site.store.acquire("another", 60_000) is not None
        with pytest.raises(Fenced):
            await asyncio.wait_for(run.task, 5)
        assert not site.is_host_online


async def test_a_bridge_whose_site_was_taken_over_leaves_it_to_its_will_to_say_that_it_is_gone(site: Site) -> None:
    """With the timestamp of its birth, which is earlier than the new leader's, whatever the clocks."""
    async with bridge_on(site) as run:
        born = site.state
        site.clock.advance(60_000)
        assert await site.store.acquire("another", 60_000) is not None
        with pytest.raises(Fenced):
            await asyncio.wait_for(run.task, 5)
    assert (born.online, site.state) == (True, HostState(False, born.timestamp_ms))


async def test_a_bridge_that_waits_for_another_one_can_be_stopped(site: Site) -> None:
    assert await site.store.acquire("another", 60_000) is not None
    stop = asyncio.Event()
    with capture_logs() as logs:
        waiting = asyncio.create_task(site.service().run(stop))
        await until(lambda: any(line["event"] == "lease.held_by_another" for line in logs))
        stop.set()
        await asyncio.wait_for(waiting, 5)
    assert [line["event"] for line in logs] == ["lease.held_by_another"]


async def test_a_bridge_that_waits_for_another_one_makes_no_session(site: Site) -> None:
    """So it leaves no will with the broker, which would say that the site's host is offline."""
    made: list[str] = []

    def link(
        settings: LinkSettings, subscriptions: Subscriptions, will: WillSource, may_connect: MayConnect
    ) -> BrokerLink:
        made.append(settings.client_id)
        return site.link(settings, subscriptions, will, may_connect)

    assert await site.store.acquire("another", 60_000) is not None
    stop = asyncio.Event()
    with capture_logs() as logs:
        waiting = asyncio.create_task(Service(site.plant, replace(site.outside, link=link), stage_s=0.3).run(stop))
        await until(lambda: bool(made) or any(line["event"] == "lease.held_by_another" for line in logs))
        stop.set()
        await asyncio.wait({waiting}, timeout=5)
    assert made == []


async def test_a_bridge_that_waits_takes_over_when_the_lease_has_run_out(site: Site) -> None:
    assert await site.store.acquire("another", 1_000) is not None
    site.clock.advance(2_000)
    async with bridge_on(site):
        assert site.is_host_online


async def test_a_store_that_may_lose_what_it_confirmed_is_refused_with_the_mend(site: Site) -> None:
    site.store = MemoryStore(weaknesses=("appendonly is no",))
    with pytest.raises(NotDurable, match=r"appendonly is no\n.*accept_weak_durability: true"):
        await site.service().run(asyncio.Event())


async def test_a_store_that_is_away_at_the_last_moment_does_not_hide_a_stop_in_order(site: Site) -> None:
    class AwayAtTheEnd(MemoryStore):
        async def release(self, lease: Lease) -> None:
            raise StoreUnavailable("the store is away")

    site.store = AwayAtTheEnd(weaknesses=())
    async with bridge_on(site) as run:
        with capture_logs() as logs:
            await run.end()
    assert [line["event"] for line in logs][-2:] == ["lease.not_released", "bridge.stopped"]


async def test_a_defect_in_one_part_ends_the_bridge_with_the_parts_name_and_the_host_offline(site: Site) -> None:
    class BrokenOdoo(type(site.odoo)):  # type: ignore[misc]
        async def read_orders(self, cursor: str, known: Collection[str] = ()) -> OrdersRead:
            await until(lambda: site.is_host_online)
            raise KeyError("product_qty")

    site.odoo = BrokenOdoo(context=site.odoo.context)
    async with bridge_on(site) as run:
        with pytest.raises(PartFailed, match=r"^orders failed: KeyError: 'product_qty'$"):
            await asyncio.wait_for(run.task, 5)
        assert not site.is_host_online


async def test_a_part_whose_end_was_swallowed_is_ended_again_and_named(site: Site) -> None:
    class Deaf(MemoryStore):
        was_told = False

        async def acts(self) -> Sequence[Act]:
            if not self.was_told:
                with suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()
                self.was_told = True
            return ()

    site.store = Deaf(weaknesses=())
    async with bridge_on(site) as run:
        with capture_logs() as logs:
            await run.end()
    assert {line["stage"] for line in logs if line["event"] == "stop.took_too_long"} == {"acts"}


async def test_what_a_person_asks_for_is_done_once_and_stands_in_the_audit_log(site: Site) -> None:
    site.release_order()
    async with bridge_on(site):
        await until(lambda: site.released is not None)
        await site.settle()
        site.odoo.refusals[re.sub(r"settled-\d+", "s1", site.odoo.effects[0].key)] = "order_state"
        site.tell(f"{LINE}/work_started", id="s1", order=ORDER, work_order="wo-1")
        await site.pass_time(lambda: has_dead(site))
        keys = await dead(site)
        await site.store.submit(new_act(ActKind.SKIP, tuple(keys), "ada", "made by hand"))
        await site.pass_time(lambda: has_no_acts(site))
    skipped = [entry for entry in await site.entries(Table.DONE) if entry.state is EntryState.SKIPPED]
    log = site.plant.settings.data_dir / "audit.jsonl"
    assert [entry.key for entry in skipped] == keys
    assert verify(log) == ()
    assert log.read_text().count('"kind":"outbox.skip"') == 1


async def test_an_audit_log_that_was_tampered_with_is_no_place_to_write_on(site: Site) -> None:
    log = site.plant.settings.data_dir / "audit.jsonl"
    log.parent.mkdir()
    log.write_text("not a line of an audit log\n")
    with pytest.raises(ConfigError, match=r"audit.jsonl: .*uns-bridge audit verify"):
        await site.service().run(asyncio.Event())


async def test_a_commit_whose_answer_was_lost_is_repeated_and_stands_once(site: Site) -> None:
    site.release_order()
    lost: list[int] = []

    def lose(point: FaultPoint, commit: Commit) -> None:
        if point is FaultPoint.AFTER_COMMIT and len(lost) < 3:
            lost.append(commit.number)
            raise StoreUnavailable("the answer was lost")

    site.store.fault = lose
    async with bridge_on(site):
        await until(lambda: site.released is not None)
        await site.settle()
    assert (len(lost), site.kinds) == (3, ["start"])


async def test_orders_that_were_open_before_a_restart_are_shown_by_the_edge_node_again(site: Site) -> None:
    site.release_order()
    async with bridge_on(site):
        await until(lambda: site.released is not None)
    listener = MemoryLink(site.broker, settings("listener"), [Subscription(filter="spBv1.0/+/NBIRTH/orders", qos=1)])
    births: list[Message] = []

    async def listen() -> None:
        while True:
            if isinstance(event := await listener.next_event(), Message):
                births.append(event)

    async with running(listener.run(), listen()), bridge_on(site):
        await until(lambda: bool(births))
    names = [metric.name for metric in decode(births[0].payload).metrics]
    assert ("Orders" in names, ORDER.encode() in births[0].payload) == (True, True)
    assert site.broker.retained(ORDER_TOPIC) is not None
