"""What happens on the floor, by a seeded chance: transactions of every kind, all of which Odoo must take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any, Final

from ruleset.transaction import (
    Byproduct,
    CapacityBlock,
    CapacityUnblock,
    Complete,
    Consumption,
    Correct,
    DowntimeClose,
    DowntimeOpen,
    DowntimeRecord,
    IdempotencyKey,
    LotCreate,
    MaintenanceClose,
    MaintenanceRequest,
    MaterialConsume,
    OrderRef,
    Progress,
    Provenance,
    QualityHold,
    QualityHoldStock,
    QualityRelease,
    QualityRequest,
    QualityResult,
    Scrap,
    Transaction,
    WorkOrderFinish,
    WorkOrderPause,
    WorkOrderRef,
    WorkOrderStart,
)
from tests.odoo_adapter.situations import AT_MS
from tests.thousand.ground import BLOCKED, EQUIPMENT, RESIN_KG, RESIN_LOTS, STATIONS, Order

MINUTE_MS: Final = 60_000
SLOT: Final = 400
"""Minutes that one order has on its press, so that times of several never meet."""
DAYS_AGO: Final = 20
"""So far back does it all begin: the slots of two thousand transactions are over by now."""
LOSSES: Final = ("breakdown", "material_availability", "setup", "unclassified")
WHY: Final = Provenance(rule="thousand", version="v1", topic="uns/v1/acme/thousand")
TELLINGS: Final = 13
"""Of an order while it runs, beside its start, pause, finish and end."""


@dataclass(slots=True)
class Floor:
    """Says in the plant's words what happened; `fresh` is behind all names, and each key has a number of its own."""

    fresh: str
    chance: Random
    told: int = 0
    clocks: dict[str, int] = field(default_factory=dict)
    """Minutes until which each place has been told of."""

    def code(self, name: str) -> str:
        return f"{name}-{self.fresh}"

    def common(self, what: str, place: str, minute: int, order: Order | None = None) -> dict[str, Any]:
        """What every transaction has."""
        self.told += 1
        return {
            "key": IdempotencyKey(f"acme/{place}/{what}/{self.fresh}#{self.told:05}"),
            "equipment": f"acme/thousand/{place}",
            "at_ms": at_ms(minute),
            "provenance": WHY,
            "order": OrderRef(order.ref) if order else None,
        }

    def takes(self, place: str, minutes: int) -> tuple[int, int]:
        """The next so many minutes of a place, after a pause."""
        start = self.clocks.get(place, 0) + self.chance.randint(1, 5)
        self.clocks[place] = start + minutes
        return start, start + minutes

    def stop(self, place: str, order: Order | None = None) -> DowntimeRecord:
        start, end = self.takes(place, self.chance.randint(2, 9))
        return DowntimeRecord(
            **self.common("stop", place, end, order),
            work_center=self.code(place),
            started_ms=at_ms(start),
            ended_ms=at_ms(end),
            loss=self.chance.choice(LOSSES),
            text=f"E{self.told}",
        )

    def lasting_stop(self) -> Iterator[Transaction]:
        """Told when it begins and when it is over."""
        stop = self.stop(self.chance.choice(STATIONS))
        said: dict[str, Any] = {"work_center": stop.work_center, "started_ms": stop.started_ms, "text": stop.text}
        place = stop.equipment.rpartition("/")[2]
        yield DowntimeOpen(**self.common("open", place, 0), **said, loss="unclassified")
        yield DowntimeClose(**self.common("close", place, 0), **said, ended_ms=stop.ended_ms, loss=stop.loss)

    def block(self) -> Iterator[Transaction]:
        """A work center that cannot run for a while, and then can."""
        place = self.chance.choice(BLOCKED)
        start, end = (at_ms(minute) for minute in self.takes(place, 30))
        center = self.code(place)
        until_ms = end + 60 * MINUTE_MS
        self.clocks[place] += 60
        yield CapacityBlock(
            **self.common("block", place, 0), work_center=center, started_ms=start, loss="breakdown", until_ms=until_ms
        )
        if self.chance.random() < 0.7:
            yield CapacityUnblock(
                **self.common("unblock", place, 0), work_center=center, started_ms=start, ended_ms=end
            )

    def requests(self) -> Iterator[Transaction]:
        """What a machine asks of maintenance, perhaps twice, and perhaps until it is done."""
        place, cause = self.chance.choice(EQUIPMENT), self.chance.choice(("vibration", "heat"))
        for _ in range(self.chance.randint(1, 2)):
            yield MaintenanceRequest(
                **self.common("maintenance", place, 0),
                serial_number=self.code(place),
                title=f"{cause} {self.told}",
                text="look at it",
                priority=2,
                cause=cause,
            )
        if self.chance.random() < 0.5:
            yield MaintenanceClose(
                **self.common("done", place, 0), serial_number=self.code(place), cause=cause, text="bearing changed"
            )

    def beside(self) -> list[Transaction]:
        """Something that belongs to no order."""
        match self.chance.randrange(4):
            case 0:
                return [*self.requests()]
            case 1:
                return [*self.lasting_stop()]
            case 2:
                return [*self.block()]
            case _:
                return [self.stop(self.chance.choice(STATIONS))]

    def story(self, order: Order) -> Iterator[Transaction]:
        """Everything that is told of one order, in its order."""
        if order.product == "METER":
            return meter(self, order)
        return Story(self, order).told()


