"""A work center that nobody else uses, with an order on it, and what is told of both, in minutes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from odoo_adapter.client.api import OdooApi
from odoo_adapter.look_first.time.loss import TIMES
from odoo_adapter.odoo import Applied
from odoo_adapter.plan import moment
from ruleset.transaction import (
    CapacityBlock,
    CapacityUnblock,
    DowntimeClose,
    DowntimeOpen,
    DowntimeRecord,
    OrderRef,
    ShiftPart,
    Transaction,
    WorkOrderFinish,
    WorkOrderPause,
    WorkOrderRef,
    WorkOrderStart,
)
from tests.odoo_adapter.situations import AT_MS, CAUSE, PRESS, Bench

MINUTE_MS = 60_000
DAY_MS = 86_400_000
Row = dict[str, Any]
BREAKDOWN, MATERIAL, SETUP, OPEN = "Equipment Failure", "Material Availability", "Setup and Adjustments", "Unclassified"
PRODUCTIVE = "Fully Productive Time"


def clock(minutes: float) -> str:
    """So many minutes after the machine's noon, as Odoo writes it."""
    return moment(AT_MS + round(minutes * MINUTE_MS))


@dataclass(frozen=True, slots=True)
class Machine:
    """A work center that nobody else uses, and what is told of its stops, in minutes."""

    bench: Bench
    admin: OdooApi
    center: str
    common: dict[str, Any] = field(default_factory=dict)

    def _of(self, name: str, start: float, at: float) -> dict[str, Any]:
        return {
            "key": self.bench.key(f"{self.center}/{name}/{start}"),
            "equipment": f"acme/berlin/machining/{self.center}",
            "at_ms": AT_MS + round(at * MINUTE_MS),
            "provenance": CAUSE,
            "work_center": self.center,
            "started_ms": AT_MS + round(start * MINUTE_MS),
            **self.common,
        }

    def opened(self, start: float, loss: str = "unclassified") -> DowntimeOpen:
        return DowntimeOpen(**self._of("open", start, start), loss=loss, text="E12")

    def closed(self, start: float, end: float, loss: str = "breakdown") -> DowntimeClose:
        return DowntimeClose(**self._of("close", start, end), ended_ms=AT_MS + round(end * MINUTE_MS), loss=loss)

    def stopped(self, start: float, end: float, loss: str = "breakdown", cuts: Sequence[float] = ()) -> DowntimeRecord:
        """Recorded once it is over; divided among shifts at those minutes."""
        edges = [AT_MS + round(each * MINUTE_MS) for each in (start, *cuts, end)]
        parts = [
            ShiftPart(shift=f"s{number}", started_ms=begin, ended_ms=ends)
            for number, (begin, ends) in enumerate(pairwise(edges))
        ]
        given = tuple(parts) if cuts else ()
        return DowntimeRecord(**self._of("record", start, end), ended_ms=edges[-1], loss=loss, text="E12", parts=given)

    def blocked(self, start_ms: int, until_ms: int, name: str = "block") -> CapacityBlock:
        of = self._of(name, 0, 0) | {"started_ms": start_ms, "at_ms": start_ms}
        return CapacityBlock(**of, until_ms=until_ms, loss="breakdown", text="Spindle broken")

    def unblocked(self, start_ms: int, end_ms: int) -> CapacityUnblock:
        return CapacityUnblock(**self._of("unblock", 0, 0) | {"started_ms": start_ms}, ended_ms=end_ms)

    async def post(self, *transactions: Transaction) -> list[Applied]:
        applied = [one for one in await self.bench.post(transactions) if isinstance(one, Applied)]
        assert len(applied) == len(transactions), await self.bench.post(transactions)
        return applied

    async def id(self) -> int:
        (found,) = await self.admin.call(
            "mrp.workcenter", "search", writes=False, domain=[["code", "=", self.center]], limit=2
        )
        return int(found)

    async def read(self) -> Row:
        fields = ["working_state", "resource_id"]
        (row,) = await self.admin.call("mrp.workcenter", "read", writes=False, ids=[await self.id()], fields=fields)
        return dict(row)

    async def rows(self) -> list[Row]:
        domain = [["workcenter_id", "=", await self.id()]]
        fields = ["date_start", "date_end", "loss_id", "description", "user_id", "workorder_id"]
        return list(
            await self.admin.call(TIMES, "search_read", writes=False, domain=domain, fields=fields, order="date_start")
        )

    async def times(self) -> list[tuple[float, float | None, str]]:
        """What stands: begin, end, reason."""
        return [
            (minutes(row["date_start"]), minutes_or_open(row["date_end"]), row["loss_id"][1])
            for row in await self.rows()
        ]

    async def by_person(
        self, start: float, end: float | None, loss: str = "Setup and Adjustments", work: int | None = None
    ) -> int:
        """A time that the administrator records by hand."""
        (reason,) = await self.admin.call(
            "mrp.workcenter.productivity.loss", "search", writes=False, domain=[["name", "=", loss]], limit=1
        )
        values: dict[str, object] = {"workcenter_id": await self.id(), "loss_id": reason, "date_start": clock(start)}
        if end is not None:
            values["date_end"] = clock(end)
        if work is not None:
            values["workorder_id"] = work
        (made,) = await self.admin.call(TIMES, "create", writes=True, vals_list=[values])
        return int(made)

    async def leaves(self) -> list[Row]:
        """What keeps planning away from it, beside planned work orders."""
        resource = (await self.read())["resource_id"][0]
        found = await self.admin.call(
            "resource.calendar.leaves",
            "search_read",
            writes=False,
            domain=[["resource_id", "=", resource], ["time_type", "=", "leave"]],
            fields=["name", "date_from", "date_to"],
        )
        return list(found)


def minutes(at: str) -> float:
    return round((datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp() * 1000 - AT_MS) / MINUTE_MS, 3)


def minutes_or_open(at: str | bool) -> float | None:
    return minutes(at) if isinstance(at, str) else None


@dataclass(frozen=True, slots=True)
class Work:
    """An order with one step on the machine."""

    machine: Machine
    order: str
    step: str

    def _of(self, name: str, at: float) -> dict[str, Any]:
        return {
            "key": self.machine.bench.key(f"{name}/{self.step}/{at}"),
            "equipment": PRESS,
            "at_ms": AT_MS + round(at * MINUTE_MS),
            "provenance": CAUSE,
            "order": OrderRef(self.order),
            "work_order": WorkOrderRef(self.step),
        }

    def start(self, at: float) -> WorkOrderStart:
        return WorkOrderStart(**self._of("start", at))

    def pause(self, at: float) -> WorkOrderPause:
        return WorkOrderPause(**self._of("pause", at))

    def finish(self, at: float, start: float | None = None) -> WorkOrderFinish:
        started_ms = None if start is None else AT_MS + round(start * MINUTE_MS)
        return WorkOrderFinish(**self._of("finish", at), started_ms=started_ms)

    async def read(self) -> Row:
        fields = ["state", "date_start", "date_finished", "duration"]
        (row,) = await self.machine.admin.call(
            "mrp.workorder", "read", writes=False, ids=[int(self.step[3:])], fields=fields
        )
        return dict(row)
