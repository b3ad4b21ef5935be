"""`EventQueue`: what happened on a link, in order, until the bridge takes it. It has a size and never drops.

Whoever fills it looks at `is_full` after each event and stops reading; `on_space` is called once there is room again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from bridge.broker.link import LinkEvent


class EventQueue:
    """For one filler and one taker on one event loop. A filler may pass `size` by what one read brought."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._events: deque[LinkEvent] = deque()
        self._filled = asyncio.Event()
        self._has_space = asyncio.Event()
        self._has_space.set()
        self.on_space: Callable[[], None] | None = None

    @property
    def is_full(self) -> bool:
        """True from the event that filled it until half of its size is free: not reading and reading in turns for
        every single event would cost more than the events."""
        return not self._has_space.is_set()

    def put(self, event: LinkEvent) -> None:
        self._events.append(event)
        self._filled.set()
        if len(self._events) >= self._size:
            self._has_space.clear()

    async def take(self) -> LinkEvent:
        """The oldest event. Cancelled while waiting, it has taken none."""
        while not self._events:
            self._filled.clear()
            await self._filled.wait()
        event = self._events.popleft()
        if self.is_full and len(self._events) <= self._size // 2:
            self._has_space.set()
            if self.on_space is not None:
                self.on_space()
        return event

    async def space(self) -> None:
        """Wait until the queue is not full."""
        await self._has_space.wait()
