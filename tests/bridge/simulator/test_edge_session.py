"""The session of a simulated edge node over a broker in memory: births, store and forward, deaths."""

from __future__ import annotations

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from bridge.broker.memory import MemoryBroker, MemoryLink
from bridge.simulator.edge_session import EdgeSession, LinkFactory, define_node
from sparkplug.fact import DataSet, NodeId
from tests.bridge.simulator.listener import HOST, Listener, running, say_state, settings, until

NODE = NodeId("acme-berlin", "machining")
CLIENT = "plant-acme-berlin-machining"


class ManualClock:
    """Shows what it was set to."""

    def __init__(self) -> None:
        self.at_ms = 1_000_000

    def now_ms(self) -> int:
        return self.at_ms


def to(broker: MemoryBroker) -> LinkFactory:
    return lambda settings, subscriptions, will, may: MemoryLink(broker, settings, subscriptions, will, may)


def session(broker: MemoryBroker, clock: ManualClock, *, resend_ms: int = 0) -> EdgeSession:
    """A node with one press that counts."""
    node = define_node(
        NODE,
        {
            None: {"Rows": DataSet(columns=("id",), rows=())},
            "press-1": {"Counters/Good": 0, "State": "IDLE", "Ok": True},
        },
        primary_host=HOST,
    )
    return EdgeSession(
        node,
        broker=settings("plant"),
        link=to(broker),
        clock=clock,
        resend_ms=resend_ms,
    )


def walking(brokers: list[MemoryBroker], clock: ManualClock, *, patience_s: float) -> EdgeSession:
    """A node with a counter that knows several servers, and waits so long for its host on each."""
    places = [replace(settings("plant"), port=port) for port in range(len(brokers))]
    return EdgeSession(
        define_node(NODE, {"press-1": {"Counters/Good": 0}}, primary_host=HOST),
        broker=places[0],
        others=places[1:],
        link=lambda asked, subscriptions, will, may: MemoryLink(brokers[asked.port], asked, subscriptions, will, may),
        clock=clock,
        patience_s=patience_s,
    )


async def count(edge: EdgeSession, clock: ManualClock, *counts: int) -> None:
    for each in counts:
        clock.at_ms += 10
        await edge.report("press-1", {"Counters/Good": each}, clock.at_ms)


async def test_a_node_is_born_when_its_host_is_online_and_then_sends_each_change() -> None:
    broker, clock = MemoryBroker(), ManualClock()
    listener, edge = Listener(broker), session(broker, clock)
    async with running(listener.link.run(), listener.run(), edge.run()):
        say_state(broker, online=True, at_ms=1)
        await until(lambda: edge.node.is_online)
        await count(edge, clock, 1, 2)
        await until(lambda: len(listener.values("Counters/Good")) == 3)

    assert listener.values("Counters/Good") == [(0, False), (1, False), (2, False)]
    assert listener.values("Ok") == [(True, False)]
    assert listener.findings == []


async def test_what_happens_while_the_host_is_offline_comes_later_as_history_in_order() -> None:
    broker, clock = MemoryBroker(), ManualClock()
    listener, edge = Listener(broker), session(broker, clock)
    async with running(listener.link.run(), listener.run(), edge.run()):
        say_state(broker, online=True, at_ms=1)
        await until(lambda: edge.node.is_online)
        await count(edge, clock, 1)
        say_state(broker, online=False, at_ms=2)
        await until(lambda: not edge.node.is_online)
        await count(edge, clock, 2, 3, 4)
        assert edge.node.stored == 3
        say_state(broker, online=True, at_ms=3)
        await until(lambda: len(listener.values("Counters/Good", birth=False)) == 4)

    assert listener.values("Counters/Good", birth=False) == [(1, False), (2, True), (3, True), (4, True)]
    assert listener.values("Counters/Good", birth=True) == [(0, False), (4, False)]
    assert listener.turns == ["online", "offline", "online"]
    assert listener.findings == []


