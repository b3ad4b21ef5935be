"""The MES's session over a broker in memory: releases reach it, its documents reach the broker whatever happens."""

from __future__ import annotations

import json

from bridge.broker.link import LinkUp, Message, Publication, Subscription
from bridge.broker.memory import MemoryBroker, MemoryLink
from bridge.simulator.mes_session import MesSession
from ruleset.sample import Plain
from tests.bridge.simulator.listener import running, settings, until

SITE = "acme/berlin"
RELEASE_TOPIC = "uns/v1/acme/berlin/order/mo-1"


class Mes:
    """A MES that only keeps what it receives."""

    def __init__(self, broker: MemoryBroker, resend_s: float = 0) -> None:
        self.received: list[object] = []
        self.session = MesSession(
            site=SITE,
            broker=settings("plant"),
            link=lambda settings, subscriptions, will, may: MemoryLink(broker, settings, subscriptions, will, may),
            received=self._take,
            resend_s=resend_s,
        )

    def _take(self, document: object) -> None:
        self.received.append(document)
        if document == {"bad": True}:
            raise ValueError("not a release")


class Reader:
    """Reads the MES's documents."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.link = MemoryLink(broker, settings("reader"), [Subscription(filter="uns/v1/acme/berlin/+/+/+", qos=1)])
        self.is_up = False
        self.read: list[Plain] = []

    async def run(self) -> None:
        while True:
            match await self.link.next_event():
                case LinkUp():
                    self.is_up = True
                case Message() as message:
                    self.read.append(json.loads(message.payload)["id"])
                    await self.link.acknowledge(message.token)


def release(payload: bytes) -> Publication:
    return Publication(topic=RELEASE_TOPIC, payload=payload, qos=1, retain=True)


async def test_releases_are_received_retained_ones_too_and_unreadable_ones_do_no_harm() -> None:
    broker = MemoryBroker()
    broker.publish(release(b'{"order": "mo-1"}'))
    mes = Mes(broker)
    async with running(mes.session.run()):
        await until(lambda: mes.received == [{"order": "mo-1"}])
        for payload in (b"{", b"", b"[]", b'{"bad": true}', b'{"order": "mo-1", "version": 2}'):
            broker.publish(release(payload))
        await until(lambda: len(mes.received) == 3)

    assert mes.received == [{"order": "mo-1"}, {"bad": True}, {"order": "mo-1", "version": 2}]


async def test_a_release_that_came_while_the_mes_was_away_waits_for_it() -> None:
    broker = MemoryBroker()
    mes = Mes(broker)
    async with running(mes.session.run()):
        broker.publish(release(b'{"order": "mo-1", "version": 1}'))
        await until(lambda: len(mes.received) == 1)
    broker.publish(release(b'{"order": "mo-1", "version": 2}'))
    again = Mes(broker)
    async with running(again.session.run()):
        await until(lambda: {"order": "mo-1", "version": 2} in again.received)


async def test_documents_are_repeated_until_acknowledged_and_stay_in_order() -> None:
    broker = MemoryBroker()
    mes, reader = Mes(broker), Reader(broker)
    async with running(reader.link.run(), reader.run(), mes.session.run()):
        await until(lambda: reader.is_up)
        broker.cut_at_next_publish("plant-mes")
        for id in ("a", "b"):
            await mes.session.send("uns/v1/acme/berlin/packaging/line-1/finished", {"id": id})
        await mes.session.sent()
        broker.stop()
        await mes.session.send("uns/v1/acme/berlin/packaging/line-1/finished", {"id": "c"})
        broker.start()
        await mes.session.sent()
        await until(lambda: "c" in reader.read)

    assert reader.read in (["a", "a", "b", "c"], ["a", "b", "c"])


async def test_what_nobody_read_is_published_until_somebody_does_and_then_in_order() -> None:
    broker = MemoryBroker()
    mes, reader = Mes(broker, resend_s=60), Reader(broker)
    async with running(mes.session.run()):
        for id in ("a", "b"):
            await mes.session.send("uns/v1/acme/berlin/packaging/line-1/finished", {"id": id})
        async with running(reader.link.run(), reader.run()):
            await mes.session.sent()
            await until(lambda: reader.read == ["a", "b"])


async def test_what_was_published_shortly_before_the_link_was_lost_comes_again_before_what_is_new() -> None:
    broker = MemoryBroker()
    mes, reader = Mes(broker, resend_s=60), Reader(broker)
    async with running(reader.link.run(), reader.run(), mes.session.run()):
        await until(lambda: reader.is_up)
        for id in ("a", "b"):
            await mes.session.send("uns/v1/acme/berlin/packaging/line-1/finished", {"id": id})
        await mes.session.sent()
        broker.cut("plant-mes")
        await mes.session.send("uns/v1/acme/berlin/packaging/line-1/finished", {"id": "c"})
        await until(lambda: "c" in reader.read)

    assert reader.read in (["a", "b", "a", "b", "c"], ["a", "b", "c", "a", "b", "c"])
