"""What Odoo and the namespace show when every fact of a day was posted once and in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

from bridge.demo.compare import NamespaceView
from bridge.demo.odoo_view import DowntimeRow, InboxRow, MaintenanceRow, OdooView, OrderView, ScrapView
from bridge.simulator.ledger import ExpectedOutcome, Fact, FactKind


def everything(facts: Sequence[Fact]) -> OdooView:
    """The view of an Odoo in which each of these facts has its one effect."""
    posted = [fact for fact in facts if fact.outcome is ExpectedOutcome.POSTED]
    orders = sorted({fact.order for fact in posted if fact.order})
    return OdooView(
        orders={order: _order([fact for fact in posted if fact.order == order]) for order in orders},
        downtimes=tuple(
            DowntimeRow(
                work_center=str(fact.values["work_center"]),
                started_s=_second(fact, "started_ms"),
                ended_s=_second(fact, "ended_ms"),
                loss=str(fact.values["loss"]),
            )
            for fact in posted
            if fact.kind is FactKind.DOWNTIME
        ),
        maintenance=tuple(
            MaintenanceRow(serial_number=str(fact.values["serial_number"]), title=f"{fact.values['title']}7.9 mm/s")
            for fact in posted
            if fact.kind is FactKind.MAINTENANCE
        ),
        inbox=tuple(row for fact in posted for row in _rows(fact)),
    )


def all_seen(facts: Sequence[Fact]) -> NamespaceView:
    """The namespace on which every release was seen and every answer tracked."""
    return NamespaceView(
        releases=tuple((fact.order or "", 1) for fact in facts if fact.kind is FactKind.RELEASE),
        answers={
            fact.order or "": (int(str(fact.values["version"])), str(fact.values["status"]))
            for fact in facts
            if fact.kind is FactKind.ACKNOWLEDGEMENT
        },
    )


def one_order(view: OdooView, change: Callable[[OrderView], OrderView], name: str = "mo-1") -> OdooView:
    """The same view, one order changed."""
    return replace(view, orders={**view.orders, name: change(view.orders[name])})


def without(view: OdooView, kind: str, order: str) -> OdooView:
    return replace(view, inbox=tuple(row for row in view.inbox if (row.kind, row.order) != (kind, order)))


def with_row(view: OdooView, row: InboxRow) -> OdooView:
    return replace(view, inbox=(*view.inbox, row))


def _order(facts: Sequence[Fact]) -> OrderView:
    of = {kind: [fact for fact in facts if fact.kind is kind] for kind in FactKind}
    started = {str(fact.values["work_order"]): "progress" for fact in of[FactKind.START]}
    finished = {str(fact.values["work_order"]): "done" for fact in of[FactKind.FINISH]}
    counted = sum((Decimal(str(fact.values["quantity"])) for fact in of[FactKind.PROGRESS]), Decimal(0))
    completion = of[FactKind.COMPLETION][0] if of[FactKind.COMPLETION] else None
    consumed = completion.values["consumed"] if completion else []
    assert isinstance(consumed, list)
    return OrderView(
        state="done" if completion else "progress",
        producing=counted,
        produced=Decimal(str(completion.values["quantity"])) if completion else Decimal(0),
        lots=(str(completion.values["lot"]),) if completion else (),
        consumed={
            (str(line["product"]), str(line["lot"]) if line["lot"] else None): Decimal(str(line["quantity"]))
            for line in consumed
            if isinstance(line, dict)
        },
        scraps=tuple(
            ScrapView(quantity=Decimal(str(fact.values["quantity"])), lot=str(fact.values["lot"]))
            for fact in of[FactKind.SCRAP]
        ),
        work_orders=started | finished,
        notes=(
            *("Released to the floor as version 1." for _ in of[FactKind.RELEASE]),
            *(
                f"Quality: {fact.values['status']}, lot {fact.values['lot']}. [{fact.id}]"
                for fact in of[FactKind.DISPOSITION]
            ),
        ),
        on_hold=bool(completion and completion.values["status"] == "reject"),
    )


def _rows(fact: Fact) -> list[InboxRow]:
    def row(kind: str, **payload: str) -> InboxRow:
        return InboxRow(key=fact.id, kind=kind, order=fact.order, payload=dict(payload))

    match fact.kind:
        case FactKind.START | FactKind.FINISH:
            return [row(fact.kind.value, wo=str(fact.values["work_order"]))]
        case FactKind.PROGRESS:
            total = Decimal(str(fact.values["quantity"]))
            return [
                row("progress", stream=f"{fact.order}/0", upto="10"),
                row("progress", stream=f"{fact.order}/0", upto="11"),
                row("progress", stream=f"{fact.order}/1", upto=str(total - 11)),
            ]
        case FactKind.SCRAP:
            return [row("scrap")]
        case FactKind.DOWNTIME:
            return [row("downtime", wc=str(fact.values["work_center"]), start=f"{_second(fact, 'started_ms'):020}")]
        case FactKind.MAINTENANCE:
            return [row("maintenance")]
        case FactKind.DISPOSITION:
            return [row("note")]
        case FactKind.COMPLETION:
            return [row("complete")]
        case FactKind.RELEASE | FactKind.ACKNOWLEDGEMENT:
            return []


def _second(fact: Fact, name: str) -> int:
    return int(str(fact.values[name])) // 1000
