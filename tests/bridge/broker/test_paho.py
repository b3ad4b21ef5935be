"""What paho's link does beyond the suite: credentials, refusals, restarts and silent brokers."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.broker.errors import PublicationRefused
from bridge.broker.link import LinkDown, LinkSettings, Publication, Subscription
from bridge.broker.paho import PahoLink
from bridge.demo.servers import free_ports
from tests.bridge.broker.ground import BASE, down, event, message, messages, put, running, up
from tests.certificate import Tls
from tests.server_process import HOST
from tests.servers import Mosquitto, StartMosquitto

CONNACK_3 = bytes([0x20, 2, 0, 0])


def to(server: Mosquitto, secret: Path, client_id: str) -> LinkSettings:
    secret.write_text(server.password)
    return replace(BASE, port=server.port, client_id=client_id, user=server.user, password=secret.read_text)


async def test_a_rotated_password_is_taken_at_the_next_connect(mosquitto: Mosquitto, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    link = PahoLink(to(mosquitto, secret, "rotated"), [])
    secret.write_text("an old password")
    async with running(link):
        assert "refused the connection" in (await down(link)).reason
        secret.write_text(mosquitto.password)
        await up(link)


async def test_a_missing_password_file_is_named(mosquitto: Mosquitto, tmp_path: Path) -> None:
    settings = replace(to(mosquitto, tmp_path / "secret", "no-file"), password=(tmp_path / "nowhere").read_text)
    link = PahoLink(settings, [])
    async with running(link):
        assert str(tmp_path / "nowhere") in (await down(link)).reason


async def test_a_certificate_of_an_unknown_authority_is_refused(start_mosquitto: StartMosquitto, tls: Tls) -> None:
    server = start_mosquitto(tls=tls, anonymous=True)
    link = PahoLink(replace(BASE, port=server.port, client_id="tls", tls=True), [])
    async with running(link):
        assert "CERTIFICATE_VERIFY_FAILED" in (await down(link)).reason


async def test_a_port_where_nobody_listens_is_named() -> None:
    settings = replace(BASE, port=free_ports(1)[0], client_id="nobody")
    link = PahoLink(settings, [])
    async with running(link):
        assert (await down(link)).reason.startswith(f"127.0.0.1:{settings.port}: ")


@pytest.mark.parametrize("version", [4, 5])
async def test_a_kept_session_outlives_a_restart_of_the_broker(
    start_mosquitto: StartMosquitto, tmp_path: Path, version: int
) -> None:
    server = start_mosquitto()
    settings = replace(to(server, tmp_path / "secret", "kept"), version=version, clean=False, expiry_s=600)
    link = PahoLink(settings, [Subscription(filter="orders", qos=1)])
    async with running(link):
        await up(link)
        await put(link, "orders", b"1")
        await message(link)
        await asyncio.to_thread(server.restart)
        assert (await up(link)).session_present
        again = await message(link)
    assert (again.payload, again.duplicate) == (b"1", True)


async def test_the_brokers_publish_window_is_told_and_kept_to(start_mosquitto: StartMosquitto, tmp_path: Path) -> None:
    server = start_mosquitto(config={"max_inflight_messages": "3"})
    link = PahoLink(to(server, tmp_path / "secret", "window"), [Subscription(filter="orders", qos=1)])
    async with running(link):
        assert (await up(link)).publish_window == 3
        await asyncio.gather(*(put(link, "orders", b"%d" % number) for number in range(50)))
        assert [one.payload for one in await messages(link, 50)] == [b"%d" % number for number in range(50)]


async def test_a_publication_without_the_right_is_refused(start_mosquitto: StartMosquitto, tmp_path: Path) -> None:
    server = start_mosquitto(acl="user bridge\ntopic read #\ntopic write orders\n")
    link = PahoLink(to(server, tmp_path / "secret", "rights"), [])
    async with running(link):
        await up(link)
        await put(link, "orders", b"1")
        with pytest.raises(PublicationRefused, match="Not authorized"):
            await put(link, "secrets", b"1")


async def test_another_client_of_the_same_id_ends_the_session(mosquitto: Mosquitto, tmp_path: Path) -> None:
    settings = replace(to(mosquitto, tmp_path / "secret", "twin"), first_pause_s=60, longest_pause_s=60)
    first, second = PahoLink(settings, []), PahoLink(settings, [])
    async with running(first):
        await up(first)
        async with running(second):
            assert (await down(first)).reason in (
                "the connection was lost",  # mosquitto may close before it has told why
                "the broker disconnected: Session taken over",
            )


async def test_a_link_that_does_not_read_is_not_taken_for_dead(mosquitto: Mosquitto, tmp_path: Path) -> None:
    will = Publication(topic="patient/will", payload=b"dead", qos=1, retain=False)
    settings = replace(to(mosquitto, tmp_path / "secret", "patient"), keepalive_s=1, timeout_s=0.2, queue_size=1)
    link = PahoLink(settings, [Subscription(filter="patient/data", qos=1)], lambda: will)
    watcher = PahoLink(to(mosquitto, tmp_path / "secret", "watcher"), [Subscription(filter="patient/will", qos=1)])
    async with running(link, watcher):
        await up(link)
        await up(watcher)
        await put(watcher, "patient/data", b"1")
        await put(watcher, "patient/data", b"2")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2.5):  # a broker gives up after 1.5 times the keepalive
                await message(watcher)
        assert [one.payload for one in await messages(link, 2)] == [b"1", b"2"]
        await put(link, "patient/data", b"3")


@asynccontextmanager
async def fake_broker(*answers: bytes) -> AsyncIterator[LinkSettings]:
    """A broker that gives one answer to each packet (or more at once) that it reads, then none."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.read(1000)
            writer.write(answer)
        while await reader.read(1000):
            pass
        writer.close()

    server = await asyncio.start_server(serve, HOST, 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield replace(BASE, port=port, client_id="fake", version=4, first_pause_s=60, longest_pause_s=60)


async def test_a_broker_that_becomes_silent_is_given_up() -> None:
    async with fake_broker(CONNACK_3) as settings:
        link = PahoLink(replace(settings, keepalive_s=1, timeout_s=0.2), [])
        async with running(link):
            await up(link)
            assert (await down(link)).reason.startswith("nothing heard")


async def test_a_broker_that_never_answers_is_given_up() -> None:
    async with fake_broker() as settings:
        link = PahoLink(replace(settings, timeout_s=0.2), [])
        async with running(link):
            assert (await down(link)).reason == "no answer within 0.2 s"


async def test_a_refused_subscription_is_named() -> None:
    async with fake_broker(CONNACK_3, bytes([0x90, 4, 0, 1, 1, 0x80])) as settings:
        link = PahoLink(settings, [Subscription(filter="free", qos=1), Subscription(filter="spBv1.0/#", qos=0)])
        async with running(link):
            found = await event(link)
    assert isinstance(found, LinkDown)
    assert "subscribe spBv1.0/#" in found.reason


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes([0x20, 0]), bytes([0x30, 2, 0, 9])])
async def test_a_server_that_does_not_speak_mqtt_ends_the_session(answer: bytes) -> None:
    async with fake_broker(answer) as settings:
        link = PahoLink(replace(settings, timeout_s=0.5), [])
        async with running(link):
            assert isinstance(await event(link), LinkDown)


async def test_a_link_that_is_cancelled_while_it_connects_ends() -> None:
    async with fake_broker() as settings:
        link = PahoLink(settings, [])
        async with running(link):
            await asyncio.sleep(0)
            await link.drop()


async def test_a_link_that_is_cancelled_before_its_connection_fails_leaves_no_complaint() -> None:
    complaints: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(str(context)))
    asked, may_close = asyncio.Event(), asyncio.Event()

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        asked.set()
        await may_close.wait()
        writer.close()

    async with await asyncio.start_server(hang_up, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        task = asyncio.create_task(PahoLink(replace(BASE, port=port, client_id="cancelled", tls=True), []).run())
        await asyncio.wait_for(asked.wait(), 5)
        task.cancel()
        asyncio.get_running_loop().call_soon(may_close.set)
        await asyncio.wait({task}, timeout=5)
    assert task.cancelled()
    del task
    gc.collect()
    assert complaints == []
