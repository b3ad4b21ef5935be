"""Everything that postings left on an order, without the ids, numbers and moments of one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from odoo_adapter.client.api import OdooApi
from odoo_adapter.look_first.maintenance import REQUESTS
from odoo_adapter.look_first.time.loss import TIMES
from odoo_adapter.look_first.time.work_order import MODEL as WORK_ORDER

Row = Mapping[str, Any]

_ORDER: Final = (
    *("state", "qty_producing", "qty_produced", "date_finished", "location_dest_id"),
    *("move_raw_ids", "move_finished_ids"),
)
_WORK: Final = ("name", "state", "date_start", "date_finished")
_MOVE: Final = ("product_id", "state", "picked", "location_dest_id")
_LINE: Final = ("move_id", "lot_id", "location_dest_id", "quantity", "consume_line_ids")
_TIME: Final = ("date_start", "date_end", "loss_id", "description")
_SCRAP: Final = ("origin", "state", "product_id", "scrap_qty", "location_id", "lot_id")


class Records:
    """What stands in Odoo for one order, told in words that another order's may equal."""

    def __init__(self, odoo: OdooApi, order: str, names: Mapping[str, str]) -> None:
        self._odoo = odoo
        self._order = int(order[3:])
        self._names = names

    async def all(self) -> dict[str, object]:
        can = await self._odoo.capabilities()
        (order,) = await self._search("mrp.production", [["id", "=", self._order]], [*_ORDER, can.finished_lots_field])
        work = await self._search(WORK_ORDER, [["production_id", "=", self._order]], _WORK)
        return {
            "order": await self._of_order(order),
            "components": await self._moves(order["move_raw_ids"]),
            "finished": await self._moves(order["move_finished_ids"]),
            "work": [self._work_order(row) for row in work],
            "times": await self._times([row["id"] for row in work]),
            "scrap": await self._scraps(),
            "notes": await self._notes(),
            "requests": await self._described(REQUESTS, ["name", "priority", "equipment_id", "description"]),
            "stops": await self._described(
                TIMES, ["date_start", "date_end", "loss_id", "workcenter_id", "description"]
            ),
        }

    async def _of_order(self, order: Row) -> dict[str, object]:
        can = await self._odoo.capabilities()
        lots = await self._odoo.call("stock.lot", "read", writes=False, ids=can.finished_lots(order), fields=["name"])
        shown = {name: order[name] for name in ("state", "qty_producing", "qty_produced")}
        done = order["date_finished"] if order["state"] == "done" else None
        names = [self._plain(lot["name"]) for lot in lots]
        return {**shown, "done": done, "lots": names, "destination": order["location_dest_id"][1]}

    async def _moves(self, ids: Sequence[int]) -> Sequence[object]:
        moves = await self._search("stock.move", [["id", "in", list(ids)]], _MOVE)
        lines = await self._search("stock.move.line", [["move_id", "in", list(ids)]], _LINE)
        return sorted(
            (
                row["product_id"][1],
                row["state"],
                row["picked"],
                row["location_dest_id"][1],
                self._lines([line for line in lines if line["move_id"][0] == row["id"]]),
            )
            for row in moves
        )

    def _lines(self, lines: Sequence[Row]) -> list[tuple[str, str, float, int]]:
        """By lot and place: their quantity, and how many lines of what was consumed they are linked to."""
        sums: dict[tuple[str, str], float] = {}
        linked = 0
        for line in lines:
            place = (self._plain(line["lot_id"][1]) if line["lot_id"] else "", line["location_dest_id"][1])
            sums[place] = round(sums.get(place, 0) + line["quantity"], 6)
            linked += len(line["consume_line_ids"])
        return sorted((lot, where, quantity, linked) for (lot, where), quantity in sums.items())

    def _work_order(self, row: Row) -> tuple[object, ...]:
        """The machine's work order with its moments; of the other one only that it is closed."""
        moments = (row["date_start"], row["date_finished"]) if row["name"] == "Press" else ()
        return row["name"], row["state"], *moments

    async def _times(self, work: Sequence[int]) -> Sequence[object]:
        rows = await self._search(TIMES, [["workorder_id", "in", list(work)]], _TIME)
        own = [row for row in rows if not row["description"].startswith("Time Tracking")]
        shown = [(row["date_start"], row["date_end"], row["loss_id"][1]) for row in own]
        return [*shown, len(rows)]

    async def _scraps(self) -> Sequence[object]:
        tags = ["scrap_reason_tag_ids"] if (await self._odoo.capabilities()).scrap_reasons else []
        rows = await self._search("stock.scrap", [["production_id", "=", self._order]], [*_SCRAP, *tags])
        ids = [row["id"] for row in rows]
        moves = await self._search("stock.move", [["scrap_id", "in", ids]], ["scrap_id", "location_dest_id"])
        return sorted(
            (
                self._plain(row["origin"]),
                row["state"],
                row["product_id"][1],
                row["scrap_qty"],
                row["location_id"][1],
                self._plain(row["lot_id"][1]) if row["lot_id"] else "",
                len(row.get("scrap_reason_tag_ids", ())),
                sorted(move["location_dest_id"][1] for move in moves if move["scrap_id"][0] == row["id"]),
            )
            for row in rows
        )

    async def _notes(self) -> list[str]:
        domain = [["model", "=", "mrp.production"], ["res_id", "=", self._order], ["body", "ilike", "acme/"]]
        return sorted(self._plain(row["body"]) for row in await self._search("mail.message", domain, ["body"]))

    async def _described(self, model: str, fields: Sequence[str]) -> Sequence[object]:
        """Records that name the order in their description's key."""
        rows = await self._search(model, [["description", "ilike", f"/mo-{self._order}/"]], fields)
        return [[self._plain(_shown(row[name])) for name in fields] for row in rows]

    async def _search(self, model: str, domain: Sequence[object], fields: Sequence[str]) -> list[Row]:
        found: list[Row] = await self._odoo.call(
            model, "search_read", writes=False, domain=list(domain), fields=list(fields), order="id"
        )
        return found

    def _plain(self, text: str) -> str:
        for name, word in self._names.items():
            text = text.replace(name, word)
        return text


def _shown(value: object) -> str:
    """A linked record by its name, whose id is of one run only."""
    return str(value[1]) if isinstance(value, list) and len(value) == 2 else str(value)
