"""Maintenance requests on a real Odoo: one for each cause while it is open, notes for what comes again, and its end."""

from __future__ import annotations

import asyncio
from typing import Any

from msgspec import structs

from odoo_adapter.client.api import OdooApi
from odoo_adapter.odoo import Applied, Declined
from odoo_adapter.rights import read_account
from odoo_adapter.survey.document import Kind, read_documents
from tests.live_odoo.quality import asking, close_by_hand, closing, notes
from tests.odoo_adapter.situations import Bench, both_modes

mode = both_modes

MODEL = "maintenance.request"


async def read(admin: OdooApi, id: int, *fields: str) -> dict[str, Any]:
    rows: list[dict[str, Any]] = await admin.call(MODEL, "read", writes=False, ids=[id], fields=list(fields))
    return rows[0]


async def test_what_comes_again_while_a_request_is_open_is_a_note_on_it_once(bench: Bench, admin: OdooApi) -> None:
    first, again = asking(bench, "first"), asking(bench, "again")
    (made,) = await bench.post([first])
    answers = await asyncio.gather(*(bench.post([again]) for _ in range(4)))
    (late,) = await bench.post([first])
    assert isinstance(made, Applied)
    assert isinstance(late, Applied)
    assert {one.receipt.id for (one,) in answers if isinstance(one, Applied)} == {made.receipt.id}
    assert sorted(one.receipt.repeated for (one,) in answers if isinstance(one, Applied)) == [False, True, True, True]
    assert late.receipt.id == made.receipt.id
    assert await notes(admin, MODEL, made.receipt.id, again.key) == 1
    assert await notes(admin, MODEL, made.receipt.id, first.key) == 0


async def test_another_cause_is_a_request_of_its_own(bench: Bench) -> None:
    outcomes = await bench.post([asking(bench, "a"), asking(bench, "b", cause=f"torque {bench.fresh}")])
    assert len({one.receipt.id for one in outcomes if isinstance(one, Applied)}) == 2


async def test_after_a_technician_closed_it_the_next_is_a_new_request(bench: Bench, admin: OdooApi) -> None:
    (made,) = await bench.post([asking(bench, "first")])
    assert isinstance(made, Applied)
    await close_by_hand(admin, made.receipt.id)
    (second,) = await bench.post([asking(bench, "second")])
    assert isinstance(second, Applied)
    assert second.receipt.id != made.receipt.id


async def test_text_is_text_also_where_it_looks_like_markup(bench: Bench, admin: OdooApi) -> None:
    (made,) = await bench.post([asking(bench, "first")])
    assert isinstance(made, Applied)
    row = await read(admin, made.receipt.id, "description")
    assert "More than &lt;b&gt;7.1&lt;/b&gt; &amp; less than 12" in row["description"]


async def test_it_is_for_a_team_and_a_day_where_the_rule_says_so(bench: Bench, admin: OdooApi) -> None:
    teams = await admin.call("maintenance.team", "search_read", writes=False, domain=[], fields=["name"], limit=1)
    request = structs.replace(asking(bench, "planned"), team=teams[0]["name"], schedule_ms=1_795_500_000_000)
    (made,) = await bench.post([request])
    assert isinstance(made, Applied)
    row = await read(admin, made.receipt.id, "maintenance_team_id", "schedule_date", "priority")
    assert (row["maintenance_team_id"][0], row["schedule_date"], row["priority"]) == (
        teams[0]["id"],
        "2026-11-24 06:00:00",
        "2",
    )


async def test_an_unknown_team_is_refused_and_nothing_is_made(bench: Bench, admin: OdooApi) -> None:
    request = structs.replace(asking(bench, "nobody"), team="Nobody's team")
    (refused,) = await bench.post([request])
    assert refused == Declined(key=request.key, code="missing", reason="maintenance team Nobody's team")
    assert (await admin.call(MODEL, "search_count", writes=False, domain=[["description", "ilike", request.key]])) == 0


async def test_a_close_ends_the_open_request_with_the_machines_times_once(bench: Bench, admin: OdooApi) -> None:
    (made,) = await bench.post([asking(bench, "first")])
    over = closing(bench, "over")
    answers = await asyncio.gather(*(bench.post([over]) for _ in range(4)))
    assert isinstance(made, Applied)
    assert sorted(one.receipt.repeated for (one,) in answers if isinstance(one, Applied)) == [False, True, True, True]
    row = await read(admin, made.receipt.id, "done", "close_date", "duration")
    assert (row["done"], row["close_date"], row["duration"]) == (True, "2026-11-23", 1.5)
    assert await notes(admin, MODEL, made.receipt.id, over.key) == 1
    (second,) = await bench.post([asking(bench, "second")])
    assert isinstance(second, Applied)
    assert second.receipt.id != made.receipt.id


async def test_a_close_after_a_technician_closed_it_changes_nothing(bench: Bench, admin: OdooApi) -> None:
    (made,) = await bench.post([asking(bench, "first")])
    assert isinstance(made, Applied)
    await close_by_hand(admin, made.receipt.id)
    before = await read(admin, made.receipt.id, "stage_id", "close_date", "duration")
    (over,) = await bench.post([closing(bench, "over")])
    assert isinstance(over, Applied)
    assert (over.receipt.id, over.receipt.details.get("already")) == (made.receipt.id, True)
    assert await read(admin, made.receipt.id, "stage_id", "close_date", "duration") == before


async def test_a_close_of_what_was_never_asked_is_refused(bench: Bench) -> None:
    over = closing(bench, "never")
    (refused,) = await bench.post([over])
    reason = f"there is no maintenance request of UNS-PRESS-1 for the cause {over.cause}"
    assert refused == Declined(key=over.key, code="missing", reason=reason)


async def test_equipment_that_nobody_knows_is_refused(bench: Bench) -> None:
    request = asking(bench, "nowhere", serial="NOWHERE")
    (refused,) = await bench.post([request])
    assert refused == Declined(key=request.key, code="missing", reason="maintenance equipment NOWHERE")


async def test_preventive_maintenance_is_read_while_it_is_planned(integration: OdooApi, admin: OdooApi) -> None:
    (press,) = await admin.call(
        "maintenance.equipment", "search", writes=False, domain=[["serial_no", "=", "UNS-PRESS-1"]]
    )
    planned = {
        "name": "Grease the guides",
        "equipment_id": press,
        "maintenance_type": "preventive",
        "schedule_date": "2026-12-01 06:00:00",
        "recurring_maintenance": True,
        "repeat_interval": 4,
        "repeat_unit": "week",
    }
    ids = await admin.call(
        MODEL,
        "create",
        writes=True,
        vals_list=[planned, {**planned, "maintenance_type": "corrective"}, {**planned, "schedule_date": False}],
    )
    shown = (await read_documents(integration, await read_account(integration)))[Kind.SCHEDULE]
    assert [id for id in ids if id in shown] == ids[:1]
    hours, team = shown[ids[0]]["hours"], shown[ids[0]]["team"]
    assert shown[ids[0]] == {
        "name": "Grease the guides",
        "serial_number": "UNS-PRESS-1",
        "start": "2026-12-01T06:00:00Z",
        "hours": hours,
        "team": team,
        "every": "4 week",
    }
    await admin.call(MODEL, "write", writes=True, ids=ids[:1], vals={"recurring_maintenance": False})
    await close_by_hand(admin, ids[0])
    assert ids[0] not in (await read_documents(integration, await read_account(integration)))[Kind.SCHEDULE]
