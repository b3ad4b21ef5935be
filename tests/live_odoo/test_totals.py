"""Totals that come late, and totals of which the inbox has not seen the beginning, on a real Odoo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import structs

from odoo_adapter.client.api import OdooApi
from odoo_adapter.inbox.action import WHOLE
from odoo_adapter.inbox.install import MODEL
from odoo_adapter.odoo import Applied, Declined
from odoo_adapter.plan import PlanContext, Posting, plan
from odoo_adapter.seed import Planner
from ruleset.transaction import Progress, Transaction
from tests.live_odoo.test_correction import correct
from tests.odoo_adapter.situations import Bench, complete, progress

CONTEXT = PlanContext(units={"pcs": "Units"})


async def test_a_late_total_adds_nothing_where_the_completed_quantity_covers_all_totals(bench: Bench) -> None:
    order = await bench.order(10)
    await bench.post([progress(bench, order, 4), progress(bench, order, 3, stream="2"), complete(bench, order)])
    late = [progress(bench, order, 6), progress(bench, order, 4, stream="2"), progress(bench, order, 7)]
    *covered, beyond = await bench.post(late)
    details = [one.receipt.details for one in covered if isinstance(one, Applied)]
    assert [(one["added"], one["covered"]) for one in details] == [(0, True), (0, True)]
    assert isinstance(beyond, Declined)
    assert beyond.code == "order_state"


async def test_the_tolerance_of_an_order_does_not_let_more_be_counted_than_it_was_completed_with(bench: Bench) -> None:
    order = await bench.order(100)
    done, late = complete(bench, order, quantity=100), progress(bench, order, 101)
    _, declined = await bench.post([done, late])
    assert isinstance(declined, Declined)
    assert declined.code == "order_state"
    assert declined.reason.endswith(" is done with 100.0, and 101.0 were counted")


async def test_a_person_who_released_more_for_the_completion_released_it_for_late_totals(bench: Bench) -> None:
    order = await bench.order(100)
    done = structs.replace(complete(bench, order, quantity=106), consent="eve@example.com")
    _, late = await bench.post([done, progress(bench, order, 106)])
    assert isinstance(late, Applied)
    assert late.receipt.details["covered"]


async def test_what_a_person_added_before_the_completion_is_not_added_to_late_totals(
    bench: Bench, admin: OdooApi
) -> None:
    order = await bench.order(10)
    await bench.post([progress(bench, order, 7)])
    await write_quantity(admin, order, 9)
    _, late = await bench.post([complete(bench, order), progress(bench, order, 10)])
    assert isinstance(late, Applied)
    assert late.receipt.details["covered"]
    assert await quantities(admin, order) == ("done", 10)


async def test_a_total_goes_on_from_what_was_applied_without_the_inbox(
    bench: Bench, admin: OdooApi, integration: OdooApi
) -> None:
    order = await bench.order(10)
    await write_quantity(admin, order, 7)
    steps = [(progress(bench, order, 6), "7"), (progress(bench, order, 8), "7"), (progress(bench, order, 9), "7")]
    added = [(await send(integration, total, base))["result"]["added"] for total, base in steps]
    assert added == [0, 1, 1]
    again = await send(integration, steps[-1][0], "9")
    assert (again["status"], again["result"]["qty_producing"]) == ("dup", 9)
    assert await quantities(admin, order) == ("progress", 9)


async def test_counts_and_corrections_go_on_from_what_stood_where_a_planner_changes_what_is_ordered(
    bench: Bench, planner: Planner, admin: OdooApi
) -> None:
    order = await bench.order(10)
    await bench.post([progress(bench, order, 4)])
    await planner.change_quantity(order, 12)
    await bench.post([progress(bench, order, 5)])
    assert await quantities(admin, order) == ("progress", 5)
    await planner.change_quantity(order, 11)
    await bench.post([correct(bench, order, -2)])
    assert await quantities(admin, order) == ("progress", 3)


async def write_quantity(admin: OdooApi, order: str, quantity: float) -> None:
    """Write an order's quantity past the inbox."""
    await admin.call("mrp.production", "write", writes=True, ids=[int(order[3:])], vals={"qty_producing": quantity})


async def quantities(admin: OdooApi, order: str) -> tuple[str, float]:
    (read,) = await admin.call(
        "mrp.production", "read", writes=False, ids=[int(order[3:])], fields=["state", "qty_producing"]
    )
    return read["state"], read["qty_producing"]


async def send(integration: OdooApi, transaction: Transaction, base: str) -> Mapping[str, Any]:
    """The inbox's answer to a total that goes on from `base`."""
    posting = plan(transaction, CONTEXT)
    assert isinstance(posting, Posting)
    asked = posting.request()
    assert isinstance(transaction, Progress)
    asked["p"] = {**posting.p, "bases": {transaction.stream: [base, "Units"]}}
    rows = await integration.call(
        MODEL, "search_read", writes=False, domain=[["x_name", "=", WHOLE.marker]], fields=["x_res_id"]
    )
    context = {"active_model": MODEL, "uns": {"mode": "each", "tx": [asked]}}
    answer = await integration.call("ir.actions.server", "run", writes=True, ids=[rows[0]["x_res_id"]], context=context)
    found: Mapping[str, Any] = answer["results"][0]
    return found
