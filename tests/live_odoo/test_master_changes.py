"""What people change in a real Odoo's master data: seen, named, and taken back at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bridge.master.book import KindChanged, MasterBook
from bridge.master.source import OdooMaster
from bridge.online.check import check_online
from bridge.wiring import odoo_connection
from odoo_adapter.client.api import OdooApi
from tests.bridge.master.reader import read_once
from tests.live_odoo.test_master import plant_of


@asynccontextmanager
async def written(admin: OdooApi, model: str, domain: list[object], **values: object) -> AsyncIterator[None]:
    """The values in the one record that matches, and at the end what they were."""
    fields = [*values, "active"] if "active" not in values else [*values]
    (row,) = await admin.call(model, "search_read", writes=False, domain=domain, fields=fields)
    before = {name: row[name] for name in values}
    await admin.call(model, "write", writes=True, ids=[row["id"]], vals=values)
    try:
        yield
    finally:
        await admin.call(model, "write", writes=True, ids=[row["id"]], vals=before)


async def test_an_archived_work_center_and_equipment_are_named_as_such(admin: OdooApi, tmp_path: Path) -> None:
    plant = plant_of(tmp_path / "plant")
    async with (
        written(admin, "mrp.workcenter", [["code", "=", "PRESS-2"]], active=False),
        written(admin, "maintenance.equipment", [["serial_no", "=", "UNS-STATION-1"]], active=False),
    ):
        told = [problem.text for problem in (await check_online(plant)).problems]
    assert told == [
        'in Odoo the work center with the code "PRESS-2" is archived: take it out of the archive, or name another',
        'in Odoo the maintenance equipment with the serial number "UNS-STATION-1" is archived: take it out of the '
        "archive, or name another",
    ]


async def test_a_wrong_ratio_is_named(admin: OdooApi, tmp_path: Path) -> None:
    plant = plant_of(tmp_path / "plant", codes=("  g: g\n", "  g: g\n  dozen: Tests\n"))
    (pieces,) = await admin.call("uom.uom", "search_read", writes=False, domain=[["name", "=", "Units"]], fields=[])
    if (await admin.capabilities()).unit_categories:
        ratio = {"category_id": pieces["category_id"][0], "uom_type": "bigger", "ratio": 10.0}
        mend = 'write "Dozens"'
    else:
        ratio = {"relative_uom_id": pieces["id"], "relative_factor": 10.0}
        mend = 'mend the ratio of "Tests" in Odoo'
    made = await admin.call("uom.uom", "create", writes=True, vals_list=[{"name": "Tests", **ratio}])
    try:
        told = [problem.text for problem in (await check_online(plant)).problems]
    finally:
        await admin.call("uom.uom", "unlink", writes=True, ids=made)
    assert told == [f"1 dozen would be posted as 1 Tests, which in Odoo is 10 Units and not 12; {mend}"]


async def test_a_change_is_counted_and_its_end_too(admin: OdooApi, tmp_path: Path) -> None:
    plant, book = plant_of(tmp_path / "plant"), MasterBook()
    api = OdooApi(odoo_connection(plant))
    source = OdooMaster(plant, api, lambda: plant.content)
    book.read(await read_once(source, None), 0)
    async with written(admin, "product.product", [["default_code", "=", "BOX"]], name="Box, folded"):
        assert book.read(await read_once(source, None), 1) == (
            KindChanged(kind="product", added=0, changed=1, removed=0, is_first=False),
        )
    assert [type(one) for one in book.read(await read_once(source, None), 2)] == [KindChanged]
    assert book.read(await read_once(source, None), 3) == ()
    await api.close()
