"""An MQTT server: whether it takes us, what it lets us read, what it says of us, and whether it keeps our documents.

Only looks: under a client id of its own, without a will, publishing nothing. The persistent session is looked at under
its own id, and only while no bridge uses it; what waits in it is not acknowledged, and so stays.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from bridge.broker.errors import LinkLost, SessionRefused, SubscriptionRefused
from bridge.broker.link import LinkSettings, Subscription
from bridge.broker.paho_session import PahoSession
from bridge.broker.reconnect import PacketId, no_will
from bridge.doctor.finding import Finding, Place
from bridge.settings.broker import BrokerSettings
from sparkplug.errors import PayloadError
from sparkplug.wire.state import decode_state

STATE_WAIT_S: Final = 1.0
"""How long a retained message may take after the subscription."""
LARGE_BIRTH: Final = 256 * 1024
"""Bytes; the births of large nodes have that."""
DAY_MS: Final = 86_400_000
CERTIFICATE_SOON_MS: Final = 14 * DAY_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSeen:
    """What was read of one server that took the session. `limits` is what it said then, by MQTT 5's names.

    `state` is the retained STATE of our host. `documents` says whether there is a persistent session of ours; None: not
    looked at.
    """

    limits: Mapping[str, int]
    certificate: Mapping[str, Any]
    refused: str = ""
    state: bytes | None = None
    documents: bool | None = None


_LIMITS: Final = ("MaximumPacketSize", "MaximumQoS", "RetainAvailable", "ReceiveMaximum")


async def see_broker(settings: LinkSettings, state_topic: str, filters: Sequence[str]) -> BrokerSeen:
    """Connect, and subscribe to what the bridge reads. Raises `LinkLost` where the server does not take the session."""
    async with _session(settings, []) as (session, _):
        limits = {name: int(value) for name in _LIMITS if (value := getattr(session.limits, name, None)) is not None}
        certificate = session.certificate
    seen = BrokerSeen(limits=limits, certificate=certificate)
    try:
        return replace(seen, state=await _retained(settings, state_topic, filters))
    except SubscriptionRefused as error:
        return replace(seen, refused=str(error))


async def see_documents(settings: LinkSettings) -> bool:
    """Whether the server has the persistent session of these settings. One that the look made is taken away again."""
    async with _session(replace(settings, receive_maximum=1), []) as (_, is_there):
        pass
    if not is_there:
        async with _session(replace(settings, clean=True, expiry_s=0), []):
            pass
    return is_there


async def _retained(settings: LinkSettings, topic: str, filters: Sequence[str]) -> bytes | None:
    found: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def receive(heard: str, payload: bytes, *, retain: bool, **_: object) -> None:
        if heard == topic and retain and not found.done():
            found.set_result(payload)

    subscriptions = [Subscription(filter=filter, qos=0) for filter in dict.fromkeys((topic, *filters))]
    async with _session(settings, subscriptions, receive):
        await asyncio.wait({found}, timeout=STATE_WAIT_S)
    return found.result() if found.done() else None


def _ignore(topic: str, payload: bytes, *, qos: int, retain: bool, duplicate: bool, packet_id: PacketId) -> None:
    """What arrives is not ours to take."""


@asynccontextmanager
async def _session(
    settings: LinkSettings, subscriptions: Sequence[Subscription], receive: Any = _ignore
) -> AsyncIterator[tuple[PahoSession, bool]]:
    session = PahoSession(settings, subscriptions, no_will, receive)
    try:
        is_there, _ = await session.open()
        yield session, is_there
    finally:
        await session.close()


def refusal(place: Place, error: LinkLost, broker: BrokerSettings) -> Finding:
    """What is to be said of a server that did not take the session."""
    if isinstance(error, SessionRefused):
        return place.wrong(str(error), "mend broker.user and broker.secret in bridge.yaml, or the server's users")
    version = "; if it speaks MQTT 3.1.1 only, write `version: 4`" if broker.version == 5 else ""
    return place.unreachable(str(error), f"see whether it runs, and mend host, port and tls of broker{version}")


def examine_broker(place: Place, seen: BrokerSeen, broker: BrokerSettings, *, now_ms: int) -> Iterator[Finding]:
    """Everything about a server that took the session, but what it says of our host."""
    yield _session_taken(place, broker)
    yield from _certificate(place, seen.certificate, now_ms)
    yield from _limits(place, seen.limits, broker)
    if seen.refused:
        yield place.wrong(seen.refused, "allow it to this user at the server")
    else:
        yield place.ok("lets us subscribe to all that the bridge reads")


def _session_taken(place: Place, broker: BrokerSettings) -> Finding:
    words = f"takes our session: MQTT {'5' if broker.version == 5 else '3.1.1'}"
    words += ", TLS" if broker.tls else ", without TLS"
    if broker.user is None:
        return place.warning(f"{words}, without a log-in", "give the bridge a user, so that nobody else speaks for it")
    return place.ok(f"{words}, as the user {broker.user}")


def _certificate(place: Place, certificate: Mapping[str, Any], now_ms: int) -> Iterator[Finding]:
    if not certificate:
        return
    left_ms = int(ssl.cert_time_to_seconds(certificate["notAfter"])) * 1000 - now_ms
    days = left_ms // DAY_MS
    text = f"its certificate is valid for {days} day{'s' * (days != 1)}"
    yield place.warning(text, "renew it") if left_ms < CERTIFICATE_SOON_MS else place.ok(text)


def _limits(place: Place, limits: Mapping[str, int], broker: BrokerSettings) -> Iterator[Finding]:
    if limits.get("MaximumQoS", 2) < 1:
        yield place.wrong("it takes nothing at QoS 1", "STATE, documents and orders need QoS 1")
    if not limits.get("RetainAvailable", 1):
        yield place.wrong("it retains nothing", "STATE and the order releases must be retained")
    largest = limits.get("MaximumPacketSize")
    if largest is None:
        told = "it tells no limit for the size of a message" if broker.version == 5 else "MQTT 3.1.1 tells no limits"
        yield place.ok(told)
    elif largest < LARGE_BIRTH:
        mend = f"allow {LARGE_BIRTH} at the server: a larger birth is lost without a word"
        yield place.warning(f"it takes messages of {largest} bytes at most", mend)
    else:
        yield place.ok(f"it takes messages of {largest} bytes at most")


def examine_state(place: Place, host_id: str, state: bytes | None, leads: bool | None) -> Finding:
    """The retained STATE of our host against whether a bridge leads (None: that is not known)."""
    if state is None:
        if leads:
            return place.wrong(
                f"a bridge leads, and there is no retained STATE of {host_id}: nodes with this primary host store",
                "allow the bridge's user to publish and retain spBv1.0/STATE/#",
            )
        return place.ok(f"there is no STATE of {host_id} yet")
    try:
        online = decode_state(state).online
    except PayloadError as error:
        return place.wrong(f"the retained STATE of {host_id} cannot be read: {error}", "find who else publishes it")
    text = f"the STATE of {host_id} is {'online' if online else 'offline'}"
    if leads and not online:
        return place.wrong(f"{text} although a bridge leads: nodes with this primary host store", "see its log")
    if online and leads is False:
        mend = "give each host an id of its own (sparkplug.host_id)"
        return place.warning(f"{text} although no bridge leads: another host may use the same id", mend)
    return place.ok(text)


def examine_documents(place: Place, is_there: bool | None, leads: bool | None) -> Finding:
    """The persistent session that keeps the documents of the MES while the bridge is away."""
    if is_there:
        return place.ok("it keeps our persistent session, and documents in it")
    if is_there is False:
        return place.warning(
            "it has no persistent session of ours", "documents are kept from the bridge's first run on"
        )
    if leads:
        return place.ok("the bridge that leads uses the persistent session: not looked at")
    return place.warning("whether a bridge uses the persistent session is not known: not looked at", "mend Redis first")
