"""A bridge that notes when each commit was done: `python -m bench.observed FILE PLANT`. For latencies only.

It is the service of `uns-bridge run`; between it and the store stands one that looks at the clock. The file is
written at the end: for each commit its moment (CLOCK_MONOTONIC, nanoseconds) and each device's count in it.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from bridge.broker.paho import PahoLink
from bridge.clock import SystemClock
from bridge.log import configure_logging
from bridge.plant import load_plant
from bridge.service import Service
from bridge.wiring import Outside, open_odoo, open_store
from state.record import Commit, RecordId, Table
from state.redis_store import RedisStore
from state.store import Lease

PREFIX = "equipment/"


class NotingStore:
    """A store that notes each commit."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store
        self.noted: list[tuple[int, Mapping[RecordId, bytes | None]]] = []
        self.acquire, self.renew, self.release, self.leader = store.acquire, store.renew, store.release, store.leader
        self.load, self.read, self.read_one, self.traced = store.load, store.read, store.read_one, store.traced
        self.submit, self.acts, self.weaknesses, self.close = store.submit, store.acts, store.weaknesses, store.close

    async def commit(self, lease: Lease, commit: Commit) -> None:
        await self._store.commit(lease, commit)
        self.noted.append((time.monotonic_ns(), commit.puts))

    def lines(self) -> list[tuple[int, str, int]]:
        """Moment, equipment and count of every commit that held a count."""
        return [
            (at_ns, id.removeprefix(PREFIX), good)
            for at_ns, puts in self.noted
            for (table, id), record in puts.items()
            if table is Table.MEMORY and record is not None and id.startswith(PREFIX)
            if (good := json.loads(record)["record"].get("values", {}).get("good_count")) is not None
        ]


async def main(folder: Path) -> NotingStore:
    """Run until SIGTERM; what was noted."""
    plant = load_plant(folder)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    store = NotingStore(open_store(plant))
    outside = Outside(store=store, odoo=open_odoo(plant), link=PahoLink, clock=SystemClock())
    try:
        await Service(plant, outside).run(stop)
    finally:
        await outside.odoo.close()
        await outside.store.close()
    return store


if __name__ == "__main__":
    configure_logging(debug=False)
    noted = asyncio.run(main(Path(sys.argv[2])))
    Path(sys.argv[1]).write_text(json.dumps(noted.lines()))
