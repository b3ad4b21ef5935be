"""The demonstration plant's master data in Odoo, and a planner who creates orders. For the demo and for tests only.

Runs as an administrator. Everything is looked up by its code first: a second run only fills up the stock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from odoo_adapter.client.api import OdooApi

WORK_CENTERS: Final = ("PRESS-1", "PRESS-2", "PACK-1")
EQUIPMENT: Final = ("UNS-PRESS-1", "UNS-PRESS-2", "UNS-PACK-1", "UNS-STATION-1")
RESIN_LOTS: Final = ("R-1", "R-2")
HOLD_LOCATION: Final = "Quality Hold"
UNCLASSIFIED: Final = "Unclassified"
PLENTY: Final = 100_000.0
_RESIN_PER_PIECE_KG: Final = 0.05


class Planner:
    """Plans in Odoo as a person would. `odoo` is a connection with an administrator's key."""

    def __init__(self, odoo: OdooApi) -> None:
        self._odoo = odoo
        self._boms: dict[int, int] = {}
        self._housing = 0

    async def prepare(self) -> None:
        """Create the master data that is missing and fill up the stock of components."""
        units = await self._one("uom.uom", [["name", "=", "Units"]])
        kg = await self._one("uom.uom", [["name", "=", "kg"]])
        centers = {code: await self._ensure("mrp.workcenter", "code", code, {"name": code}) for code in WORK_CENTERS}
        for serial in EQUIPMENT:
            await self._ensure("maintenance.equipment", "serial_no", serial, {"name": serial.removeprefix("UNS-")})
        resin = await self._product("RESIN-A", "Resin A", kg, tracking="lot")
        box = await self._product("BOX", "Box", units, tracking="none")
        self._housing = await self._product("HOUSING", "Housing", units, tracking="lot")
        for press in (1, 2):
            self._boms[press] = await self._bom(press, centers, resin, box, units, kg)
        stock = await self._warehouse("lot_stock_id")
        for name in RESIN_LOTS:
            lot = await self._lot(resin, name)
            await self._fill(resin, stock, lot)
        await self._fill(box, stock, False)
        await self._prepare_for_looking_first()

    async def create_order(self, quantity: float, *, press: int, due: str | None = None) -> str:
        """A confirmed order of housings on that press (1 or 2); returns its reference, such as `mo-42`."""
        values: dict[str, object] = {
            "product_id": self._housing,
            "product_qty": quantity,
            "bom_id": self._boms[press],
            "company_id": self._odoo.connection.company,
        }
        if due is not None:
            values["date_deadline"] = due
        order = await self._create("mrp.production", values)
        await self._odoo.call("mrp.production", "action_confirm", writes=True, ids=[order])
        await self._odoo.call("mrp.production", "action_assign", writes=True, ids=[order])
        return f"mo-{order}"

    async def create_work_center(self, code: str) -> str:
        """A work center with the company's working hours; returns its code."""
        await self._ensure("mrp.workcenter", "code", code, {"name": code})
        return code

    async def create_planned_order(self, quantity: float, *, center: str) -> str:
        """A confirmed order of boxes whose only step is on that work center, planned there by Odoo."""
        (where,) = await self._odoo.call(
            "mrp.workcenter", "search", writes=False, domain=[["code", "=", center]], limit=1
        )
        box = await self._one("product.product", [["default_code", "=", "BOX"]])
        (product,) = await self._odoo.call(
            "product.product", "read", writes=False, ids=[box], fields=["product_tmpl_id"]
        )
        step = {"name": "Fold", "workcenter_id": where, "time_cycle_manual": 6, "sequence": 1}
        values = {
            "product_tmpl_id": product["product_tmpl_id"][0],
            "product_qty": 1.0,
            "type": "normal",
            "operation_ids": [[0, 0, step]],
        }
        bom = await self._ensure("mrp.bom", "code", f"BOX-{center}", values)
        company = self._odoo.connection.company
        wanted = {"product_id": box, "product_qty": quantity, "bom_id": bom, "company_id": company}
        order = await self._create("mrp.production", wanted)
        for step_of_planning in ("action_confirm", "button_plan"):
            await self._odoo.call("mrp.production", step_of_planning, writes=True, ids=[order])
        return f"mo-{order}"

    async def cancel_order(self, order: str) -> None:
        """Take a released order back."""
        await self._odoo.call("mrp.production", "action_cancel", writes=True, ids=[int(order[3:])])

    async def change_quantity(self, order: str, quantity: float) -> None:
        """Change what is ordered, as the planner's dialog does."""
        values = {"mo_id": int(order[3:]), "product_qty": quantity}
        dialog = await self._create("change.production.qty", values)
        await self._odoo.call("change.production.qty", "change_prod_qty", writes=True, ids=[dialog])

    async def _prepare_for_looking_first(self) -> None:
        """What the inbox's installer creates, and a plant without the inbox by hand: see docs/odoo.md."""
        company = self._odoo.connection.company
        beside = {"location_id": await self._warehouse("view_location_id"), "company_id": company}
        internal = [["usage", "=", "internal"]]
        await self._ensure("stock.location", "name", HOLD_LOCATION, {**beside, "usage": "internal"}, internal)
        availability = await self._one("mrp.workcenter.productivity.loss.type", [["loss_type", "=", "availability"]])
        values = {"loss_id": availability, "manual": True, "sequence": 9}
        await self._ensure("mrp.workcenter.productivity.loss", "name", UNCLASSIFIED, values)

    async def _product(self, code: str, name: str, unit: int, *, tracking: str) -> int:
        can = await self._odoo.capabilities()
        values = {"name": name, **can.stored, "uom_id": unit, "tracking": tracking}
        if can.purchase_unit:
            values["uom_po_id"] = unit
        return await self._ensure("product.product", "default_code", code, values)

    async def _bom(self, press: int, centers: Mapping[str, int], resin: int, box: int, units: int, kg: int) -> int:
        template = await self._odoo.call(
            "product.product", "read", writes=False, ids=[self._housing], fields=["product_tmpl_id"]
        )
        values = {
            "product_tmpl_id": template[0]["product_tmpl_id"][0],
            "product_qty": 1.0,
            "type": "normal",
            "consumption": "flexible",
            "bom_line_ids": [
                [0, 0, {"product_id": resin, "product_qty": _RESIN_PER_PIECE_KG, "product_uom_id": kg}],
                [0, 0, {"product_id": box, "product_qty": 1.0, "product_uom_id": units}],
            ],
            "operation_ids": [
                [
                    0,
                    0,
                    {
                        "name": "Press",
                        "workcenter_id": centers[f"PRESS-{press}"],
                        "time_cycle_manual": 0.5,
                        "sequence": 1,
                    },
                ],
                [0, 0, {"name": "Pack", "workcenter_id": centers["PACK-1"], "time_cycle_manual": 0.25, "sequence": 2}],
            ],
        }
        return await self._ensure("mrp.bom", "code", f"HOUSING-A{press}", values)

    async def _lot(self, product: int, name: str) -> int:
        return await self._ensure("stock.lot", "name", name, {"product_id": product}, [["product_id", "=", product]])

    async def _warehouse(self, place: str) -> int:
        """One of the places of the company's warehouse."""
        company = self._odoo.connection.company
        rows = await self._odoo.call(
            "stock.warehouse",
            "search_read",
            writes=False,
            domain=[["company_id", "=", company]],
            fields=[place],
            limit=1,
        )
        return int(rows[0][place][0])

    async def _fill(self, product: int, location: int, lot: int | bool) -> None:
        """Count plenty of it into the stock, unless at least half of that is there."""
        at = [["product_id", "=", product], ["location_id", "=", location], ["lot_id", "=", lot]]
        rows = await self._odoo.call("stock.quant", "search_read", writes=False, domain=at, fields=["quantity"])
        if sum(row["quantity"] for row in rows) >= PLENTY / 2:
            return
        values = {"product_id": product, "location_id": location, "lot_id": lot, "inventory_quantity": PLENTY}
        created = await self._odoo.call(
            "stock.quant", "create", writes=True, vals_list=[values], context={"inventory_mode": True}
        )
        await self._odoo.call(
            "stock.quant", "action_apply_inventory", writes=True, ids=created, context={"inventory_mode": True}
        )

    async def _ensure(
        self, model: str, by: str, value: str, values: Mapping[str, object], more: Sequence[object] = ()
    ) -> int:
        domain = [[by, "=", value], *more]
        found: list[int] = await self._odoo.call(model, "search", writes=False, domain=domain, limit=1)
        return found[0] if found else await self._create(model, {by: value, **values})

    async def _one(self, model: str, domain: Sequence[object]) -> int:
        found: list[int] = await self._odoo.call(model, "search", writes=False, domain=list(domain), limit=1)
        if not found:
            raise LookupError(f"{model} {domain} is not in this database")
        return found[0]

    async def _create(self, model: str, values: Mapping[str, object]) -> int:
        created: list[int] = await self._odoo.call(model, "create", writes=True, vals_list=[dict(values)])
        return created[0]
