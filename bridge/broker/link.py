"""`BrokerLink`: one MQTT session as the bridge needs it. Implementations: `paho.PahoLink` and `memory.MemoryLink`.

A link is an object with `run()` that keeps a session up until cancelled, reconnecting with growing pauses. What
happens on it arrives in order on `events`. The will is asked for anew at every CONNECT, because a host's STATE
and a node's NDEATH carry a timestamp or a `bdSeq` of that very session.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A message to publish, or to leave as a will. `heard`: it does not count where the broker says that nobody reads
    it, as one does that has forgotten its sessions (MQTT 5, QoS 1)."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    heard: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message received. `token` is what `acknowledge` takes; 0 where nothing is to be acknowledged (QoS 0)."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    duplicate: bool
    token: int
    received_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkUp:
    """CONNACK received and all subscriptions acknowledged. What the session delivers comes after it.

    `publish_window` is how many of our QoS 1 publications the broker takes unacknowledged (MQTT 5: its receive
    maximum). A small one slows publishing down; the link keeps to it.
    """

    session_present: bool
    at_ms: int
    publish_window: int = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDown:
    """The session ended or could not be made. The link tries again by itself."""

    reason: str
    at_ms: int


LinkEvent: TypeAlias = Message | LinkUp | LinkDown


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A topic filter and the highest QoS wanted."""

    filter: str
    qos: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """How to reach the broker. `version` is 5 or 4 (MQTT 3.1.1); TLS where `ca_file` is given or `tls` is set.

    `clean` false keeps the session at the broker (MQTT 5: for `expiry_s`). `password` is asked
    at every CONNECT, so that a rotated one is taken without a restart (it raises `OSError` where there is none);
    the TLS files are read then too. `will_at_end`: a clean end asks the broker for the will, as MQTT 5 can (reason 4).
    `queue_size` is how many events wait for `next_event` before the link stops reading. The pauses between
    attempts to connect double from `first_pause_s` to `longest_pause_s`, and are short again after a session that
    lasted `steady_s`.
    """

    host: str
    port: int
    client_id: str
    version: int = 5
    clean: bool = True
    will_at_end: bool = False
    expiry_s: int = 0
    keepalive_s: int = 15
    timeout_s: float = 10.0
    receive_maximum: int = 1000
    user: str | None = None
    password: Callable[[], str] | None = None
    tls: bool = False
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    queue_size: int = 1000
    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0
    steady_s: float = 5.0


class BrokerLink(Protocol):
    """One MQTT session. Created with its settings, its subscriptions, and

    `will`: called at every CONNECT for the will of that session (None: no will);
    `may_connect`: awaited before every CONNECT; False makes the link wait and ask again.
    """

    async def run(self) -> None:
        """Keep the session up until cancelled. Cancelling disconnects cleanly (no will is published)."""
        ...

    async def next_event(self) -> LinkEvent:
        """The next thing that happened, in order. A full queue makes the link stop reading, never drop.

        While a publication waits for its acknowledgement the link reads on, since that comes on the same connection.
        """
        ...

    async def publish(self, publication: Publication) -> None:
        """Hand over a publication; at QoS 1 return when the broker has acknowledged it.

        Raises `LinkLost` when the session is down or ends before that, and `Unheard`.
        """
        ...

    async def acknowledge(self, token: int) -> None:
        """Send the PUBACK of a QoS 1 message, now that it is committed. An old session's token is ignored."""
        ...

    async def drop(self, *, with_will: bool = False) -> None:
        """End the session now and let `run` make a new one (with a new will).

        Cleanly, so that its will is not published; or `with_will`, without a DISCONNECT, so that the broker says what
        could not be said any more.
        """
        ...


WillSource: TypeAlias = Callable[[], Publication | None]
MayConnect: TypeAlias = Callable[[], Awaitable[bool]]
Subscriptions: TypeAlias = Sequence[Subscription]
