"""The suite that every broker link passes: in memory, and paho on mosquitto (5, 3.1.1, TLS)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from bridge.broker.errors import LinkLost, Unheard
from bridge.broker.link import Message, Publication
from tests.bridge.broker.ground import Room, down, event, message, messages, put, running, up


def numbered_wills(topic: str) -> Callable[[], Publication]:
    """Wills whose payload counts the CONNECTs."""
    numbers = iter(range(1, 1000))
    return lambda: Publication(topic=topic, payload=b"session %d" % next(numbers), qos=1, retain=False)


async def test_messages_arrive_in_the_order_of_their_publication(room: Room) -> None:
    link = room.ground.link(room.settings("host"), [room.subscription()])
    async with running(link), room.publisher() as publisher:
        await up(link)
        for number in range(20):
            await put(publisher, room.topic(f"line/{number % 3}"), b"%d" % number, qos=number % 2)
        found = [await message(link) for _ in range(20)]
    assert [one.payload for one in found] == [b"%d" % number for number in range(20)]
    assert [one.qos for one in found] == [0, 1] * 10
    assert [bool(one.token) for one in found] == [False, True] * 10
    assert not any(one.retain or one.duplicate for one in found)


async def test_a_message_carries_its_topic_and_every_byte(room: Room) -> None:
    link = room.ground.link(room.settings("host"), [room.subscription("+/käse")])
    payload = bytes(range(256)) * 400
    async with running(link), room.publisher() as publisher:
        await up(link)
        await put(publisher, room.topic("other"), b"not meant")
        await put(publisher, room.topic("line/käse"), payload)
        found = await message(link)
    assert (found.topic, found.payload) == (room.topic("line/käse"), payload)


async def test_what_is_to_be_heard_does_not_count_where_nobody_reads_it(room: Room) -> None:
    heard = Publication(topic=room.topic("line/fact"), payload=b"1", qos=1, retain=False, heard=True)
    reader = room.ground.link(room.settings("host"), [room.subscription()])
    async with room.publisher() as publisher:
        if room.ground.version == 5:
            with pytest.raises(Unheard):
                await publisher.publish(heard)
        async with running(reader):
            await up(reader)
            await publisher.publish(heard)
            assert (await message(reader)).payload == b"1"


async def test_the_link_is_up_before_what_the_session_delivers(room: Room) -> None:
    async with room.publisher() as publisher:
        await put(publisher, room.topic("state"), b"kept", retain=True)
        link = room.ground.link(room.settings("host"), [room.subscription()])
        async with running(link):
            first, second = await event(link), await event(link)
    assert not isinstance(first, Message)
    assert isinstance(second, Message)
    assert (second.payload, second.retain) == (b"kept", True)


async def test_an_empty_retained_message_removes_the_retained_one(room: Room) -> None:
    async with room.publisher() as publisher:
        await put(publisher, room.topic("state"), b"kept", retain=True)
        await put(publisher, room.topic("state"), b"", retain=True)
        link = room.ground.link(room.settings("host"), [room.subscription()])
        async with running(link):
            await up(link)
            await put(publisher, room.topic("end"), b"end")
            assert (await message(link)).payload == b"end"


async def test_what_was_not_acknowledged_comes_again_in_a_kept_session(room: Room) -> None:
    link = room.ground.link(room.kept("documents"), [room.subscription()])
    async with running(link), room.publisher() as publisher:
        assert not (await up(link)).session_present
        for payload in (b"1", b"2", b"3"):
            await put(publisher, room.topic("order"), payload)
        first, *_ = [await message(link) for _ in range(3)]
        await link.acknowledge(first.token)
        await put(link, room.topic("end"), b"end")  # its acknowledgement shows that the broker has ours
        await message(link)
        room.ground.cut(room.kept("documents").client_id)
        await down(link)
        assert (await up(link)).session_present
        again = [await message(link) for _ in range(3)]
    assert [(one.payload, one.duplicate) for one in again] == [(b"2", True), (b"3", True), (b"end", True)]


async def test_a_kept_session_holds_back_what_comes_while_the_line_is_down(room: Room) -> None:
    link = room.ground.link(room.kept("documents"), [room.subscription()])
    async with running(link):
        await up(link)
    async with room.publisher() as publisher:
        await put(publisher, room.topic("order"), b"later")
        link = room.ground.link(room.kept("documents"), [room.subscription()])
        async with running(link):
            assert (await up(link)).session_present
            assert (await messages(link, 1))[0].payload == b"later"


async def test_a_clean_session_starts_with_nothing(room: Room) -> None:
    link = room.ground.link(room.settings("host"), [room.subscription()])
    async with running(link), room.publisher() as publisher:
        await up(link)
        await put(publisher, room.topic("old"), b"old")
        await message(link)
        room.ground.cut(room.settings("host").client_id)
        await down(link)
        assert not (await up(link)).session_present
        await put(publisher, room.topic("new"), b"new")
        assert (await message(link)).payload == b"new"


async def test_a_token_of_an_old_session_acknowledges_nothing(room: Room) -> None:
    link = room.ground.link(room.kept("documents"), [room.subscription()])
    async with running(link), room.publisher() as publisher:
        await up(link)
        await put(publisher, room.topic("order"), b"1")
        old = await message(link)
        room.ground.cut(room.kept("documents").client_id)
        await up(link)
        new = await message(link)
        await link.acknowledge(old.token)
        await put(link, room.topic("end"), b"end")
        room.ground.cut(room.kept("documents").client_id)
        await up(link)
        assert (await message(link)).payload == b"1"
    assert new.token != old.token


async def test_the_will_is_published_when_the_line_is_cut_and_is_new_at_each_connect(room: Room) -> None:
    settings = room.settings("host")
    link = room.ground.link(settings, will=numbered_wills(room.topic("will")))
    async with room.watcher("will") as watcher, running(link):
        await up(link)
        room.ground.cut(settings.client_id)
        assert (await message(watcher)).payload == b"session 1"
        await up(link)
        room.ground.cut(settings.client_id)
        assert (await message(watcher)).payload == b"session 2"


async def test_a_link_that_is_cancelled_leaves_without_a_will(room: Room) -> None:
    link = room.ground.link(room.settings("host"), will=numbered_wills(room.topic("will")))
    async with room.watcher("#") as watcher, room.publisher() as publisher:
        async with running(link):
            await up(link)
        await put(publisher, room.topic("end"), b"end")
        assert (await message(watcher)).payload == b"end"


async def test_a_link_that_does_not_read_leaves_without_a_will_all_the_same(room: Room) -> None:
    settings = replace(room.settings("host"), queue_size=2)
    link = room.ground.link(settings, [room.subscription("flood", 0)], numbered_wills(room.topic("will")))
    async with room.watcher("will") as watcher, room.publisher() as publisher:
        async with running(link):
            await up(link)
            for _ in range(200):
                await put(publisher, room.topic("flood"), bytes(1000), qos=0)
        await put(publisher, room.topic("will"), b"end")
        assert (await message(watcher)).payload == b"end"


async def test_a_dropped_session_ends_cleanly_and_is_followed_by_one_with_a_new_will(room: Room) -> None:
    settings = room.settings("host")
    link = room.ground.link(settings, will=numbered_wills(room.topic("will")))
    async with room.watcher("will") as watcher, running(link):
        await up(link)
        await link.drop()
        assert (await down(link)).reason == "dropped"
        await up(link)
        room.ground.cut(settings.client_id)
        assert (await message(watcher)).payload == b"session 2"


async def test_a_session_dropped_with_its_will_leaves_it_to_the_broker_and_is_followed_by_another(room: Room) -> None:
    link = room.ground.link(room.settings("host"), will=numbered_wills(room.topic("will")))
    async with room.watcher("will") as watcher, running(link):
        await up(link)
        await link.drop(with_will=True)
        assert (await down(link)).reason == "dropped"
        assert (await message(watcher)).payload == b"session 1"
        await up(link)


async def test_a_clean_end_leaves_the_will_where_it_is_asked_for_and_the_version_of_mqtt_can_say_so(room: Room) -> None:
    settings = replace(room.settings("node"), will_at_end=True)
    link = room.ground.link(settings, will=numbered_wills(room.topic("will")))
    async with room.watcher("will") as watcher, room.publisher() as publisher:
        async with running(link):
            await up(link)
        await put(publisher, room.topic("will"), b"end")
        assert (await message(watcher)).payload == (b"session 1" if room.ground.version == 5 else b"end")


async def test_the_pauses_do_not_grow_while_sessions_last(room: Room) -> None:
    settings = replace(room.settings("host"), longest_pause_s=60, steady_s=0)
    link = room.ground.link(settings)
    async with running(link):
        for _ in range(12):  # the twelfth pause would be 20 s at the least
            await up(link)
            room.ground.cut(settings.client_id)


async def test_a_link_that_may_not_connect_asks_again(room: Room) -> None:
    asked: list[int] = []

    async def may_connect() -> bool:
        asked.append(1)
        return len(asked) > 2

    link = room.ground.link(room.settings("host"), may_connect=may_connect)
    async with running(link):
        with pytest.raises(LinkLost):
            await put(link, room.topic("early"), b"")
        await up(link)
    assert len(asked) == 3


async def test_a_publication_on_a_line_that_is_down_is_lost_at_once(room: Room) -> None:
    link = room.ground.link(room.settings("host"))
    async with running(link):
        await up(link)
        room.ground.line_down()
        await down(link)
        with pytest.raises(LinkLost):
            await put(link, room.topic("order"), b"1")
        room.ground.line_up()
        await up(link)
        await put(link, room.topic("order"), b"1")


async def test_a_link_goes_on_trying_while_the_line_is_down(room: Room) -> None:
    room.ground.line_down()
    link = room.ground.link(room.settings("host"))
    async with running(link):
        await down(link)
        await down(link)
        room.ground.line_up()
        await up(link)


@pytest.mark.parametrize("queue_size", [1, 3])
async def test_a_full_queue_stops_the_reading_and_drops_nothing(room: Room, queue_size: int) -> None:
    settings = replace(room.kept("documents"), queue_size=queue_size, receive_maximum=10)
    link = room.ground.link(settings, [room.subscription()])
    async with running(link), room.publisher() as publisher:
        await up(link)
        for burst in range(10):
            payloads = [b"%d" % (burst * 100 + number) for number in range(100)]
            await asyncio.gather(*(put(publisher, room.topic("order"), payload) for payload in payloads))
        found = await messages(link, 1000)
    assert [one.payload for one in found] == [b"%d" % number for number in range(1000)]


async def test_a_publication_is_acknowledged_although_the_queue_is_full(room: Room) -> None:
    link = room.ground.link(replace(room.settings("host"), queue_size=1), [room.subscription()])
    async with running(link), room.publisher() as publisher:
        await up(link)
        for number in range(20):
            await put(publisher, room.topic("order"), b"%d" % number)
        await put(link, room.topic("order"), b"20")
        assert [one.payload for one in await messages(link, 21)] == [b"%d" % number for number in range(21)]


async def test_many_publications_at_once_are_all_acknowledged_in_order(room: Room) -> None:
    link = room.ground.link(room.settings("host"))
    async with running(link), room.watcher("#") as watcher:
        await up(link)
        await asyncio.gather(*(put(link, room.topic("order"), b"%d" % number) for number in range(500)))
        found = await messages(watcher, 500)
    assert [one.payload for one in found] == [b"%d" % number for number in range(500)]
