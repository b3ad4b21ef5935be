"""500 edge nodes come back at once, on a real broker, to the bridge as a process. `make test-burst` runs it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bridge.clock import SystemClock
from bridge.plant import load_plant
from bridge.wiring import open_store
from sparkplug.host import HostSettings
from state.store import Store
from tests.burst.hall import GROUP, SIZE, Hall, cost_of, hall_on, until_right
from tests.integration.bridge_process import Bridge
from tests.integration.folder import OdooAccess, write_folder
from tests.servers import Mosquitto, StartMosquitto, StartRedis

pytestmark = pytest.mark.slow

WITHIN_S = 30.0
PACE = HostSettings()
LEAST_MS = 1_000 * (SIZE - PACE.rebirth_burst) / PACE.rebirths_per_s
"""From the first to the last rebirth that is asked."""
SLACK_MS = 1_000
MOST_MEMORY_MB = 200
MOST_CPU = 0.5  # of one processor, while the nodes come back


@dataclass(frozen=True, slots=True)
class Site:
    """A bridge that believes all nodes of the hall online."""

    bridge: Bridge
    broker: Mosquitto
    store: Store
    hall: Hall

    async def until_right(self, since_ms: int) -> str:
        """Wait until all nodes were born since then."""
        began_s, before = time.monotonic(), cost_of(self.bridge.pid)
        await until_right(self.store, self.hall, since_ms, WITHIN_S)
        took_s, after = time.monotonic() - began_s, cost_of(self.bridge.pid)
        used_s = after.cpu_s - before.cpu_s
        assert used_s <= MOST_CPU * max(took_s, 5)
        assert after.memory_mb <= MOST_MEMORY_MB
        return (
            f"{SIZE} nodes right after {took_s:.1f} s; {len(self.hall.asked)} rebirths asked, at most "
            f"{self.hall.most_asked_in_a_second()} in a second; {used_s:.1f} s of processor, {after.memory_mb:.0f} MB"
        )


@asynccontextmanager
async def site_of_500(home: Path, broker: Mosquitto, start_redis: StartRedis) -> AsyncIterator[Site]:
    """The shipped plant, following the hall too; nobody answers for Odoo."""
    changes = {"sparkplug": {"groups": ["acme-berlin", GROUP]}}
    folder = write_folder(home / "plant", broker, start_redis(), OdooAccess(), changes)
    store = open_store(load_plant(folder))
    bridge = Bridge(folder, home / "bridge.log")
    try:
        await bridge.start()
        await bridge.until_told("host.connected")
        async with hall_on(broker) as hall:
            await until_right(store, hall, 0, WITHIN_S)
            hall.asked.clear()
            yield Site(bridge, broker, store, hall)
        assert await bridge.stop() == 0
    finally:
        await bridge.remove()
        await store.close()


def tell(figures: str, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n{figures}\n")


async def test_500_nodes_that_are_born_at_once_on_a_new_broker_are_right_and_hardly_asked(
    tmp_path: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis, capsys: pytest.CaptureFixture[str]
) -> None:
    async with site_of_500(tmp_path, start_mosquitto(), start_redis) as site:
        since_ms = SystemClock().now_ms()
        site.broker.kill()
        await asyncio.to_thread(site.broker.start)
        tell(await site.until_right(since_ms), capsys)
        assert max(site.hall.asked_per_node().values(), default=0) <= 1


async def test_500_nodes_that_never_noticed_the_bridges_absence_are_asked_at_a_bounded_rate_and_right_in_30_s(
    tmp_path: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis, capsys: pytest.CaptureFixture[str]
) -> None:
    async with site_of_500(tmp_path, start_mosquitto(), start_redis) as site:
        since_ms = SystemClock().now_ms()
        await site.bridge.kill()
        await site.bridge.start()
        await site.bridge.until_told("host.connected", times=2)
        tell(await site.until_right(since_ms), capsys)
        assert set(site.hall.asked_per_node().values()) == {1}
        assert len(site.hall.asked) == SIZE
        assert site.hall.asked[-1][0] - site.hall.asked[0][0] >= LEAST_MS - SLACK_MS
