"""Whether a plant has ever reached a broker, and why not: seen on the links that its sessions are given."""

from __future__ import annotations

import asyncio

from bridge.broker.link import (
    BrokerLink,
    LinkDown,
    LinkEvent,
    LinkSettings,
    LinkUp,
    MayConnect,
    Publication,
    Subscriptions,
    WillSource,
)
from bridge.simulator.edge_session import LinkFactory


class BrokerUnreached(Exception):
    """None of the plant's sessions was ever made. The text says where, and why the last try failed."""


class Reach:
    """`reached` is set by the first session that is made, `tried` also by the first try that failed; `reason` is why
    the last one did."""

    def __init__(self, link: LinkFactory) -> None:
        self.reached = asyncio.Event()
        self.tried = asyncio.Event()
        self.reason = "no answer"
        self._link = link

    def link(
        self, settings: LinkSettings, subscriptions: Subscriptions, will: WillSource, may_connect: MayConnect
    ) -> BrokerLink:
        """A link of which is noted whether it came up."""
        return _SeenLink(self._link(settings, subscriptions, will, may_connect), self)


class _SeenLink:
    """A `BrokerLink` that tells its `Reach` what became of its sessions."""

    def __init__(self, link: BrokerLink, reach: Reach) -> None:
        self._link = link
        self._reach = reach

    async def run(self) -> None:
        await self._link.run()

    async def next_event(self) -> LinkEvent:
        event = await self._link.next_event()
        match event:
            case LinkUp():
                self._reach.reached.set()
                self._reach.tried.set()
            case LinkDown(reason=reason):
                self._reach.reason = reason
                self._reach.tried.set()
            case _:
                pass
        return event

    async def publish(self, publication: Publication) -> None:
        await self._link.publish(publication)

    async def acknowledge(self, token: int) -> None:
        await self._link.acknowledge(token)

    async def drop(self, *, with_will: bool = False) -> None:
        await self._link.drop(with_will=with_will)
