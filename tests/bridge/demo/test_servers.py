"""The demo's embedded broker and store do what the bridge asks of a broker and a store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis.asyncio

from bridge.broker.link import LinkSettings, Publication, Subscription
from bridge.broker.paho import PahoLink
from bridge.demo.servers import (
    EmbeddedBroker,
    EmbeddedStore,
    MosquittoBroker,
    embedded_broker,
    embedded_store,
    installed,
    mosquitto_broker,
)
from tests.bridge.broker.ground import BASE, down, message, messages, put, running, up

pytestmark = pytest.mark.embedded


@pytest.fixture
async def broker() -> AsyncIterator[EmbeddedBroker]:
    async with embedded_broker() as running_broker:
        yield running_broker


def to(broker: EmbeddedBroker | MosquittoBroker, client_id: str, version: int = 5) -> LinkSettings:
    port = broker.port(version) if isinstance(broker, EmbeddedBroker) else broker.port_5
    return replace(
        BASE, port=port, client_id=client_id, version=version, user=broker.user, password=lambda: broker.password
    )


@pytest.mark.parametrize("version", [4, 5])
async def test_the_broker_passes_messages_between_versions(broker: EmbeddedBroker, version: int) -> None:
    host = PahoLink(to(broker, "host", version), [Subscription(filter="spBv1.0/#", qos=1)])
    node = PahoLink(to(broker, "node", 9 - version), [])
    async with running(host, node):
        await up(host)
        await up(node)
        for number in range(300):
            await put(node, "spBv1.0/G/NDATA/N", b"%d" % number, qos=number % 2)
        found = await messages(host, 300)
    assert [one.payload for one in found] == [b"%d" % number for number in range(300)]


@pytest.mark.parametrize("version", [4, 5])
async def test_the_broker_takes_a_birth_of_a_megabyte(broker: EmbeddedBroker, version: int) -> None:
    link = PahoLink(to(broker, "big", version), [Subscription(filter="#", qos=1)])
    async with running(link):
        await up(link)
        await put(link, "spBv1.0/G/NBIRTH/N", bytes(1_000_000), qos=0)
        assert len((await message(link)).payload) == 1_000_000


@pytest.mark.parametrize("version", [4, 5])
async def test_the_broker_keeps_retained_messages_and_publishes_wills(broker: EmbeddedBroker, version: int) -> None:
    will = Publication(topic="spBv1.0/STATE/host", payload=b"offline", qos=1, retain=True)
    stuck = replace(to(broker, "host", version), keepalive_s=1)
    host = PahoLink(stuck, [], lambda: will)
    async with running(host):
        await up(host)
        await put(host, "spBv1.0/STATE/host", b"online", retain=True)
        watcher = PahoLink(to(broker, "watcher", version), [Subscription(filter="spBv1.0/STATE/+", qos=1)])
        async with running(watcher):
            found = await message(watcher)
            assert (found.payload, found.retain) == (b"online", True)
            twin = PahoLink(replace(stuck, first_pause_s=60, longest_pause_s=60), [])
            async with running(twin):
                assert (await message(watcher)).payload == b"offline"


@pytest.mark.parametrize("version", [4, 5])
async def test_the_broker_delivers_again_what_was_not_acknowledged(broker: EmbeddedBroker, version: int) -> None:
    settings = replace(to(broker, "documents", version), clean=False, expiry_s=600)
    link = PahoLink(settings, [Subscription(filter="orders", qos=1)])
    async with running(link):
        await up(link)
        await put(link, "orders", b"1")
        await message(link)
        await link.drop()
        assert (await up(link)).session_present
        assert (await message(link)).payload == b"1"


async def test_the_broker_refuses_a_wrong_password(broker: EmbeddedBroker) -> None:
    settings = replace(to(broker, "intruder"), password=lambda: "wrong")
    link = PahoLink(settings, [])
    async with running(link):
        await down(link)


async def test_the_broker_can_be_restarted_on_its_ports(broker: EmbeddedBroker) -> None:
    link = PahoLink(to(broker, "host"), [])
    async with running(link):
        await up(link)
        await broker.restart()
        await up(link)


@pytest.mark.mosquitto
async def test_mosquitto_keeps_sessions_and_retained_messages_when_it_is_stopped() -> None:
    binary = installed("mosquitto")
    assert binary is not None, "install the Debian package mosquitto"
    async with mosquitto_broker(binary) as broker:
        settings = replace(to(broker, "documents"), clean=False, expiry_s=600)
        subscriptions = [Subscription(filter="orders/+", qos=1)]
        before = PahoLink(settings, subscriptions)
        async with running(before):
            await up(before)
        publisher = PahoLink(to(broker, "mes"), [])
        async with running(publisher):
            await up(publisher)
            await put(publisher, "orders/1", b"kept")
            await put(publisher, "state", b"retained", retain=True)
        await broker.stop()
        await broker.start()
        link = PahoLink(settings, [*subscriptions, Subscription(filter="state", qos=1)])
        async with running(link):
            assert (await up(link)).session_present
            assert {one.payload for one in await messages(link, 2)} == {b"kept", b"retained"}


async def write_and_read(store: EmbeddedStore, *, write: bool) -> str:
    async with redis.asyncio.Redis.from_url(store.url, decode_responses=True) as client:
        if write:
            await client.set("fact", "kept")
        return str(await client.get("fact"))


async def test_the_store_keeps_what_was_written_before_it_was_killed() -> None:
    async with embedded_store() as store:
        await write_and_read(store, write=True)
        await store.kill()
        await store.start()
        assert await write_and_read(store, write=False) == "kept"


async def test_the_store_keeps_its_data_in_a_folder_that_is_given(tmp_path: Path) -> None:
    async with embedded_store(tmp_path / "store") as store:
        await write_and_read(store, write=True)
    async with embedded_store(tmp_path / "store") as store:
        assert await write_and_read(store, write=False) == "kept"


async def test_the_store_is_durable_and_asks_for_a_password() -> None:
    async with embedded_store() as store:
        async with redis.asyncio.Redis.from_url(store.url) as client:
            found = {
                key: (await client.config_get(key))[key]
                for key in ("appendonly", "appendfsync", "maxmemory-policy", "bind")
            }
        reader, writer = await asyncio.open_connection(store.host, store.port)
        writer.write(b"PING\r\n")
        assert (await reader.readline()).startswith(b"-NOAUTH")
        writer.close()
    assert found == {
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory-policy": "noeviction",
        "bind": "127.0.0.1",
    }


async def test_a_store_that_is_paused_answers_what_it_was_asked_meanwhile_when_it_goes_on() -> None:
    async with embedded_store() as store:
        pause = asyncio.create_task(store.child.pause(0.3))
        await asyncio.sleep(0)
        asked = asyncio.create_task(write_and_read(store, write=True))
        await asyncio.wait([pause, asked], return_when=asyncio.FIRST_COMPLETED)
        assert (pause.done(), asked.done()) == (True, False)
        assert await asked == "kept"


async def test_a_store_that_ended_by_itself_is_revived_on_its_data_and_one_that_runs_is_left_alone() -> None:
    async with embedded_store() as store:
        await write_and_read(store, write=True)
        await store.child.revive()
        await store.kill()
        await store.child.revive()
        assert await write_and_read(store, write=False) == "kept"


@pytest.mark.mosquitto
async def test_a_mosquitto_that_forgets_knows_no_session_and_nothing_retained() -> None:
    binary = installed("mosquitto")
    assert binary is not None, "install the Debian package mosquitto"
    async with mosquitto_broker(binary) as broker:
        settings = replace(to(broker, "documents"), clean=False, expiry_s=600)
        before = PahoLink(settings, [Subscription(filter="state", qos=1)])
        async with running(before):
            await up(before)
            await put(before, "state", b"retained", retain=True)
        await broker.kill()
        broker.forget()
        await broker.start()
        after = PahoLink(settings, [])
        async with running(after):
            assert not (await up(after)).session_present
