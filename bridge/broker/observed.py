"""A link of which somebody else sees the events too."""

from __future__ import annotations

from collections.abc import Callable

from bridge.broker.link import BrokerLink, LinkEvent, Publication


class ObservedLink:
    """A `BrokerLink` that is another one; `note` is given each event before who asked for it."""

    def __init__(self, link: BrokerLink, note: Callable[[LinkEvent], None]) -> None:
        self._link = link
        self._note = note

    async def run(self) -> None:
        await self._link.run()

    async def next_event(self) -> LinkEvent:
        event = await self._link.next_event()
        self._note(event)
        return event

    async def publish(self, publication: Publication) -> None:
        await self._link.publish(publication)

    async def acknowledge(self, token: int) -> None:
        await self._link.acknowledge(token)

    async def drop(self, *, with_will: bool = False) -> None:
        await self._link.drop(with_will=with_will)
