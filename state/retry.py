"""When to try again: the pause of an entry, and the circuit of a destination. Pure; a worker waits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import msgspec

FULL_WIDTH: Final = 64
"""A circuit that has let this many through at once is wide open again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Pauses that double from `base_ms` to `cap_ms`, spread by up to `spread` so that not all return at once."""

    base_ms: int = 1_000
    cap_ms: int = 60_000
    spread: float = 0.2

    def delay_ms(self, attempts: int, key: str) -> int:
        """The pause after so many attempts (1 or more). The same key and count give the same pause."""
        full_ms = min(self.cap_ms, self.base_ms << min(max(attempts - 1, 0), 32))
        draw = int.from_bytes(hashlib.blake2b(f"{key}:{attempts}".encode(), digest_size=4).digest(), "big") / 2**32
        return round(full_ms * (1 - self.spread * draw))


class Circuit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether a destination may be asked at all.

    After a setback nothing is sent until `open_until_ms`, then one entry as a probe. Answers let batches grow from
    there, doubling, so that a destination that is up but slow is not given more than it can do. `width` 0: no limit.
    """

    failures: int = 0
    open_until_ms: int = 0
    width: int = 0

    def room(self, limit: int, in_flight: int, now_ms: int) -> int:
        """How many entries may be claimed now."""
        if self.failures:
            return 0 if in_flight or now_ms < self.open_until_ms else min(1, limit)
        return min(limit, self.width) if self.width else limit

    def failed(self, destination: str, policy: RetryPolicy, now_ms: int, retry_after_ms: int | None) -> Circuit:
        """After a setback of a whole batch."""
        pause_ms = max(policy.delay_ms(self.failures + 1, destination), retry_after_ms or 0)
        return Circuit(failures=self.failures + 1, open_until_ms=now_ms + pause_ms, width=1)

    def met_again(self, policy: RetryPolicy, now_ms: int) -> Circuit:
        """As a process that begins now has to take it: by its own clock it asks after the longest pause, at most."""
        return msgspec.structs.replace(self, open_until_ms=min(self.open_until_ms, now_ms + policy.cap_ms))

    def answered(self, in_flight: int) -> Circuit:
        """After the outcome of an entry, with so many still in flight."""
        if in_flight or not self.width:
            return Circuit(width=self.width)
        return Circuit(width=self.width * 2 if self.width * 2 < FULL_WIDTH else 0)