async def test_nothing_is_lost_while_the_link_is_cut() -> None:
    broker, clock = MemoryBroker(), ManualClock()
    listener, edge = Listener(broker), session(broker, clock)
    async with running(listener.link.run(), listener.run(), edge.run()):
        say_state(broker, online=True, at_ms=1)
        await until(lambda: edge.node.is_online)
        await count(edge, clock, 1)
        await until(lambda: len(listener.values("Counters/Good")) == 2)
        broker.cut(CLIENT)
        await count(edge, clock, 2, 3)
        await until(lambda: (3, True) in listener.values("Counters/Good"))

    assert [value for value, _ in listener.values("Counters/Good", birth=False)] == [1, 2, 3]


async def test_what_was_handed_over_when_the_link_was_cut_is_stored_again() -> None:
    broker, clock = MemoryBroker(), ManualClock()
    listener, edge = Listener(broker), session(broker, clock)
    async with running(listener.link.run(), listener.run(), edge.run()):
        say_state(broker, online=True, at_ms=1)
        await until(lambda: bool(listener.values("Counters/Good", birth=True)))
        broker.cut_at_next_publish(CLIENT)
        await count(edge, clock, 1, 2)
        await until(lambda: (2, True) in listener.values("Counters/Good", birth=False))

    counted = [value for value, _ in listener.values("Counters/Good", birth=False)]
    assert counted == [1, 1, 2]


async def test_a_node_that_resends_sends_again_what_it_sent_shortly_before_its_link_was_lost() -> None:
    broker, clock = MemoryBroker(), ManualClock()
    listener, edge = Listener(broker), session(broker, clock, resend_ms=25)
    async with running(listener.link.run(), listener.run(), edge.run()):
        say_state(broker, online=True, at_ms=1)
        await until(lambda: edge.node.is_online)
        await count(edge, clock, 1, 2, 3, 4)
        await until(lambda: len(listener.values("Counters/Good", birth=False)) == 4)
        broker.cut(CLIENT)
        await until(lambda: (4, True) in listener.values("Counters/Good", birth=False))

    assert [value for value, is_history in listener.values("Counters/Good", birth=False) if is_history] == [2, 3, 4]


async def test_history_counts_as_sent_when_it_is_sent_and_not_when_it_happened() -> None:
    broker, clock = MemoryBroker(), ManualClock()
    listener, edge = Listener(broker), session(broker, clock, resend_ms=25)
    async with running(listener.link.run(), listener.run(), edge.run()):
        await count(edge, clock, 1, 2, 3, 4)
        say_state(broker, online=True, at_ms=1)
        await until(lambda: len(listener.values("Counters/Good", birth=False)) == 4)
        say_state(broker, online=False, at_ms=2)
        await until(lambda: not edge.node.is_online)
        say_state(broker, online=True, at_ms=3)
        await until(lambda: len(listener.values("Counters/Good", birth=False)) == 8)

    assert [value for value, _ in listener.values("Counters/Good", birth=False)] == [1, 2, 3, 4, 1, 2, 3, 4]


async def test_what_does_not_fit_into_its_store_is_dropped_from_the_oldest_on_and_told_once() -> None:
    broker, clock = MemoryBroker(), ManualClock()
    node = define_node(NODE, {"press-1": {"Counters/Good": 0}}, primary_host=HOST, buffer_limit=2)
    edge = EdgeSession(node, broker=settings("plant"), link=to(broker), clock=clock)
    listener = Listener(broker)
    with capture_logs() as logs:
        async with running(listener.link.run(), listener.run(), edge.run()):
            await count(edge, clock, 1, 2, 3, 4, 5)
            say_state(broker, online=True, at_ms=1)
            await until(lambda: len(listener.values("Counters/Good", birth=False)) == 2)
            await count(edge, clock, 6)
            await until(lambda: len(listener.values("Counters/Good", birth=False)) == 3)

    assert [value for value, _ in listener.values("Counters/Good", birth=False)] == [4, 5, 6]
    assert [line["updates"] for line in logs if line["event"] == "edge.history_dropped"] == [3]


