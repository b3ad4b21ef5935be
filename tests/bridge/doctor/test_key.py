"""The key's end: told two weeks ahead, once a day, and seen again when there is a new key."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bridge.core.input import Notice
from bridge.doctor.key import DAY_MS, KeyReminder, KeyWatch, ends_soon, told_end
from odoo_adapter.errors import Unavailable
from odoo_adapter.memory import MemoryOdoo
from odoo_adapter.odoo import OdooInfo
from odoo_adapter.plan import PlanContext
from tests.bridge.simulator.listener import running, until
from tests.bridge.site import ManualClock

END_MS = 1_800_000_000_000


@dataclass(slots=True)
class OdooWithKey(MemoryOdoo):
    """An Odoo whose key ends, and that takes none that has."""

    ends_ms: int | None = None
    is_over: bool = False
    asked: int = 0

    async def check(self) -> OdooInfo:
        self.asked += 1
        if self.is_over:
            raise Unavailable("Odoo does not accept the API key")
        return replace(await MemoryOdoo.check(self), key_expires_ms=self.ends_ms)


def test_a_key_ends_soon_from_two_weeks_before() -> None:
    assert [ends_soon(END_MS, END_MS - days * DAY_MS) for days in (15, 14, 13, -1)] == [False, False, True, True]
    assert not ends_soon(None, END_MS)


def test_the_end_is_told_with_its_date_and_the_days_left() -> None:
    assert [told_end(END_MS, END_MS - days * DAY_MS) for days in (2, 1, -3)] == [
        "ends on 2027-01-15, in 2 days",
        "ends on 2027-01-15, in 1 day",
        "ended on 2027-01-15",
    ]


def test_people_are_reminded_once_a_day_and_no_more_when_there_is_a_new_key() -> None:
    reminder = KeyReminder()

    def reminded(ends_ms: int | None, days_before: float) -> bool:
        return reminder.remind(ends_ms, "uns-bridge", END_MS - int(days_before * DAY_MS)) is not None

    asked = [(END_MS, 15.0), (END_MS, 13.0), (END_MS, 12.5), (END_MS, 12.0), (END_MS + 90 * DAY_MS, 11.5), (None, 11.0)]
    assert [reminded(*one) for one in asked] == [False, True, False, True, False, False]


def test_the_reminder_is_an_alert_that_says_whose_key_and_when() -> None:
    assert KeyReminder().remind(END_MS, "uns-bridge", END_MS - 3 * DAY_MS) == Notice(
        level="alert",
        name="odoo.key_ends",
        fields={
            "user": "uns-bridge",
            "key": "ends on 2027-01-15, in 3 days",
            "effect": "without a valid key nothing is posted; a new one is taken without a restart",
        },
    )


async def test_a_key_that_ends_while_the_bridge_runs_is_told_of_until_there_is_a_new_one() -> None:
    odoo, clock = OdooWithKey(context=PlanContext()), ManualClock()
    told: list[Notice] = []
    odoo.ends_ms = clock.now_ms() + 20 * DAY_MS

    async def asked_again() -> None:
        before = odoo.asked
        await until(lambda: odoo.asked > before + 1)

    async with running(KeyWatch(odoo, clock, told.append, every_s=0, again_s=0).run()):
        await asked_again()
        assert told == []
        clock.advance(8 * DAY_MS)
        await asked_again()
        odoo.is_over = True
        clock.advance(13 * DAY_MS)
        await asked_again()
        odoo.is_over, odoo.ends_ms = False, clock.now_ms() + 90 * DAY_MS
        await asked_again()
        clock.advance(DAY_MS)
        await asked_again()
    assert [notice.fields["key"] for notice in told] == [
        "ends on 2023-12-04, in 12 days",
        "ended on 2023-12-04",
    ]
