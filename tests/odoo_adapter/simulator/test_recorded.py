"""What a real Odoo 19 was asked and answered, asked of the simulator: the same answers but for ids and times."""

from __future__ import annotations

import aiohttp
import pytest

from odoo_adapter.client.api import OdooApi
from tests.odoo_adapter.simulator.conftest import BRIDGE_KEY, DATABASE, Simulated
from tests.odoo_adapter.simulator.replay import Replay, recording

HEADERS = {"Authorization": f"bearer {BRIDGE_KEY}", "X-Odoo-Database": DATABASE}
PRODUCTS = (
    ("FG-LOT", "Pump (lot tracked)", 1, "lot"),
    ("FG-SN", "Motor (serial tracked)", 1, "serial"),
    ("FG-NONE", "Bracket (untracked)", 1, "none"),
    ("C-RESIN", "Resin (lot tracked)", 16, "lot"),
    ("C-BOLT", "Bolt M8", 1, "none"),
    ("C-PCB", "PCB (serial)", 1, "serial"),
    ("BY-OFFCUT", "Offcut", 16, "none"),
)
PLENTY = 100_000.0
RECORDINGS = ("a_release", "b_workorder", "c1_complete_lot", "d_scrap", "e_lots", "g_maintenance")


async def create(admin: OdooApi, model: str, **values: object) -> int:
    created: list[int] = await admin.call(model, "create", writes=True, vals_list=[values])
    return created[0]


async def count_in(admin: OdooApi, product: int, lot: int | bool) -> None:
    quant = await create(admin, "stock.quant", product_id=product, location_id=5, lot_id=lot, inventory_quantity=PLENTY)
    await admin.call("stock.quant", "action_apply_inventory", writes=True, ids=[quant])


@pytest.fixture
async def recorded_plant(admin: OdooApi) -> None:
    """The master data of the recorded server, with its ids."""
    for code, name, unit, tracking in PRODUCTS:
        await create(
            admin, "product.product", default_code=code, name=name, uom_id=unit, tracking=tracking, is_storable=True
        )
    for name, code in (("Mixer 1", "MIX1"), ("Press 2", "PRS2")):
        await create(admin, "mrp.workcenter", name=name, code=code)
    await create(
        admin,
        "mrp.bom",
        code="R1",
        product_tmpl_id=1,
        product_id=1,
        bom_line_ids=[
            [0, 0, {"product_id": 4, "product_qty": 2.5, "product_uom_id": 16}],
            [0, 0, {"product_id": 5, "product_qty": 4}],
        ],
        byproduct_ids=[[0, 0, {"product_id": 7, "product_qty": 0.2, "product_uom_id": 16}]],
        operation_ids=[
            [0, 0, {"name": "Mix", "workcenter_id": 1, "time_cycle_manual": 10, "sequence": 1}],
            [0, 0, {"name": "Press", "workcenter_id": 2, "time_cycle_manual": 5, "sequence": 2}],
        ],
    )
    await create(
        admin,
        "mrp.bom",
        code="R1",
        product_tmpl_id=2,
        product_id=2,
        bom_line_ids=[[0, 0, {"product_id": 6, "product_qty": 1}], [0, 0, {"product_id": 5, "product_qty": 2}]],
        operation_ids=[[0, 0, {"name": "Assemble", "workcenter_id": 2, "time_cycle_manual": 3}]],
    )
    for product, name in ((4, "RESIN-A"), (4, "RESIN-B"), (6, "PCB-1")):
        await count_in(admin, product, await create(admin, "stock.lot", product_id=product, name=name, company_id=1))
    await count_in(admin, 5, lot=False)
    await create(
        admin, "maintenance.equipment", name="Mixer 1 gearbox", serial_no="GBX-001", category_id=1, technician_user_id=2
    )


@pytest.mark.usefixtures("recorded_plant")
async def test_it_answers_as_the_recorded_server(simulated: Simulated) -> None:
    """One server was asked all of it, so the recordings are replayed one after another."""
    replay = Replay(simulated.url, HEADERS)
    found = {name: await replay.differences(recording(name)) for name in RECORDINGS}
    assert found == {name: [] for name in RECORDINGS}


@pytest.mark.usefixtures("recorded_plant")
@pytest.mark.parametrize("exchange", recording("protocol"), ids=lambda exchange: str(exchange["label"]))
async def test_faults_have_the_recorded_status_name_and_first_line(
    exchange: dict[str, object], simulated: Simulated
) -> None:
    key = {"bad key": "bearer nobodys", "no key": ""}.get(str(exchange["label"]), f"bearer {BRIDGE_KEY}")
    headers = {"X-Odoo-Database": DATABASE} | ({"Authorization": key} if key else {})
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{simulated.url}{exchange['path']}", json=exchange["body"]) as response,
    ):
        assert (response.status, summary(await response.json())) == (exchange["status"], summary(exchange["answer"]))


def summary(answer: object) -> object:
    """What a client may rely on: a fault's name and the first sentence, or the answer's form."""
    if isinstance(answer, dict) and "message" in answer:
        first = str(answer["message"]).split(" to", 1)[0].split("\n", 1)[0].split(" '", 1)[0]
        return answer["name"], first
    if isinstance(answer, list):
        return [type(one).__name__ for one in answer]
    return answer