async def test_a_cut_in_the_middle_of_the_history_loses_none_of_it() -> None:
    broker, clock = MemoryBroker(), ManualClock()
    listener, edge = Listener(broker), session(broker, clock)
    async with running(listener.link.run(), listener.run(), edge.run()):
        await until(lambda: edge.node.next_bd_seq == 1)
        await count(edge, clock, 1, 2, 3)
        broker.cut_at_next_publish(CLIENT)
        say_state(broker, online=True, at_ms=1)
        await until(lambda: (3, True) in listener.values("Counters/Good", birth=False))

    assert [value for value, _ in listener.values("Counters/Good", birth=False)] == [1, 2, 3]


async def test_a_node_that_is_stopped_says_its_death() -> None:
    broker, clock = MemoryBroker(), ManualClock()
    listener, edge = Listener(broker), session(broker, clock)
    async with running(listener.link.run(), listener.run()):
        async with running(edge.run()):
            say_state(broker, online=True, at_ms=1)
            await until(lambda: listener.turns == ["online"])
        await until(lambda: listener.turns == ["online", "offline"])


# Several servers


@pytest.mark.spec("tck-id-operational-behavior-primary-application-state-with-multiple-servers-walk")
@pytest.mark.spec("tck-id-operational-behavior-primary-application-state-with-multiple-servers-single-server")
@pytest.mark.spec("tck-id-operational-behavior-edge-node-termination-host-offline-reconnect")
async def test_a_node_goes_to_the_next_server_when_its_host_goes_offline_and_takes_along_what_it_stored() -> None:
    brokers, clock = [MemoryBroker(), MemoryBroker()], ManualClock()
    here, there, edge = Listener(brokers[0]), Listener(brokers[1]), walking(brokers, clock, patience_s=60)
    async with running(here.link.run(), here.run(), there.link.run(), there.run(), edge.run()):
        say_state(brokers[0], online=True, at_ms=50)
        await until(lambda: here.turns == ["online"])
        say_state(brokers[0], online=False, at_ms=60)
        await until(lambda: here.turns == ["online", "offline"])
        await count(edge, clock, 1, 2)
        say_state(brokers[1], online=True, at_ms=1)  # of another session than the first server's
        await until(lambda: (2, True) in there.values("Counters/Good", birth=False))
        await count(edge, clock, 3)
        await until(lambda: (3, False) in there.values("Counters/Good", birth=False))

    assert here.turns == ["online", "offline"]
    assert there.turns == ["online"]
    assert [value for value, _ in there.values("Counters/Good", birth=False)] == [1, 2, 3]
    assert here.findings == there.findings == []


async def test_a_node_looks_for_its_host_on_all_servers_also_where_none_answers() -> None:
    brokers, clock = [MemoryBroker(), MemoryBroker(), MemoryBroker()], ManualClock()
    listener, edge = Listener(brokers[0]), walking(brokers, clock, patience_s=0.05)
    brokers[1].stop()
    say_state(brokers[0], online=False, at_ms=1)
    async with running(listener.link.run(), listener.run(), edge.run()):
        await until(lambda: edge.node.next_bd_seq > 4)  # it has been everywhere
        say_state(brokers[0], online=True, at_ms=2)
        await until(lambda: listener.turns == ["online"])
        await count(edge, clock, 1)
        await until(lambda: (1, False) in listener.values("Counters/Good", birth=False))

    assert listener.findings == []


async def test_a_node_on_its_only_server_waits_there_for_its_host() -> None:
    broker, clock = MemoryBroker(), ManualClock()
    listener, edge = Listener(broker), session(broker, clock)
    say_state(broker, online=False, at_ms=1)
    async with running(listener.link.run(), listener.run(), edge.run()):
        await count(edge, clock, 1)
        await until(lambda: edge.node.next_bd_seq == 1)
        say_state(broker, online=True, at_ms=2)
        await until(lambda: (1, True) in listener.values("Counters/Good", birth=False))

    assert edge.node.next_bd_seq == 1
