"""The whole plant on a broker: everything that the ledger says has also been said on the namespace."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from bridge.broker.link import LinkSettings, Message, Publication, Subscription
from bridge.broker.memory import MemoryBroker, MemoryLink
from bridge.broker.paho import PahoLink
from bridge.demo.servers import embedded_broker
from bridge.simulator.ledger import FactKind, Ledger, read_ledger
from bridge.simulator.scenario import Scenario
from bridge.simulator.simulation import Simulation, simulate
from sparkplug.topic import state_topic
from sparkplug.wire.state import HostState, encode_state
from tests.bridge.broker.ground import put, up
from tests.bridge.simulator.day import demonstration, release
from tests.bridge.simulator.listener import HOST, Listener, running, say_state, settings, until
from tests.servers import Mosquitto

COUNTER_END = 65536


class FastClock:
    """Twenty times as fast as the wall's."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def now_ms(self) -> int:
        return 1_700_000_000_000 + round((time.monotonic() - self._began) * 1000 * 20)


def calm() -> Scenario:
    """The demonstration without incidents and refusals."""
    scenario = demonstration()
    return replace(scenario, incidents=(), mes=replace(scenario.mes, refuses={}))


def publish_release(broker: MemoryBroker, nth: int, quantity: int) -> None:
    payload = json.dumps(release(nth, quantity)).encode()
    broker.publish(Publication(topic=f"uns/v1/acme/berlin/order/mo-{nth}", payload=payload, qos=1, retain=True))


class Documents:
    """Reads what the MES says, by topic."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.link = MemoryLink(broker, settings("documents"), [Subscription(filter="uns/#", qos=1)])
        self.read: list[str] = []

    async def run(self) -> None:
        while True:
            event = await self.link.next_event()
            if isinstance(event, Message):
                self.read.append(event.topic.rsplit("/", 1)[-1])
                await self.link.acknowledge(event.token)


async def test_orders_are_made_and_told_although_the_host_goes_away_in_between() -> None:
    broker, clock = MemoryBroker(), FastClock()
    listener, documents, ledger = Listener(broker), Documents(broker), Ledger(7)
    simulation = Simulation(
        calm(),
        broker=settings("plant"),
        link=lambda settings, subscriptions, will, may: MemoryLink(broker, settings, subscriptions, will, may),
        ledger=ledger,
        clock=clock,
    )
    readers = (listener.link.run(), listener.run(), documents.link.run(), documents.run())
    async with running(*readers, simulation.run()):
        say_state(broker, online=True, at_ms=1)
        await until(lambda: listener.turns == ["online"] * 3)
        for nth in (1, 2, 3):
            publish_release(broker, nth, 20 + nth)
        await until(lambda: any(fact.kind is FactKind.FINISH for fact in ledger.facts))
        say_state(broker, online=False, at_ms=2)
        await until(lambda: simulation.stored > 20)
        say_state(broker, online=True, at_ms=3)
        simulation.wind_down()
        await asyncio.wait_for(simulation.rest(), 5)
        await until(lambda: simulation.stored == 0)
        await until(lambda: [value for value, _ in listener.values("Order")][-1] == "")

    kinds = Counter(fact.kind for fact in ledger.facts)
    made = [int(str(fact.values["quantity"])) for fact in ledger.facts if fact.kind is FactKind.PROGRESS]
    readings = [int(str(value)) for value, _ in listener.values("Counters/Good", birth=False, device="line-1")]
    counted = sum((after - before) % COUNTER_END for before, after in pairwise([calm().stations[2].counter, *readings]))
    assert kinds[FactKind.COMPLETION] == len(made) >= 2
    assert kinds[FactKind.START] == kinds[FactKind.FINISH] == 2 * len(made)
    assert counted == sum(made)
    assert listener.findings == []
    assert set(documents.read) >= {"ack", "work_started", "work_finished", "finished", "quality"}
    assert len(simulation.releases) == 3


async def test_an_order_is_made_on_a_real_broker_and_the_ledger_tells_of_it(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    broker = LinkSettings(
        host="127.0.0.1",
        port=mosquitto.port,
        client_id="simulation-test",
        user=mosquitto.user,
        password=lambda: mosquitto.password,
        first_pause_s=0.05,
    )
    planner = PahoLink(replace(broker, client_id="simulation-test-planner"), [])
    order = Publication(
        topic="uns/v1/acme/berlin/order/mo-1", payload=json.dumps(release(1, 20)).encode(), qos=1, retain=True
    )
    path = tmp_path / "ledger.jsonl"
    async with running(planner.run()):
        await planner.next_event()
        await planner.publish(order)
        ledger = await simulate(
            replace(calm(), primary_host=None),
            broker=broker,
            link=PahoLink,
            clock=FastClock(),
            ledger_path=path,
            seconds=0.5,
        )
        await planner.publish(replace(order, payload=b""))

    assert read_ledger(path) == (7, ledger.facts)
    assert Counter(fact.kind for fact in ledger.facts if fact.order == "mo-1")[FactKind.COMPLETION] == 1


@pytest.mark.embedded
@pytest.mark.parametrize("version", [5, 4])
async def test_a_quiet_half_minute_of_the_demonstration_gives_a_host_nothing_to_find(version: int) -> None:
    async with embedded_broker() as server:
        at = LinkSettings(
            host=server.host,
            port=server.port(version),
            version=version,
            client_id="plant",
            user=server.user,
            password=lambda: server.password,
        )
        ear = PahoLink(replace(at, client_id="ear"), [Subscription(filter="spBv1.0/+/+/#", qos=0)])
        planner = PahoLink(replace(at, client_id="planner"), [])
        host, clock = Listener(ear), FastClock()
        began_ms = clock.now_ms()
        plant = Simulation(demonstration(), broker=at, link=PahoLink, ledger=Ledger(7), clock=clock)
        async with running(ear.run(), planner.run()):
            await up(ear)
            await up(planner)
            state = encode_state(HostState(online=True, timestamp_ms=1))
            await put(planner, state_topic(HOST), state, retain=True)
            async with running(host.run()):
                async with running(plant.run()):
                    for nth in (1, 2, 3):
                        document = json.dumps(release(nth, 20)).encode()
                        await put(planner, f"uns/v1/acme/berlin/order/mo-{nth}", document, retain=True)
                    await until(lambda: clock.now_ms() > began_ms + 30_000)
                await until(lambda: len(host.turns) == 6)

    assert host.findings == []
    assert host.turns == ["online"] * 3 + ["offline"] * 3
    assert len(host.values("Counters/Good", birth=False)) > 40
