"""Hours without Odoo, and what comes of them: everything is kept, and is in Odoo soon after it is back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from bench.recorded import START_MS, Days
from bridge.core.input import Input
from tests.outage.oracle import Floor
from tests.outage.plant import plant_in, told
from tests.outage.site import HOUR_MS, SECOND_MS, Sample, Site

DRAIN_MS: Final = HOUR_MS // 2
"""How long it may take until all that waited is in Odoo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How it went. `missing` names what differs between the floor and Odoo, and is empty."""

    samples: list[Sample]
    events: int
    waited: int
    drained_ms: dict[int, int]
    missing: list[str]
    doubled: int
    out_of_order: int
    largest_commit: int

    @property
    def is_clean(self) -> bool:
        within = max(self.drained_ms.values(), default=0) <= DRAIN_MS
        return not self.missing and not self.doubled and not self.out_of_order and within


async def endure(
    folder: Path, *, hours: float, devices: int, every_ms: int, say: Callable[[Sample], None] = lambda sample: None
) -> Outcome:
    """Run the plant for these hours without Odoo, then until all that waited is there, while the plant goes on."""
    away_ms = round(hours * HOUR_MS)
    days = Days(devices=devices, days=(away_ms + 4 * DRAIN_MS) / (24 * HOUR_MS), every_ms=every_ms)
    plant = plant_in(folder, devices)
    back_ms = START_MS + away_ms
    site, floor = Site(plant, back_ms), Floor()
    look_ms = START_MS
    seconds = _seconds(told(plant, days))
    waited = 0
    for second_ms, entering in seconds:
        if second_ms >= back_ms and not waited:
            waited = site.waiting
        if second_ms > back_ms and (second_ms - back_ms) % 10_000 == 0 and not site.waiting:
            break
        if second_ms >= look_ms:
            say(site.sample(second_ms))
            look_ms += HOUR_MS
        for _, entered in entering:
            floor.hear(entered)
        await site.turn(second_ms, entering)
    say(site.sample(second_ms))
    events = site.events
    await _settle(site, second_ms + SECOND_MS)
    return Outcome(
        samples=site.samples,
        events=events,
        waited=waited,
        drained_ms={priority: at_ms - back_ms for priority, at_ms in sorted(site.posted.done_ms.items())},
        missing=_missing(site, floor),
        doubled=len(site.odoo.effects) - len({effect.key for effect in site.odoo.effects}),
        out_of_order=site.posted.out_of_order,
        largest_commit=max(sample.largest for sample in site.samples),
    )


async def _settle(site: Site, second_ms: int) -> None:
    """The floor says no more; what is still collected or on its way comes to its end."""
    until_ms = second_ms + 3 * 60 * SECOND_MS
    while second_ms < until_ms or site.core.has_sendable(second_ms):
        await site.turn(second_ms, ())
        second_ms += SECOND_MS


def _missing(site: Site, floor: Floor) -> list[str]:
    """Where Odoo has not what the floor counted."""
    found = [
        f"{order}: {counted} made, {site.odoo.totals.get(order, 0)} in Odoo"
        for order, counted in floor.pieces.items()
        if order and site.odoo.totals.get(order, 0) != counted
    ]
    dead = sum(site.core.outbox.depth().values())
    for action, wanted in floor.facts.items():
        there = dead if action == "dead" else site.posted.by_action[action]
        if there != wanted:
            found.append(f"{action}: {wanted} told, {there} there")
    return found


def _seconds(inputs: Iterator[tuple[int, Input]]) -> Iterator[tuple[int, list[tuple[int, Input]]]]:
    """The inputs, second by second, and the seconds in which nothing comes."""
    next_ms = START_MS
    for second_ms, entering in groupby(inputs, key=lambda one: one[0] // SECOND_MS * SECOND_MS):
        while next_ms < second_ms:
            yield next_ms, []
            next_ms += SECOND_MS
        yield second_ms, list(entering)
        next_ms = second_ms + SECOND_MS
