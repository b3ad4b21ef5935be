"""A clock that was far ahead and is set right keeps nothing waiting until it has come up to itself again.

And a process that stood still knows it before it looks at what came meanwhile.
"""

import asyncio
from pathlib import Path

from bridge.clock import STILL_S, CoreTime, Pulse
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


async def test_what_fell_due_while_the_process_stood_still_is_due_though_its_clock_was_set_back_meanwhile(
    tmp_path: Path,
) -> None:
    beats = Beats()
    bench = Bench(tmp_path, pulse=beats.pulse)
    loop, task = await bench.begin()
    beats.pulse.beat()
    beats.now_s += 200
    bench.clock.advance(200_000)
    bench.clock.set_forward(-HOUR_MS)
    await loop.enter(Entering(input=Tick(), at_ms=bench.clock.now_ms()))
    await end(loop, task)
    assert bench.watch.seen.count("order-unanswered") == 1


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


class Turns:
    """The core's time after the clock was 240 s ahead, and is right again at 10 s."""

    def __init__(self) -> None:
        self._now_s = 10.0
        self.time = CoreTime(lambda: self._now_s)
        self.turn(10.0, 250_000, 10_000)

    def turn(self, at_s: float, *clock_ms: int) -> list[int]:
        self._now_s = at_s
        self.time.begin_turn()
        seen = []
        for each in clock_ms:
            self.time.pass_to(each)
            seen.append(self.time.now_ms)
        return seen

    def stands_still(self, until_s: float, clock_ms: int) -> int:
        self._now_s = until_s
        self.time.begin_turn()
        self.time.stood_still(clock_ms)
        return self.time.now_ms


def test_the_cores_time_never_goes_back_and_goes_on_a_tenth_slower_until_the_clock_is_there() -> None:
    turns = Turns()
    assert turns.turn(10.0, 10_000) == [250_000]
    assert turns.turn(12.0, 12_000, 260_000) == [251_800, 260_000]


def test_the_clock_comes_up_however_often_the_core_is_given_something() -> None:
    turns = Turns()
    assert [turns.turn(10 + ms / 1000, 10_000 + ms)[-1] for ms in range(1, 1001)][-1] == 250_900


def test_what_waited_for_a_turn_while_the_clock_is_behind_is_not_of_one_moment() -> None:
    assert Turns().turn(16.0, 12_000, 14_000, 16_000) == [251_800, 253_600, 255_400]


def test_readings_of_two_sessions_that_are_not_in_order_pass_no_more_than_really_passed() -> None:
    assert Turns().turn(16.0, *(12_000, 16_000) * 10)[-1] == 255_400


def test_the_wait_in_which_the_clock_is_set_back_passes_as_long_as_it_really_was() -> None:
    turns = Turns()
    assert turns.turn(12.0, 10_000 - 900_000) == [251_800]
    assert turns.turn(14.0, 12_000 - 900_000) == [253_600]


def test_what_really_passed_while_the_process_stood_still_is_over_though_its_clock_was_set_back_meanwhile() -> None:
    turns = Turns()
    assert turns.turn(300.0, 300_000) == [300_000]
    assert turns.stands_still(320.0, 200_000) == 320_001
    assert turns.turn(330.0, 210_000) == [329_001]


def test_where_the_clock_was_set_ahead_while_the_process_stood_still_it_counts() -> None:
    turns = Turns()
    assert turns.stands_still(20.0, 400_000) == 400_000
    assert turns.turn(21.0, 401_000) == [401_000]


def test_the_wait_for_a_moment_is_as_long_as_the_cores_time_takes_to_be_there() -> None:
    turns = Turns()
    assert turns.time.wait_ms(250_000, 10_000) == 0
    waited_ms = turns.time.wait_ms(259_000, 10_000)
    assert turns.turn(10 + waited_ms / 1000, 10_000 + waited_ms) == [259_000]
    assert turns.time.wait_ms(262_000, 261_000) == 1_000
