"""Virtual time: nobody waits for it, a killed process does nothing more, and a paused one goes on late."""

from __future__ import annotations

import asyncio

import pytest

from tests.faults.machine import START_MS, Universe, unheard


async def note(told: list[str], text: str, after_s: float) -> None:
    try:
        await asyncio.sleep(after_s)
        told.append(text)
    finally:
        told.append(f"{text} ends")


def test_a_day_passes_at_once() -> None:
    universe = Universe()
    machine = universe.machine("m")
    universe.run(machine.create_task(asyncio.sleep(86_400)), limit_s=100_000)
    assert (universe.now_s, machine.now_ms()) == (86_400, START_MS + 86_400_000)


def test_nothing_of_a_killed_process_runs_on() -> None:
    universe, told = Universe(), list[str]()
    with unheard():
        killed, other = universe.machine("killed"), universe.machine("other")
        killed.create_task(note(told, "killed", 1.0))
        other.call_later(0.5, killed.kill)
        universe.run(other.create_task(note(told, "other", 2.0)), limit_s=10)
        seen = tuple(told)
        universe.close()
    assert seen == ("other", "other ends")


def test_a_paused_process_does_late_what_was_due() -> None:
    universe, told = Universe(), list[str]()
    paused, other = universe.machine("paused"), universe.machine("other")
    late = paused.create_task(note(told, "paused", 1.0))
    other.call_later(0.5, paused.pause)
    other.call_later(5.0, paused.go_on)
    universe.run(other.create_task(note(told, "other", 2.0)), limit_s=10)
    universe.run(late, limit_s=10)
    assert (told, universe.now_s) == (["other", "other ends", "paused", "paused ends"], 5.0)


def test_what_is_given_to_a_thread_is_done_at_once() -> None:
    universe = Universe()
    task = universe.machine("m").create_task(asyncio.to_thread(lambda: 7))
    universe.run(task, limit_s=1)
    assert task.result() == 7


def test_what_never_ends_is_told() -> None:
    universe = Universe()
    with unheard():
        task = universe.machine("m").create_task(asyncio.Event().wait())
        with pytest.raises(TimeoutError, match="nothing more happens until 60 s"):
            universe.run(task, limit_s=60)
        universe.close()
