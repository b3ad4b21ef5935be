"""Reads from Odoo, as an administrator, what stands of a run: the other book."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from odoo_adapter.client.api import OdooApi
from odoo_adapter.look_first.time.loss import TIMES
from odoo_adapter.seed import HOLD_LOCATION
from ruleset.transaction import MaintenanceClose, MaintenanceRequest, QualityResult, Transaction
from tests.thousand.books import Books
from tests.thousand.ground import BLOCKED, EQUIPMENT, PRESSES, STATIONS, Ground, Order
from tests.thousand.reference import HOLD, LOST, PRODUCTION, STOCK

Row = Mapping[str, Any]
MANY: Final = 100_000
_WITHOUT_LOTS: Final = ("RESIN", "BOX")
"""Read by product: which of its lots goes back when pieces are taken apart is Odoo's choice."""


class Reading:
    """What the database holds of these orders and of the run's own master data."""

    def __init__(self, ground: Ground, orders: Sequence[Order]) -> None:
        self._odoo: OdooApi = ground.admin
        self._ground = ground
        self._orders = {int(order.ref[3:]): order for order in orders}
        self._books = Books()

    async def after(self, told: Sequence[Transaction]) -> Books:
        """The books as they stand. `told` names what notes are looked for."""
        await self._of_orders()
        await self._used()
        await self._stocked()
        await self._scrapped()
        await self._times()
        await self._blocked()
        await self._requests()
        await self._inspections()
        await self._notes([one.key for one in told if isinstance(one, QualityResult)], "mrp.production", "note")
        again = [one.key for one in told if isinstance(one, MaintenanceRequest | MaintenanceClose)]
        await self._notes(again, "maintenance.request", "again")
        return self._books

    async def _of_orders(self) -> None:
        fields = ["state", "product_qty", "qty_producing", "qty_produced", "priority", "date_deadline", "product_id"]
        products = [self._ground.code(name) for name in ("PART", "FRAME")]
        domain = ["|", ["id", "in", [*self._orders]], ["product_id.default_code", "in", products]]
        for row in await self._search("mrp.production", domain, fields):
            order = self._orders.get(row["id"])
            if order is None:
                self._books.records[f"order of {row['product_qty']:g} {self._bare(row['product_id'][1])} left"] += 1
                continue
            amounts, name = self._books.amounts, order.name
            is_done = row["state"] == "done"
            amounts[f"{name} is done"] = "yes" if is_done else "no"
            amounts[f"{name} is due"] = row["date_deadline"]
            if is_done:
                amounts[f"{name} made"] = row["qty_produced"]
            else:
                amounts[f"{name} has priority"] = row["priority"]
                amounts[f"{name} ordered"] = row["product_qty"]
                amounts[f"{name} counted"] = row["qty_producing"]
        for row in await self._search("mrp.unbuild", [["mo_id", "in", [*self._orders]]], ["mo_id", "product_qty"]):
            order = self._orders[row["mo_id"][0]]
            self._books.records[f"{order.name} {row['product_qty']:g} taken apart"] += 1

    async def _used(self) -> None:
        """What done orders consumed, and what was recorded of lots on those that run."""
        moves = await self._search(
            "stock.move",
            [["raw_material_production_id", "in", [*self._orders]], ["location_dest_id.usage", "=", "production"]],
            ["raw_material_production_id", "state"],
        )
        of = {row["id"]: row for row in moves}
        fields = ["move_id", "product_id", "lot_id", "quantity", "product_uom_id"]
        for line in await self._search(
            "stock.move.line", [["move_id", "in", [*of]], ["picked", "=", True], ["quantity", "!=", 0]], fields
        ):
            move, lot = of[line["move_id"][0]], self._bare(line["lot_id"][1]) if line["lot_id"] else ""
            if move["state"] == "done" or lot:
                order = self._orders[move["raw_material_production_id"][0]]
                quantity = line["quantity"] / (1000 if line["product_uom_id"][1] == "g" else 1)
                self._books.add(f"{order.name} used {self._bare(line['product_id'][1])} {lot}".strip(), quantity)

    async def _stocked(self) -> None:
        places = {row["id"]: row for row in await self._search("stock.location", [], ["name", "usage"])}
        domain = [["product_id.default_code", "=like", f"%-{self._ground.fresh}"], ["quantity", "!=", 0]]
        for row in await self._search("stock.quant", domain, ["product_id", "lot_id", "location_id", "quantity"]):
            product, place = self._bare(row["product_id"][1]), _place(places[row["location_id"][0]])
            lot = self._bare(row["lot_id"][1]) if row["lot_id"] and product not in _WITHOUT_LOTS else ""
            self._books.add(" ".join(filter(None, (product, lot, "in", place))), row["quantity"])

    async def _scrapped(self) -> None:
        fields = ["origin", "product_id", "lot_id", "scrap_qty", "state"]
        for row in await self._search("stock.scrap", [["production_id", "in", [*self._orders]]], fields):
            lot = self._bare(row["lot_id"][1]) if row["lot_id"] else ""
            key = row["origin"].partition(" ")[0]
            what = f"{row['scrap_qty']:g} {self._bare(row['product_id'][1])} {lot} by {key}"
            draft = "" if row["state"] == "done" else f" ({row['state']})"
            self._books.records[f"scrap of {what}{draft}"] += 1

    async def _times(self) -> None:
        codes = [self._ground.code(name) for name in (*PRESSES, *STATIONS)]
        fields = ["workcenter_id", "date_start", "date_end", "loss_id"]
        for row in await self._search(TIMES, [["workcenter_id.code", "in", codes]], fields):
            span = f"{_second(row['date_start'])}-{_second(row['date_end'])}"
            self._books.records[f"{self._bare(row['workcenter_id'][1])} {span} {row['loss_id'][1]}"] += 1

    async def _requests(self) -> None:
        serials = [self._ground.code(name) for name in EQUIPMENT]
        domain = [["equipment_id.serial_no", "in", serials]]
        for row in await self._search("maintenance.request", domain, ["name", "equipment_id", "done"]):
            serial = row["equipment_id"][1].rpartition("/")[2]
            state = "done" if row["done"] else "open"
            self._books.records[f"request {self._bare(serial)} {row['name']}, {state}"] += 1

    async def _blocked(self) -> None:
        codes = [self._ground.code(name) for name in BLOCKED]
        centers = await self._search("mrp.workcenter", [["code", "in", codes]], ["resource_id", "code"])
        named = {row["resource_id"][0]: self._bare(row["code"]) for row in centers}
        fields = ["resource_id", "date_from", "date_to"]
        for row in await self._search("resource.calendar.leaves", [["resource_id", "in", [*named]]], fields):
            span = f"{_second(row['date_from'])}-{_second(row['date_to'])}"
            self._books.records[f"{named[row['resource_id'][0]]} {span} blocked"] += 1

    async def _inspections(self) -> None:
        domain = [["res_model", "=", "mrp.production"], ["res_id", "in", [*self._orders]]]
        for row in await self._search("mail.activity", domain, ["summary", "note"]):
            before, run, after = row["note"].partition(f"/{self._ground.fresh}#")
            key = f"acme/{before.rpartition('acme/')[2]}{run}{after[:5]}"
            self._books.records[f"{row['summary']} {key}"] += 1

    async def _notes(self, keys: Sequence[str], model: str, word: str) -> None:
        run = f"/{self._ground.fresh}#"
        bodies = await self._search("mail.message", [["model", "=", model], ["body", "ilike", run]], ["body"])
        for key in keys:
            self._books.records[f"{word} {key}"] += sum(row["body"].count(key) for row in bodies)

    async def _search(self, model: str, domain: Sequence[object], fields: Sequence[str]) -> list[Row]:
        found: list[Row] = await self._odoo.call(
            model, "search_read", writes=False, domain=list(domain), fields=list(fields), limit=MANY
        )
        return found

    def _bare(self, name: str) -> str:
        return name.partition("]")[0].removeprefix("[").removesuffix(f"-{self._ground.fresh}")


def _place(location: Row) -> str:
    if location["usage"] == "internal":
        return HOLD if location["name"] == HOLD_LOCATION else STOCK
    return PRODUCTION if location["usage"] == "production" else LOST


def _second(at: str | bool) -> int:
    return round(datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()) if isinstance(at, str) else 0
