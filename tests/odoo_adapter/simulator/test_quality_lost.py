"""Quality and maintenance without the inbox, with every call of a posting lost in turn: the records are the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import count

import pytest

from odoo_adapter.client.api import OdooApi
from odoo_adapter.odoo import Applied
from ruleset.transaction import Transaction
from tests.live_odoo.quality import asking, closing, hold_stock, inspection, make_test, release, result, stocked
from tests.odoo_adapter.simulator.conftest import Simulated
from tests.odoo_adapter.simulator.lost import posted_with_a_call_lost
from tests.odoo_adapter.situations import Bench

FAULTS = ("timeout_before_commit", "timeout_after_commit", "serialization_failures")
MOST_CALLS = 30
_RUNS = count()


@pytest.fixture
def mode() -> str:
    return "look-first"


async def held(bench: Bench, name: str) -> Transaction:
    return hold_stock(bench, await stocked(bench, await bench.order(10)))


async def released(bench: Bench, name: str) -> Transaction:
    lot = await stocked(bench, await bench.order(10))
    await bench.post([hold_stock(bench, lot)])
    return release(bench, lot, 4)


async def asked_for(bench: Bench, name: str) -> Transaction:
    return inspection(bench, await bench.order(10))


async def answered(bench: Bench, name: str) -> Transaction:
    request = inspection(bench, await bench.order(10))
    await bench.post([request])
    return result(bench, request)


async def measured(bench: Bench, name: str) -> Transaction:
    request = inspection(bench, await bench.order(10))
    await bench.post([request])
    return result(bench, request, "fail", values={"Torque Nm": "12.5", "Visual": "OK"})


async def asked(bench: Bench, name: str) -> Transaction:
    return asking(bench, name, cause=name)


async def asked_again(bench: Bench, name: str) -> Transaction:
    await bench.post([asking(bench, f"{name}-first", cause=name)])
    return asking(bench, name, cause=name)


async def closed(bench: Bench, name: str) -> Transaction:
    await bench.post([asking(bench, f"{name}-first", cause=name)])
    return closing(bench, name, cause=name)


BUILDS = (
    *[("", build) for build in (held, released, asked_for, answered, asked, asked_again, closed)],
    *[("oca", build) for build in (asked_for, answered, measured)],
    *[("enterprise", build) for build in (asked_for, answered)],
)
SHOWN = {
    "stock.picking": ["state"],
    "stock.move.line": ["state", "quantity", "location_id", "location_dest_id"],
    "mail.activity": ["res_model", "summary", "date_deadline", "active"],
    "maintenance.request": ["stage_id", "close_date", "duration", "priority"],
    "mail.message": ["model", "message_type"],
}
KEPT = {
    "": {},
    "oca": {
        "qc.inspection": ["state", "date"],
        "qc.inspection.line": ["name", "quantitative_value", "qualitative_value"],
    },
    "enterprise": {"quality.check": ["quality_state"]},
}


async def stands(admin: OdooApi, quality: str, since: dict[str, int]) -> dict[str, object]:
    """How often each thing is there that was made since, and its state."""
    found: dict[str, object] = {}
    for model, fields in {**SHOWN, **KEPT[quality]}.items():
        after = [["id", ">", since[model]]]
        rows = await admin.call(
            model, "search_read", writes=False, domain=after, fields=fields, context={"active_test": False}
        )
        found[model] = sorted(str([row[name] for name in fields]).split("-mo-")[0] for row in rows)
    return found


async def last_ids(admin: OdooApi, quality: str) -> dict[str, int]:
    last: dict[str, int] = {}
    for model in {**SHOWN, **KEPT[quality]}:
        ids = await admin.call(
            model, "search", writes=False, domain=[], order="id desc", limit=1, context={"active_test": False}
        )
        last[model] = ids[0] if ids else 0
    return last


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    ("quality", "build"), BUILDS, ids=[f"{build.__name__} {quality}".strip() for quality, build in BUILDS]
)
async def test_whichever_call_is_lost_and_however_the_next_attempt_leaves_the_same_records(
    build: Callable[[Bench, str], Awaitable[Transaction]],
    fault: str,
    quality: str,
    simulated: Simulated,
    bench: Bench,
    admin: OdooApi,
) -> None:
    if quality == "oca":
        await make_test(admin, "First piece")
    since = await last_ids(admin, quality)
    first = await build(bench, f"run {next(_RUNS)}")
    await bench.post([first])
    wanted = await stands(admin, quality, since)
    for calls in range(MOST_CALLS):
        since = await last_ids(admin, quality)
        job = bench.job(await build(bench, f"run {next(_RUNS)}"))
        outcome, struck = await posted_with_a_call_lost(simulated, bench, job, calls, fault)
        assert isinstance(outcome, Applied), (calls, outcome)
        assert await stands(admin, quality, since) == wanted, calls
        (again,) = await bench.odoo.post([replace(job, uncertain=True)])
        assert isinstance(again, Applied)
        assert again.receipt.repeated
        assert await stands(admin, quality, since) == wanted, calls
        assert list(await bench.odoo.look_up([replace(job, uncertain=True)])) == [job.transaction.key]
        if not struck:
            return
    pytest.fail("it needs more calls than that")
