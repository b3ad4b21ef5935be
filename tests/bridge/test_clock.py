"""A clock that was far ahead and is set right keeps nothing waiting until it has come up to itself again."""

from pathlib import Path

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
