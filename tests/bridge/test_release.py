"""The bridge's own edge node: who reads Sparkplug finds the open orders in its birth and every change after it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.broker.link import (
    BrokerLink,
    LinkSettings,
    MayConnect,
    Publication,
    Subscription,
    Subscriptions,
    WillSource,
)
from bridge.broker.memory import MemoryBroker, MemoryLink
from bridge.orders.record import OrderRecord, Status
from bridge.release import COLUMNS, ORDERS_METRIC, ReleaseSession, release_node
from bridge.service import Service
from sparkplug.command import rebirth_command
from sparkplug.fact import DataRead, DataSet, NodeId, Origin
from tests.bridge.simulator.listener import Listener, running, settings, until
from tests.bridge.site import ManualClock, Site, bridge_on, plant_in

NODE = NodeId("acme-berlin", "orders")
CLIENT = "orders"


def order(name: str, *, version: int = 1, status: Status = Status.RELEASED) -> OrderRecord:
    return OrderRecord(
        order=name,
        name=f"WH/{name}",
        version=version,
        status=status,
        document={"order": name},
        published_ms=0,
    )


def row(name: str, *, version: str = "1") -> tuple[str, str, str, str, str]:
    """What stands in the list for `order(name)`."""
    return (name, f"WH/{name}", version, "released", f'{{"order":"{name}"}}')


class Bench:
    """The node on a broker in memory, beside a host that listens."""

    def __init__(self, *records: OrderRecord) -> None:
        self.broker, self.node = MemoryBroker(), release_node(NODE)
        self.listener = Listener(self.broker)
        filters = [Subscription(filter=filter, qos=1) for filter in self.node.subscriptions]
        self.link = MemoryLink(self.broker, settings(CLIENT), filters, self._will)
        self.session = ReleaseSession(self.link, self.node, ManualClock(), records)

    def _will(self) -> Publication:
        topic, payload = self.node.will(0)
        return Publication(topic=topic, payload=payload, qos=1, retain=False)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        listening = running(self.listener.link.run(), self.listener.run())
        async with listening, running(self.link.run(), self.session.run(), self.session.send()):
            yield

    def lists(self, *, birth: bool | None = None) -> list[list[object]]:
        """The orders of each list that the host read."""
        return [orders(each) for each in self.read(birth=birth)]

    def read(self, *, birth: bool | None = None) -> list[DataSet]:
        values = [value for value, _ in self.listener.values(ORDERS_METRIC, birth=birth)]
        assert all(isinstance(value, DataSet) for value in values)
        return [value for value in values if isinstance(value, DataSet)]


async def test_the_birth_has_all_open_orders_and_none_that_is_closed() -> None:
    bench = Bench(order("mo-1"), order("mo-2", status=Status.CLOSED), order("mo-3", version=4))
    async with bench.running():
        await until(lambda: bool(bench.read(birth=True)))
    assert bench.read(birth=True)[0] == DataSet(columns=COLUMNS, rows=(row("mo-1"), row("mo-3", version="4")))
    assert bench.listener.findings == []


async def test_each_change_is_the_whole_list_and_a_cancelled_order_leaves_it() -> None:
    bench = Bench(order("mo-1"))
    async with bench.running():
        await until(lambda: bench.lists() != [] and bench.lists()[-1] == ["mo-1"])
        bench.session.show(order("mo-2"))
        await until(lambda: bench.lists()[-1] == ["mo-1", "mo-2"])
        bench.session.show(order("mo-1", version=2, status=Status.CANCELLED))
        await until(lambda: bench.lists()[-1] == ["mo-2"])
    assert bench.listener.findings == []


@pytest.mark.spec("tck-id-principles-rbe-recommended")
@pytest.mark.spec("tck-id-operational-behavior-data-publish-nbirth-change")
async def test_a_list_that_did_not_change_is_not_sent_again() -> None:
    bench = Bench()
    async with bench.running():
        await until(lambda: bench.lists(birth=True) == [[]])
        for name in ("mo-1", "mo-1", "mo-2"):
            bench.session.show(order(name))
            await until(lambda name=name: bench.lists()[-1][-1:] == [name])  # type: ignore[misc]
    assert bench.lists(birth=False) == [["mo-1"], ["mo-1", "mo-2"]]


async def test_a_host_that_asks_for_a_birth_gets_the_present_list() -> None:
    bench = Bench()
    async with bench.running():
        bench.session.show(order("mo-1"))
        await until(lambda: bench.lists() != [] and bench.lists()[-1] == ["mo-1"])
        births = len(bench.lists(birth=True))
        topic, payload = rebirth_command(NODE, 0)
        bench.broker.publish(Publication(topic=topic, payload=payload, qos=0, retain=False))
        await until(lambda: len(bench.lists(birth=True)) > births)
    assert bench.lists(birth=True)[-1] == ["mo-1"]
    assert bench.listener.findings == []


async def test_what_changed_while_the_broker_was_away_stands_in_the_next_birth() -> None:
    bench = Bench(order("mo-1"))
    async with bench.running():
        await until(lambda: bool(bench.lists(birth=True)))
        bench.broker.cut(CLIENT)
        bench.session.show(order("mo-2"))
        await until(lambda: bench.lists(birth=True)[-1] == ["mo-1", "mo-2"])
    assert bench.listener.turns[:3] == ["online", "offline", "online"]
    assert bench.listener.findings == []


async def test_a_list_that_is_lost_with_the_session_is_in_the_next_birth() -> None:
    bench = Bench(order("mo-1"))
    async with bench.running():
        await until(lambda: bench.lists() != [] and bench.lists()[-1] == ["mo-1"])
        bench.broker.cut_at_next_publish(CLIENT)
        bench.session.show(order("mo-2"))
        await until(lambda: bench.lists(birth=True)[-1] == ["mo-1", "mo-2"])
    assert bench.listener.findings == []


async def test_a_node_that_leaves_says_its_death_although_its_session_ends_cleanly() -> None:
    bench = Bench()
    async with running(bench.listener.link.run(), bench.listener.run()):
        async with running(bench.link.run(), bench.session.run(), bench.session.send()):
            await until(lambda: bench.listener.turns == ["online"])
            await bench.session.leave()
        await until(lambda: bench.listener.turns == ["online", "offline"])
    assert bench.listener.findings == []


async def test_the_bridge_hears_its_own_node_from_the_birth_on_although_its_host_is_slow_to_connect(
    tmp_path: Path,
) -> None:
    site, host_may = Site(plant_in(tmp_path)), asyncio.Event()

    def link(asked: LinkSettings, filters: Subscriptions, will: WillSource, may: MayConnect) -> BrokerLink:
        async def slow() -> bool:
            return host_may.is_set() and await may()

        return site.link(asked, filters, will, slow if asked.client_id.endswith("-host") else may)

    heard = Listener(site.broker)
    outside = replace(site.outside, link=link)
    stop = asyncio.Event()
    site.release_order("mo-1")
    with capture_logs() as logs:
        async with running(heard.link.run(), heard.run(), Service(site.plant, outside, stage_s=0.3).run(stop)):
            await until(lambda: site.released is not None)
            assert heard.turns == []
            host_may.set()
            await until(lambda: heard.turns == ["online"])
            site.release_order("mo-2")
            await until(lambda: ["mo-1", "mo-2"] in [orders(one) for one, _ in heard.values(ORDERS_METRIC)])
            stop.set()
            await until(lambda: not site.is_host_online)
    assert [line for line in logs if line["event"] == "sparkplug.finding"] == []
    assert heard.findings == []


def orders(value: object) -> list[object]:
    """The orders of a list."""
    return [row[0] for row in value.rows] if isinstance(value, DataSet) else []


@pytest.mark.spec("tck-id-topics-nbirth-bdseq-increment")
async def test_the_bdseq_of_the_bridges_own_node_goes_on_when_the_bridge_is_started_again(tmp_path: Path) -> None:
    site = Site(plant_in(tmp_path))
    heard = Listener(site.broker)
    async with running(heard.link.run(), heard.run()):
        for start in (1, 2, 3):
            async with bridge_on(site) as run:
                await until(lambda start=start: births_of(heard) == list(range(start)))  # type: ignore[misc]
                await run.end()
    assert births_of(heard) == [0, 1, 2]
    assert heard.findings == []


def births_of(heard: Listener) -> list[object]:
    """The `bdSeq` of each birth of the bridge's own node."""
    births = [fact for fact in heard.facts if isinstance(fact, DataRead) and fact.birth]
    return [fact.readings[0].value for fact in births if fact.origin == Origin(*NODE, None)]
