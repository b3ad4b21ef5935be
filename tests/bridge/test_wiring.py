"""Which Odoo a plant's settings open."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bridge.plant import load_plant
from bridge.settings.odoo import InboxUse
from bridge.wiring import open_odoo
from odoo_adapter.chosen import ChosenOdoo
from odoo_adapter.look_first.odoo import LookFirstOdoo
from odoo_adapter.odoo import Odoo

PLANT = Path(__file__).parents[2] / "bridge/demo/plant"


@pytest.mark.parametrize(
    ("inbox", "kind"),
    [(InboxUse.REQUIRED, ChosenOdoo), (InboxUse.PREFERRED, ChosenOdoo), (InboxUse.NEVER, LookFirstOdoo)],
)
async def test_a_plant_opens_its_odoo_in_the_way_that_it_names(inbox: InboxUse, kind: type[Odoo]) -> None:
    plant = load_plant(PLANT)
    odoo = open_odoo(replace(plant, settings=replace(plant.settings, odoo=replace(plant.settings.odoo, inbox=inbox))))
    assert type(odoo) is kind
    await odoo.close()
