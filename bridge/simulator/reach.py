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
    Subscriptions,
    WillSource,
)
from bridge.broker.observed import ObservedLink
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
        return ObservedLink(self._link(settings, subscriptions, will, may_connect), self._note)

    def _note(self, event: LinkEvent) -> None:
        match event:
            case LinkUp():
                self.reached.set()
                self.tried.set()
            case LinkDown(reason=reason):
                self.reason = reason
                self.tried.set()
            case _:
                pass
