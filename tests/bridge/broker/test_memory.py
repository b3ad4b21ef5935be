"""What only the broker in memory can be told to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.broker.errors import LinkLost
from bridge.broker.link import Publication, Subscription
from bridge.broker.memory import MemoryBroker, MemoryLink, filter_matches
from tests.bridge.broker.ground import BASE, down, message, put, running, up


@pytest.mark.parametrize(
    ("topic_filter", "topic", "is_meant"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/+", "a/b", True),
        ("a/+", "a", False),
        ("+/b", "a/b", True),
        ("+", "a/b", False),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("#", "a/b", True),
        ("#", "$SYS/uptime", False),
        ("+/uptime", "$SYS/uptime", False),
        ("$SYS/#", "$SYS/uptime", True),
        ("a//c", "a//c", True),
        ("a/+/c", "a//c", True),
    ],
)
def test_a_filter_means_the_topics_of_the_standard(topic_filter: str, topic: str, is_meant: bool) -> None:
    assert filter_matches(topic_filter, topic) is is_meant


async def test_an_acknowledgement_can_be_lost() -> None:
    broker = MemoryBroker()
    link = MemoryLink(broker, replace(BASE, client_id="sender"), [])
    async with running(link):
        await up(link)
        broker.cut_at_next_publish("sender")
        with pytest.raises(LinkLost):
            await put(link, "orders", b"1", retain=True)
        await up(link)
    assert broker.retained("orders") == Publication(topic="orders", payload=b"1", qos=1, retain=True)


async def test_a_stopped_broker_publishes_no_wills() -> None:
    broker = MemoryBroker()
    will = Publication(topic="will", payload=b"gone", qos=1, retain=True)
    link = MemoryLink(broker, replace(BASE, client_id="host"), [], lambda: will)
    async with running(link):
        await up(link)
        broker.stop()
        await down(link)
        assert broker.retained("will") is None


async def test_overlapping_subscriptions_deliver_once_at_the_higher_qos() -> None:
    broker = MemoryBroker()
    filters = [Subscription(filter="#", qos=0), Subscription(filter="orders/+", qos=1)]
    link = MemoryLink(broker, replace(BASE, client_id="host"), filters)
    async with running(link):
        await up(link)
        await put(link, "orders/1", b"first")
        await put(link, "orders/2", b"second")
        found = [await message(link), await message(link)]
    assert [(one.payload, one.qos) for one in found] == [(b"first", 1), (b"second", 1)]
