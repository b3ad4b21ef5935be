"""What the doctor says of a broker; on a real mosquitto, that a look leaves nothing behind and takes nothing away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from bridge.broker.errors import LinkLost, SessionRefused
from bridge.broker.link import LinkSettings, Subscription
from bridge.broker.paho import PahoLink
from bridge.doctor.broker import (
    BrokerSeen,
    examine_broker,
    examine_documents,
    examine_state,
    refusal,
    see_broker,
    see_documents,
)
from bridge.doctor.finding import Level, Place
from bridge.settings.broker import BrokerSettings
from sparkplug.wire.state import HostState, encode_state
from tests.bridge.broker.ground import BASE, message, put, running, up
from tests.certificate import Tls
from tests.servers import Mosquitto, StartMosquitto

PLACE = Place("broker", "b:1883")
WITH_USER = BrokerSettings(user="bridge")
STATE = "spBv1.0/STATE/doctored"
ONLINE, OFFLINE = (encode_state(HostState(online, 1)) for online in (True, False))
NOW_MS = 1_800_000_000_000


def to(server: Mosquitto, client_id: str, *, clean: bool = True, version: int = 5) -> LinkSettings:
    given = replace(BASE, port=server.port, client_id=client_id, version=version, clean=clean)
    expiry_s = 0 if clean else 3600
    return replace(given, user=server.user, password=lambda: server.password, expiry_s=expiry_s)


@pytest.mark.parametrize(
    ("state", "leads", "level"),
    [
        (ONLINE, True, Level.OK),
        (OFFLINE, True, Level.WRONG),
        (None, True, Level.WRONG),
        (ONLINE, False, Level.WARNING),
        (OFFLINE, False, Level.OK),
        (None, False, Level.OK),
        (ONLINE, None, Level.OK),
        (b"ONLINE", True, Level.WRONG),
    ],
)
def test_the_state_of_our_host_must_be_what_the_lease_says(
    state: bytes | None, leads: bool | None, level: Level
) -> None:
    assert examine_state(PLACE, "host", state, leads).level is level


@pytest.mark.parametrize(
    ("limits", "warned"),
    [
        ({}, []),
        ({"MaximumPacketSize": 1_000_000}, []),
        ({"MaximumPacketSize": 20_480}, ["it takes messages of 20480 bytes at most"]),
        ({"MaximumQoS": 0}, ["it takes nothing at QoS 1"]),
        ({"RetainAvailable": 0}, ["it retains nothing"]),
    ],
)
def test_limits_that_the_bridge_cannot_live_with_are_told(limits: Mapping[str, int], warned: list[str]) -> None:
    found = examine_broker(PLACE, BrokerSeen(limits=limits, certificate={}), WITH_USER, now_ms=NOW_MS)
    assert [one.text for one in found if one.level is not Level.OK] == warned


@pytest.mark.parametrize(
    ("ends", "level"), [("Jan 20 08:00:00 2027 GMT", Level.WARNING), ("Jan 20 08:00:00 2028 GMT", Level.OK)]
)
def test_a_certificate_is_to_be_renewed_two_weeks_before_its_end(ends: str, level: Level) -> None:
    seen = BrokerSeen(limits={}, certificate={"notAfter": ends})
    (found,) = (one for one in examine_broker(PLACE, seen, WITH_USER, now_ms=NOW_MS) if "certificate" in one.text)
    assert found.level is level


def test_a_broker_without_a_log_in_is_warned_of() -> None:
    first, *_ = examine_broker(PLACE, BrokerSeen(limits={}, certificate={}), BrokerSettings(), now_ms=NOW_MS)
    assert (first.level, first.text) == (Level.WARNING, "takes our session: MQTT 5, without TLS, without a log-in")


def test_a_refused_log_in_is_no_unreachable_broker() -> None:
    refused = refusal(PLACE, SessionRefused("the broker refused the connection: Not authorized"), WITH_USER)
    away = refusal(PLACE, LinkLost("b:1883: Connection refused"), WITH_USER)
    assert [(one.level, one.unreachable) for one in (refused, away)] == [(Level.WRONG, False), (Level.WRONG, True)]


def test_a_persistent_session_that_a_bridge_may_use_is_not_looked_at() -> None:
    found = [examine_documents(PLACE, *seen).level for seen in ((True, False), (False, False), (None, True))]
    assert found == [Level.OK, Level.WARNING, Level.OK]
    assert examine_documents(PLACE, None, None).level is Level.WARNING


@pytest.mark.mosquitto
@pytest.mark.parametrize("version", [4, 5])
async def test_the_retained_state_is_seen_although_more_is_subscribed(mosquitto: Mosquitto, version: int) -> None:
    link = PahoLink(to(mosquitto, f"states-{version}"), [])
    async with running(link):
        await up(link)
        await put(link, STATE, ONLINE, retain=True)
        seen = await see_broker(to(mosquitto, f"doctor-{version}", version=version), STATE, ["spBv1.0/#", "uns/#"])
        await put(link, STATE, b"", retain=True)
        gone = await see_broker(to(mosquitto, f"doctor-{version}", version=version), STATE, [])
    assert (seen.state, seen.refused, gone.state) == (ONLINE, "", None)


def test_what_may_not_be_subscribed_to_is_told() -> None:
    refused = "the broker refused to subscribe uns/# (Not authorized)"
    *_, found = examine_broker(PLACE, BrokerSeen(limits={}, certificate={}, refused=refused), WITH_USER, now_ms=NOW_MS)
    assert found == PLACE.wrong(refused, "allow it to this user at the server")


@pytest.mark.mosquitto
@pytest.mark.parametrize("version", [4, 5])
async def test_a_session_that_was_not_there_is_not_there_after_the_look(mosquitto: Mosquitto, version: int) -> None:
    settings = to(mosquitto, f"documents-new-{version}", clean=False, version=version)
    assert [await see_documents(settings) for _ in range(3)] == [False, False, False]


@pytest.mark.mosquitto
@pytest.mark.parametrize("version", [4, 5])
async def test_what_waits_in_the_session_waits_after_the_look(mosquitto: Mosquitto, version: int) -> None:
    settings = to(mosquitto, f"documents-{version}", clean=False, version=version)
    topic = f"doctor/{version}/waits"
    subscriptions = [Subscription(filter=topic, qos=1)]
    link = PahoLink(settings, subscriptions)
    async with running(link):
        await up(link)
    publisher = PahoLink(to(mosquitto, f"mes-{version}"), [])
    async with running(publisher):
        await up(publisher)
        for text in (b"one", b"two"):
            await put(publisher, topic, text, qos=1)
    assert await see_documents(settings)
    again = PahoLink(settings, subscriptions)
    async with running(again):
        assert (await up(again)).session_present
        assert [(await message(again)).payload for _ in range(2)] == [b"one", b"two"]


@pytest.mark.mosquitto
async def test_the_certificate_is_the_servers(start_mosquitto: StartMosquitto, tls: Tls) -> None:
    server = start_mosquitto(tls=tls)
    seen = await see_broker(replace(to(server, "doctor"), tls=True, ca_file=str(tls.ca_file)), STATE, [])
    assert "notAfter" in seen.certificate
