"""The host's session: leaving is final, and what cannot be published is not kept."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bridge.broker.link import Publication, Subscription
from bridge.broker.memory import MemoryBroker, MemoryLink
from bridge.core.input import Command, HostConnected, HostDisconnected, SparkplugMessage
from bridge.loop import Entering
from bridge.session import DocumentSession, HostSession
from sparkplug.presence import HostPresence
from sparkplug.topic import state_topic
from sparkplug.wire.state import decode_state
from tests.bridge.simulator.listener import HOST, running, settings, until
from tests.bridge.site import ManualClock


class Bench:
    """A host's session on a broker in memory; `kinds` is what it gave to the core."""

    def __init__(self) -> None:
        self.broker, self.presence, self.clock = MemoryBroker(), HostPresence(HOST), ManualClock()
        self.kinds: list[str] = []
        filters = [Subscription(filter="spBv1.0/#", qos=1)]
        self.link = MemoryLink(self.broker, settings("host"), filters, self._will)
        self.session = HostSession(self.link, self.presence, self._enter, self.clock)

    def _will(self) -> Publication:
        topic, payload = self.presence.will(self.clock.now_ms())
        return Publication(topic=topic, payload=payload, qos=1, retain=True)

    async def _enter(self, entering: Entering) -> None:
        self.kinds.append(type(entering.input).__name__)

    @property
    def is_online(self) -> bool:
        state = self.broker.retained(state_topic(HOST))
        return state is not None and decode_state(state.payload).online


async def test_the_host_is_not_announced_any_more_while_it_leaves() -> None:
    bench = Bench()
    async with running(bench.link.run(), bench.session.run(), bench.session.send()):
        await until(lambda: HostConnected.__name__ in bench.kinds)
        bench.session.announce(bench.presence.will_ms)
        await until(lambda: bench.is_online)
        leaving = asyncio.create_task(bench.session.leave())
        await asyncio.sleep(0)
        bench.session.announce(bench.presence.will_ms)
        await leaving
        await until(lambda: HostDisconnected.__name__ in bench.kinds)
    assert not bench.is_online


async def test_what_the_core_asks_for_an_earlier_session_is_not_done_in_this_one() -> None:
    bench = Bench()
    async with running(bench.link.run(), bench.session.run(), bench.session.send()):
        await until(lambda: HostConnected.__name__ in bench.kinds)
        earlier_ms = bench.presence.will_ms
        bench.clock.advance(1_000)
        await bench.link.drop()
        await until(lambda: bench.kinds.count(HostConnected.__name__) == 2)
        bench.session.announce(earlier_ms)
        bench.session.reconnect(earlier_ms)
        bench.session.command(Command("spBv1.0/g/NCMD/n", b""))
        await until(lambda: bench.kinds[-1] == SparkplugMessage.__name__)
    assert not bench.is_online
    assert bench.kinds.count(HostConnected.__name__) == 2


async def test_a_later_state_that_an_earlier_session_found_is_outlived_by_the_next_one() -> None:
    bench = Bench()
    async with running(bench.link.run(), bench.session.run(), bench.session.send()):
        await until(lambda: HostConnected.__name__ in bench.kinds)
        bench.session.reconnect(will_ms=bench.presence.will_ms - 1, after_ms=bench.presence.will_ms + 60_000)
        later_ms = bench.presence.will_ms + 60_001
        await bench.link.drop()
        await until(lambda: bench.kinds.count(HostConnected.__name__) == 2)
    assert bench.presence.will_ms == later_ms


async def test_what_was_received_before_leaving_is_in_the_core_when_the_session_has_ended() -> None:
    bench = Bench()
    async with running(bench.link.run(), bench.session.run(), bench.session.send()):
        await until(lambda: HostConnected.__name__ in bench.kinds)
        await bench.session.leave()
        await asyncio.wait_for(bench.session.ended(), 5)
        ended = list(bench.kinds)
    assert ended[:3] == [HostConnected.__name__, SparkplugMessage.__name__, HostDisconnected.__name__]


async def test_a_command_without_a_session_is_dropped_and_a_session_that_never_was_has_ended() -> None:
    bench = Bench()
    bench.session.command(Command("spBv1.0/g/NCMD/n", b""))
    await asyncio.wait_for(bench.session.ended(), 5)
    async with running(bench.link.run(), bench.session.run(), bench.session.send()):
        await until(lambda: HostConnected.__name__ in bench.kinds)
    assert bench.kinds == [HostConnected.__name__]


async def test_an_offline_state_that_nobody_acknowledges_is_said_by_the_will() -> None:
    bench = Bench()
    async with running(bench.link.run(), bench.session.run(), bench.session.send()):
        await until(lambda: HostConnected.__name__ in bench.kinds)
        bench.session.announce(bench.presence.will_ms)
        await until(lambda: bench.is_online)
        bench.broker.silence("host")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(bench.session.leave(), 0.1)
        assert not bench.is_online


async def test_what_is_retained_is_published_again_where_the_broker_forgot_the_session() -> None:
    broker = MemoryBroker()
    begun = 0

    async def may_connect() -> bool:
        nonlocal begun
        begun += 1
        return True

    kept = replace(settings("documents"), clean=False, expiry_s=60)
    link = MemoryLink(broker, kept, [], lambda: None, may_connect)
    order = Publication(topic="uns/v1/acme/berlin/order/mo-1", payload=b"{}", qos=1, retain=True)
    asked: list[Publication] = []

    def retained() -> list[Publication]:
        asked.append(order)
        return [order]

    async def enter(entering: Entering) -> None:
        raise AssertionError(entering)

    session = DocumentSession(link, enter, own="", retained=retained)
    async with running(link.run(), session.run(), session.send()):
        await until(lambda: broker.retained(order.topic) is not None)
        broker.publish(replace(order, payload=b""))
        await link.drop()
        await until(lambda: begun == 2)
        await link.drop()
        await until(lambda: begun == 3)
    assert (broker.retained(order.topic), len(asked)) == (None, 1)
