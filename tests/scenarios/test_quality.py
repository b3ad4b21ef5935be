"""Nothing is available before the laboratory has decided."""

from __future__ import annotations

from tests.scenarios.factory import Factory
from tests.scenarios.office import Confirmed, Done, Running


async def test_a_finished_order_waits_for_the_laboratory_and_its_goods_are_in_stock_once_accepted(
    plant: Factory,
) -> None:
    order, line = await plant.releases(250), plant.lines[0]
    await line.runs(order)
    await line.makes(245)
    await plant.mes.finishes(order, 245, lot="L1", consumed={("RESIN", "R-1"): 8, ("RESIN", "R-2"): 4.5})
    await plant.passes(hours=1)
    assert await plant.odoo.order(order) == Running(counted=245)
    assert await plant.odoo.stock("HOUSING") == {}
    await plant.mes.decides(order, "L1", "accept")
    assert await plant.odoo.order(order) == Done(quantity=245, lot="L1")
    assert await plant.odoo.stock("HOUSING", "L1") == {"Stock": 245}
    assert await plant.odoo.consumed(order) == {("RESIN", "R-1"): 8, ("RESIN", "R-2"): 4.5, ("BOX", ""): 245}
    assert plant.is_done


async def test_rejected_goods_are_in_the_hold_location_and_available_to_nobody(plant: Factory) -> None:
    order = await plant.releases(250)
    await plant.mes.finishes(order, 245, lot="L1", consumed={("RESIN", "R-1"): 12.25})
    await plant.mes.decides(order, "L1", "reject")
    assert await plant.odoo.order(order) == Done(quantity=245, lot="L1")
    assert await plant.odoo.stock("HOUSING", "L1") == {"Quality Hold": 245}
    assert await plant.odoo.available("HOUSING") == 0
    assert plant.is_done


async def test_a_disposition_that_is_missing_for_four_hours_is_alerted_and_still_decides_when_it_comes(
    plant: Factory,
) -> None:
    order = await plant.releases(250)
    await plant.mes.finishes(order, 250, lot="L1", consumed={("RESIN", "R-1"): 12.5})
    await plant.passes(hours=3, minutes=59)
    assert not any("disposition" in alert for alert in plant.alerts)
    await plant.passes(minutes=1)
    assert f"rule.alert: no disposition for {order} lot L1 after 4 h" in plant.alerts
    assert await plant.odoo.order(order) == Confirmed()
    await plant.mes.decides(order, "L1", "accept")
    assert await plant.odoo.order(order) == Done(quantity=250, lot="L1")


async def test_three_failures_of_one_check_are_one_request_that_names_them_and_a_fourth_is_a_note_on_it(
    plant: Factory,
) -> None:
    for name in ("torque", "angle", "torque", "torque"):
        assert await plant.odoo.requests("PRESS-1") == []
        await plant.mes.checks(name, "fail")
        await plant.passes(hours=2)
    asked = [("3 failures of torque in 8 h on press-1", False)]
    assert await plant.odoo.requests("PRESS-1") == asked
    told = await plant.odoo.said_of_requests("PRESS-1")
    assert [check in told for check in plant.mes.checked("torque")] == [True, True, True]
    await plant.mes.checks("torque", "fail")
    assert await plant.odoo.requests("PRESS-1") == asked
    assert plant.mes.checked("torque")[-1] in await plant.odoo.said_of_requests("PRESS-1")
    assert plant.is_done
