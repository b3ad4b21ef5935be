"""Master data of a real Odoo beside the demonstration's plant folder. Reads only."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import msgspec
from jsonschema import Draft202012Validator, FormatChecker

from bridge.master.source import OdooMaster
from bridge.online.check import check_online
from bridge.plant import Plant
from bridge.wiring import odoo_connection
from odoo_adapter.client.api import OdooApi
from odoo_adapter.survey.document import Kind
from tests.bridge.beside_odoo import write_plant
from tests.bridge.master.reader import Namespace, read_once

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/contract/master-data.schema.json").read_text())


def plant_of(folder: Path, assets: tuple[str, str] = ("", ""), codes: tuple[str, str] = ("", "")) -> Plant:
    """The demonstration's plant beside the Odoo under test, with changed texts."""
    plant = write_plant(
        folder,
        os.environ["UNS_BRIDGE_ODOO_URL"],
        assets=lambda text: text.replace(*assets),
        codes=lambda text: text.replace(*codes),
        bridge=lambda text: text.replace("database: plant", f"database: {os.environ['UNS_BRIDGE_ODOO_DB']}").replace(
            "user: uns-bridge", f"user: {os.environ['UNS_BRIDGE_ODOO_USER']}"
        ),
    )
    (folder / "odoo.secret").write_text(os.environ["UNS_BRIDGE_ODOO_KEY"])
    return plant


async def test_the_demonstrations_plant_fits_what_its_seed_made(tmp_path: Path) -> None:
    compared = await check_online(plant_of(tmp_path / "plant"))
    assert compared.problems == ()
    assert {line.kind: (line.named, line.fitting) for line in compared.comparison.lines} == {
        "work center": (3, 3),
        "maintenance equipment": (4, 4),
        "unit": (3, 3),
        "loss reason": (5, 5),
        "scrap reason": (3, 3),
    }


async def test_units_that_are_another_amount_in_odoo_are_named(tmp_path: Path) -> None:
    plant = plant_of(tmp_path / "plant", ('"PRESS-{n}"', '"PRES-{n}"'), ("  g: g\n", "  g: kg\n  lb: pcs\n"))
    told = [problem.text for problem in (await check_online(plant)).problems]
    assert told[0] == 'Odoo has no work center with the code "PRES-1", "PRES-2"'
    assert any(text.startswith("1 g would be posted as 1 kg, which in Odoo is ") for text in told)
    assert any(text.startswith('Odoo has no unit of measure "pcs"') for text in told)
    assert len(told) == 3


async def test_every_kind_is_read_and_read_again_the_same(tmp_path: Path) -> None:
    plant, namespace = plant_of(tmp_path / "plant"), Namespace()
    api = OdooApi(odoo_connection(plant))
    source = OdooMaster(plant, api, lambda: plant.content)
    read = await read_once(source, namespace)
    again = await read_once(source, None)
    await api.close()

    documents: list[dict[str, Any]] = [msgspec.json.decode(payload) for payload in namespace.retained.values()]
    validator = Draft202012Validator(SCHEMA, format_checker=FormatChecker())
    assert [error.message for document in documents for error in validator.iter_errors(document)] == []
    not_everywhere = {Kind.SCRAP_REASON, Kind.SCHEDULE}  # 17 has no reasons, and nobody need have planned maintenance
    assert {one["kind"] for one in documents} | not_everywhere == set(Kind)
    assert {one["code"] for one in documents if one["kind"] == "product"} >= {"RESIN-A", "BOX", "HOUSING"}
    assert (again, read.differences) == (read, ())
