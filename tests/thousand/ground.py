"""Master data that no earlier run used, and the orders of a run, made by a planner who goes on planning meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from odoo_adapter.client.api import OdooApi
from odoo_adapter.errors import Unavailable, Uncertain
from odoo_adapter.plan import moment
from odoo_adapter.seed import Planner
from tests.live_odoo.kitchen import Kitchen
from tests.odoo_adapter.situations import AT_MS

PRESSES: Final = ("P1", "P2")
STATIONS: Final = ("S1", "S2", "S3")
BLOCKED: Final = ("B1", "B2")
"""Work centers that cannot run at times."""
EQUIPMENT: Final = ("E1", "E2", "E3")
RESIN_LOTS: Final = ("RA", "RB")
PLENTY: Final = 10_000.0
RESIN_KG: Final = 0.05
SPRUES: Final = 0.02
DUE: Final = moment(AT_MS + 30 * 86_400_000)
MORE: Final = 5.0
"""By which a planner raises what is ordered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order that was confirmed. `work_order` is its step on `press`; "" where its product needs none."""

    number: int
    ref: str
    product: str
    quantity: int
    press: str
    work_order: str

    @property
    def name(self) -> str:
        return f"order {self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The plant of one run; the names above have `fresh` behind them in Odoo."""

    admin: OdooApi
    fresh: str

    @property
    def kitchen(self) -> Kitchen:
        return Kitchen(admin=self.admin, fresh=self.fresh)

    def code(self, name: str) -> str:
        return f"{name}-{self.fresh}"

    async def prepare(self) -> None:
        """Parts and frames (in lots; of each 50 g of resin and a box, and frames leave sprues), and meters (serial)."""
        kitchen = self.kitchen
        resin = await kitchen.product("RESIN")
        for lot in RESIN_LOTS:
            await kitchen.lot(resin, lot, PLENTY)
        box = await kitchen.product("BOX", unit="Units", tracking="none")
        await kitchen.fill(box, PLENTY)
        sprue = await kitchen.product("SPRUE", unit="Units")
        for name in (*PRESSES, *STATIONS, *BLOCKED):
            await self._create("mrp.workcenter", {"name": self.code(name), "code": self.code(name)})
        for name in EQUIPMENT:
            await self._create("maintenance.equipment", {"name": self.code(name), "serial_no": self.code(name)})
        made = {name: await kitchen.product(name, unit="Units") for name in ("PART", "FRAME")}
        made["METER"] = await kitchen.product("METER", unit="Units", tracking="serial")
        for press in PRESSES:
            await self._bom(made["PART"], f"PART-{press}", resin, box, press=press)
            await self._bom(made["FRAME"], f"FRAME-{press}", resin, box, press=press, sprue=sprue)
            await self._bom(made["METER"], f"METER-{press}", resin, box)

    async def order(self, number: int, product: str, quantity: int, press: str) -> Order:
        """A confirmed order with its components reserved."""
        (bom,) = await self.search("mrp.bom", [["code", "=", self.code(f"{product}-{press}")]])
        values = {"product_id": await self.kitchen.find(product), "product_qty": quantity, "bom_id": bom}
        id = await self._create("mrp.production", {**values, "company_id": self.admin.connection.company})
        for method in ("action_confirm", "action_assign"):
            await self.admin.call("mrp.production", method, writes=True, ids=[id])
        steps = await self.search("mrp.workorder", [["production_id", "=", id]])
        step = f"wo-{steps[0]}" if steps else ""
        return Order(number=number, ref=f"mo-{id}", product=product, quantity=quantity, press=press, work_order=step)

    async def search(self, model: str, domain: Sequence[object]) -> list[int]:
        found: list[int] = await self.admin.call(model, "search", writes=False, domain=list(domain))
        return found

    async def _bom(
        self, product: int, code: str, resin: int, box: int, *, press: str = "", sprue: int | None = None
    ) -> None:
        units, kg = await self.kitchen.unit("Units"), await self.kitchen.unit("kg")
        (row,) = await self.admin.call(
            "product.product", "read", writes=False, ids=[product], fields=["product_tmpl_id"]
        )
        values: dict[str, object] = {
            "code": self.code(code),
            "product_tmpl_id": row["product_tmpl_id"][0],
            "product_qty": 1.0,
            "type": "normal",
            "consumption": "flexible",
            "bom_line_ids": [
                [0, 0, {"product_id": resin, "product_qty": RESIN_KG, "product_uom_id": kg}],
                [0, 0, {"product_id": box, "product_qty": 1.0, "product_uom_id": units}],
            ],
        }
        if press:
            (center,) = await self.search("mrp.workcenter", [["code", "=", self.code(press)]])
            step = {"name": "Press", "workcenter_id": center, "time_cycle_manual": 1, "sequence": 1}
            values["operation_ids"] = [[0, 0, step]]
        if sprue is not None:
            line = {"product_id": sprue, "product_qty": SPRUES, "product_uom_id": units}
            values["byproduct_ids"] = [[0, 0, line]]
        await self._create("mrp.bom", values)

    async def _create(self, model: str, values: Mapping[str, object]) -> int:
        created: list[int] = await self.admin.call(model, "create", writes=True, vals_list=[dict(values)])
        return created[0]


class Office:
    """A planner who edits orders while they are posted to. What is edited stays: it is part of the reference."""

    def __init__(self, ground: Ground, chance: Random) -> None:
        self._ground = ground
        self._chance = chance
        self._planner = Planner(ground.admin)

    async def edits(self, orders: Sequence[Order], raised: Sequence[Order]) -> None:
        """Priority and deadline of all orders, and what is ordered on those `raised`, once each."""
        for order in self._chance.sample(orders, len(orders)):
            await self._insist(order, raises=order in raised)

    async def edits_again(self, orders: Sequence[Order]) -> None:
        """Priority and deadline of any order, until cancelled."""
        while True:
            await self._insist(self._chance.choice(orders), raises=False)
            await asyncio.sleep(0.05)

    async def _insist(self, order: Order, *, raises: bool) -> None:
        """A person whose change Odoo did not take, or who does not know, does it again."""
        while True:
            try:
                values = {"priority": "1", "date_deadline": DUE}
                id = int(order.ref[3:])
                await self._ground.admin.call("mrp.production", "write", writes=True, ids=[id], vals=values)
                if raises:
                    await self._planner.change_quantity(order.ref, order.quantity + MORE)
            except (Unavailable, Uncertain):
                await asyncio.sleep(0.2)
            else:
                return
