"""What the worker for Odoo hands over: the stored transaction, and the consent of who released it."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from bridge.core.input import Destination, Input, Outcomes, Send
from bridge.delivery import OdooDelivery
from odoo_adapter.memory import Effect, MemoryOdoo
from odoo_adapter.odoo import Declined, OdooInfo, Passed
from odoo_adapter.plan import PlanContext
from ruleset.transaction import IdempotencyKey, OrderRef, Progress, Provenance, WorkOrderRef, WorkOrderStart, encode
from state.entry import Entry, EntryState

COUNTED = Progress(
    key=IdempotencyKey("counted"),
    order=OrderRef("mo-42"),
    stream="s",
    upto=Decimal(105),
    unit="pcs",
    equipment="acme/berlin/line-1",
    at_ms=1,
    provenance=Provenance(rule="r", version="v1", topic="t"),
)
STARTED = WorkOrderStart(
    key=IdempotencyKey("started"),
    order=OrderRef("mo-42"),
    work_order=WorkOrderRef("wo-57"),
    equipment="acme/berlin/line-1",
    at_ms=1,
    provenance=Provenance(rule="r", version="v1", topic="t"),
)


def entry(key: str, body: bytes, *, released_by: str = "") -> Entry:
    return Entry(
        key=key,
        number=1,
        lane="mo-42",
        action="production.progress",
        destination="odoo",
        priority=60,
        body=body,
        content_hash="abc",
        state=EntryState.CLAIMED,
        created_ms=1,
        changed_ms=2,
        released_by=released_by,
    )


async def delivered(*entries: Entry) -> tuple[list[Effect], Input]:
    """Hand one batch to the worker; what stands in Odoo then, and what the core is told."""
    odoo = MemoryOdoo(PlanContext(units={"pcs": "Units"}, over=Decimal("0.03")))
    told: asyncio.Queue[Input] = asyncio.Queue()
    checked: list[OdooInfo] = []
    delivery = OdooDelivery(odoo, told.put, batch=50, per_second=1000, checked=checked.append)
    delivery.send(Send(destination=Destination.ODOO, entries=entries))
    worker = asyncio.create_task(delivery.run())
    answer = await told.get()
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    return odoo.effects, answer


async def test_a_released_quantity_is_posted_in_the_name_of_who_released_it() -> None:
    effects, _ = await delivered(
        entry("counted", encode(COUNTED), released_by="eve"), entry("started", encode(STARTED), released_by="eve")
    )
    counted, started = (one.p for one in effects)
    assert counted == {"order": "mo-42", "stream": "s", "upto": "105", "uom": "Units", "consent": "eve"}
    assert "consent" not in started


async def test_what_nobody_released_is_posted_within_the_plants_tolerance() -> None:
    (effect,), _ = await delivered(entry("counted", encode(COUNTED)))
    assert effect.p == {"order": "mo-42", "stream": "s", "upto": "105", "uom": "Units", "over": "0.03"}


async def test_a_body_that_cannot_be_read_is_declined_and_its_lane_waits() -> None:
    effects, answer = await delivered(entry("broken", b"{}"), entry("counted", encode(COUNTED)))
    assert effects == []
    assert isinstance(answer, Outcomes)
    declined, passed = answer.outcomes
    assert isinstance(declined, Declined)
    assert (declined.key, declined.code) == ("broken", "unreadable")
    assert passed == Passed(key="counted")
