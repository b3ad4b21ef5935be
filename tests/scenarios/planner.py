"""The planner of a plant: makes its master data in Odoo, releases orders and edits them, as people do in forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from odoo_adapter.client.api import OdooApi
from odoo_adapter.seed import HOLD_LOCATION

CENTERS: Final = ("PRESS-1", "PRESS-2", "MILL-1", "PACK", "CELL-1")
MACHINES: Final = ("PRESS-1", "PRESS-2", "MILL-1")


@dataclass(slots=True, kw_only=True)
class Planner:
    """Works in one company. `suffix` is behind each code, so that nobody else's products, lots and centers are met."""

    odoo: OdooApi
    suffix: str
    town: str
    units: dict[str, int] = field(default_factory=dict)
    products: dict[str, int] = field(default_factory=dict)
    boms: dict[str, int] = field(default_factory=dict)
    centers: dict[str, int] = field(default_factory=dict)

    @property
    def company(self) -> int:
        return self.odoo.connection.company

    def code(self, name: str) -> str:
        return f"{name}{self.suffix}"

    async def prepare(self) -> None:
        """Housings of resin, in lots, and a box each: pressed on one press, packed on the lines."""
        for name in ("Units", "kg", "g"):
            (self.units[name],) = await self._search("uom.uom", [["name", "=", name]])
        for name in CENTERS:
            values = {"name": self.code(name), "code": self.code(name), "company_id": self.company}
            self.centers[name] = await self._create("mrp.workcenter", values)
        for name in MACHINES:  # a serial number is unique over all companies
            serial = f"{self.town}-{self.code(name)}"
            values = {"name": self.code(name), "serial_no": serial, "company_id": self.company}
            await self._create("maintenance.equipment", values)
        await self.product("RESIN", unit="kg", lots={"R-1": 100, "R-2": 100})
        await self.product("BOX", stock=10_000)
        await self.product("HOUSING", tracking="lot")
        steps = [("Press", "PRESS-1"), ("Pack", "PACK")]
        await self.bom("HOUSING", {"RESIN": (0.05, "kg"), "BOX": (1, "Units")}, steps, revision="C")

    async def product(
        self,
        name: str,
        *,
        unit: str = "Units",
        tracking: str = "none",
        stock: float = 0,
        lots: Mapping[str, float] | None = None,
        **more: object,
    ) -> int:
        """A product with this much of it in stock, or in each of these lots."""
        can = await self.odoo.capabilities()
        values = {"name": name, "default_code": self.code(name), **can.stored, "uom_id": self.units[unit]}
        values |= {"company_id": self.company, **more}
        values |= {"uom_po_id": self.units[unit]} if can.purchase_unit else {}
        product = await self._create("product.product", {**values, "tracking": "lot" if lots else tracking})
        self.products[name] = product
        for lot, quantity in (lots or {}).items():
            await self.lot(name, lot, quantity)
        if stock:
            await self.fill(product, stock)
        return product

    async def lot(self, product: str, name: str, quantity: float, *, on_hold: bool = False, **more: object) -> None:
        """So much of a product in one lot, in the stock or in the hold location."""
        named = {"name": name, "product_id": self.products[product], "company_id": self.company}
        lot = await self._create("stock.lot", {**named, **more})
        place = None
        if on_hold:
            domain = [["name", "=", HOLD_LOCATION], ["usage", "=", "internal"], ["company_id", "=", self.company]]
            (place,) = await self._search("stock.location", domain)
        await self.fill(self.products[product], quantity, lot=lot, place=place)

    async def bom(
        self,
        name: str,
        components: Mapping[str, tuple[float, str]],
        steps: Sequence[tuple[str, str]] = (),
        *,
        unit: str = "Units",
        revision: str = "A",
        byproducts: Mapping[str, float] | None = None,
    ) -> None:
        """How one of a product is made: of which components, in which steps on which work centers."""
        (row,) = await self._read("product.product", [self.products[name]], ["product_tmpl_id"])
        lines = [
            {"product_id": self.products[one], "product_qty": quantity, "product_uom_id": self.units[its_unit]}
            for one, (quantity, its_unit) in components.items()
        ]
        operations = [
            {"name": step, "workcenter_id": self.centers[center], "time_cycle_manual": 0.5, "sequence": place}
            for place, (step, center) in enumerate(steps, 1)
        ]
        beside = [
            {"product_id": self.products[one], "product_qty": quantity, "product_uom_id": self.units["Units"]}
            for one, quantity in (byproducts or {}).items()
        ]
        values = {
            "product_tmpl_id": row["product_tmpl_id"][0],
            "product_qty": 1.0,
            "product_uom_id": self.units[unit],
            "code": revision,
            "type": "normal",
            "consumption": "flexible",
            "company_id": self.company,
            "bom_line_ids": [[0, 0, line] for line in lines],
            "operation_ids": [[0, 0, operation] for operation in operations],
            "byproduct_ids": [[0, 0, line] for line in beside],
        }
        self.boms[name] = await self._create("mrp.bom", values)

    async def fill(self, product: int, quantity: float, *, lot: int | bool = False, place: int | None = None) -> None:
        """Count so much of it into the stock."""
        where = await self._stock_place() if place is None else place
        counted = {"product_id": product, "location_id": where, "lot_id": lot, "inventory_quantity": quantity}
        mode = {"inventory_mode": True}
        made = await self.odoo.call("stock.quant", "create", writes=True, vals_list=[counted], context=mode)
        await self.odoo.call("stock.quant", "action_apply_inventory", writes=True, ids=made, context=mode)

    async def order(self, name: str, quantity: float) -> str:
        """A confirmed order; its reference, such as `mo-42`."""
        values = {"product_id": self.products[name], "product_qty": quantity, "bom_id": self.boms[name]}
        order = await self._create("mrp.production", {**values, "company_id": self.company})
        for method in ("action_confirm", "action_assign"):
            await self.odoo.call("mrp.production", method, writes=True, ids=[order])
        return f"mo-{order}"

    async def starts_work(self, order: str) -> None:
        """Somebody presses Start on the order's only step, in the shop floor's list."""
        await self.odoo.call("mrp.workorder", "button_start", writes=True, ids=await self._steps(order))

    async def ends_work(self, order: str) -> None:
        await self.odoo.call("mrp.workorder", "button_finish", writes=True, ids=await self._steps(order))

    async def _steps(self, order: str) -> list[int]:
        return await self._search("mrp.workorder", [["production_id", "=", int(order[3:])]])

    async def plans(self, order: str) -> None:
        """Let Odoo say when its work is done."""
        await self.odoo.call("mrp.production", "button_plan", writes=True, ids=[int(order[3:])])

    async def keeps_expiration_dates(self) -> None:
        """See that the app for them is installed."""
        names = ["expiration_date"]
        if not await self.odoo.call("stock.lot", "fields_get", writes=False, allfields=names, attributes=["type"]):
            (app,) = await self._search("ir.module.module", [["name", "=", "product_expiry"]])
            await self.odoo.call("ir.module.module", "button_immediate_install", writes=True, ids=[app])

    async def edits(self, order: str, **values: object) -> None:
        """Save the order's form with these values."""
        await self.odoo.call("mrp.production", "write", writes=True, ids=[int(order[3:])], vals=values)

    async def closes_requests(self, machine: str) -> None:
        """A technician is through with all that was asked for there."""
        where = [["equipment_id.name", "=", self.code(machine)]]
        requests: list[int] = await self.odoo.call("maintenance.request", "search", writes=False, domain=where)
        (stage,) = await self._search("maintenance.stage", [["done", "=", True]])
        await self.odoo.call("maintenance.request", "write", writes=True, ids=requests, vals={"stage_id": stage})

    async def _stock_place(self) -> int:
        domain = [["company_id", "=", self.company]]
        (row,) = await self.odoo.call(
            "stock.warehouse", "search_read", writes=False, domain=domain, fields=["lot_stock_id"], limit=1
        )
        return int(row["lot_stock_id"][0])

    async def _search(self, model: str, domain: Sequence[object]) -> list[int]:
        found: list[int] = await self.odoo.call(model, "search", writes=False, domain=list(domain), limit=1)
        return found

    async def _read(self, model: str, ids: Sequence[int], fields: Sequence[str]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = await self.odoo.call(
            model, "read", writes=False, ids=list(ids), fields=list(fields)
        )
        return rows

    async def _create(self, model: str, values: Mapping[str, object]) -> int:
        created: list[int] = await self.odoo.call(model, "create", writes=True, vals_list=[dict(values)])
        return created[0]
