"""`PahoSession`: one connection of paho-mqtt 2, MQTT 5 or 3.1.1. `paho.PahoLink` makes one after the other.

paho is driven by asyncio (its sockets are watched by the event loop) instead of by its own thread. So nothing is
handed between threads, and not reading when the event queue is full is taking the socket off the watch list. Only
making the connection blocks (names, TCP, TLS), and runs in a thread of its own.

Each session has a new paho client. A publication that was not acknowledged is lost to its caller, who decides; a
client kept over sessions would send it again behind the caller's back.

`loop_misc` of paho is not used: it takes a link that does not read, because the queue is full, for a dead one.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import struct
from collections.abc import Mapping
from typing import Any

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from bridge.broker.errors import LinkLost, PublicationRefused, SessionRefused, SubscriptionRefused, Unheard
from bridge.broker.link import LinkSettings, Publication, Subscriptions, WillSource
from bridge.broker.paho_client import new_client, tls_context
from bridge.broker.reconnect import PacketId, Received

log = structlog.get_logger()

READS_PER_TURN = 64
"""Packets read before other tasks have their turn."""

DISCONNECT_WITH_WILL = 0x04
NO_MATCHING_SUBSCRIBERS = 0x10
DEFAULT_PUBLISH_WINDOW = 100
"""QoS 1 publications in flight where the broker does not say (MQTT 3.1.1); what rumqttd keeps at the least."""


class PahoSession:
    """One connection. Everything but `_connect` runs on the event loop."""

    def __init__(
        self, settings: LinkSettings, subscriptions: Subscriptions, will: WillSource, receive: Received
    ) -> None:
        self._settings = settings
        self._subscriptions = subscriptions
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._connected: asyncio.Future[tuple[bool, int]] = self._loop.create_future()
        self._subscribed: asyncio.Future[None] = self._loop.create_future()
        self._ended: asyncio.Future[str] = self._loop.create_future()
        self._waiting: dict[int, asyncio.Future[ReasonCode]] = {}
        self._window = asyncio.Semaphore(0)
        self._fd: int | None = None
        self._tail: socket.socket | None = None
        self._is_paused = False
        self._is_watched = False
        self._is_closing = False
        self._progress = 0
        self._last_heard = self._loop.time()
        self.limits: Properties | None = None
        """What the broker says of itself when it takes the session; MQTT 3.1.1 has no words for it."""
        self._client = new_client(settings)
        if (last := will()) is not None:
            self._client.will_set(last.topic, last.payload, last.qos, last.retain)

    async def open(self) -> tuple[bool, int]:
        attempt = self._loop.run_in_executor(None, self._connect)
        try:
            await asyncio.shield(attempt)
        except asyncio.CancelledError:
            # The thread cannot be stopped and would send a CONNECT with a will: wait for it and disconnect.
            attempt.add_done_callback(self._give_up)
            await asyncio.wait({attempt}, timeout=self._settings.timeout_s)
            raise
        except (OSError, ValueError) as error:
            raise LinkLost(f"{self._settings.host}:{self._settings.port}: {error}") from error
        if self._is_closing:
            self._disconnect()
            raise LinkLost("closed while connecting")
        self._attach()
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                found = await self._connected
                await self._subscribe()
        except TimeoutError as error:
            raise LinkLost(f"no answer within {self._settings.timeout_s:g} s") from error
        return found

    def _give_up(self, attempt: asyncio.Future[None]) -> None:
        """Leave what was connected when nobody waited for it any more; an error is nobody's either."""
        if not attempt.cancelled() and attempt.exception() is None:
            self._disconnect()

    async def ended(self) -> str:
        """Wait for the end; meanwhile ping, and end it when the broker has become silent."""
        while not self._ended.done():
            keepalive_s = max(self._client.keepalive, 1)  # MQTT 5: the broker may have set another
            await asyncio.wait({self._ended}, timeout=keepalive_s / 2)
            if self._ended.done():
                break
            if self._is_watched and self._loop.time() - self._last_heard > keepalive_s + self._settings.timeout_s:
                self._abort(f"nothing heard for {self._loop.time() - self._last_heard:.0f} s")
            else:
                self._client._send_pingreq()  # there is no public name for it, see the module's docstring
        return self._ended.result()

    @property
    def certificate(self) -> Mapping[str, Any]:
        """The broker's certificate as `ssl` has it; empty without TLS."""
        connection = self._client.socket()
        return connection.getpeercert() or {} if isinstance(connection, ssl.SSLSocket) else {}

    async def publish(self, publication: Publication) -> None:
        """At QoS 0 returns when it is written to the socket, so that a slow broker slows the caller."""
        if publication.qos == 0:
            await self._publish(publication)
        else:
            async with self._window:
                await self._publish(publication)

    async def _publish(self, publication: Publication) -> None:
        if self._ended.done():
            raise LinkLost(self._ended.result())
        info = self._client.publish(publication.topic, publication.payload, publication.qos, publication.retain)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise LinkLost(info.rc.name)
        self._waiting[info.mid] = answer = self._loop.create_future()
        self._watch()
        try:
            reason = await answer
        finally:
            self._waiting.pop(info.mid, None)
            self._watch()
        if publication.heard and reason.value == NO_MATCHING_SUBSCRIBERS:
            raise Unheard(f"the broker: {reason}")

    def acknowledge(self, packet_id: PacketId) -> None:
        if not self._ended.done():
            self._client.ack(packet_id, 1)

    def pause(self) -> None:
        self._is_paused = True
        self._watch()

    def resume(self) -> None:
        self._is_paused = False
        self._watch()

    @property
    def _is_reading(self) -> bool:
        """Also while paused, as long as somebody waits for the broker's answer to a publication: it comes on the same
        connection, and the one who waits may be the one who empties the queue."""
        return not self._is_paused or bool(self._waiting)

    def _watch(self) -> None:
        """Let the event loop watch the socket for reading, or no longer."""
        if self._fd is None or self._is_reading == self._is_watched:
            return
        self._is_watched = self._is_reading
        if self._is_watched:
            self._last_heard = self._loop.time()
            self._loop.add_reader(self._fd, self._read)
            self._loop.call_soon(self._read)  # TLS may hold bytes that the socket no longer shows
        else:
            self._loop.remove_reader(self._fd)

    async def close(self, *, with_will: bool = False) -> None:
        self._is_closing = True
        if with_will and self._fd is not None:
            self._abort("closed, for the broker to publish the will")
        if not self._ended.done() and self._fd is not None:
            self._disconnect()
            await asyncio.wait({self._ended}, timeout=self._settings.timeout_s)
            if not self._ended.done():
                self._abort("the broker did not take the DISCONNECT")
        if (tail := self._tail) is not None:
            self._tail = None
            await self._hear_out(tail)

    def _disconnect(self) -> None:
        """DISCONNECT, in MQTT 5 with the reason for which the broker publishes the will, where the settings ask so."""
        with_will = self._settings.will_at_end and self._settings.version == 5
        reason = ReasonCode(PacketTypes.DISCONNECT, identifier=DISCONNECT_WITH_WILL) if with_will else None
        self._client.disconnect(reason)

    # --- connecting ---

    def _connect(self) -> None:
        """In a thread: make the connection and send CONNECT."""
        settings = self._settings
        if settings.tls or settings.ca_file is not None:
            self._client.tls_set_context(tls_context(settings))
        if settings.user is not None:
            self._client.username_pw_set(settings.user, settings.password() if settings.password else None)
        self._client.connect_timeout = settings.timeout_s
        if settings.version == 5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = 0 if settings.clean else settings.expiry_s
            properties.ReceiveMaximum = settings.receive_maximum
            self._client.connect(
                settings.host, settings.port, settings.keepalive_s, clean_start=settings.clean, properties=properties
            )
        else:
            self._client.connect(settings.host, settings.port, settings.keepalive_s)

    def _attach(self) -> None:
        """Let the event loop watch the socket."""
        client, sock = self._client, self._client.socket()
        if sock is None:
            raise LinkLost("the connection was closed at once")
        self._fd = sock.fileno()
        with socket.socket(fileno=os.dup(self._fd)) as same:  # small packets must not wait for an acknowledgement
            same.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_disconnect = self._on_disconnect
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_register_write
        client.on_socket_unregister_write = self._on_unregister_write
        self._watch()
        if client.want_write():
            self._loop.add_writer(self._fd, self._write)

    async def _subscribe(self) -> None:
        if not self._subscriptions:
            return
        if self._settings.version == 5:
            self._client.subscribe([(one.filter, SubscribeOptions(qos=one.qos)) for one in self._subscriptions])
        else:
            self._client.subscribe([(one.filter, one.qos) for one in self._subscriptions])
        await self._subscribed

    # --- the event loop's side of the socket ---

    def _read(self) -> None:
        self._last_heard = self._loop.time()
        for _ in range(READS_PER_TURN):
            before = self._progress
            if not self._is_reading or self._ended.done():
                return
            try:
                self._client.loop_read()
            except (ValueError, IndexError, struct.error) as error:
                self._abort(f"the broker sent bytes that are not MQTT: {error}")
            if self._progress == before:
                return
        # Its turn is over with bytes perhaps left; TLS may hold some that the socket no longer shows.
        self._loop.call_soon(self._read)

    def _write(self) -> None:
        self._client.loop_write()

    def _on_register_write(self, _client: Client, _userdata: Any, _socket: Any) -> None:
        if self._fd is not None:
            self._loop.add_writer(self._fd, self._write)

    def _on_unregister_write(self, _client: Client, _userdata: Any, _socket: Any) -> None:
        if self._fd is not None:
            self._loop.remove_writer(self._fd)

    def _on_socket_close(self, _client: Client, _userdata: Any, _socket: Any) -> None:
        if self._fd is not None:
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
            # Closing with bytes unread resets the connection, and the reset may overtake our DISCONNECT.
            self._tail = socket.socket(fileno=os.dup(self._fd))
            self._fd = None

    async def _hear_out(self, tail: socket.socket) -> None:
        """Read what is left until the broker closes as well, for at most a second."""
        with tail:
            try:
                tail.setblocking(False)
                tail.shutdown(socket.SHUT_WR)
                async with asyncio.timeout(1):
                    while await self._loop.sock_recv(tail, 65536):
                        pass
            except OSError:  # TimeoutError is one
                pass

    def _abort(self, reason: str) -> None:
        """End the connection without DISCONNECT."""
        sock = self._client.socket()
        self._client.on_socket_close = None
        if self._fd is not None:
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
            self._fd = None
        if sock is not None:
            sock.close()
        self._end(reason)

    def _end(self, reason: str) -> None:
        if not self._ended.done():
            self._ended.set_result(reason)
        _fail(self._connected, LinkLost(reason))
        _fail(self._subscribed, LinkLost(reason))
        for waiting in self._waiting.values():
            _fail(waiting, LinkLost(reason))

    # --- what paho tells ---

    def _on_connect(
        self, _client: Client, _userdata: Any, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        self._progress += 1
        if reason.is_failure:
            _fail(self._connected, SessionRefused(f"the broker refused the connection: {reason}"))
            return
        self.limits = properties
        window = getattr(properties, "ReceiveMaximum", 65535 if self._settings.version == 5 else DEFAULT_PUBLISH_WINDOW)
        self._window = asyncio.Semaphore(window)
        if not self._connected.done():
            self._connected.set_result((flags.session_present, window))

    def _on_subscribe(
        self, _client: Client, _userdata: Any, _mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        self._progress += 1
        refused = [
            f"{one.filter} ({reason})"
            for one, reason in zip(self._subscriptions, reasons, strict=False)
            if reason.is_failure
        ]
        if refused:
            _fail(self._subscribed, SubscriptionRefused(f"the broker refused to subscribe {', '.join(refused)}"))
        elif not self._subscribed.done():
            self._subscribed.set_result(None)

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        self._progress += 1
        try:
            topic = message.topic
        except UnicodeDecodeError as error:
            log.warning("broker.topic_unreadable", bytes=error.object.hex())
            self._client.ack(message.mid, message.qos)
            return
        self._receive(
            topic,
            bytes(message.payload),
            qos=message.qos,
            retain=message.retain,
            duplicate=message.dup,
            packet_id=PacketId(message.mid if message.qos else 0),
        )

    def _on_publish(
        self, _client: Client, _userdata: Any, mid: int, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        self._progress += 1
        waiting = self._waiting.get(mid)
        if waiting is None or waiting.done():
            return
        if reason.is_failure:
            _fail(waiting, PublicationRefused(f"the broker refused the publication: {reason}"))
        else:
            waiting.set_result(reason)

    def _on_disconnect(
        self, _client: Client, _userdata: Any, flags: DisconnectFlags, reason: ReasonCode, _properties: Any
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self._end(f"the broker disconnected: {reason}")
        else:
            self._end("closed" if self._is_closing else "the connection was lost")


def _fail(waiting: asyncio.Future[Any], error: LinkLost) -> None:
    """Fail a future that somebody may or may not wait for."""
    if not waiting.done():
        waiting.set_exception(error)
        waiting.exception()  # seen: no complaint when nobody waits
