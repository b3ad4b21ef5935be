"""Machines in virtual time: one asyncio event loop per simulated process, all of them in one thread.

Time stands still while anybody has something to do, and then jumps to the next timer. So a day passes in a second, and
the same seed gives the same order of events to the byte. A machine can be killed between any two awaits: its loop is
simply not turned any more, so nothing of it runs on, no `finally` and no `except`. It can also be paused, and goes on
later with what was due meanwhile, as a process does that was stopped or swapped out.
"""

from __future__ import annotations

import asyncio
import gc
import heapq
import sys
import warnings
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import Context
from enum import Enum
from itertools import count
from typing import Any, Final, TypeVar

T = TypeVar("T")
START_MS: Final = 1_764_000_000_000
"""When every schedule begins, UTC."""


class Phase(Enum):
    """What a machine is doing."""

    RUNS = "runs"
    PAUSED = "paused"
    DEAD = "dead"


class _Task(asyncio.Task[T]):
    """A task that sets put in the same place each time: a group cancels its tasks in the order of its set, which would
    be that of their addresses."""

    def __init__(self, number: int, coroutine: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop) -> None:
        self._number = number
        super().__init__(coroutine, loop=loop)

    def __hash__(self) -> int:
        return self._number


class Machine(asyncio.BaseEventLoop):
    """The event loop of one process. Threads do not exist here: what is given to one is done at once."""

    def __init__(self, universe: Universe, name: str) -> None:
        super().__init__()
        self.name = name
        self.phase = Phase.RUNS
        self.set_back_ms = 0
        """How far the machine's clock is behind."""
        self._universe = universe
        self._kept: deque[asyncio.Handle] = deque()
        self._turns_left: int | None = None
        self._killed: Callable[[], None] = lambda: None
        numbers = count()
        self.set_task_factory(lambda loop, coroutine: _Task(next(numbers), coroutine, loop))

    def time(self) -> float:
        return self._universe.now_s

    def now_ms(self) -> int:
        """The machine's clock: a `Clock` of the bridge."""
        return self._universe.now_ms - self.set_back_ms

    def call_soon(  # type: ignore[override]  # as the loop is used, and mypy cannot say
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._universe.enter(self, handle)
        return handle

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._universe.wait_for(self, timer)
        return timer

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        done: asyncio.Future[Any] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """What nobody caught is a defect, unless the process is gone."""
        if self.phase is not Phase.DEAD:
            self._universe.defects.append(f"{self.name}: {context.get('message')}: {context.get('exception')!r}")

    def kill(self) -> None:
        """End the process now: nothing of it runs any more."""
        self.phase = Phase.DEAD
        self._kept.clear()

    def kill_after(self, turns: int, killed: Callable[[], None]) -> None:
        """End the process when its loop has turned so often: between two of its awaits. Then `killed` is called."""
        self._turns_left, self._killed = turns, killed

    def pause(self) -> None:
        """Stop as if by SIGSTOP: timers and answers wait."""
        if self.phase is Phase.RUNS:
            self.phase = Phase.PAUSED

    def go_on(self) -> None:
        """End a pause; what waited happens now."""
        if self.phase is Phase.PAUSED:
            self.phase = Phase.RUNS
            for handle in self._kept:
                self._universe.enter(self, handle)
            self._kept.clear()

    def turn(self, handle: asyncio.Handle) -> None:
        """Run one callback, if the process can."""
        if self.phase is Phase.PAUSED:
            self._kept.append(handle)
        elif self.phase is Phase.RUNS and not handle.cancelled():
            asyncio._set_running_loop(self)
            try:
                handle._run()
            finally:
                asyncio._set_running_loop(None)
            self._count_turn()

    def _count_turn(self) -> None:
        if self._turns_left is not None and self.phase is Phase.RUNS:
            self._turns_left -= 1
            if self._turns_left <= 0:
                self._turns_left = None
                self._killed()


class Universe:
    """The time of all machines, and what is to happen on them."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.turns = 0
        self.defects: list[str] = []
        """Errors that nobody caught."""
        self._ready: deque[tuple[Machine, asyncio.Handle]] = deque()
        self._timers: list[tuple[float, int, Machine, asyncio.TimerHandle]] = []
        self._numbers = count()
        self._machines: list[Machine] = []

    @property
    def now_ms(self) -> int:
        return START_MS + round(self.now_s * 1000)

    def machine(self, name: str) -> Machine:
        """A new process."""
        machine = Machine(self, name)
        self._machines.append(machine)
        return machine

    def enter(self, machine: Machine, handle: asyncio.Handle) -> None:
        """Let a machine run this as soon as those before it have."""
        self._ready.append((machine, handle))

    def wait_for(self, machine: Machine, timer: asyncio.TimerHandle) -> None:
        """Let a machine run this when its time has come."""
        heapq.heappush(self._timers, (max(timer.when(), self.now_s), next(self._numbers), machine, timer))

    def run(self, task: asyncio.Task[Any], *, limit_s: float) -> None:
        """Let things happen until a task is done. Raises `TimeoutError` when it is not within so much virtual time."""
        while not task.done():
            while self._ready and not task.done():
                machine, handle = self._ready.popleft()
                self.turns += 1
                machine.turn(handle)
            if not task.done():
                self._jump(limit_s)

    def close(self) -> None:
        """Forget all machines. Within `unheard`, because their unfinished tasks have something to say to that."""
        self._ready.clear()
        self._timers.clear()
        for machine in self._machines:
            machine.kill()
            machine.close()
        self._machines.clear()

    def _jump(self, limit_s: float) -> None:
        if not self._timers or self._timers[0][0] > limit_s:
            raise TimeoutError(f"nothing more happens until {limit_s:.0f} s")
        self.now_s = self._timers[0][0]
        while self._timers and self._timers[0][0] <= self.now_s:
            _, _, machine, timer = heapq.heappop(self._timers)
            if not timer.cancelled():
                self._ready.append((machine, timer))


def at_once(coroutine: Coroutine[object, object, T]) -> T:
    """The result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise AssertionError("it waits for something")


@contextmanager
def unheard() -> Iterator[None]:
    """Let unfinished tasks be thrown away in here, whatever their `finally` says, or begins and cannot await any more.

    Only what came to be in here is looked through: all else takes four times as long as that.
    """
    before, sys.unraisablehook = sys.unraisablehook, lambda _: None
    asyncio.set_event_loop(None)  # else what they begin makes one, which keeps their whole world for ever
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "coroutine '.*' was never awaited", RuntimeWarning)
            gc.collect()
        gc.unfreeze()
        gc.enable()
        sys.unraisablehook = before
