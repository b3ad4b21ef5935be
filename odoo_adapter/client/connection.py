"""Where an Odoo is and who we are there, and the HTTP exchanges with it. What an answer means is told elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import aiohttp
import msgspec

from odoo_adapter.client.classify import KEY_RETRY_MS, classify
from odoo_adapter.errors import Unavailable

MAX_CONNECTIONS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where Odoo is and who we are there. `key` is asked at every call, so that a rotated key is taken at once.

    `user` is the key's login; only servers without JSON-2 ask for it. `timeout_s` is for a whole call: a batch that
    meets conflicts takes up to half a minute inside Odoo.
    """

    url: str
    database: str
    key: Callable[[], str]
    user: str = ""
    company: int = 1
    connect_timeout_s: float = 5.0
    timeout_s: float = 60.0

    def reveal_key(self) -> str:
        """The key as it is now. Raises `Unavailable` when its file cannot be read."""
        try:
            return self.key().strip()
        except OSError as error:
            raise Unavailable(f"the API key cannot be read: {error.strerror or error}", KEY_RETRY_MS) from error

    def context(self, more: Mapping[str, object] | None) -> dict[str, object]:
        """The context of every call: English names, UTC, and this company's records only."""
        return {"lang": "en_US", "tz": "UTC", "allowed_company_ids": [self.company], **(more or {})}


Recorder = Callable[[str, Mapping[str, object], int, object], None]
"""Told of every exchange: path, request body, status, answer. Never of headers, keys and passwords."""


class Transport(Protocol):
    """How methods of Odoo's models are called over HTTP."""

    async def call(
        self,
        model: str,
        method: str,
        *,
        writes: bool,
        ids: Sequence[int] | None = None,
        context: Mapping[str, object] | None = None,
        **arguments: object,
    ) -> Any:
        """Call a method and return its result. Raises `Unavailable`, `Uncertain` (only where `writes`) or `Refused`."""
        ...


class NotJson:
    """The body was something else, such as a proxy's or Odoo's own page."""


class Line:
    """One session with kept-alive connections to one server; `close` ends it."""

    def __init__(self, connection: Connection, record: Recorder | None = None) -> None:
        self.connection = connection
        self._record = record
        self._session: aiohttp.ClientSession | None = None

    async def exchange(
        self,
        verb: str,
        path: str,
        body: Mapping[str, object] | None,
        *,
        headers: Mapping[str, str],
        writes: bool,
        told: Mapping[str, object] | None = None,
    ) -> tuple[int, Any]:
        """Send and read the whole answer: its status, and its body as values or `NotJson`.

        `told` is what the recorder gets for the body, where that holds a secret. Raises `Unavailable` or `Uncertain`.
        """
        payload = None if body is None else msgspec.json.encode(body)
        url = self.connection.url.rstrip("/") + path
        sent = {"Content-Type": "application/json", **headers}
        try:
            async with self._opened().request(verb, url, data=payload, headers=sent, allow_redirects=False) as response:
                status, answer = response.status, _parse(await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise classify(error, writes=writes) from error
        if self._record is not None:
            told = told if told is not None else body or {}
            self._record(path, told, status, None if isinstance(answer, NotJson) else answer)
        return status, answer

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS),
                timeout=aiohttp.ClientTimeout(
                    total=self.connection.timeout_s, sock_connect=self.connection.connect_timeout_s
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


def _parse(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return NotJson()
