"""The host as somebody else's conformance suite sees it: `uns-bridge run`, and nothing of it but its MQTT messages."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from sparkplug.wire.state import HostState
from tests.integration.bridge_process import Bridge
from tests.integration.folder import OdooAccess, write_folder
from tests.integration.patience import until
from tests.integration.suite import LIMIT_S, STATE, Suite, listening
from tests.servers import Mosquitto, StartMosquitto, StartRedis
from tests.sparkplug.situation import birth_bytes, data_bytes, death_bytes, device_birth_bytes

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Run:
    """A bridge that runs, and a suite on each of its servers."""

    bridge: Bridge
    suites: Sequence[Suite]


@asynccontextmanager
async def running_bridge(home: Path, brokers: Sequence[Mosquitto], start_redis: StartRedis) -> AsyncIterator[Run]:
    """The bridge is online on all servers."""
    changes = {"sparkplug": {"reorder_timeout": "500ms", "rebirth_pause": "1s"}}
    folder = write_folder(home / "plant", brokers[0], start_redis(), OdooAccess(), changes)
    if len(brokers) > 1:
        servers = [
            {
                "host": broker.host,
                "port": broker.port,
                "user": broker.user,
                "secret": {"file": "broker.secret"},
            }
            for broker in brokers
        ]
        lines = (folder / "bridge.yaml").read_text("utf-8").splitlines(keepends=True)
        others = [line for line in lines if not line.startswith("broker:")]
        (folder / "bridge.yaml").write_text("".join([f"broker: {json.dumps(servers)}\n", *others]), "utf-8")
    bridge = Bridge(folder, home / "bridge.log")
    async with AsyncExitStack() as stack:
        suites = [await stack.enter_async_context(listening(broker)) for broker in brokers]
        stack.push_async_callback(bridge.remove)
        await bridge.start()
        for suite in suites:
            await suite.until_states(1)
        yield Run(bridge, suites)


async def test_the_host_says_when_it_comes_goes_and_is_killed_and_contradicts_who_says_it_is_gone(
    tmp_path: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis
) -> None:
    async with running_bridge(tmp_path, [start_mosquitto()], start_redis) as run:
        [suite] = run.suites
        [born] = suite.states
        assert born.online

        await suite.say_state(HostState(False, born.timestamp_ms))
        assert (await suite.until_states(3))[1:] == [HostState(False, born.timestamp_ms), born]

        await run.bridge.kill()
        assert (await suite.until_states(4))[3] == HostState(False, born.timestamp_ms)  # the will

        await run.bridge.start()
        again = (await suite.until_states(5))[4]
        assert again.online
        assert again.timestamp_ms > born.timestamp_ms
        assert await run.bridge.stop() == 0
        await until(lambda: not suite.states[-1].online, lambda: f"it left, not {suite.states}", LIMIT_S)
        assert suite.states[-1].timestamp_ms > again.timestamp_ms
        assert {each.qos for each in suite.heard if each.topic == STATE} == {1}


async def test_a_gap_that_fills_in_time_asks_for_nothing_and_one_that_stays_asks_for_a_rebirth(
    tmp_path: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis
) -> None:
    async with running_bridge(tmp_path, [start_mosquitto()], start_redis) as run:
        [suite] = run.suites
        await suite.say("NDATA", data_bytes(1, 11))  # who is that?
        await suite.until_asked(1)
        await suite.say("NBIRTH", birth_bytes())
        await suite.say("DBIRTH", device_birth_bytes(1), "/arm")
        await suite.say("NDATA", data_bytes(3, 13))
        await suite.say("NDATA", data_bytes(2, 12))
        await suite.say("NDATA", data_bytes(4, 14))
        await suite.say("NDATA", data_bytes(6, 16))  # 5 never comes
        await suite.until_asked(2)
        assert len(run.bridge.told("sparkplug.finding", finding="seq-gap")) == 1
        assert "5" in run.bridge.told("sparkplug.finding", finding="seq-gap")[0]["text"]


async def test_a_death_of_an_earlier_session_is_passed_over_and_that_of_the_present_one_is_not(
    tmp_path: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis
) -> None:
    async with running_bridge(tmp_path, [start_mosquitto()], start_redis) as run:
        [suite] = run.suites
        await suite.say("NBIRTH", birth_bytes(8))
        await suite.say("NDEATH", death_bytes(7))
        await run.bridge.until_told("sparkplug.finding", finding="death-bdseq-mismatch")
        await suite.say("NDEATH", death_bytes(8))
        await suite.say("NDATA", data_bytes(1, 11))
        await suite.until_asked(1)
        assert suite.rebirths == 1
        assert run.bridge.told("sparkplug.finding", finding="node-unborn")


async def test_on_two_servers_the_host_is_online_on_both_and_asks_where_the_node_lives(
    tmp_path: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis
) -> None:
    async with running_bridge(tmp_path, [start_mosquitto(), start_mosquitto()], start_redis) as run:
        first, second = run.suites
        await second.say("NBIRTH", birth_bytes())
        await second.say("NDATA", data_bytes(1, 11, alias=99))
        await second.until_asked(1)
        await run.bridge.kill()
        for suite in (first, second):
            born, died = await suite.until_states(2)
            assert (born.online, died) == (True, HostState(False, born.timestamp_ms))
        assert first.rebirths == 0
