"""The clocks of the servers while the bridge runs: told when one leaves ours, and when it is back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from bridge.clock import Clock
from bridge.core.input import Notice
from bridge.doctor.clock import WARN_MS, ServerClock, told_difference
from odoo_adapter.errors import OdooError
from state.errors import StateError

COMPARE_EVERY_S: Final = 600.0
ASK_AGAIN_S: Final = 60.0
"""After a failure: an Odoo that was away at the start is compared soon after it is back."""

CLOCK_OFF: Final = "clock.off"
CLOCK_AGREES: Final = "clock.agrees"


class ClockWatch:
    """Compares clocks again and again. More than `limit_ms` is an alert: a start would be refused."""

    def __init__(
        self,
        clocks: Sequence[ServerClock],
        ours: Clock,
        limit_ms: int,
        tell: Callable[[Notice], None],
        *,
        every_s: float = COMPARE_EVERY_S,
        again_s: float = ASK_AGAIN_S,
    ) -> None:
        self._clocks = clocks
        self._ours = ours
        self._limit_ms = limit_ms
        self._tell = tell
        self._every_s = every_s
        self._again_s = again_s
        self._off: set[str] = set()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            answered = [await self._compare(each) for each in self._clocks]
            await asyncio.sleep(self._every_s if all(answered) else self._again_s)

    async def _compare(self, server: ServerClock) -> bool:
        """Whether it could be asked; who works with it says why not."""
        try:
            ahead = await server.ahead_ms(self._ours)
        except (OdooError, StateError):
            return False
        if abs(ahead) > WARN_MS:
            self._off.add(server.of)
            level = "alert" if abs(ahead) > self._limit_ms else "warning"
            text = f"{server.of}'s {told_difference(ahead)}"
            self._tell(Notice(level=level, name=CLOCK_OFF, fields={"of": server.of, "ahead_ms": ahead, "text": text}))
        elif server.of in self._off:
            self._off.remove(server.of)
            self._tell(Notice(level="info", name=CLOCK_AGREES, fields={"of": server.of}))
        return True
