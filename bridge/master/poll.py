"""Reads Odoo's master data again and again, publishes what is new, and tells the core what was read.

A document on the namespace is state, not a fact: it is published first and remembered then, so that a crash between the
two publishes it again. All of it is published after a start, and when the broker may have forgotten what it retained.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Final

import msgspec
import structlog

from bridge.broker.errors import LinkLost
from bridge.broker.link import Publication
from bridge.clock import Clock
from bridge.core.input import MasterArrived
from bridge.core.topic import master_topic
from bridge.loop import Entering
from bridge.master.book import KindRecord, MasterRead
from bridge.master.reading import MasterSource, Reading
from odoo_adapter.client.pace import giving_way, leave_alone
from odoo_adapter.errors import OdooError

AGAIN_MS: Final = 30_000
"""After a failure of Odoo: sooner than a long `every`."""
LINK_PAUSE_S: Final = 1.0
"""Between two attempts to publish while the session is down."""

Publish = Callable[[Publication], Awaitable[None]]
Enter = Callable[[Entering], Awaitable[None]]

log = structlog.get_logger()


class MasterPoller:
    """Reads master data on schedule. `publish` None: nothing goes to the namespace. `known` is what the core holds."""

    def __init__(
        self,
        source: MasterSource,
        enter: Enter,
        clock: Clock,
        *,
        site: str,
        known: Callable[[], Mapping[str, KindRecord]],
        publish: Publish | None,
        every_ms: int,
        link_pause_s: float = LINK_PAUSE_S,
    ) -> None:
        self._source = source
        self._enter = enter
        self._clock = clock
        self._site = site
        self._known = known
        self._publish = publish
        self._every_ms = every_ms
        self._link_pause_s = link_pause_s
        self._failing = False
        self._owes_all = True
        self._woken = asyncio.Event()

    def publish_again(self) -> None:
        """Read and publish everything soon: the broker may have forgotten what it retained."""
        self._owes_all = True
        self._woken.set()

    async def run(self) -> None:
        """Poll until cancelled. A failure is logged once, and the poll goes on."""
        while True:
            self._woken.clear()
            owed_all, self._owes_all = self._owes_all, False
            try:
                await self._poll(everything=owed_all)
            except OdooError as error:
                self._owes_all |= owed_all
                if not self._failing:
                    log.warning("master.unreadable", reason=str(error))
                self._failing = True
                await leave_alone(error, min(self._every_ms, AGAIN_MS) / 1000)
                continue
            self._failing = False
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every_ms / 1000):
                    await self._woken.wait()

    async def _poll(self, *, everything: bool) -> None:
        with giving_way():
            reading = await self._source.read()
        payloads = _payloads(reading)
        hashes = {kind: {id: _hash(payload) for id, payload in of_kind.items()} for kind, of_kind in payloads.items()}
        if self._publish is not None:
            for publication in self._publications(payloads, hashes, everything=everything):
                await self._put(self._publish, publication)
        read = MasterRead(hashes=hashes, differences=reading.differences)
        await self._enter(Entering(input=MasterArrived(read), at_ms=self._clock.now_ms()))

    async def _put(self, publish: Publish, publication: Publication) -> None:
        """Publish until the broker has it. That the session is down, is told by the session."""
        while True:
            try:
                return await publish(publication)
            except LinkLost:
                await asyncio.sleep(self._link_pause_s)

    def _publications(
        self,
        payloads: Mapping[str, Mapping[str, bytes]],
        hashes: Mapping[str, Mapping[str, str]],
        *,
        everything: bool,
    ) -> Iterator[Publication]:
        """What is new (or everything), and for what is gone an empty payload, which takes the retained one away."""
        for kind, of_kind in payloads.items():
            record = self._known().get(kind)
            before = record.hashes if record else {}
            for id, payload in of_kind.items():
                if everything or before.get(id) != hashes[kind][id]:
                    yield self._retained(kind, id, payload)
            for id in sorted(before.keys() - of_kind.keys()):
                yield self._retained(kind, id, b"")

    def _retained(self, kind: str, id: str, payload: bytes) -> Publication:
        return Publication(topic=master_topic(self._site, kind, id), payload=payload, qos=1, retain=True)


def _payloads(reading: Reading) -> dict[str, dict[str, bytes]]:
    return {
        kind.value: {
            str(id): msgspec.json.encode({"kind": kind.value, "id": id, **document})
            for id, document in documents.items()
        }
        for kind, documents in reading.documents.items()
    }


def _hash(payload: bytes) -> str:
    return sha256(payload).hexdigest()[:16]
