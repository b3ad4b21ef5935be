"""What is refused at a start, and what a setting accepts."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.doctor.clock import ServerClock
from bridge.errors import NotDurable, StartRefused
from bridge.leadership.refusal import refuse_unfit
from bridge.wiring import Outside, weaker
from odoo_adapter.errors import OdooError, Refused, Unavailable
from odoo_adapter.odoo import OdooInfo
from odoo_adapter.versions import capabilities
from state.memory_store import MemoryStore
from state.survey.redis import durability
from tests.bridge.site import Site, plant_in


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(plant_in(tmp_path))


def with_clock(site: Site, ahead_ms: int) -> Outside:
    """The store's clock is so much ahead of the bridge's."""

    async def tell() -> int:
        return site.clock.now_ms() + ahead_ms

    return replace(site.outside, store_clock=ServerClock(of="the store", tell=tell))


async def warnings(site: Site, outside: Outside) -> list[str]:
    """What a start that is not refused warns of."""
    with capture_logs() as logs:
        await refuse_unfit(site.plant, outside)
    return [line["event"] for line in logs]


async def test_a_start_with_nothing_wrong_says_nothing(site: Site) -> None:
    assert await warnings(site, with_clock(site, 1_000)) == []


async def test_a_weak_store_is_refused_with_the_setting_that_accepts_it(site: Site) -> None:
    site.store = MemoryStore(weaknesses=("it forgets",))
    with pytest.raises(NotDurable, match=r"it forgets\n.*accept_weak_durability: true"):
        await refuse_unfit(site.plant, site.outside)


async def test_a_sentinel_is_refused_with_what_to_give_instead(site: Site) -> None:
    async def answer(*words: str | int | bytes) -> list[object]:
        assert words == ("ROLE",)
        return [b"sentinel", [b"plant"]]

    class Sentinel(MemoryStore):
        async def weaknesses(self) -> tuple[str, ...]:
            return tuple(one.weakness for one in await durability(answer, 0))

    site.store = Sentinel()
    with pytest.raises(StartRefused, match=r"redis\.url: this is a Redis Sentinel, .*: give the url of the primary"):
        await refuse_unfit(site.plant, site.outside)


@pytest.mark.parametrize("ahead_ms", [61_000, -61_000])
async def test_a_clock_that_is_too_far_off_is_refused_with_the_setting_that_accepts_it(
    site: Site, ahead_ms: int
) -> None:
    side = "ahead of" if ahead_ms > 0 else "behind"
    with pytest.raises(StartRefused, match=rf"the store's clock is 61\.0 s {side} ours: .*`limits: {{clock_off: "):
        await refuse_unfit(site.plant, with_clock(site, ahead_ms))


async def test_odoos_clock_is_refused_by_the_same_limit(site: Site) -> None:
    outside = with_clock(site, 61_000)
    assert outside.store_clock is not None
    outside = replace(outside, store_clock=None, odoo_clock=replace(outside.store_clock, of="Odoo"))
    with pytest.raises(StartRefused, match=r"Odoo's clock is 61\.0 s ahead of ours: .*`limits: {clock_off: "):
        await refuse_unfit(site.plant, outside)


async def test_a_clock_that_is_off_by_less_than_is_accepted_is_not_refused(tmp_path: Path) -> None:
    site = Site(plant_in(tmp_path, ", clock_off: 5m"))
    assert await warnings(site, with_clock(site, 61_000)) == []


async def test_an_odoo_of_an_unknown_version_is_refused_with_those_that_are_known(site: Site) -> None:
    class Newer(type(site.odoo)):  # type: ignore[misc]
        async def check(self) -> OdooInfo:
            capabilities("20.0")
            raise AssertionError("20.0 must not be known")

    site.odoo = Newer(context=site.odoo.context)
    with pytest.raises(StartRefused, match=r"Odoo 20\.0 is not supported; supported: 17\.0, 18\.0, 19\.0; run a"):
        await refuse_unfit(site.plant, site.outside)


async def test_an_odoo_of_an_unknown_version_that_is_accepted_is_told_with_how_it_is_called(site: Site) -> None:
    class Newer(type(site.odoo)):  # type: ignore[misc]
        async def check(self) -> OdooInfo:
            info: OdooInfo = await super().check()
            return replace(info, version="20.0")

    site.odoo = Newer(context=site.odoo.context)
    accepting = replace(site.plant.settings.odoo, accept_unknown_version=True)
    plant = replace(site.plant, settings=replace(site.plant.settings, odoo=accepting))
    with capture_logs() as logs:
        await refuse_unfit(plant, site.outside)
    expected = {"version": "20.0", "called_as": "19.0", "accepted_by": "odoo.accept_unknown_version"}
    assert [(line["event"], expected.items() <= line.items()) for line in logs] == [("odoo.unknown_version", True)]
    assert "odoo.accept_unknown_version" in weaker(plant)


@pytest.mark.parametrize("failure", [Unavailable("away"), Refused("rights", "no"), None], ids=["away", "no", "silent"])
async def test_an_odoo_that_is_away_or_declines_is_no_reason_not_to_follow_the_plant(
    site: Site, failure: OdooError | None
) -> None:
    class Failing(type(site.odoo)):  # type: ignore[misc]
        async def check(self) -> OdooInfo:
            if failure is not None:
                raise failure
            await asyncio.Event().wait()
            raise AssertionError

    site.odoo = Failing(context=site.odoo.context)
    assert await warnings(site, site.outside) == []
