"""The queue of events: in order, never dropping, telling when it is full and when it is not."""

from __future__ import annotations

import asyncio

from bridge.broker.event_queue import EventQueue
from bridge.broker.link import LinkDown


def numbered(number: int) -> LinkDown:
    return LinkDown(reason="", at_ms=number)


async def test_it_is_full_at_its_size_and_free_again_at_half() -> None:
    queue, told = EventQueue(4), []
    queue.on_space = lambda: told.append(True)
    seen = []
    for number in range(5):
        queue.put(numbered(number))
        seen.append(queue.is_full)
    for number in range(5):
        assert await queue.take() == numbered(number)
        seen.append(queue.is_full)
    assert seen == [False, False, False, True, True, True, True, False, False, False]
    assert told == [True]


async def test_a_cancelled_take_takes_nothing() -> None:
    queue = EventQueue(4)
    taking = asyncio.create_task(queue.take())
    await asyncio.sleep(0)
    queue.put(numbered(1))
    taking.cancel()
    await asyncio.wait({taking})
    assert await queue.take() == numbered(1)


async def test_a_filler_can_wait_for_space() -> None:
    queue = EventQueue(1)
    queue.put(numbered(1))
    waiting = asyncio.create_task(queue.space())
    await asyncio.sleep(0)
    assert not waiting.done()
    await queue.take()
    await waiting
