"""The publishing process: `python -m bench.publisher PORT QOS FILE [--rate R] [--times FILE]`.

Sends the messages of a file over one MQTT 3.1.1 connection, at a rate or as fast as they are taken. It writes raw
packets made beforehand, so that little of the machine is taken from who is measured. With `--times` it keeps when
each message was sent (CLOCK_MONOTONIC, nanoseconds).
"""

from __future__ import annotations

import argparse
import socket
import struct
import time
from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from bench.consumer.arguments import say
from bench.traffic import Packet

CHUNK: Final = 50
WINDOW: Final = 500
"""QoS 1 messages that may wait for the broker's PUBACK."""
PUBACK_BYTES: Final = 4
CONNACK_BYTES: Final = 4
DISCONNECT: Final = b"\xe0\x00"
CLIENT_ID: Final = "bench-publisher"


def write_packets(file: Path, packets: Iterable[Packet], qos: int) -> None:
    """Keep MQTT PUBLISH packets for the process, each behind its length."""
    with file.open("wb") as out:
        for number, packet in enumerate(packets):
            raw = _publish(packet, qos, number % 65535 + 1)
            out.write(struct.pack(">I", len(raw)) + raw)


def read_packets(file: Path) -> list[bytes]:
    """What `write_packets` wrote."""
    raw, packets, at = file.read_bytes(), [], 0
    while at < len(raw):
        (length,) = struct.unpack_from(">I", raw, at)
        packets.append(raw[at + 4 : at + 4 + length])
        at += 4 + length
    return packets


def _publish(packet: Packet, qos: int, number: int) -> bytes:
    topic = packet.topic.encode()
    body = struct.pack(">H", len(topic)) + topic + (struct.pack(">H", number) if qos else b"") + packet.payload
    return bytes([0x30 | qos << 1]) + _length(len(body)) + body


def _length(number: int) -> bytes:
    digits = bytearray()
    while True:
        number, digit = divmod(number, 128)
        digits.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(digits)


def forget_session(port: int, client_id: str) -> None:
    """Let the broker forget what it keeps for a client that is away."""
    Connection(port, 0, client_id).close()


class Connection:
    """One MQTT connection that publishes and counts PUBACKs. It begins a clean session."""

    def __init__(self, port: int, qos: int, client_id: str = CLIENT_ID) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        name = client_id.encode()
        body = b"\x00\x04MQTT\x04\x02\x00\x00" + struct.pack(">H", len(name)) + name
        self._socket.sendall(b"\x10" + _length(len(body)) + body)
        self._expect = PUBACK_BYTES if qos else 0
        self._read(CONNACK_BYTES)
        self._open_bytes = 0

    def send(self, packets: list[bytes]) -> None:
        self._socket.sendall(b"".join(packets))
        self._open_bytes += self._expect * len(packets)
        while self._open_bytes > WINDOW * PUBACK_BYTES:
            self._open_bytes -= len(self._socket.recv(65536))

    def close(self) -> None:
        self._read(self._open_bytes)
        self._socket.sendall(DISCONNECT)
        self._socket.close()

    def _read(self, count: int) -> None:
        while count > 0:
            count -= len(self._socket.recv(count))


def main() -> None:
    """Publish a file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("qos", type=int)
    parser.add_argument("file", type=Path)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--times", type=Path)
    given = parser.parse_args()
    packets, times = read_packets(given.file), array("q")
    connection = Connection(given.port, given.qos)
    say(f"began {time.monotonic()}")
    if given.rate is None:
        for at in range(0, len(packets), CHUNK):
            connection.send(packets[at : at + CHUNK])
    else:
        began_ns = time.monotonic_ns()
        for number, packet in enumerate(packets):
            due_ns = began_ns + int(number * 1e9 / given.rate)
            while (now_ns := time.monotonic_ns()) < due_ns:
                time.sleep((due_ns - now_ns) / 1e9)
            times.append(now_ns)
            connection.send([packet])
    connection.close()
    if given.times is not None:
        given.times.write_bytes(times.tobytes())
    say("ended")


if __name__ == "__main__":
    main()
