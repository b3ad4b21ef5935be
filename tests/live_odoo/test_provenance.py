"""From a document in Odoo one finds the plant fact that made it, and back, as people do it there."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from odoo_adapter.client.api import OdooApi
from odoo_adapter.inbox.install import DOCUMENTS, MODEL
from odoo_adapter.odoo import Applied
from ruleset.transaction import Transaction
from tests.live_odoo.postings import scrap
from tests.odoo_adapter.situations import CAUSE, Bench, progress


async def window_of(admin: OdooApi, model: str) -> dict[str, Any]:
    """What stands under the gear of this model's forms to show its transactions."""
    bindings = await admin.call("ir.actions.actions", "get_bindings", writes=False, model_name=model)
    (id,) = [one["id"] for one in bindings.get("action", []) if one["name"] == "Bridge transactions"]
    (window,) = await admin.call(
        "ir.actions.act_window", "read", writes=False, ids=[id], fields=["domain", "res_model", "binding_view_types"]
    )
    return dict(window)


async def found_from(admin: OdooApi, model: str, id: int) -> list[dict[str, Any]]:
    window = await window_of(admin, model)
    assert (window["res_model"], window["binding_view_types"]) == (MODEL, "form")
    domain = ast.literal_eval(window["domain"].replace("active_id", str(id)))
    rows: list[dict[str, Any]] = await admin.call(
        MODEL, "search_read", writes=False, domain=domain, fields=["x_name", "x_by"], order="id"
    )
    return rows


async def test_a_document_leads_to_its_facts_and_each_fact_to_its_document(bench: Bench, admin: OdooApi) -> None:
    order = await bench.order(10)
    facts: list[Transaction] = [progress(bench, order, 4), await scrap(bench, order)]
    done = [one for one in await bench.post(facts) if isinstance(one, Applied)]
    of_order = await found_from(admin, "mrp.production", int(order.removeprefix("mo-")))
    assert [row["x_name"] for row in of_order] == [fact.key for fact in facts]
    assert f"rule {CAUSE.rule} {CAUSE.version}, {CAUSE.topic} seq {CAUSE.seq}" in of_order[0]["x_by"]
    (of_scrap,) = await found_from(admin, "stock.scrap", done[1].receipt.id)
    assert of_scrap["x_name"] == facts[1].key
    opened = await open_document(admin, of_scrap["id"])
    assert (opened["res_model"], opened["res_id"]) == ("stock.scrap", done[1].receipt.id)


async def open_document(admin: OdooApi, row: int) -> dict[str, Any]:
    """What the button *Document* of a transaction opens."""
    (named,) = await admin.call(
        "ir.model.data", "search_read", writes=False, domain=[["name", "=", "act_document"]], fields=["res_id"]
    )
    context = {"active_model": MODEL, "active_id": row, "active_ids": [row]}
    opened = await admin.call("ir.actions.server", "run", writes=True, ids=[named["res_id"]], context=context)
    return dict(opened)


@pytest.mark.parametrize("model", DOCUMENTS)
async def test_every_kind_of_document_has_the_way_to_its_facts(bench: Bench, admin: OdooApi, model: str) -> None:
    assert MODEL in (await window_of(admin, model))["res_model"]
