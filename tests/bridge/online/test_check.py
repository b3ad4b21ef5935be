"""`check --online` on a simulated Odoo: a folder that fits, one that does not, and an Odoo that cannot be asked."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bridge.__main__ import app
from bridge.online.check import check_online
from bridge.wiring import odoo_connection
from odoo_adapter.client.api import OdooApi
from odoo_adapter.errors import Unavailable
from odoo_adapter.rights import read_account
from tests.bridge.beside_odoo import KEY, simulated, write_plant


@pytest.mark.parametrize("version", ["17.0", "18.0", "19.0"])
async def test_the_demonstrations_plant_fits_its_odoo(tmp_path: Path, version: str) -> None:
    async with simulated(version=version) as url:
        compared = await check_online(write_plant(tmp_path / "plant", url))
    assert (compared.problems, compared.comparison.notes) == ((), ())
    assert [(line.kind, line.named, line.fitting) for line in compared.comparison.lines] == [
        ("work center", 3, 3),
        ("maintenance equipment", 4, 4),
        ("unit", 3, 3),
        ("loss reason", 5, 5),
        ("scrap reason", 3, 3),
    ]
    assert compared.version.startswith(version)


async def test_everything_that_does_not_match_is_told_at_once(tmp_path: Path) -> None:
    async with simulated() as url:
        plant = write_plant(
            tmp_path / "plant",
            url,
            "hold_location: Quality Hld\n  inbox: never",
            assets=lambda text: text.replace('"PRESS-{n}"', '"PRES-{n}"').replace("UNS-PACK-1", "UNS-PAKC-1"),
            codes=lambda text: text.replace("pcs: Units", "pcs: Unit"),
        )
        told = [str(problem) for problem in (await check_online(plant)).problems]
    assert told == [
        'assets.yaml:61:18: Odoo has no work center with the code "PRES-1", "PRES-2"',
        'assets.yaml:67:20: Odoo has no maintenance equipment with the serial number "UNS-PAKC-1"; did you mean '
        '"UNS-PACK-1"?',
        'bridge.yaml:6:18: hold location "Quality Hld": create it in Odoo beside the stock, or name another in '
        '`odoo.hold_location`; did you mean "Quality Hold"?',
        'codes.yaml:11:8: Odoo has no unit of measure "Unit" (its English name); did you mean "Units"?',
    ]


async def test_the_command_ends_with_2_on_a_difference_and_says_it_as_json(tmp_path: Path) -> None:
    async with simulated() as url:
        write_plant(tmp_path / "plant", url, assets=lambda text: text.replace("company: 1", "company: 7"))
        command = [str(tmp_path / "plant"), "--online", "--json"]
        result = await asyncio.to_thread(CliRunner().invoke, app, ["check", *command])
    told = json.loads(result.stdout)
    assert (result.exit_code, told["clean"], len(told["problems"])) == (2, False, 1)
    assert told["problems"][0]["text"].startswith("there is no company 7 in Odoo in which the user may work")


async def test_a_new_key_in_the_file_is_taken_at_the_next_call(tmp_path: Path) -> None:
    async with simulated() as url:
        plant = write_plant(tmp_path / "plant", url)
        (tmp_path / "plant/odoo.secret").write_text("an old key")
        odoo = OdooApi(odoo_connection(plant))
        with pytest.raises(Unavailable, match="does not accept the API key"):
            await read_account(odoo)
        (tmp_path / "plant/odoo.secret").write_text(f"{KEY}\n")
        assert (await read_account(odoo)).login == "uns-bridge"
        await odoo.close()


def test_an_odoo_that_is_not_there_ends_with_3(tmp_path: Path) -> None:
    write_plant(tmp_path / "plant", "http://127.0.0.1:9")
    result = CliRunner().invoke(app, ["check", str(tmp_path / "plant"), "--online"])
    assert (result.exit_code, "cannot be reached" in result.stderr) == (3, True)
