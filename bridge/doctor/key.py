"""The end of the API key for Odoo: told by the doctor, the console and the running bridge, each by the same measure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from bridge.clock import Clock
from bridge.core.input import Notice
from odoo_adapter.client.pace import leave_alone
from odoo_adapter.errors import OdooError
from odoo_adapter.odoo import Odoo

DAY_MS: Final = 86_400_000
SOON_MS: Final = 14 * DAY_MS
"""How long before its end a key is to be renewed."""

ASK_EVERY_S: Final = 3600.0
ASK_AGAIN_S: Final = 60.0
"""After a failure: while Odoo is away the console shows it, and should see soon that it is back."""


def ends_soon(expires_ms: int | None, now_ms: int) -> bool:
    """Whether the key is to be renewed now. It may have ended already."""
    return expires_ms is not None and expires_ms - now_ms < SOON_MS


def told_end(expires_ms: int, now_ms: int) -> str:
    """When the key ends, for people."""
    on, days = datetime.fromtimestamp(expires_ms / 1000, UTC), (expires_ms - now_ms) // DAY_MS
    return f"ended on {on:%Y-%m-%d}" if days < 0 else f"ends on {on:%Y-%m-%d}, in {days} day{'s' * (days != 1)}"


class KeyReminder:
    """Whether people are to be told of the key's end now: at most once a day, from two weeks before."""

    def __init__(self) -> None:
        self._told_ms: int | None = None

    def remind(self, expires_ms: int | None, user: str, now_ms: int) -> Notice | None:
        """The notice to give, if it is time."""
        if expires_ms is None or not ends_soon(expires_ms, now_ms):
            self._told_ms = None
            return None
        if self._told_ms is not None and now_ms - self._told_ms < DAY_MS:
            return None
        self._told_ms = now_ms
        return Notice(
            level="alert",
            name="odoo.key_ends",
            fields={
                "user": user,
                "key": told_end(expires_ms, now_ms),
                "effect": "without a valid key nothing is posted; a new one is taken without a restart",
            },
        )


class KeyWatch:
    """Asks Odoo again and again what the key's end is, so that a new key is seen and an old one is told of."""

    def __init__(
        self,
        odoo: Odoo,
        clock: Clock,
        tell: Callable[[Notice], None],
        *,
        every_s: float = ASK_EVERY_S,
        again_s: float = ASK_AGAIN_S,
    ) -> None:
        self._odoo = odoo
        self._clock = clock
        self._tell = tell
        self._every_s = every_s
        self._again_s = again_s
        self._reminder = KeyReminder()
        self._known: tuple[int | None, str] = (None, "")

    async def run(self) -> None:
        """Watch until cancelled. A key that has ended cannot be asked with: its end is remembered."""
        while True:
            failure: OdooError | None = None
            try:
                info = await self._odoo.check()
                self._known = info.key_expires_ms, info.user
            except OdooError as error:  # the delivery says so
                failure = error
            if notice := self._reminder.remind(*self._known, self._clock.now_ms()):
                self._tell(notice)
            await (asyncio.sleep(self._every_s) if failure is None else leave_alone(failure, self._again_s))
