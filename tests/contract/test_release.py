"""What the bridge publishes of an order that a real Odoo answered is what the contract promises."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from jsonschema import Draft202012Validator, FormatChecker

from bridge.core.order import OrderBook, PublishOrder
from odoo_adapter.client.api import OdooApi
from odoo_adapter.plan import PlanContext
from odoo_adapter.server import OdooServer
from tests.odoo_adapter.replay import recording, replayed

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "contract" / "order-release.schema.json").read_text())
UNITS = PlanContext(units={"pcs": "Units", "kg": "kg", "g": "g", "l": "L"}, over=Decimal("0.05"))
NOW_MS = 1_795_421_000_000


async def test_a_recorded_order_is_published_as_promised() -> None:
    async with replayed(recording("an_open_order")) as connection:
        odoo = OdooServer(OdooApi(connection), UNITS)
        read = await odoo.read_orders("")
        await odoo.close()
    closed = replace(read, orders=tuple(replace(order, state="done") for order in read.orders))
    book = OrderBook(answer_within_ms=60_000)

    published = [*book.read(read, NOW_MS), *book.read(closed, NOW_MS + 1)]

    documents = [output.record.document for output in published if isinstance(output, PublishOrder)]
    assert [document["status"] for document in documents] == ["released", "closed"]
    validator = Draft202012Validator(SCHEMA, format_checker=FormatChecker())
    assert [error.message for document in documents for error in validator.iter_errors(document)] == []
