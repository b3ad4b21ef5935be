"""Two bridges of one site: the leader is killed, stopped, or frozen and wakes up, and the other one goes on."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pytest

from bridge.commands.exit import TAKEN_OVER
from bridge.core.input import Destination
from sparkplug.wire.state import HostState
from state.entry import EntryState
from tests.integration.bridge_process import Bridge
from tests.integration.patience import until
from tests.integration.plant import PlantUnderTest, running_plant
from tests.integration.suite import Suite, listening
from tests.servers import StartMosquitto, StartRedis

pytestmark = pytest.mark.slow

ORDERS = 4
TAKEN_OVER_S = 5.0
HANDED_OVER_S = 2.0
LIMIT_S = 30.0
TAIL = 2_000
LEASE = "3s"
"""What a plant has that says nothing of it."""
LOOK_MS = 1_500
"""How long Odoo takes to answer when it is slow: longer than it takes to see that a posting began, and to freeze it."""
LIMIT_OF_ODOO_S = 2
TIMEOUT = "4s"


@dataclass(slots=True)
class Pair:
    """A plant with two bridges, of which the first one leads, and somebody who hears what is said."""

    plant: PlantUnderTest
    leader: Bridge
    standby: Bridge
    suite: Suite

    async def until_online(self, later_than: HostState) -> HostState:
        """Wait until the host is online with a later birth."""
        await until(
            lambda: self.suite.states[-1].online and self.suite.states[-1].timestamp_ms > later_than.timestamp_ms,
            lambda: f"online after {later_than}, not {self.suite.states}\n{self.standby.log[-TAIL:]}",
            LIMIT_S,
        )
        return self.suite.states[-1]

    async def until_posting(self) -> str:
        """Wait until the leader begins to post something; its key."""
        earlier, new = await self._claimed(), set[str]()

        async def begins() -> bool:
            new.update(await self._claimed() - earlier)
            return bool(new)

        await until(begins, lambda: f"a posting that begins\n{self.leader.log[-TAIL:]}", LIMIT_S)
        return min(new)

    async def _claimed(self) -> set[str]:
        entries = await self.plant.entries()
        return {one.key for one in entries if one.state is EntryState.CLAIMED and one.destination == Destination.ODOO}

    def swap(self) -> None:
        """The standby has taken over."""
        self.leader, self.standby = self.standby, self.leader
        self.plant.bridge = self.leader

    @property
    def versions(self) -> dict[str, list[int]]:
        """The versions of each order that were published, in their order."""
        heard: defaultdict[str, list[int]] = defaultdict(list)
        for each in self.suite.heard:
            if each.topic.startswith("uns/") and each.payload:
                heard[each.topic].append(json.loads(each.payload)["version"])
        return heard


@asynccontextmanager
async def pair_of_bridges(
    home: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis, *, seed: int, inbox: bool = True
) -> AsyncIterator[Pair]:
    """Both run; orders are being made."""
    broker, redis = start_mosquitto(), start_redis()
    changes: dict[str, dict[str, object]] = {"redis": {"lease": LEASE}}
    limit_s = None if inbox else LIMIT_OF_ODOO_S
    if not inbox:
        changes["odoo"] = {"inbox": "never", "server_limit": f"{limit_s}s", "timeout": TIMEOUT}
    async with (
        running_plant(home, broker, redis, seed=seed, changes=changes, limit_s=limit_s) as plant,
        listening(broker) as suite,
    ):
        other = shutil.copytree(plant.folder, home / "other")
        leader, standby = plant.bridge, Bridge(other, home / "other.log")
        try:
            await leader.start()
            await suite.until_states(1)
            await standby.start()
            await standby.until_told("lease.held_by_another")
            await plant.release_orders(ORDERS)
            await plant.until_happened(ORDERS + 4)
            yield Pair(plant, leader, standby, suite)
        finally:
            await leader.remove()
            await standby.remove()


async def ended_clean(pair: Pair) -> None:
    """Everything that happened stands in Odoo once and in order, and no order was published backwards."""
    report = await pair.plant.ended()
    assert (report.lost, report.doubled, report.out_of_order) == (0, 0, 0)
    assert {topic: sorted(versions) for topic, versions in pair.versions.items()} == pair.versions


async def test_a_standby_is_online_within_five_seconds_of_the_leaders_death(
    tmp_path: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis
) -> None:
    async with pair_of_bridges(tmp_path, start_mosquitto, start_redis, seed=21) as pair:
        [born] = pair.suite.states
        asked, began_s = len(pair.suite.commands), asyncio.get_running_loop().time()
        await pair.leader.kill()
        again = await pair.until_online(born)
        took_s = asyncio.get_running_loop().time() - began_s
        pair.swap()
        await ended_clean(pair)
        assert pair.suite.states[:3] == [born, HostState(False, born.timestamp_ms), again]
        assert pair.suite.commands[asked:] == []  # STATE alone had them born again
    assert took_s < TAKEN_OVER_S


async def test_a_leader_that_is_stopped_hands_over_at_once(
    tmp_path: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis
) -> None:
    async with pair_of_bridges(tmp_path, start_mosquitto, start_redis, seed=22) as pair:
        [born] = pair.suite.states
        assert await pair.leader.stop() == 0
        began_s = asyncio.get_running_loop().time()
        again = await pair.until_online(born)
        took_s = asyncio.get_running_loop().time() - began_s
        pair.swap()
        await ended_clean(pair)
        died = pair.suite.states[1]
        assert pair.suite.states[:3] == [born, died, again]
        assert (died.online, born.timestamp_ms < died.timestamp_ms < again.timestamp_ms) == (False, True)
    assert took_s < HANDED_OVER_S


@pytest.mark.parametrize("seed", [23, 24])
async def test_a_leader_that_wakes_up_after_another_took_over_changes_nothing_any_more(
    seed: int, tmp_path: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis
) -> None:
    """Frozen at any moment: with a commit, a posting or a publication on its way."""
    moments = random.Random(seed)
    async with pair_of_bridges(tmp_path, start_mosquitto, start_redis, seed=seed) as pair:
        for _ in range(2):
            await pair.plant.release_orders(1)
            await pair.plant.until_happened(ORDERS + moments.randrange(6, 30))
            born, said = pair.suite.states[-1], len(pair.suite.states)
            pair.leader.pause()
            again = await pair.until_online(born)
            pair.leader.wake()
            assert await pair.leader.ended() == TAKEN_OVER
            assert "another bridge took over the site" in pair.leader.log or "is no longer valid" in pair.leader.log
            changes = [state for state, _ in groupby(pair.suite.states[said:])]
            assert changes == [HostState(False, born.timestamp_ms), again]
            await pair.leader.start()
            await pair.leader.until_told("lease.held_by_another")
            pair.swap()
        await ended_clean(pair)


@pytest.mark.parametrize("inbox", [True, False], ids=["inbox", "look-first"])
async def test_a_leader_that_freezes_while_odoo_answers_it_writes_nothing_when_it_wakes_up(
    inbox: bool, tmp_path: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis
) -> None:
    """Looking first, what it reads then is an answer to its look, and says that nothing stands in Odoo."""
    async with pair_of_bridges(tmp_path, start_mosquitto, start_redis, seed=25, inbox=inbox) as pair:
        [born] = pair.suite.states
        await pair.plant.odoo_fails(delay_ms=LOOK_MS)
        posting = await pair.until_posting()
        pair.leader.pause()
        await pair.plant.odoo_fails(delay_ms=0)
        await pair.until_online(born)
        await pair.standby.until_told("entry.delivered", key=posting)
        pair.leader.wake()
        assert await pair.leader.ended() == TAKEN_OVER
        assert pair.leader.told("entry.delivered", key=posting) == []
        pair.swap()
        await ended_clean(pair)
