"""The rules change while the plant works, and Odoo tells who let them."""

from __future__ import annotations

from tests.scenarios.factory import Factory


async def test_a_local_change_of_a_rule_is_approved_by_a_second_person_and_rolled_back_and_each_posting_names_both(
    plant: Factory,
) -> None:
    press, other = plant.presses
    standard = await plant.rules.are_released(approver="ben")
    await press.breaks_down(minutes=31)
    assert await plant.odoo.approvals("PRESS-1") == [("long-fault", standard, "ben")]

    plant.rules.change("equipment.yaml", "when: \"state == 'FAULT'\", for: 30m", "when: \"state == 'FAULT'\", for: 10m")
    local = await plant.rules.are_released(approver="clara")
    await other.breaks_down(minutes=12)
    assert await plant.odoo.approvals("PRESS-2") == [("long-fault", local, "clara")]

    await plant.rules.are_rolled_back()
    await other.breaks_down(minutes=12)
    assert await plant.odoo.approvals("PRESS-2") == [("long-fault", local, "clara")]
    await other.breaks_down(minutes=31)
    assert await plant.odoo.approvals("PRESS-2") == [("long-fault", local, "clara"), ("long-fault", standard, "ben")]
    assert await plant.bridge.released_by() == {(standard, "ben"), (local, "clara")}
    assert plant.is_done
