"""Products of which the demonstration plant has no example: by-products, serial numbers, a strict bill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from odoo_adapter.client.api import OdooApi
from odoo_adapter.versions import Capabilities


class Master:
    """Makes orders of such products as an administrator. What is there already is used again."""

    def __init__(self, admin: OdooApi) -> None:
        self._admin = admin

    async def capabilities(self) -> Capabilities:
        """How this Odoo behaves where versions differ."""
        return await self._admin.capabilities()

    async def frames(self, quantity: float, *, consumption: str = "flexible") -> str:
        """A confirmed order of frames (in lots): of each a box and 50 g of resin, and 0.02 sprues (in lots) and 0.1
        slugs come along."""
        sprue = await self._product("SPRUE", "lot")
        slug = await self._product("SLUG", "none")
        byproducts = [{"product_id": sprue, "product_qty": 0.02}, {"product_id": slug, "product_qty": 0.1}]
        return await self._order("FRAME", "lot", quantity, byproducts, consumption)

    async def meters(self, quantity: float) -> str:
        """A confirmed order of meters, each with a serial number: of each a box and 50 g of resin."""
        return await self._order("METER", "serial", quantity, [], "flexible")

    async def _order(
        self, code: str, tracking: str, quantity: float, byproducts: Sequence[Mapping[str, object]], consumption: str
    ) -> str:
        product = await self._product(code, tracking)
        (row,) = await self._admin.call(
            "product.product", "read", writes=False, ids=[product], fields=["product_tmpl_id"]
        )
        units, kg = await self._one("uom.uom", "name", "Units"), await self._one("uom.uom", "name", "kg")
        resin = await self._one("product.product", "default_code", "RESIN-A")
        box = await self._one("product.product", "default_code", "BOX")
        values = {
            "product_tmpl_id": row["product_tmpl_id"][0],
            "product_qty": 1.0,
            "type": "normal",
            "consumption": consumption,
            "bom_line_ids": [
                [0, 0, {"product_id": resin, "product_qty": 0.05, "product_uom_id": kg}],
                [0, 0, {"product_id": box, "product_qty": 1.0, "product_uom_id": units}],
            ],
            "byproduct_ids": [[0, 0, {**one, "product_uom_id": units}] for one in byproducts],
        }
        bom = await self._ensure("mrp.bom", "code", f"{code}-{consumption}", values)
        order = await self._create(
            "mrp.production", {"product_id": product, "product_qty": quantity, "bom_id": bom, "company_id": 1}
        )
        for method in ("action_confirm", "action_assign"):
            await self._admin.call("mrp.production", method, writes=True, ids=[order])
        return f"mo-{order}"

    async def _product(self, code: str, tracking: str) -> int:
        can = await self._admin.capabilities()
        values = {"name": code.capitalize(), **can.stored, "tracking": tracking}
        return await self._ensure("product.product", "default_code", code, values)

    async def _one(self, model: str, by: str, value: str) -> int:
        (found,) = await self._admin.call(model, "search", writes=False, domain=[[by, "=", value]], limit=1)
        return int(found)

    async def _ensure(self, model: str, by: str, value: str, values: Mapping[str, object]) -> int:
        found: list[int] = await self._admin.call(model, "search", writes=False, domain=[[by, "=", value]], limit=1)
        return found[0] if found else await self._create(model, {by: value, **values})

    async def _create(self, model: str, values: Mapping[str, object]) -> int:
        created: list[int] = await self._admin.call(model, "create", writes=True, vals_list=[dict(values)])
        return created[0]
