"""Orders go to the floor, and the floor answers or does not."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.scenarios.factory import Factory


async def test_a_confirmed_order_is_on_the_namespace_and_the_planner_reads_that_the_mes_accepted_it(
    plant: Factory,
) -> None:
    order = await plant.releases(100)
    release: Any = plant.on_the_namespace(order)
    assert (release["status"], release["version"], release["bom"]["code"]) == ("released", 1, "C")
    assert [(one["name"], one["work_center"]) for one in release["operations"]] == [
        ("Press", plant.planner.code("PRESS-1")),
        ("Pack", plant.planner.code("PACK")),
    ]
    resin, box = release["components"]
    assert (resin["quantity"], resin["unit"], resin["lots"]) == ("5", "kg", ["R-1"])
    assert (box["quantity"], box["unit"], box["lots"]) == ("100", "Units", [])
    await plant.mes.answers(order, version=1, status="accepted")
    assert plant.bridge.record(order).answer == "accepted"
    assert await plant.odoo.notes_of_the_bridge(order) == [
        "Released to the floor as version 1.",
        "The floor (MES) accepted version 1.",
    ]
    assert plant.alerts == []


async def test_an_order_that_the_mes_does_not_answer_is_alerted_and_resent_only_as_the_same_version(
    plant: Factory,
) -> None:
    order = await plant.releases(100)
    before = msgspec.json.encode(plant.on_the_namespace(order))
    await plant.passes(minutes=2)
    assert plant.alerts == ["order-unanswered: version 1 is not acknowledged"]
    assert plant.bridge.record(order).answer == "unanswered"
    await plant.bridge.restarts()
    await plant.bridge.poll()
    assert msgspec.json.encode(plant.on_the_namespace(order)) == before
    assert await plant.odoo.notes_of_the_bridge(order) == [
        "Released to the floor as version 1.",
        "The floor has not answered version 1 in time.",
    ]


async def test_an_order_that_the_mes_refuses_shows_its_reason_to_the_planner(plant: Factory) -> None:
    order = await plant.releases(100)
    await plant.mes.answers(order, version=1, status="refused", reason="unknown tool")
    await plant.mes.repeats_itself()
    assert plant.alerts == ["order-refused: unknown tool"]
    assert plant.bridge.record(order).answer == "refused"
    assert await plant.odoo.notes_of_the_bridge(order) == [
        "Released to the floor as version 1.",
        "The floor (MES) refused version 1: unknown tool",
    ]
