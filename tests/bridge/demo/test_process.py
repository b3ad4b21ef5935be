"""The bridge of a demonstration ends for a reason, and is started again where a supervisor would."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from bridge.demo.process import BridgeEnded, BridgeProcess
from tests.integration.folder import OdooAccess, write_folder
from tests.integration.patience import until
from tests.servers import Mosquitto, StartMosquitto, StartRedis

LIMIT_S = 120.0
"""A process starts and ends in seconds, on a machine that has nothing else to do."""


async def ended(bridge: BridgeProcess) -> str:
    """How it ends by itself; empty when it is started again."""

    async def was_started_again() -> bool:
        return bool(await bridge.check())

    try:
        await until(was_started_again, "the end of the bridge", LIMIT_S)
    except BridgeEnded as error:
        return str(error)
    return ""


@pytest.mark.redis
@pytest.mark.mosquitto
@pytest.mark.parametrize("supervised", [True, False])
async def test_a_bridge_whose_store_is_away_at_its_start_is_started_again_where_it_is_supervised(
    tmp_path: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis, supervised: bool
) -> None:
    store = start_redis()
    folder = write_folder(tmp_path / "plant", start_mosquitto(), store, OdooAccess())
    store.kill()
    bridge = BridgeProcess(folder, tmp_path / "bridge.log", supervised=supervised)
    await bridge.start()
    said = await ended(bridge)
    await bridge.stop()
    assert ("the bridge ended with 3" in said) is not supervised


async def test_a_bridge_that_ends_for_a_mistake_in_its_folder_is_not_started_again(tmp_path: Path) -> None:
    bridge = BridgeProcess(tmp_path, tmp_path / "bridge.log", supervised=True)
    await bridge.start()
    assert "the bridge ended with 2" in await ended(bridge)


DEMO = """\
import asyncio, pathlib, sys
from bridge.demo.process import BridgeProcess

async def main():
    await BridgeProcess(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])).start()
    await asyncio.Event().wait()

asyncio.run(main())
"""
"""A demonstration that does nothing but start its bridge."""


@pytest.mark.redis
@pytest.mark.mosquitto
async def test_a_bridge_ends_in_good_order_when_its_demonstration_is_killed(
    tmp_path: Path, mosquitto: Mosquitto, start_redis: StartRedis
) -> None:
    folder, log = write_folder(tmp_path / "plant", mosquitto, start_redis(), OdooAccess()), tmp_path / "bridge.log"
    log.touch()
    demo = await asyncio.create_subprocess_exec(sys.executable, "-c", DEMO, str(folder), str(log))
    await until(lambda: "bridge.started" in log.read_text(), log.read_text, LIMIT_S)
    demo.kill()
    await demo.wait()
    await until(lambda: "bridge.stopped" in log.read_text(), log.read_text, LIMIT_S)
