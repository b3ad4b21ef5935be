"""Inspections that are asked for, and their results, wherever this Odoo keeps them: OCA's quality control, Enterprise's
quality checks, or activities in somebody's list."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import msgspec
import pytest

from odoo_adapter.client.api import OdooApi
from odoo_adapter.odoo import Applied, Declined
from odoo_adapter.rights import needs, read_account
from ruleset.transaction import QualityRequest
from tests.live_odoo.quality import (
    ACTIVITIES,
    CHECKS,
    OCA,
    Listed,
    inspection,
    inspections,
    keeper,
    make_test,
    notes,
    result,
    stocked,
)
from tests.odoo_adapter.situations import Bench, both_modes

mode = both_modes

ASKED = {OCA: "draft", CHECKS: "none"}
ENDED = {OCA: {"pass": ["success"], "fail": ["failed"]}, CHECKS: {"pass": ["pass"], "fail": ["fail"]}}


async def on_order(bench: Bench) -> QualityRequest:
    return inspection(bench, await bench.order(10))


async def on_lot(bench: Bench) -> QualityRequest:
    return inspection(bench, None, lot=await stocked(bench, await bench.order(10)))


async def on_equipment(bench: Bench) -> QualityRequest:
    return inspection(bench, None, serial="UNS-PRESS-1")


async def states(admin: OdooApi, asked: QualityRequest) -> list[str]:
    return [one.state for one in await inspections(admin, asked)]


@pytest.mark.parametrize(
    ("ask", "model"),
    [(on_order, "mrp.production"), (on_lot, "stock.lot"), (on_equipment, "maintenance.equipment")],
)
async def test_an_inspection_is_asked_for_once_where_quality_people_look_until_its_result(
    ask: Callable[[Bench], Awaitable[QualityRequest]], model: str, bench: Bench, admin: OdooApi
) -> None:
    kept = await keeper(admin)
    if kept == CHECKS and model == "maintenance.equipment":
        kept = ACTIVITIES
    asked = await ask(bench)
    answers = await asyncio.gather(*(bench.post([asked]) for _ in range(4)))
    receipts = [one.receipt for (one,) in answers if isinstance(one, Applied)]
    assert sorted(one.repeated for one in receipts) == [False, True, True, True]
    (listed,) = await inspections(admin, asked)
    assert {(one.model, one.id) for one in receipts} == {(kept, listed.id)}
    assert (listed.model, listed.state) == (kept, ASKED.get(kept, model))
    bore = "Measure <the> bore" if kept == OCA else "Measure &lt;the&gt; bore"
    assert bore in listed.text
    assert kept == CHECKS or listed.due.startswith("2026-11-24")
    over = result(bench, asked)
    for _ in range(2):
        (applied,) = await bench.post([over])
        assert isinstance(applied, Applied)
        assert applied.receipt.details.get("closed", 1) == 1
    ended = ENDED[kept]["pass"] if kept in ENDED else []
    assert await states(admin, asked) == ended
    document = int(str(receipts[0].details["on"]).partition(",")[2])
    assert await notes(admin, model, document, over.key) == 1
    (again,) = await bench.post([asked])
    assert isinstance(again, Applied)
    assert await states(admin, asked) == ended


async def test_a_result_without_a_request_is_a_note(bench: Bench, admin: OdooApi) -> None:
    order = await bench.order(10)
    over = result(bench, inspection(bench, order))
    (applied,) = await bench.post([over])
    assert isinstance(applied, Applied)
    assert applied.receipt.details["closed"] == 0
    assert await notes(admin, "mrp.production", int(order[3:]), over.key) == 1


@pytest.mark.parametrize(("status", "outcome"), [("reject", "fail"), ("accept", "pass"), ("rework", "")])
async def test_a_result_ends_it_by_its_status_and_one_that_decides_nothing_is_written_down(
    status: str, outcome: str, bench: Bench, admin: OdooApi
) -> None:
    kept = await keeper(admin)
    asked = await on_order(bench)
    await bench.post([asked])
    (listed,) = await inspections(admin, asked)
    over = result(bench, asked, status)
    (applied,) = await bench.post([over])
    assert isinstance(applied, Applied)
    left = [] if kept == ACTIVITIES else ENDED[kept][outcome] if outcome else [ASKED[kept]]
    assert await states(admin, asked) == left
    assert await notes(admin, kept, listed.id, over.key) == len(left)


async def test_only_the_inspection_of_that_name_order_and_lot_ends(bench: Bench, admin: OdooApi) -> None:
    asked, other = await on_order(bench), await on_order(bench)
    longer = msgspec.structs.replace(asked, key=bench.key("longer"), inspection=f"{asked.inspection} of")
    await bench.post([asked])
    await bench.post([other])
    await bench.post([longer])
    open_ones = await states(admin, other)
    await bench.post([result(bench, asked)])
    assert (await states(admin, other), await states(admin, longer)) == (open_ones, open_ones)


async def test_what_a_person_decided_before_the_result_stays(bench: Bench, admin: OdooApi) -> None:
    asked = await on_order(bench)
    await bench.post([asked])
    (listed,) = await inspections(admin, asked)
    method = {OCA: "action_cancel", CHECKS: "do_fail", ACTIVITIES: "action_feedback"}[listed.model]
    await admin.call(listed.model, method, writes=True, ids=[listed.id])
    decided = await states(admin, asked)
    (applied,) = await bench.post([result(bench, asked)])
    assert isinstance(applied, Applied)
    assert applied.receipt.details["closed"] == 0
    assert await states(admin, asked) == decided


async def test_only_an_odoo_that_keeps_inspections_needs_the_right_to_them(integration: OdooApi) -> None:
    account = await read_account(integration)
    named = {need.name: need.lack for need in await needs(integration, account.id, account.login)}
    of_inspections = {name: lack for name, lack in named.items() if name.endswith((OCA, CHECKS))}
    kept = await keeper(integration)
    assert of_inspections == ({} if kept == ACTIVITIES else {f"may create {kept}": ""})


GOOD = {"Torque Nm": "9.1", "Visual": "OK"}
BAD = {"Torque Nm": "12.5", "Visual": "OK"}


@pytest.mark.parametrize(
    ("status", "values", "state"),
    [
        ("pass", GOOD, "success"),
        ("pass", BAD, "waiting"),
        ("fail", BAD, "failed"),
        ("fail", GOOD, "failed"),
        ("pass", {"Torque Nm": "9.1"}, "success"),
        ("pass", {"Visual": "NOK"}, "waiting"),
        ("pass", {}, "success"),
    ],
)
async def test_measured_values_answer_the_questions_of_the_test_and_a_pass_that_they_contradict_waits(
    status: str, values: Mapping[str, str], state: str, bench: Bench, admin: OdooApi
) -> None:
    asked, listed = await on_test(bench, admin)
    over = result(bench, asked, status, values=values)
    (applied,) = await bench.post([over])
    assert isinstance(applied, Applied)
    words = ", ".join(f"{question}: {value}" for question, value in values.items())
    said = f"{words and f'{words}. '}Bore 12.02 [{over.key}]"
    assert await notes(admin, "mrp.production", int(str(asked.order)[3:]), said) == 1
    if listed.model == OCA:
        assert await states(admin, asked) == [state]
        assert await answers(admin, listed) == values
    else:
        assert await states(admin, asked) == ENDED.get(listed.model, {}).get(status, [])


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"Torque": "9.1"}, " does not ask for Torque, but for Torque Nm, Visual"),
        ({"Torque Nm": "tight"}, " is answered by a number, not by tight"),
        ({"Visual": "fine"}, " is answered by OK or NOK, not by fine"),
    ],
)
async def test_a_value_that_answers_no_question_is_refused_where_there_are_questions(
    values: Mapping[str, str], reason: str, bench: Bench, admin: OdooApi
) -> None:
    asked, listed = await on_test(bench, admin)
    (outcome,) = await bench.post([result(bench, asked, values=values)])
    if listed.model == OCA:
        assert isinstance(outcome, Declined)
        assert (outcome.code, outcome.reason.endswith(reason)) == ("question", True)
        assert await states(admin, asked) == ["ready"]
        assert await answers(admin, listed) == {}
    else:
        assert isinstance(outcome, Applied)


async def on_test(bench: Bench, admin: OdooApi) -> tuple[QualityRequest, Listed]:
    """An inspection of an order by a name of which OCA's quality control, where it is there, has a test."""
    asked = msgspec.structs.replace(await on_order(bench), inspection=bench.key("torque and looks"))
    if await keeper(admin) == OCA:
        await make_test(admin, asked.inspection)
    await bench.post([asked])
    (listed,) = await inspections(admin, asked)
    return asked, listed


async def answers(admin: OdooApi, listed: Listed) -> dict[str, str]:
    """The questions of an inspection that are answered."""
    rows = await admin.call(
        "qc.inspection.line",
        "search_read",
        writes=False,
        domain=[["inspection_id", "=", listed.id]],
        fields=["name", "quantitative_value", "qualitative_value"],
    )
    given = {row["name"]: row["qualitative_value"][1] if row["qualitative_value"] else "" for row in rows}
    given |= {row["name"]: f"{row['quantitative_value']:g}" for row in rows if row["quantitative_value"]}
    return {question: value for question, value in given.items() if value}
