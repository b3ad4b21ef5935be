"""A namespace that keeps what is retained, and one reading of master data onto it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.broker.errors import LinkLost
from bridge.broker.link import Publication
from bridge.core.input import MasterArrived
from bridge.loop import Entering
from bridge.master.book import KindRecord, MasterRead
from bridge.master.poll import MasterPoller
from bridge.master.reading import MasterSource
from tests.bridge.simulator.listener import running
from tests.bridge.site import ManualClock

SITE = "acme/berlin"


@dataclass(slots=True)
class Namespace:
    """What a broker would retain. `log` is every topic that was published, `lost` how many publications get lost."""

    retained: dict[str, bytes] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    lost: int = 0

    async def publish(self, publication: Publication) -> None:
        assert (publication.qos, publication.retain) == (1, True)
        if self.lost:
            self.lost -= 1
            raise LinkLost("the session is down")
        self.log.append(publication.topic)
        if publication.payload:
            self.retained[publication.topic] = publication.payload
        else:
            del self.retained[publication.topic]


async def read_once(
    source: MasterSource, namespace: Namespace | None, known: Mapping[str, KindRecord] | None = None
) -> MasterRead:
    """What the first successful reading of a new poller gives the core."""
    entered: asyncio.Queue[Entering] = asyncio.Queue(1)
    publish = namespace.publish if namespace else None
    poller = MasterPoller(
        source,
        entered.put,
        ManualClock(),
        site=SITE,
        known=lambda: known or {},
        publish=publish,
        every_ms=1,
        link_pause_s=0,
    )
    async with running(poller.run()):
        entering = await asyncio.wait_for(entered.get(), 180)
    assert isinstance(entering.input, MasterArrived)
    return entering.input.read
