"""`uns-bridge orders`: what was released to the floor, as which version, and what the MES answered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.table import Table as RichTable

from bridge.commands.exit import FAILED, fail
from bridge.commands.site import JsonOption, PlantOption, ask
from bridge.core.order import CURSOR_ID
from bridge.orders.record import OrderRecord, Status
from bridge.plant import Plant
from state.record import Table
from state.store import Store

_HISTORY: Final = ("version", "status", "published (UTC)", "sent (UTC)", "answer", "answered (UTC)", "what")

app = typer.Typer(help="Order releases and their acknowledgement: list, show.", no_args_is_help=True)


@app.command("list")
def list_orders(
    plant: PlantOption,
    open_only: Annotated[bool, typer.Option("--open", help="Only orders that are not closed or cancelled.")] = False,
    json_output: JsonOption = False,
) -> None:
    """List order releases, the latest last."""
    records = [record for record in ask(plant, _records) if record.is_open or not open_only]
    if json_output:
        print(msgspec.json.format(msgspec.json.encode([_summary(record) for record in records]), indent=2).decode())
        return
    table = RichTable("order", "name", "version", "status", "published (UTC)", "sent (UTC)", "answer", "reason")
    for record in records:
        published, sent = _moment(record.published_ms), _moment(record.sent_ms)
        answer = f"{record.answer} by {record.answered_by}" if record.answered_by else str(record.answer)
        why = record.answer_reason or record.reason
        table.add_row(record.order, record.name, str(record.version), record.status, published, sent, answer, why)
    Console().print(table if records else "no orders")


@app.command("show")
def show_order(
    plant: PlantOption,
    order: Annotated[str, typer.Argument(help="The order, such as mo-42, or Odoo's name of it.")],
    json_output: JsonOption = False,
) -> None:
    """Show one order: each version, when it was sent, what changed, who answered what; and the release as it stands."""
    record = next((one for one in ask(plant, _records) if order in (one.order, one.name)), None)
    if record is None:
        fail(f"there is no order {order!r}; `uns-bridge orders list` shows what there is", FAILED)
    if json_output:
        shown = {**msgspec.to_builtins(record), "history": record.history}
        print(msgspec.json.format(msgspec.json.encode(shown), indent=2).decode())
        return
    why = f", {record.reason}" if record.reason else ""
    table = RichTable(*_HISTORY, title=f"{record.order} {record.name}: {record.status}{why}", title_justify="left")
    for one in record.history:
        answer = f"{one.answer} by {one.answered_by}" if one.answered_by else str(one.answer)
        asks = one.status is not Status.CLOSED
        table.add_row(
            str(one.version),
            one.status,
            _moment(one.published_ms),
            _moment(one.sent_ms),
            answer if asks else "-",
            _moment(one.answered_ms),
            one.answer_reason or ", ".join(one.changes),
        )
    Console().print(table)
    print(msgspec.json.format(msgspec.json.encode(record.document), indent=2).decode())


def _moment(at_ms: int | None) -> str:
    return "-" if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%m-%d %H:%M:%S")


async def _records(plant: Plant, store: Store) -> list[OrderRecord]:
    stored = await store.read(Table.ORDER)
    records = [msgspec.json.decode(body, type=OrderRecord) for id, body in stored.items() if id != CURSOR_ID]
    return sorted(records, key=lambda record: record.published_ms)


def _summary(record: OrderRecord) -> dict[str, str | int | None]:
    return {
        "order": record.order,
        "name": record.name,
        "version": record.version,
        "status": record.status,
        "published_ms": record.published_ms,
        "sent_ms": record.sent_ms,
        "answer": record.answer,
        "answered_ms": record.answered_ms,
        "answered_by": record.answered_by,
        "reason": record.answer_reason,
    }
