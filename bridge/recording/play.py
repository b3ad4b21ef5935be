"""Recorded messages published again, in their order and at their pace.

Only what nodes, devices and document sources said: a host's STATE and its commands would speak for a host that is not
there.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from dataclasses import dataclass

from bridge.broker.link import BrokerLink, Publication
from bridge.core.input import SparkplugMessage, UnsDocument
from bridge.recording.reader import Read, Recorded
from sparkplug.topic import DeviceTopic, DeviceVerb, NodeTopic, NodeVerb, parse_topic


@dataclass(slots=True)
class Played:
    """How far it is. `left_out` are messages of hosts; `at_ms` is the moment of the recording."""

    published: int = 0
    left_out: int = 0
    at_ms: int = 0


def is_plants_own(host: str, port: int, servers: Iterable[str]) -> bool:
    """Whether a broker is one of those that were recorded (`host:port` each): the same address, or the same machine
    where that is not this one."""
    here = _addresses(host)
    for server in servers:
        name, _, number = server.rpartition(":")
        there = _addresses(name)
        if here & there and (int(number) == port or not all(_is_loopback(each) for each in here & there)):
            return True
    return False


async def play(recording: Iterable[Read], link: BrokerLink, played: Played, *, speed: float) -> None:
    """Publish the messages; `speed` 2 takes half the time, 0 makes no pauses. Raises `LinkLost`."""
    clock, began_s, first_ms = asyncio.get_running_loop().time, 0.0, None
    for each in recording:
        if not isinstance(each, Recorded):
            continue
        publication = _publication(each)
        if publication is None:
            played.left_out += isinstance(each.input, SparkplugMessage)
            continue
        if first_ms is None:
            began_s, first_ms = clock(), each.received_ms
        if speed:
            await asyncio.sleep(began_s + (each.received_ms - first_ms) / 1000 / speed - clock())
        await link.publish(publication)
        played.published += 1
        played.at_ms = each.received_ms


def _publication(recorded: Recorded) -> Publication | None:
    match recorded.input:
        case UnsDocument(topic=topic, payload=payload):
            return Publication(topic=topic, payload=payload, qos=1, retain=False)
        case SparkplugMessage(topic=topic, payload=payload, retain=retain) if _is_of_a_node(topic):
            return Publication(topic=topic, payload=payload, qos=0, retain=retain)
        case _:
            return None


def _is_of_a_node(topic: str) -> bool:
    match parse_topic(topic):
        case NodeTopic(verb=verb):
            return verb is not NodeVerb.COMMAND
        case DeviceTopic(verb=verb):
            return verb is not DeviceVerb.COMMAND
        case _:
            return False


def _addresses(host: str) -> frozenset[str]:
    """All addresses of a name; the name itself where nobody knows it."""
    try:
        return frozenset(str(found[4][0]) for found in socket.getaddrinfo(host, None))
    except OSError:
        return frozenset({host})


def _is_loopback(address: str) -> bool:
    return address.startswith("127.") or address == "::1"