@dataclass(slots=True)
class Story:
    """One order of parts or frames, and what it must remember to tell only what can be."""

    floor: Floor
    order: Order
    totals: dict[str, int] = field(default_factory=lambda: {"a": 0, "b": 0})
    corrected: int = 0
    weighed: bool = False

    @property
    def lot(self) -> str:
        return self.floor.code(f"L{self.order.number}")

    @property
    def counted(self) -> int:
        return sum(self.totals.values()) + self.corrected

    def told(self) -> Iterator[Transaction]:
        floor, order, chance = self.floor, self.order, self.floor.chance
        floor.clocks[order.press] = max(floor.clocks.get(order.press, 0), order.number * SLOT)
        if chance.random() < 0.4:
            yield LotCreate(**floor.common("lot", order.press, 0), product=floor.code(order.product), lot=self.lot)
        started, _ = floor.takes(order.press, 0)
        work = WorkOrderRef(order.work_order)
        yield WorkOrderStart(**self._common("start", started), work_order=work)
        for number in range(TELLINGS):
            yield from self._happens()
            if number == TELLINGS // 2 and chance.random() < 0.6:
                yield WorkOrderPause(**self._common("pause", floor.takes(order.press, 0)[0]), work_order=work)
                yield WorkOrderStart(**self._common("resume", floor.takes(order.press, 7)[1]), work_order=work)
        _, ended = floor.takes(order.press, 5)
        yield WorkOrderFinish(**self._common("finish", ended), work_order=work, started_ms=at_ms(started))
        if chance.random() < 0.8:
            yield from self._ends()

    def _common(self, what: str, minute: int | None = None) -> dict[str, Any]:
        at = self.floor.clocks[self.order.press] if minute is None else minute
        return self.floor.common(what, self.order.press, at, self.order)

    def _happens(self) -> Iterator[Transaction]:
        chance = self.floor.chance
        what = chance.choices(
            (self._count, self._throw_away, self._weigh, self._stop, self._correct, self._note, self._inspect),
            (6, 3, 3, 3, 1, 1, 1),
        )[0]
        yield from what()

    def _count(self) -> Iterator[Transaction]:
        chance = self.floor.chance
        most = self.order.quantity - self.counted
        if most <= 0:
            return
        stream = chance.choice("ab")
        self.totals[stream] += chance.randint(1, min(4, most))
        yield self._total(stream)

    def _total(self, stream: str) -> Progress:
        return Progress(
            **self._common(f"good/{self.order.ref}/{stream}"),
            stream=f"{self.order.ref}/{self.order.press}/good/{stream}",
            upto=Decimal(self.totals[stream]),
            unit="pcs",
        )

    def _throw_away(self) -> Iterator[Transaction]:
        chance, code = self.floor.chance, self.floor.code
        quantity, unit, product, lot = chance.choice(
            [
                (str(chance.randint(1, 3)), "pcs", None, self.lot),
                (str(chance.randint(1, 3)), "pcs", code("BOX"), None),
                (str(10 * chance.randint(1, 30)), "g", code("RESIN"), code(chance.choice(RESIN_LOTS))),
            ]
        )
        yield Scrap(
            **self._common("scrap"), quantity=Decimal(quantity), unit=unit, reason="Burn mark", product=product, lot=lot
        )

    def _weigh(self) -> Iterator[Transaction]:
        chance, code = self.floor.chance, self.floor.code
        self.weighed = True
        yield MaterialConsume(
            **self._common("weigh"),
            product=code("RESIN"),
            quantity=Decimal(10 * chance.randint(1, 40)),
            unit="g",
            lot=code(chance.choice(RESIN_LOTS)),
        )

    def _stop(self) -> Iterator[Transaction]:
        yield self.floor.stop(self.order.press, self.order)

    def _correct(self) -> Iterator[Transaction]:
        least, most = -self.counted, self.order.quantity - self.counted
        by = self.floor.chance.choice([by for by in (-2, -1, 1, 2) if least <= by <= most] or [0])
        if by:
            self.corrected += by
            yield self._correction(by)

    def _correction(self, by: int) -> Correct:
        return Correct(
            **self._common("correct"), corrects="the count", quantity=Decimal(by), unit="pcs", reason="recount"
        )

    def _note(self) -> Iterator[Transaction]:
        yield QualityResult(**self._common("result"), status="pass", text="bore 12.02")

    def _inspect(self) -> Iterator[Transaction]:
        name = f"first piece {self.floor.told}"
        yield QualityRequest(**self._common("inspection"), inspection=name, text="measure it")
        if self.floor.chance.random() < 0.6:
            yield QualityResult(**self._common("result"), status="pass", inspection=name)

    def _blocked(self, made: int) -> Iterator[Transaction]:
        """A part of the lot goes on hold, and some of it comes back."""
        product, lot = self.floor.code(self.order.product), self.lot
        held = self.floor.chance.randint(1, made)
        said: dict[str, Any] = {"product": product, "lot": lot, "unit": "pcs"}
        yield QualityHoldStock(**self._common("hold"), **said, quantity=Decimal(held))
        if held > 1:
            yield QualityRelease(**self._common("release"), **said, quantity=Decimal(held - 1))

    def _ends(self) -> Iterator[Transaction]:
        """The completion, or the hold of all of it, and what is told of the order later."""
        chance, order = self.floor.chance, self.order
        made = order.quantity if chance.random() < 0.5 else chance.randint(max(self.counted, 1), order.quantity)
        is_held = order.product == "PART" and chance.random() < 0.25
        exact = not self.weighed or chance.random() < 0.5
        said: dict[str, Any] = {
            "quantity": Decimal(made),
            "unit": "pcs",
            "lot": self.lot,
            "consumed": self._exactly(made) if exact else (),
            "short": chance.choice(("close", "backorder")),
        }
        if order.product == "FRAME":
            sprue, unit, lot = self.floor.code("SPRUE"), "pcs", self.floor.code(f"SL{order.number}")
            said["byproducts"] = (Byproduct(product=sprue, quantity=Decimal(made % 3 + 1), unit=unit, lot=lot),)
        yield (QualityHold if is_held else Complete)(**self._common("complete"), **said)
        if self.counted < made:  # the last count comes when the order is done: the completion had it
            self.totals["a"] += 1
            yield self._total("a")
        if order.product == "PART" and exact and made > 2 and chance.random() < 0.5:
            yield self._correction(-chance.randint(1, 2))
        elif not is_held and chance.random() < 0.4:
            yield from self._blocked(made)
        elif not is_held:
            product = self.floor.code(order.product)
            yield Scrap(
                **self._common("scrap"), quantity=Decimal(1), unit="pcs", reason="Fell", product=product, lot=self.lot
            )

    def _exactly(self, made: int) -> tuple[Consumption, ...]:
        """The bill's own ratio, of both lots of resin."""
        all_of_it = Decimal(made) * Decimal(str(RESIN_KG))
        first, second = (self.floor.code(lot) for lot in RESIN_LOTS)
        parts = [(first, Decimal("0.05")), (second, all_of_it - Decimal("0.05"))]
        resin = self.floor.code("RESIN")
        return tuple(Consumption(product=resin, quantity=part, unit="kg", lot=lot) for lot, part in parts if part)


