"""When the bridge makes no session with the broker, although one was cut: another leads, or it can take no more."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.broker.link import BrokerLink, LinkSettings, MayConnect, Publication, Subscriptions, WillSource
from bridge.service import Service
from state.errors import Fenced, StoreUnavailable
from tests.bridge.simulator.listener import until
from tests.bridge.site import HOST, LINE, Site, bridge_on, plant_in

DOCUMENTS, ORDERS, STATES = f"{HOST}-documents", f"{HOST}-orders", (f"{HOST}-host", f"{HOST}-state")


class Watched(Site):
    """A site with nodes of Sparkplug 2.2 too, that keeps which sessions the bridge made."""

    def __init__(self, folder: Path) -> None:
        plant = plant_in(folder, ", outbox: 5")
        both = replace(plant.settings.sparkplug, legacy_state=True)
        super().__init__(replace(plant, settings=replace(plant.settings, sparkplug=both)))
        self.made: list[str] = []

    def service(self) -> Service:
        return Service(self.plant, replace(self.outside, link=self.watched), stage_s=0.3)

    def watched(
        self, settings: LinkSettings, subscriptions: Subscriptions, will: WillSource, may_connect: MayConnect
    ) -> BrokerLink:
        def made() -> Publication | None:
            self.made.append(settings.client_id)
            return will()

        return self.link(settings, subscriptions, made, may_connect)

    async def all_made(self) -> None:
        """Wait until each session is there, and forget that it was made."""
        await until(lambda: set(self.made) == {DOCUMENTS, ORDERS, *STATES})
        self.made.clear()


@pytest.fixture
def site(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


async def test_a_bridge_whose_site_was_taken_over_makes_no_session_again(site: Watched) -> None:
    """It would evict the new leader's, and say that it is online."""
    async with bridge_on(site) as run:
        await site.all_made()
        site.clock.advance(60_000)
        assert await site.store.acquire("another", 60_000) is not None
        site.refuse_commits(StoreUnavailable("no commit tells it so"))
        for client_id in (DOCUMENTS, ORDERS, *STATES):
            site.broker.cut(client_id)
        with pytest.raises(Fenced):
            await asyncio.wait_for(run.task, 5)
    assert site.made == []


async def test_a_host_with_a_full_outbox_stays_offline_and_so_does_its_edge_node(site: Watched) -> None:
    def cut_and_made_again() -> bool:
        """Several times, so that the others had the time for it too."""
        site.broker.cut(DOCUMENTS)
        return site.made.count(DOCUMENTS) > 3

    async with bridge_on(site):
        await site.all_made()
        site.odoo.down = True
        for number in range(6):
            site.tell(f"{LINE}/work_started", id=f"s{number}", order=f"mo-{number}", work_order=f"wo-{number}")
        await site.pass_time(lambda: not site.is_host_online or bool(site.made))
        site.broker.cut(ORDERS)
        await site.pass_time(cut_and_made_again)
        assert set(site.made) == {DOCUMENTS}
