"""Products, bills of materials, lots and orders as a test of material needs them, made by a planner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from odoo_adapter.client.api import OdooApi
from odoo_adapter.odoo import Applied, Outcome
from odoo_adapter.seed import HOLD_LOCATION
from ruleset.transaction import Complete, LotCreate, MaterialConsume, OrderRef
from tests.odoo_adapter.situations import AT_MS, CAUSE, PRESS, Bench

NEVER: Final[Mapping[str, object]] = {}
IN_A_MONTH: Final[Mapping[str, object]] = {"use_expiration_date": True, "expiration_time": 30}
"""How long a product's lots are good."""
INSTALLATION_S: Final = 600.0
"""An app takes minutes to install on a busy machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kitchen:
    """Master data whose codes nobody used before: `fresh` is in each."""

    admin: OdooApi
    fresh: str

    def code(self, name: str) -> str:
        return f"{name}-{self.fresh}"

    async def unit(self, name: str) -> int:
        (found,) = await self.admin.call("uom.uom", "search", writes=False, domain=[["name", "=", name]], limit=1)
        return int(found)

    async def bag(self) -> str:
        """A unit of 25 kg; its name."""
        kg, name = await self.unit("kg"), self.code("Bag")
        if (await self.admin.capabilities()).unit_categories:
            (row,) = await self._read("uom.uom", [kg], ["category_id"])
            bigger = {"uom_type": "bigger", "factor_inv": 25.0, "rounding": 0.00001}
            await self._create("uom.uom", {"name": name, "category_id": row["category_id"][0], **bigger})
        else:
            await self._create("uom.uom", {"name": name, "relative_factor": 25.0, "relative_uom_id": kg})
        return name

    async def digits(self, digits: int) -> None:
        """How many digits behind the point Odoo keeps of quantities."""
        domain = [["name", "in", ["Product Unit", "Product Unit of Measure"]]]
        ids = await self.admin.call("decimal.precision", "search", writes=False, domain=domain)
        await self.admin.call("decimal.precision", "write", writes=True, ids=ids, vals={"digits": digits})

    async def product(
        self, name: str, expiring: Mapping[str, object] = NEVER, *, unit: str = "kg", tracking: str = "lot"
    ) -> int:
        can = await self.admin.capabilities()
        values = {"name": name, "default_code": self.code(name), **can.stored, "tracking": tracking}
        uom = await self.unit(unit)
        values |= {"uom_id": uom, **({"uom_po_id": uom} if can.purchase_unit else {}), **expiring}
        return await self._create("product.product", values)

    async def bom(self, product: int, lines: Mapping[int, float], *, unit: str = "kg", per: float = 1.0) -> int:
        (row,) = await self._read("product.product", [product], ["product_tmpl_id"])
        uom = await self.unit(unit)
        listed = [
            [0, 0, {"product_id": id, "product_qty": quantity, "product_uom_id": uom}] for id, quantity in lines.items()
        ]
        made = {"product_tmpl_id": row["product_tmpl_id"][0], "product_qty": per, "product_uom_id": uom}
        return await self._create("mrp.bom", {**made, "bom_line_ids": listed, "consumption": "flexible"})

    async def order(self, product: int, quantity: float) -> str:
        (template,) = await self._read("product.product", [product], ["product_tmpl_id"])
        domain = [["product_tmpl_id", "=", template["product_tmpl_id"][0]]]
        (bom,) = await self.admin.call("mrp.bom", "search", writes=False, domain=domain)
        id = await self._create("mrp.production", {"product_id": product, "product_qty": quantity, "bom_id": bom})
        await self.admin.call("mrp.production", "action_confirm", writes=True, ids=[id])
        await self.admin.call("mrp.production", "action_assign", writes=True, ids=[id])
        return f"mo-{id}"

    async def find(self, name: str) -> int:
        domain = [["default_code", "=", self.code(name)]]
        (found,) = await self.admin.call("product.product", "search", writes=False, domain=domain)
        return int(found)

    async def simple_order(self, component: str, expiring: Mapping[str, object] = NEVER) -> tuple[str, int]:
        """An order of two CAKEs of one kilogram, each of as much of this component; and the component."""
        used = await self.product(component, expiring)
        cake = await self.product("CAKE")
        await self.bom(cake, {used: 1.0})
        return await self.order(cake, 2), used

    async def keep_expiration_dates(self) -> None:
        """See that the app for them is installed."""
        fields = await self.admin.call(
            "stock.lot", "fields_get", writes=False, allfields=["expiration_date"], attributes=["type"]
        )
        if not fields:
            app = [["name", "=", "product_expiry"]]
            (found,) = await self.admin.call("ir.module.module", "search", writes=False, domain=app)
            patient = OdooApi(replace(self.admin.connection, timeout_s=INSTALLATION_S))
            await patient.call("ir.module.module", "button_immediate_install", writes=True, ids=[found])
            await patient.close()

    async def lot(self, product: int, name: str, quantity: float, *, on_hold: bool = False, **more: object) -> str:
        """A lot of so much in the stock, or on hold. Its name is fresh."""
        named = self.code(name)
        lot = await self._create("stock.lot", {"name": named, "product_id": product, "company_id": 1, **more})
        await self.fill(product, quantity, lot=lot, on_hold=on_hold)
        return named

    async def fill(self, product: int, quantity: float, *, lot: int | bool = False, on_hold: bool = False) -> None:
        values = {"product_id": product, "location_id": await self.place(on_hold=on_hold), "lot_id": lot}
        counted = {**values, "inventory_quantity": quantity}
        mode = {"inventory_mode": True}
        made = await self.admin.call("stock.quant", "create", writes=True, vals_list=[counted], context=mode)
        await self.admin.call("stock.quant", "action_apply_inventory", writes=True, ids=made, context=mode)

    async def place(self, *, on_hold: bool) -> int:
        if on_hold:
            domain = [["name", "=", HOLD_LOCATION], ["usage", "=", "internal"]]
            (found,) = await self.admin.call("stock.location", "search", writes=False, domain=domain)
            return int(found)
        (row,) = await self.admin.call(
            "stock.warehouse", "search_read", writes=False, domain=[["company_id", "=", 1]], fields=["lot_stock_id"]
        )
        return int(row["lot_stock_id"][0])

    async def used(self, order: str) -> dict[tuple[str, str], float]:
        """What the order's picked component lines say, by product and lot, in the units of the components."""
        domain = [["move_id.raw_material_production_id", "=", int(order[3:])], ["picked", "=", True]]
        fields = ["product_id", "lot_id", "quantity", "product_uom_id", "move_id"]
        lines = await self.admin.call("stock.move.line", "search_read", writes=False, domain=domain, fields=fields)
        sums: dict[tuple[str, str], float] = {}
        for line in lines:
            code, lot = self._bare(line["product_id"][1]), self._bare(line["lot_id"][1]) if line["lot_id"] else ""
            amount = line["quantity"] / (1000 if line["product_uom_id"][1] == "g" else 1)
            sums[code, lot] = round(sums.get((code, lot), 0) + amount, 6)
        return {what: amount for what, amount in sums.items() if amount}

    async def links(self, lot: str, link: str) -> dict[tuple[str, str], float]:
        """What the lot was made of (`consume_line_ids`), or what was made of it (`produce_line_ids`)."""
        mine = [["lot_id.name", "=", lot], ["state", "=", "done"]]
        rows = await self.admin.call("stock.move.line", "search_read", writes=False, domain=mine, fields=[link])
        ids = sorted({id for row in rows for id in row[link]})
        found: dict[tuple[str, str], float] = {}
        for line in await self._read("stock.move.line", ids, ["product_id", "lot_id", "quantity"]):
            what = (self._bare(line["product_id"][1]), self._bare(line["lot_id"][1]))
            found[what] = round(found.get(what, 0) + line["quantity"], 6)
        return found

    async def report(self, odoo: OdooApi, lot: str, way: str) -> set[tuple[str, str]]:
        """What Odoo's traceability report unfolds below a lot that was produced (`consume`: what was used for it), or
        used (`produce`: what was made of it): lots and quantities."""
        domain = [["name", "=", self.code(lot)]]
        (id,) = await odoo.call("stock.lot", "search", writes=False, domain=domain)
        model = "stock.traceability.report"
        context: dict[str, object] = {"model": "stock.lot", "active_id": id}
        main = await odoo.call(model, "get_main_lines", writes=True, given_context=context)
        found: set[tuple[str, str]] = set()
        for line in main:
            if way == "produce" and line["is_used"]:
                context = {"model": "stock.move.line", "active_id": line["model_id"], "lot_name": self.code(lot)}
                unfolded = await odoo.call(model, "get_main_lines", writes=True, given_context=context)
            elif way == "consume" and line["unfoldable"]:
                asked = {"line_id": line["id"], "model_id": line["model_id"], "model_name": line["model"], "level": 1}
                unfolded = await odoo.call(model, "get_lines", writes=False, **asked)
            else:
                unfolded = []
            found |= {(self._bare(one["lot_name"]), one["columns"][6]) for one in unfolded}
        return found

    def _bare(self, name: str) -> str:
        return name.partition("]")[0].removeprefix("[").removesuffix(f"-{self.fresh}")

    async def stock(self, product: int, lot: str) -> float:
        domain = [["product_id", "=", product], ["lot_id.name", "=", lot], ["location_id.usage", "=", "internal"]]
        rows = await self.admin.call("stock.quant", "search_read", writes=False, domain=domain, fields=["quantity"])
        return round(sum(float(row["quantity"]) for row in rows), 6)

    async def _create(self, model: str, values: Mapping[str, object]) -> int:
        created: list[int] = await self.admin.call(model, "create", writes=True, vals_list=[dict(values)])
        return created[0]

    async def _read(self, model: str, ids: Sequence[int], fields: Sequence[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.admin.call(
            model, "read", writes=False, ids=list(ids), fields=list(fields)
        )
        return found


def used_up(
    bench: Bench,
    order: str,
    product: str,
    quantity: str,
    unit: str = "kg",
    *,
    lot: str | None = None,
    name: str = "",
    consent: str | None = None,
) -> MaterialConsume:
    """A report of a scale. `name` tells two equal ones apart."""
    return MaterialConsume(
        key=bench.key(f"consume/{order}/{product}/{lot}/{quantity}{name}"),
        equipment=PRESS,
        at_ms=AT_MS,
        provenance=CAUSE,
        order=OrderRef(order),
        product=product,
        quantity=Decimal(quantity),
        unit=unit,
        lot=lot,
        consent=consent,
    )


def named_lot(bench: Bench, product: str, lot: str, *, name: str = "", expires_ms: int | None = None) -> LotCreate:
    key = bench.key(f"lot/{product}/{lot}{name}")
    return LotCreate(
        key=key, equipment=PRESS, at_ms=AT_MS, provenance=CAUSE, product=product, lot=lot, expires_ms=expires_ms
    )


def finished(bench: Bench, order: str, quantity: int, lot: str, *, unit: str = "pcs") -> Complete:
    """A completion that lists nothing of what was used."""
    return Complete(
        key=bench.key(f"complete/{order}"),
        equipment=PRESS,
        at_ms=AT_MS,
        provenance=CAUSE,
        order=OrderRef(order),
        quantity=Decimal(quantity),
        unit=unit,
        lot=lot,
    )


def all_applied(outcomes: Sequence[Outcome]) -> bool:
    """Whether each stands. What did not is shown by the assertion's message."""
    assert [one for one in outcomes if not isinstance(one, Applied)] == []
    return True
