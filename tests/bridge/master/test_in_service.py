"""Master data in the running bridge: published, remembered over a restart, told once, not read back as documents."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
from structlog.testing import capture_logs

from bridge.broker.link import Publication
from bridge.master.book import KindRecord
from bridge.settings import MasterDataSettings
from bridge.wiring import Outside
from state.record import Table
from tests.bridge.master.test_poll import TOPIC, Products
from tests.bridge.site import Site, bridge_on, plant_in


@dataclass(slots=True)
class MasterSite(Site):
    """A site whose Odoo has products."""

    source: Products = field(default_factory=lambda: Products({1: "A", 2: "B"}))

    @property
    def outside(self) -> Outside:
        around = Outside(store=self.store, odoo=self.odoo, link=self.link, clock=self.clock)
        return replace(around, master=lambda live: self.source)

    def retained_codes(self) -> dict[int, str]:
        found = (self.broker.retained(f"{TOPIC}/{id}") for id in (1, 2, 3))
        documents = [msgspec.json.decode(one.payload) for one in found if isinstance(one, Publication)]
        return {one["id"]: one["code"] for one in documents}

    async def remembered(self) -> set[str]:
        stored = await self.store.read_one(Table.MASTER, "product")
        return set(msgspec.json.decode(stored, type=KindRecord).hashes) if stored else set()


async def test_master_data_goes_to_the_namespace_and_its_changes_are_told_after_a_restart(tmp_path: Path) -> None:
    plant = plant_in(tmp_path)
    wanted = MasterDataSettings(publish=True)
    site = MasterSite(replace(plant, settings=replace(plant.settings, master_data=wanted)))

    async def is_remembered() -> bool:
        return await site.remembered() == {str(id) for id in site.source.codes}

    with capture_logs() as logs:
        async with bridge_on(site):
            await site.pass_time(is_remembered)
        site.source.codes = {2: "B2", 3: "C"}
        async with bridge_on(site):
            await site.pass_time(is_remembered)
    told = [line for line in logs if line["event"].startswith(("master", "translate", "document.unreadable"))]
    for line in told:
        line.pop("log_level")
    assert told == [
        {"event": "master.read", "kind": "product", "documents": 2},
        {"event": "master.differs", "text": "no kg"},
        {"event": "master.changed", "kind": "product", "added": 1, "changed": 1, "removed": 1},
    ]
    assert site.retained_codes() == {2: "B2", 3: "C"}
