"""Clocks that leave ours while the bridge runs."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from bridge.core.input import Notice
from bridge.doctor.clock import ServerClock
from bridge.doctor.clock_watch import ClockWatch
from odoo_adapter.errors import Unavailable
from tests.bridge.simulator.listener import running, until
from tests.bridge.site import ManualClock


@dataclass(slots=True)
class Told:
    """A server whose clock is ahead by what comes next, None being no answer; and what people are told of it."""

    ours: ManualClock
    ahead: list[int | None]
    notices: list[Notice] = field(default_factory=list)

    async def tell(self) -> int:
        ahead = self.ahead.pop(0) if self.ahead else 0
        if ahead is None:
            raise Unavailable("away")
        return self.ours.now_ms() + ahead


async def told(*ahead: int | None) -> list[tuple[str, str]]:
    """Level and name of what is told when the clock of Odoo is so far ahead, one time after the other."""
    server = Told(ManualClock(), list(ahead))
    clock = ServerClock(of="Odoo", tell=server.tell)
    watch = ClockWatch([clock], server.ours, 60_000, server.notices.append, every_s=0.001, again_s=0.001)
    async with running(watch.run()):
        await until(lambda: not server.ahead)
    return [(one.level, one.name) for one in server.notices]


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        ((1_000, -1_000, 0), []),
        ((3_000, 0), [("warning", "clock.off")]),
        ((61_000, 0), [("alert", "clock.off")]),
        ((-61_000, 0, 0), [("alert", "clock.off"), ("info", "clock.agrees")]),
        ((None, 61_000, 0), [("alert", "clock.off")]),
    ],
    ids=["agrees", "a little", "too far", "and back", "after an outage"],
)
async def test_a_clock_that_is_off_is_told_and_when_it_is_back(
    ahead: tuple[int | None, ...], expected: list[tuple[str, str]]
) -> None:
    assert (await told(*ahead))[: len(expected)] == expected
