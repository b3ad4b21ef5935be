"""The rules change while the plant counts, and the bridge is killed in the middle of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.lifecycle.book import VersionBook
from bridge.lifecycle.history import Step
from tests.bridge.lifecycle.test_book import ANNA, BEN, OLGA
from tests.integration.plant import running_plant
from tests.servers import StartMosquitto, StartRedis

pytestmark = pytest.mark.slow

ORDERS = 3


class Releases:
    """What people do with the versions of a folder."""

    def __init__(self, folder: Path) -> None:
        self._rules = folder / "rules" / "production.yaml"
        self._book = VersionBook(folder)
        self._now_ms = 0

    def edit(self, before: str, after: str) -> None:
        text = self._rules.read_text()
        assert before in text
        self._rules.write_text(text.replace(before, after))

    def propose(self) -> str:
        return self._book.propose(ANNA, "as agreed", 17, self._moment())

    def promote(self, version: str) -> None:
        for step in (Step.APPROVE, Step.PROMOTE):
            self._book.act(step, BEN, version, "as agreed", self._moment())

    def shadow(self, version: str) -> None:
        self._book.act(Step.SHADOW, ANNA, version, "as agreed", self._moment())

    def roll_back(self, version: str) -> None:
        self._book.act(Step.ROLL_BACK, OLGA, version, "as agreed", self._moment())

    def _moment(self) -> int:
        self._now_ms += 1
        return self._now_ms


async def test_a_promotion_a_kill_right_after_it_and_a_rollback_cost_nothing_and_each_posting_names_its_version(
    tmp_path: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis
) -> None:
    async with running_plant(tmp_path, start_mosquitto(), start_redis(), seed=12) as plant:
        people = Releases(plant.folder)
        people.promote(first := people.propose())
        await plant.bridge.start()
        await plant.release_orders(ORDERS)
        await plant.until_happened(ORDERS + 4)

        people.edit("every: 5s", "every: 3s")
        people.shadow(second := people.propose())
        await plant.bridge.until_told("rules.shadow_begun", version=second)
        await plant.cut_power_of_the_bridge()
        await plant.bridge.until_told("bridge.started", times=2)
        await plant.release_orders(ORDERS)
        await plant.until_made()
        assert len(plant.bridge.told("rules.shadow_begun")) == 1  # it went on

        people.promote(second)
        await plant.cut_power_of_the_bridge()
        await plant.bridge.until_told("bridge.started", times=3)
        await plant.release_orders(ORDERS)
        await plant.until_made()

        people.roll_back(second)
        await plant.bridge.until_told("rules.live", version=first, before=second)
        report = await plant.ended()
        posted = await plant.posted()
    assert (report.lost, report.doubled, report.out_of_order) == (0, 0, 0)
    assert {(each.release, each.approved_by) for each in posted} == {(first, "ben"), (second, "ben")}


async def test_a_version_in_shadow_that_says_the_same_differs_in_nothing_although_the_bridge_is_killed(
    tmp_path: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis
) -> None:
    async with running_plant(tmp_path, start_mosquitto(), start_redis(), seed=13) as plant:
        people = Releases(plant.folder)
        people.promote(people.propose())
        people.edit("\n- rule:", "\n# the same in other words\n- rule:")
        people.shadow(version := people.propose())
        await plant.bridge.start()
        await plant.release_orders(2)
        await plant.until_happened(6)
        await plant.cut_power_of_the_bridge()
        report = await plant.ended()
        found = await plant.seen_in_shadow(version)
    assert (report.lost, report.doubled, report.out_of_order) == (0, 0, 0)
    assert found is not None
    assert (found.difference.differing, found.defects) == ((), 0)
    assert found.difference.postings_after == found.difference.postings_before > 0
