"""What people see in Odoo of a plant: plain reads as an administrator, without codes' suffixes and database ids."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from typing import Any, TypeAlias

from odoo_adapter.client.api import OdooApi

Row: TypeAlias = Mapping[str, Any]
Amounts: TypeAlias = dict[tuple[str, str], float]
"""Quantities by product and lot ("": it has none)."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """An order that nobody has reported anything on."""


@dataclass(frozen=True, slots=True)
class Running:
    """An order on which so many pieces are counted."""

    counted: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """An order that is closed: nothing is left to be confirmed by anybody."""

    quantity: float
    lot: str


@dataclass(frozen=True, slots=True)
class Stop:
    """A time record of a work center; its moments are minutes since the scenario began."""

    loss: str
    begins: float | None
    ends: float | None

    @property
    def lasts(self) -> float:
        """In minutes, of one that has ended."""
        assert self.begins is not None
        assert self.ends is not None
        return round(self.ends - self.begins, 2)


@dataclass(frozen=True, slots=True)
class Scrapped:
    quantity: float
    lot: str
    reason: str


OrderSeen: TypeAlias = Confirmed | Running | Done


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Reads what stands in Odoo. `began_ms` is when the scenario began."""

    odoo: OdooApi
    suffix: str
    began_ms: int

    async def order(self, order: str) -> OrderSeen:
        can = await self.odoo.capabilities()
        fields = ["state", "qty_producing", "qty_produced", can.finished_lots_field]
        (row,) = await self.rows("mrp.production", [["id", "=", int(order[3:])]], fields)
        if row["state"] == "done":
            lots = await self.rows("stock.lot", [["id", "in", can.finished_lots(row)]], ["name"])
            return Done(quantity=row["qty_produced"], lot=", ".join(lot["name"] for lot in lots))
        return Confirmed() if row["state"] == "confirmed" else Running(row["qty_producing"])

    async def ordered(self, order: str) -> float:
        """How many the order is for."""
        (row,) = await self.rows("mrp.production", [["id", "=", int(order[3:])]], ["product_qty"])
        return float(row["product_qty"])

    async def origin(self, order: str) -> str:
        """What the order is for, as a planner wrote it."""
        (row,) = await self.rows("mrp.production", [["id", "=", int(order[3:])]], ["origin"])
        return str(row["origin"])

    async def work(self, order: str) -> list[tuple[str, str]]:
        """The order's steps and how each stands."""
        rows = await self.rows("mrp.workorder", [["production_id", "=", int(order[3:])]], ["name", "state"])
        return [(row["name"], row["state"]) for row in rows]

    async def made(self, order: str) -> Amounts:
        """What came into the house by the order: what it is for, and what came along."""
        return await self._amounts([["move_id.production_id", "=", int(order[3:])]], "internal")

    async def consumed(self, order: str) -> Amounts:
        """What the order has taken for what it makes, in the stock's units."""
        return await self._amounts([["move_id.raw_material_production_id", "=", int(order[3:])]], "production")

    async def made_of(self, product: str, lot: str) -> Amounts:
        """What Odoo traces a lot back to."""
        return await self._traced(product, lot, "consume_line_ids")

    async def went_into(self, product: str, lot: str) -> Amounts:
        """What Odoo traces a lot forward to."""
        return await self._traced(product, lot, "produce_line_ids")

    async def stock(self, product: str, lot: str | None = None) -> dict[str, float]:
        """How much of it lies where in the house."""
        domain = [["product_id.default_code", "=", product + self.suffix], ["location_id.usage", "=", "internal"]]
        domain += [] if lot is None else [["lot_id.name", "=", lot]]
        sums: dict[str, float] = {}
        for row in await self.rows("stock.quant", domain, ["location_id", "quantity"]):
            place = row["location_id"][1].rpartition("/")[2]
            sums[place] = round(sums.get(place, 0) + row["quantity"], 6)
        return {place: quantity for place, quantity in sums.items() if quantity}

    async def available(self, product: str) -> float:
        """How much of it an order may take."""
        domain = [["product_id.default_code", "=", product + self.suffix], ["location_id.name", "=", "Stock"]]
        rows = await self.rows("stock.quant", domain, ["quantity", "reserved_quantity"])
        return float(sum(row["quantity"] - row["reserved_quantity"] for row in rows))

    async def scrapped(self, order: str) -> list[Scrapped]:
        tagged = (await self.odoo.capabilities()).scrap_reasons
        fields = ["scrap_qty", "lot_id", "origin", "state", *(["scrap_reason_tag_ids"] if tagged else [])]
        rows = await self.rows("stock.scrap", [["production_id", "=", int(order[3:])], ["state", "=", "done"]], fields)
        return [
            Scrapped(row["scrap_qty"], row["lot_id"][1] if row["lot_id"] else "", await self._reason(row))
            for row in rows
        ]

    async def stops(self, center: str) -> list[Stop]:
        """The work center's time records that are no work."""
        domain = [["workcenter_id.code", "=", center + self.suffix], ["workorder_id", "=", False]]
        fields = ["loss_id", "date_start", "date_end"]
        rows = await self.rows("mrp.workcenter.productivity", domain, fields, order="date_start")
        return [Stop(row["loss_id"][1], self._minute(row["date_start"]), self._minute(row["date_end"])) for row in rows]

    async def planned(self, order: str) -> str:
        """When Odoo plans that the order begins."""
        (row,) = await self.rows("mrp.production", [["id", "=", int(order[3:])]], ["date_start"])
        return str(row["date_start"])

    async def is_blocked(self, center: str) -> bool:
        """Whether planners see that nothing runs there."""
        domain = [["code", "=", center + self.suffix]]
        (row,) = await self.rows("mrp.workcenter", domain, ["working_state"])
        return bool(row["working_state"] == "blocked")

    async def blocked_until(self, center: str) -> str:
        """When the last absence of a work center ends: nothing is to be planned there before."""
        (row,) = await self.rows("mrp.workcenter", [["code", "=", center + self.suffix]], ["resource_id"])
        domain = [["resource_id", "=", row["resource_id"][0]], ["time_type", "=", "leave"]]
        return max(str(leave["date_to"]) for leave in await self.rows("resource.calendar.leaves", domain, ["date_to"]))

    async def requests(self, machine: str) -> list[tuple[str, bool]]:
        """Maintenance requests for an equipment: their titles, and whether they are done."""
        domain = [["equipment_id.name", "=", machine + self.suffix]]
        rows = await self.rows("maintenance.request", domain, ["name", "stage_id"])
        done = await self.rows("maintenance.stage", [["done", "=", True]], ["name"])
        ends = {stage["id"] for stage in done}
        return [(row["name"], bool(row["stage_id"]) and row["stage_id"][0] in ends) for row in rows]

    async def said_of_requests(self, machine: str) -> str:
        """What stands in the maintenance requests for an equipment, and below them."""
        requests = await self.rows(
            "maintenance.request", [["equipment_id.name", "=", machine + self.suffix]], ["description"]
        )
        domain = [["model", "=", "maintenance.request"], ["res_id", "in", [one["id"] for one in requests]]]
        messages = await self.rows("mail.message", domain, ["body"])
        return " ".join(str(text) for text in (*(r["description"] for r in requests), *(m["body"] for m in messages)))

    async def approvals(self, machine: str) -> list[tuple[str, str, str]]:
        """The rule, its version and who approved it, as the maintenance requests for an equipment tell, and their notes
        of what came again."""
        domain = [["equipment_id.name", "=", machine + self.suffix]]
        requests = await self.rows("maintenance.request", domain, ["description"])
        below = [["model", "=", "maintenance.request"], ["res_id", "in", [row["id"] for row in requests]]]
        notes = await self.rows("mail.message", below, ["body"])
        texts = [*(str(row["description"]) for row in requests), *(str(row["body"]) for row in notes)]
        return re.findall(r"rule (\S+) \S+ of (\w+), approved by (\w+)", " ".join(texts))

    async def notes(self, order: str) -> list[str]:
        """What stands below the order, without marks and keys."""
        domain = [["model", "=", "mrp.production"], ["res_id", "=", int(order[3:])], ["message_type", "!=", "tracking"]]
        bodies = [str(row["body"]) for row in await self.rows("mail.message", domain, ["body"])]
        texts = [unescape(re.sub(r"<[^>]+>", " ", body)).strip() for body in bodies]
        return [text for text in texts if text]

    async def notes_of_the_bridge(self, order: str) -> list[str]:
        """What the bridge told the planner of the order's release, without the keys behind it."""
        return [text.partition(" [order.state:")[0] for text in await self.notes(order) if "[order.state:" in text]

    async def rows(
        self, model: str, domain: Sequence[object], fields: Sequence[str], *, order: str = "id"
    ) -> list[Row]:
        found: list[Row] = await self.odoo.call(
            model, "search_read", writes=False, domain=list(domain), fields=list(fields), order=order
        )
        return found

    async def _amounts(self, domain: Sequence[object], usage: str) -> Amounts:
        fields = ["product_id", "lot_id", "quantity", "product_uom_id"]
        where = [*domain, ["location_dest_id.usage", "=", usage], "|", ["picked", "=", True], ["state", "=", "done"]]
        return self._summed(await self.rows("stock.move.line", where, fields))

    async def _traced(self, product: str, lot: str, link: str) -> Amounts:
        domain = [["product_id.default_code", "=", product + self.suffix], ["lot_id.name", "=", lot]]
        rows = await self.rows("stock.move.line", [*domain, ["state", "=", "done"]], [link])
        ids = sorted({id for row in rows for id in row[link]})
        fields = ["product_id", "lot_id", "quantity", "product_uom_id"]
        return self._summed(await self.rows("stock.move.line", [["id", "in", ids]], fields))

    def _summed(self, lines: Sequence[Row]) -> Amounts:
        """In the stock's units, but kilograms for grams."""
        sums: Amounts = {}
        for line in lines:
            code = line["product_id"][1].partition("]")[0].removeprefix("[").removesuffix(self.suffix)
            what = code, line["lot_id"][1] if line["lot_id"] else ""
            quantity = line["quantity"] / (1000 if line["product_uom_id"][1] == "g" else 1)
            sums[what] = round(sums.get(what, 0) + quantity, 6)
        return {what: quantity for what, quantity in sums.items() if quantity}

    async def _reason(self, row: Row) -> str:
        if "scrap_reason_tag_ids" not in row:
            return str(row["origin"]).partition(" ")[2]  # behind the key
        tags = await self.rows("stock.scrap.reason.tag", [["id", "in", row["scrap_reason_tag_ids"]]], ["name"])
        return ", ".join(tag["name"] for tag in tags)

    def _minute(self, moment: object) -> float | None:
        if not moment:
            return None
        at_ms = datetime.strptime(str(moment), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp() * 1000
        return round((at_ms - self.began_ms) / 60_000, 2)
