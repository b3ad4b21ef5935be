"""Where too much waits to be put in order, what is given early still comes before the timers of later times."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.floor.floor import Decisions, Floor
from bridge.floor.settle import Settler
from ruleset.output import EngineOutput
from ruleset.sample import Fresh, Sample, Source
from tests.bridge.floor.outage import GRACE_MS, RULES
from tests.ruleset.floor import PRESS, START_MS, compiled, lines, plant

TOO_MUCH = "remark settled-early: 4 readings and events wait since an outage, the most that may"


def vibration(at_ms: int, value: float, *, birth: bool = False) -> Sample:
    source = Source(topic="spBv1.0/press", seq=0)
    at_ms += START_MS
    return Sample(equipment=PRESS, signal="vibration_rms", value=value, at_ms=at_ms, source=source, birth=birth)


def shaking(*, most_kept: int) -> Floor:
    """A settled site whose press has told at 100 s that it shakes: after 30 s of that it needs maintenance."""
    floor = Floor(plant(), compiled(RULES), grace_ms=GRACE_MS)
    floor.settler = Settler(plant(), floor.engine, grace_ms=GRACE_MS, most_kept=most_kept)
    said(floor.started(START_MS))
    said(floor.take([Fresh(equipment=PRESS, at_ms=START_MS)], START_MS))
    said(floor.take([vibration(0, 2.0, birth=True)], START_MS))
    said(floor.due(START_MS + GRACE_MS))
    said(floor.take([vibration(100_000, 8.0)], START_MS + 100_000))
    return floor


def said(decided: Iterable[Decisions]) -> list[str]:
    outputs: list[EngineOutput] = [output for each in decided for output in each.outputs]
    return lines(outputs)


def test_no_timer_fires_before_the_end_of_its_condition_that_waits() -> None:
    floor, now_ms = shaking(most_kept=3), START_MS + 140_000
    floor.settler.stood_still(now_ms)
    heard = [said(floor.take([vibration(110_000 + each, 2.0)], now_ms)) for each in range(4)]
    assert heard == [[], [], [], [TOO_MUCH]]
    assert said(floor.due(now_ms + 60_000)) == []
