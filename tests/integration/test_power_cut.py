"""The bridge is killed and started again while the plant runs."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.integration.plant import running_plant
from tests.servers import StartMosquitto, StartRedis

pytestmark = pytest.mark.slow

ORDERS = 5
KILLS = 3
LAST_MOMENT = 28
"""Facts on the floor; five orders make more than that."""


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_bridge_that_is_killed_at_any_moments_loses_nothing_and_doubles_nothing(
    seed: int, tmp_path: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis
) -> None:
    async with running_plant(tmp_path, start_mosquitto(), start_redis(), seed=seed) as plant:
        await plant.bridge.start()
        await plant.release_orders(ORDERS)
        for moment in sorted(random.Random(seed).sample(range(ORDERS + 1, LAST_MOMENT), KILLS)):
            await plant.until_happened(moment)
            await plant.cut_power_of_the_bridge()
        report = await plant.ended()
    assert (report.lost, report.doubled, report.out_of_order) == (0, 0, 0)
    assert report.facts > LAST_MOMENT
