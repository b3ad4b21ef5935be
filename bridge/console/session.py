"""Who is logged in, and how often log-in may be tried. In memory: a restart of the bridge logs everybody out."""

from __future__ import annotations

import hmac
import secrets
from collections import deque
from dataclasses import dataclass, field
from typing import Final

SESSION_MS: Final = 12 * 3_600_000
"""A long shift."""
MOST_SESSIONS: Final = 100
TRIES: Final = 5
"""Log-ins that one address may try per window."""
TRIES_OF_ALL: Final = 30
"""The same for all addresses together, so that many of them help nobody."""
WINDOW_MS: Final = 60_000
MOST_ADDRESSES: Final = 1_000


@dataclass(slots=True, kw_only=True)
class Session:
    """One person's log-in. `csrf` stands in every form; `said` is shown on the next page, once."""

    name: str
    until_ms: int
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    said: str = ""

    def take_said(self) -> str:
        """What is to be said to this person, once."""
        said, self.said = self.said, ""
        return said


class Sessions:
    """The sessions by their secret token, which is what the cookie holds."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}

    def open(self, name: str, now_ms: int) -> str:
        """Begin a session; the oldest gives way when there are too many."""
        self._sessions = {token: one for token, one in self._sessions.items() if one.until_ms > now_ms}
        while len(self._sessions) >= MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        token = secrets.token_urlsafe(32)
        self._sessions[token] = Session(name=name, until_ms=now_ms + SESSION_MS)
        return token

    def find(self, token: str, now_ms: int) -> Session | None:
        """The session of a token, while it lasts."""
        session = self._sessions.get(token)
        return session if session is not None and session.until_ms > now_ms else None

    @property
    def all(self) -> tuple[Session, ...]:
        """Everybody who is logged in, or was not long ago."""
        return tuple(self._sessions.values())

    def close(self, token: str) -> None:
        """Log out."""
        self._sessions.pop(token, None)


class Attempts:
    """Counts log-in attempts. What is not allowed is not counted, so that waiting helps."""

    def __init__(self) -> None:
        self._by_address: dict[str, deque[int]] = {}
        self._of_all: deque[int] = deque()

    def wait_ms(self, address: str, now_ms: int) -> int:
        """Count an attempt and return 0, or how long this address must wait before it may try."""
        mine = self._by_address.setdefault(address, deque())
        if len(self._by_address) > MOST_ADDRESSES:
            del self._by_address[next(iter(self._by_address))]
        for tries in (mine, self._of_all):
            while tries and tries[0] <= now_ms - WINDOW_MS:
                tries.popleft()
        waits = [
            tries[0] + WINDOW_MS - now_ms
            for tries, most in ((mine, TRIES), (self._of_all, TRIES_OF_ALL))
            if len(tries) >= most
        ]
        if waits:
            return max(waits)
        mine.append(now_ms)
        self._of_all.append(now_ms)
        return 0

    @property
    def addresses(self) -> int:
        """Of how many addresses attempts are remembered."""
        return len(self._by_address)

    def forgive(self, address: str) -> None:
        """A log-in succeeded: earlier mistakes of this address do not count."""
        self._by_address.pop(address, None)


def is_same(given: object, expected: str) -> bool:
    """Whether a form's token is the expected one, in constant time."""
    return isinstance(given, str) and bool(expected) and hmac.compare_digest(given.encode(), expected.encode())
