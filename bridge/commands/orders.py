"""`uns-bridge orders`: what was released to the floor, as which version, and what the MES answered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table as RichTable

from bridge.commands.exit import FAILED, fail
from bridge.commands.site import JsonOption, PlantOption, ask
from bridge.core.order import CURSOR_ID, OrderRecord
from bridge.plant import Plant
from state.record import Table
from state.store import Store

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
    table = RichTable("order", "name", "version", "status", "published (UTC)", "answer", "reason")
    for record in records:
        at = datetime.fromtimestamp(record.published_ms / 1000, UTC).strftime("%m-%d %H:%M:%S")
        table.add_row(
            record.order, record.name, str(record.version), record.status, at, record.answer, record.answer_reason
        )
    Console().print(table if records else "no orders")


@app.command("show")
def show_order(plant: PlantOption, order: Annotated[str, typer.Argument(help="The order, such as mo-42.")]) -> None:
    """Show one order's release and acknowledgement as JSON."""
    for record in ask(plant, _records):
        if record.order == order or record.name == order:
            print(msgspec.json.format(msgspec.json.encode(record), indent=2).decode())
            return
    fail(f"there is no order {order!r}; `uns-bridge orders list` shows what there is", FAILED)


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
        "answer": record.answer,
        "answered_ms": record.answered_ms,
        "reason": record.answer_reason,
    }
