"""A client of the broker that hears all of Sparkplug and the orders, as somebody else's conformance suite would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from bridge.broker.link import Message, Publication, Subscription
from bridge.broker.paho import PahoLink
from sparkplug.message import REBIRTH
from sparkplug.wire.payload import decode
from sparkplug.wire.state import HostState, decode_state, encode_state
from tests.bridge.broker.ground import BASE
from tests.integration.patience import until
from tests.servers import Mosquitto

LIMIT_S = 30.0
STATE = "spBv1.0/STATE/acme-bridge"
ORDERS = "uns/v1/acme/berlin/order/+"


@dataclass(slots=True)
class Suite:
    """A client of the broker that hears everything and says what a node would say."""

    broker: Mosquitto
    heard: list[Message] = field(default_factory=list)
    _link: PahoLink = field(init=False)

    def __post_init__(self) -> None:
        password = self.broker.password
        settings = replace(
            BASE, port=self.broker.port, client_id="suite", user=self.broker.user, password=lambda: password
        )
        self._link = PahoLink(settings, [Subscription(filter=filter, qos=1) for filter in ("spBv1.0/#", ORDERS)])

    async def listen(self) -> None:
        """Hear until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._link.run(), name="suite-link")
            while True:
                event = await self._link.next_event()
                if isinstance(event, Message):
                    self.heard.append(event)
                    await self._link.acknowledge(event.token)

    async def say(self, verb: str, payload: bytes, device: str = "") -> None:
        """A message of the node `acme-berlin/probe`."""
        topic = f"spBv1.0/acme-berlin/{verb}/probe{device}"
        await self._link.publish(Publication(topic=topic, payload=payload, qos=0, retain=False))

    async def say_state(self, state: HostState) -> None:
        """What another client says of the host."""
        publication = Publication(topic=STATE, payload=encode_state(state), qos=1, retain=True)
        await self._link.publish(publication)

    @property
    def states(self) -> list[HostState]:
        """What was said of the host, in order."""
        return [decode_state(each.payload) for each in self.heard if each.topic == STATE]

    @property
    def rebirths(self) -> int:
        """How often the node was asked for a rebirth, rightly."""
        commands = [each for each in self.heard if each.topic == "spBv1.0/acme-berlin/NCMD/probe"]
        for each in commands:
            payload = decode(each.payload)
            assert (each.qos, each.retain, payload.seq) == (0, False, None)
            assert [(metric.name, metric.raw) for metric in payload.metrics] == [(REBIRTH, True)]
        return len(commands)

    async def until_states(self, count: int) -> list[HostState]:
        """Wait until STATE was said so often; returns what was said."""
        await until(lambda: len(self.states) >= count, lambda: f"{count} STATE in {self.states}", LIMIT_S)
        return self.states

    async def until_asked(self, times: int) -> None:
        """Wait until the node was asked for so many rebirths."""
        await until(lambda: self.rebirths >= times, lambda: f"{times} rebirths asked, heard {self.heard}", LIMIT_S)

    @property
    def commands(self) -> list[str]:
        """Which nodes were sent commands, in order."""
        return [each.topic for each in self.heard if "/NCMD/" in each.topic]


@asynccontextmanager
async def listening(broker: Mosquitto) -> AsyncIterator[Suite]:
    """A suite that hears this broker."""
    suite = Suite(broker)
    hearing = asyncio.create_task(suite.listen(), name="suite")
    try:
        yield suite
    finally:
        hearing.cancel()
        await asyncio.wait([hearing])