def meter(floor: Floor, order: Order) -> Iterator[Transaction]:
    """One piece with its serial number."""
    resin, lot = floor.code("RESIN"), floor.code(RESIN_LOTS[0])
    yield Complete(
        **floor.common("complete", order.press, 0, order),
        quantity=Decimal(1),
        unit="pcs",
        serials=(floor.code(f"M{order.number}"),),
        consumed=(Consumption(product=resin, quantity=Decimal(str(RESIN_KG)), unit="kg", lot=lot),),
    )


def happened(floor: Floor, orders: Sequence[Order], count: int) -> list[Transaction]:
    """So many transactions: the stories of the orders, and between them what belongs to no order."""
    told = [transaction for order in orders for transaction in floor.story(order)]
    while len(told) < count:
        told += floor.beside()
    return told


def planned(chance: Random, count: int) -> Iterator[tuple[str, int]]:
    """Products and quantities of the orders that so many transactions need."""
    for number in range(max(4, count // 27)):
        product = "METER" if number % 6 == 5 else "FRAME" if number % 4 == 3 else "PART"
        yield product, 1 if product == "METER" else chance.randint(20, 60)


def at_ms(minute: int) -> int:
    return AT_MS - DAYS_AGO * 24 * 60 * MINUTE_MS + minute * MINUTE_MS
