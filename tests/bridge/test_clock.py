"""A clock that was far ahead and is set right keeps nothing waiting until it has come up to itself again.

And a process that stood still knows it before it looks at what came meanwhile.
"""

import asyncio
from pathlib import Path

from bridge.clock import STILL_S, Pulse
from bridge.core.input import Tick
from bridge.loop import Entering
from tests.bridge.simulator.listener import until
from tests.bridge.test_loop import Bench, end

HOUR_MS = 3_600_000


async def test_timers_run_on_after_the_clock_was_set_back_an_hour(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    loop, task = await bench.begin()
    seen = bench.watch.seen
    bench.clock.advance(HOUR_MS)
    await loop.enter(bench.orders("mo-1"))
    await until(lambda: seen.count("ShowOrder") == 1)
    bench.clock.advance(-HOUR_MS)
    await loop.enter(bench.orders("mo-2"))
    await until(lambda: seen.count("ShowOrder") == 2)
    bench.clock.advance(200_000)
    await loop.enter(Entering(input=Tick(), at_ms=bench.clock.now_ms()))
    await end(loop, task)
    assert seen.count("order-unanswered") == 3


class Beats:
    """A pulse on a time of its own."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.pulse = Pulse(lambda: self.now_s)

    def after(self, length_s: float) -> bool:
        self.now_s += length_s
        return self.pulse.stood_still()


def test_a_process_that_beats_does_not_stand_still() -> None:
    beats = Beats()
    beats.pulse.beat()
    assert not beats.after(STILL_S - 0.1)
    assert not beats.after(STILL_S - 0.1)


def test_standing_still_is_told_once_be_it_before_the_next_beat_or_after_it() -> None:
    beats = Beats()
    beats.pulse.beat()
    assert [beats.after(STILL_S), beats.after(0)] == [True, False]
    beats.now_s += STILL_S
    beats.pulse.beat()
    assert [beats.after(0), beats.after(0)] == [True, False]


def test_before_the_first_beat_nothing_stood_still() -> None:
    assert not Beats().after(STILL_S)


async def test_a_pulse_beats_while_it_runs() -> None:
    beats = Beats()
    running = asyncio.create_task(beats.pulse.run())
    await asyncio.sleep(0)
    assert beats.after(STILL_S)
    running.cancel()
