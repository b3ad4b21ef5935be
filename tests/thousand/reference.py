"""What must stand in Odoo after these transactions: a model of its own, which knows nothing of how they are posted.

Each transaction counts once, in the order in which it was told of its order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from ruleset.transaction import (
    CapacityBlock,
    CapacityUnblock,
    Complete,
    Correct,
    DowntimeClose,
    DowntimeRecord,
    MaintenanceClose,
    MaintenanceRequest,
    MaterialConsume,
    Progress,
    QualityHold,
    QualityHoldStock,
    QualityRelease,
    QualityRequest,
    QualityResult,
    Scrap,
    Transaction,
    WorkOrderFinish,
    WorkOrderPause,
    WorkOrderStart,
)
from tests.thousand.books import Books
from tests.thousand.ground import DUE, MORE, PLENTY, RESIN_KG, Order

REASONS: Final = {
    "breakdown": "Equipment Failure",
    "material_availability": "Material Availability",
    "setup": "Setup and Adjustments",
    "unclassified": "Unclassified",
}
PRODUCTIVE: Final = "Fully Productive Time"
STOCK, HOLD, PRODUCTION = "stock", "hold", "production"
LOST: Final = "scrap or adjustment"
"""Odoo 19 has one place for both: what is counted into the stock comes from there."""
_KG: Final = {"g": Decimal("0.001"), "kg": Decimal(1), "pcs": Decimal(1)}


class Reference:
    """Adds up what was told. `books` is complete when `after` returned."""

    def __init__(self, orders: Sequence[Order], raised: Sequence[Order], fresh: str) -> None:
        self.books = Books()
        self._orders = {order.ref: order for order in orders}
        self._raised = set(raised)
        self._fresh = fresh
        self._open_requests: dict[tuple[str, str], str] = {}

    def after(self, told: Sequence[Transaction]) -> Books:
        """The books after all of these."""
        self._move("RESIN", 2 * PLENTY, LOST, STOCK)
        self._move("BOX", PLENTY, LOST, STOCK)
        for ref, order in self._orders.items():
            self._of_order(order, [one for one in told if one.order == ref])
        for one in told:
            match one:
                case DowntimeRecord() | DowntimeClose():
                    self._time(one.work_center, one.started_ms, one.ended_ms, REASONS[one.loss])
                case MaintenanceRequest() | MaintenanceClose():
                    self._request(one)
                case QualityRequest() | QualityResult():
                    self._inspected(one, told)
                case CapacityBlock():
                    self._blocked(one, told)
                case _:
                    pass
        return self.books

    def _inspected(self, one: QualityRequest | QualityResult, told: Iterable[Transaction]) -> None:
        """An activity until there is a result, which is a note."""
        if isinstance(one, QualityResult):
            self.books.records[f"note {one.key}"] += 1
        elif not any(isinstance(over, QualityResult) and over.inspection == one.inspection for over in told):
            self.books.records[f"Inspection: {one.inspection} {one.key}"] += 1

    def _blocked(self, one: CapacityBlock, told: Iterable[Transaction]) -> None:
        """Until it is said that the work center can run again."""
        until_ms = one.until_ms or 0
        for over in told:
            if isinstance(over, CapacityUnblock) and over.work_center == one.work_center:
                until_ms = over.ended_ms if over.started_ms == one.started_ms else until_ms
        span = f"{one.started_ms // 1000}-{until_ms // 1000}"
        self.books.records[f"{self._bare(one.work_center)} {span} blocked"] += 1

    def _of_order(self, order: Order, told: Sequence[Transaction]) -> None:
        amounts, name = self.books.amounts, order.name
        end = next((one for one in told if isinstance(one, Complete | QualityHold)), None)
        place = HOLD if isinstance(end, QualityHold) else STOCK
        counted = self._counted(order, told[: told.index(end)] if end else told)
        amounts[f"{name} is done"] = "yes" if end else "no"
        amounts[f"{name} is due"] = DUE
        if end is None:  # Odoo itself takes the priority from an order that is done
            amounts[f"{name} has priority"] = "1"
            amounts[f"{name} ordered"] = order.quantity + (MORE if order in self._raised else 0)
            amounts[f"{name} counted"] = float(counted)
        else:
            amounts[f"{name} made"] = float(end.quantity)
            self._made(order, end, place)
        self._used(order, end, told)
        for one in told:
            if isinstance(one, Scrap):
                self._scrapped(order, one)
        self._taken_back(order, told[told.index(end) :] if end else (), place)
        for one in told:
            if isinstance(one, QualityHoldStock | QualityRelease):
                source, target = (STOCK, HOLD) if isinstance(one, QualityHoldStock) else (HOLD, STOCK)
                self._move(f"{order.product} {self._bare(one.lot or '')}", float(one.quantity or 0), source, target)
        self._ran(order, told)

    def _counted(self, order: Order, told: Iterable[Transaction]) -> Decimal:
        totals: dict[str, Decimal] = {}
        for one in told:
            if isinstance(one, Progress):
                totals[one.stream] = max(one.upto, totals.get(one.stream, Decimal(0)))
            elif isinstance(one, Correct):
                totals["corrected"] = totals.get("corrected", Decimal(0)) + one.quantity
        return sum(totals.values(), Decimal(0))

    def _made(self, order: Order, end: Complete | QualityHold, place: str) -> None:
        for serial in end.serials:
            self._move(f"{order.product} {self._bare(serial)}", 1, PRODUCTION, place)
        if end.lot:
            self._move(f"{order.product} {self._bare(end.lot)}", float(end.quantity), PRODUCTION, place)
        for one in end.byproducts:
            self._move(f"SPRUE {self._bare(one.lot or '')}", float(one.quantity), PRODUCTION, place)
        rest = order.quantity - end.quantity
        if end.short == "backorder" and rest:
            self.books.records[f"order of {rest} {order.product} left"] += 1

    def _used(self, order: Order, end: Complete | QualityHold | None, told: Iterable[Transaction]) -> None:
        used: dict[tuple[str, str], float] = {}

        def use(product: str, lot: str | None, quantity: Decimal, unit: str) -> None:
            what = self._bare(product), self._bare(lot or "")
            used[what] = round(used.get(what, 0) + float(quantity * _KG[unit]), 6)

        if end is not None and end.consumed:
            for listed in end.consumed:
                use(listed.product, listed.lot, listed.quantity, listed.unit)
        else:
            for one in told:
                if isinstance(one, MaterialConsume):
                    use(one.product, one.lot, one.quantity, one.unit)
        if end is not None:
            use("BOX", "", end.quantity, "pcs")
            for (product, _), quantity in used.items():
                self._move(product, quantity, STOCK, PRODUCTION)
        for (product, lot), quantity in used.items():
            self.books.add(f"{order.name} used {product} {lot}".strip(), quantity)

    def _scrapped(self, order: Order, one: Scrap) -> None:
        product = self._bare(one.product or order.product)
        quantity = float(one.quantity * _KG[one.unit])
        self.books.records[f"scrap of {quantity:g} {product} {self._bare(one.lot or '')} by {one.key}"] += 1
        is_own = product == order.product
        what = f"{product} {self._bare(one.lot or '')}" if is_own else product
        self._move(what, quantity, PRODUCTION if one.product is None else STOCK, LOST)

    def _taken_back(self, order: Order, told: Iterable[Transaction], place: str) -> None:
        for one in told:
            if isinstance(one, Correct):
                pieces = float(-one.quantity)
                self.books.records[f"{order.name} {pieces:g} taken apart"] += 1
                self._move(f"{order.product} L{order.number}", pieces, place, PRODUCTION)
                self._move("RESIN", pieces * RESIN_KG, PRODUCTION, STOCK)
                self._move("BOX", pieces, PRODUCTION, STOCK)

    def _ran(self, order: Order, told: Sequence[Transaction]) -> None:
        """Productive time is from a start to the next pause or finish, less the stops in between."""
        stops = sorted((one.started_ms, one.ended_ms) for one in told if isinstance(one, DowntimeRecord))
        at_ms = 0
        for one in told:
            if isinstance(one, WorkOrderStart):
                at_ms = one.at_ms
            elif isinstance(one, WorkOrderPause | WorkOrderFinish):
                for start_ms, end_ms in [*(stop for stop in stops if stop[0] < one.at_ms), (one.at_ms, one.at_ms)]:
                    if at_ms < start_ms:
                        self._time(order.press, at_ms, start_ms, PRODUCTIVE)
                    at_ms = max(at_ms, end_ms)

    def _time(self, center: str, start_ms: int, end_ms: int, reason: str) -> None:
        self.books.records[f"{self._bare(center)} {start_ms // 1000}-{end_ms // 1000} {reason}"] += 1

    def _request(self, one: MaintenanceRequest | MaintenanceClose) -> None:
        """One for each cause while it is open; what comes again is a note on it, and so is its end."""
        cause = one.serial_number, one.cause
        if isinstance(one, MaintenanceClose):
            title = self._open_requests.pop(cause)
            self.books.records[f"request {self._bare(one.serial_number)} {title}, open"] -= 1
            self.books.records[f"request {self._bare(one.serial_number)} {title}, done"] += 1
            self.books.records[f"again {one.key}"] += 1
        elif cause in self._open_requests:
            self.books.records[f"again {one.key}"] += 1
        else:
            self._open_requests[cause] = one.title
            self.books.records[f"request {self._bare(one.serial_number)} {one.title}, open"] += 1

    def _move(self, what: str, quantity: float, source: str, target: str) -> None:
        self.books.add(f"{what} in {source}", -quantity)
        self.books.add(f"{what} in {target}", quantity)

    def _bare(self, name: str) -> str:
        return name.removesuffix(f"-{self._fresh}")
