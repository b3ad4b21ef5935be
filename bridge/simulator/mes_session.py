"""The MES's own MQTT session: releases come in, documents go out at QoS 1 until the broker has acknowledged them.

A broker that is killed may lose what it acknowledged. With `resend_s`, what was published so shortly before the link
was lost is published again at the next session; where the broker has forgotten the session, all that is still kept is;
and nothing counts as published while the broker says that nobody reads it, as it does until the bridge's session is
there again (MQTT 5). The ids make it harmless.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import structlog

from bridge.broker.errors import LinkLost, Unheard
from bridge.broker.link import LinkDown, LinkSettings, LinkUp, Message, Publication, Subscription
from bridge.broker.reconnect import always
from bridge.core.topic import order_topic
from bridge.simulator.edge_session import LinkFactory
from ruleset.sample import Plain

SESSION_EXPIRY_S: Final = 86_400
QUEUE_SIZE: Final = 10_000
LATE_S: Final = 30.0
"""How long progress waits for the start of its order: the bridge's `limits.start_within`."""
UNHEARD_PAUSE_S: Final = 0.5
"""Before a document is published again that nobody read."""
KEPT_S: Final = 600.0
"""How long what was published is kept, for a broker that forgets: longer than the host is ever away."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Document:
    """What is to be published, since when."""

    publication: Publication
    id: str
    since_s: float


class MesSession:
    """A kept session. `received` is called with every release document, before it is acknowledged.

    `late` are the ids of the documents that reached the broker, or reached it again, later than others wait for them.
    """

    def __init__(
        self,
        *,
        site: str,
        broker: LinkSettings,
        link: LinkFactory,
        received: Callable[[Mapping[str, Plain]], None],
        resend_s: float = 0,
    ) -> None:
        self._received = received
        self._resend_s = resend_s
        self._outgoing: asyncio.Queue[_Document | None] = asyncio.Queue(QUEUE_SIZE)
        self._sent: deque[tuple[float, _Document]] = deque()
        self._again: deque[_Document] = deque()
        self.late: set[str] = set()
        self._was_up = False
        self._up = asyncio.Event()
        settings = replace(broker, client_id=f"{broker.client_id}-mes", clean=False, expiry_s=SESSION_EXPIRY_S)
        subscriptions = [Subscription(filter=order_topic(site, "+"), qos=1)]
        self._link = link(settings, subscriptions, lambda: None, always)

    async def run(self) -> None:
        """Keep the session until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._link.run(), name="link-mes")
            tasks.create_task(self._send(), name="mes-send")
            await self._follow()

    async def send(self, topic: str, document: Mapping[str, Plain]) -> None:
        """Queue a document. It is published, again and again if need be, after those before it."""
        payload = json.dumps(document, separators=(",", ":")).encode()
        publication = Publication(topic=topic, payload=payload, qos=1, retain=False, heard=self._resend_s > 0)
        await self._outgoing.put(_Document(publication, str(document.get("id")), asyncio.get_running_loop().time()))

    async def sent(self) -> None:
        """Wait until the broker has acknowledged everything that was queued."""
        await self._outgoing.join()

    async def _follow(self) -> None:
        while True:
            event = await self._link.next_event()
            match event:
                case LinkUp(session_present=known):
                    await self._look_back(known)
                    self._up.set()
                case LinkDown(reason=reason):
                    self._up.clear()
                    log.info("mes.link_down", reason=reason)
                case Message():
                    self._receive(event)
                    await self._link.acknowledge(event.token)

    def _receive(self, message: Message) -> None:
        """A release; an empty payload is one that was taken off the topic."""
        if not message.payload:
            return
        try:
            document = json.loads(message.payload)
            if not isinstance(document, dict):
                raise ValueError("no JSON object")
            self._received(document)
        except ValueError as error:
            log.warning("mes.release_unreadable", topic=message.topic, reason=str(error))

    async def _look_back(self, known: bool) -> None:
        """A session begins: see what the broker may have lost, and let it be published before all else."""
        since_s = asyncio.get_running_loop().time() - (self._resend_s if known else KEPT_S)
        if self._was_up and self._resend_s:
            lost = [document for at_s, document in self._sent if at_s >= since_s]
            self._sent = deque(one for one in self._sent if one[0] < since_s)
            self._again.extendleft(reversed(lost))
            await self._outgoing.put(None)  # wakes the sender
        self._was_up = True

    async def _send(self) -> None:
        while True:
            document = await self._outgoing.get()
            while not await self._caught_up() or (document and not await self._published(document)):
                await self._up.wait()
            self._outgoing.task_done()

    async def _caught_up(self) -> bool:
        """Whether the broker has all that is to be published again."""
        while self._again:
            if not await self._published(self._again[0]):
                return False
            self._again.popleft()
        return True

    async def _published(self, document: _Document) -> bool:
        """Whether the broker has it. Unsure is no: the id makes a second one harmless."""
        try:
            await self._link.publish(document.publication)
        except Unheard:
            await asyncio.sleep(UNHEARD_PAUSE_S)
            return False
        except LinkLost:
            self._up.clear()
            return False
        now_s = asyncio.get_running_loop().time()
        self._sent.append((now_s, document))
        if now_s - document.since_s > LATE_S:
            self.late.add(document.id)
        while self._sent[0][0] < now_s - KEPT_S:
            self._sent.popleft()
        return True
