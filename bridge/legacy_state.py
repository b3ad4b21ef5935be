"""STATE as edge nodes of Sparkplug 2.2 follow it: a bare word under `STATE/<host>`, retained, on a session of its own.

An MQTT session has one will, and the host's is the STATE of Sparkplug 3.0. So that the old one turns to OFFLINE too
when the bridge is killed, it needs its own.
"""

from __future__ import annotations

import asyncio

import structlog

from bridge.broker.errors import LinkLost
from bridge.broker.link import BrokerLink, LinkUp, Publication
from sparkplug.topic import legacy_state_topic
from sparkplug.wire.state import LEGACY_WORDS

log = structlog.get_logger()


def legacy_state(host_id: str, *, online: bool) -> Publication:
    """What is published, and left as the will."""
    return Publication(topic=legacy_state_topic(host_id), payload=LEGACY_WORDS[online], qos=1, retain=True)


class LegacyState:
    """Says what the host's session shows, on one server. Its link's will is OFFLINE."""

    def __init__(self, link: BrokerLink, host_id: str) -> None:
        self._link = link
        self._host_id = host_id
        self._online = False
        self._turned = asyncio.Event()

    def show(self, *, online: bool) -> None:
        """Say it soon, and again in each session."""
        self._online = online
        self._turned.set()

    async def leave(self) -> None:
        """Say OFFLINE now."""
        self._online = False
        await self._say()

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            if isinstance(await self._link.next_event(), LinkUp):
                self._turned.set()

    async def send(self) -> None:
        """Publish what turned, until cancelled."""
        while True:
            await self._turned.wait()
            self._turned.clear()
            await self._say()

    async def _say(self) -> None:
        try:
            await self._link.publish(legacy_state(self._host_id, online=self._online))
        except LinkLost as error:
            log.info(
                "legacy_state.not_said", reason=str(error), effect="the will says OFFLINE, the next session says it"
            )
