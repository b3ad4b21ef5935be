"""Dead letters and held entries by what keeps them: one cause is one line, whatever it stopped."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bridge.intervention.cause import causes
from odoo_adapter.memory import MemoryOdoo
from odoo_adapter.plan import PlanContext
from state.entry import EntryState
from state.outbox import Outbox
from tests.bridge.intervention.story import Site


def test_one_mapping_that_is_missing_is_one_cause_with_the_orders_that_it_touches() -> None:
    site = Site(MemoryOdoo(context=PlanContext(units={"pcs": "Units"}, over=Decimal(0))))
    keys = [site.scrapped(str(nth), order=f"mo-{nth % 3}") for nth in range(7)]
    other = site.scrapped("other", reason="flash")
    (cause,) = causes(site.core.outbox.entries())
    assert (cause.state, cause.action, cause.rule, cause.text, cause.count) == (
        EntryState.DEAD,
        "production.scrap",
        "scrap",
        "scrap reason … is not in codes.yaml",
        8,
    )
    assert (cause.keys, cause.orders) == ((*keys, other), ("mo-0", "mo-1", "mo-2"))
    assert cause.example == "scrap reason S77 is not in codes.yaml"


def test_what_is_declined_for_another_reason_or_of_another_action_is_another_cause() -> None:
    outbox = Outbox()
    for key, action, reason in (
        ("a", "production.scrap", "missing: manufacturing order mo-1"),
        ("b", "production.scrap", "missing: manufacturing order mo-2"),
        ("c", "material.consume", "missing: manufacturing order mo-2"),
        ("d", "production.scrap", "order_state: WH/MO/00012 is done"),
    ):
        outbox.offer(key=key, lane=key, action=action, destination="odoo", body=b"", now_ms=1, dead=reason)
    outbox.offer(key="e", lane="e", action="x", destination="odoo", body=b"", now_ms=1)
    assert [(one.keys, one.text) for one in causes(outbox.entries())] == [
        (("a", "b"), "missing: manufacturing order …"),
        (("c",), "missing: manufacturing order …"),
        (("d",), "order_state: … is done"),
    ]


@given(st.lists(st.tuples(st.text(min_size=1), st.booleans()), max_size=8))
def test_each_that_waits_is_in_one_cause_whatever_its_reason_says(reasons: list[tuple[str, bool]]) -> None:
    outbox = Outbox()
    for nth, (reason, dead) in enumerate(reasons):
        hold, died = (None, reason) if dead else (reason, None)
        outbox.offer(
            key=str(nth), lane="l", action="x", destination="odoo", body=b"[]", now_ms=nth, hold=hold, dead=died
        )
    found = causes(outbox.entries())
    assert sorted(key for one in found for key in one.keys) == sorted(map(str, range(len(reasons))))
    assert len({one.id for one in found}) == len(found)
