"""JSON-2, the external API of Odoo 19 and later: `POST /json/2/<model>/<method>`, bearer key, named arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import msgspec

from odoo_adapter.classify import KEY_RETRY_MS, Answer, classify
from odoo_adapter.errors import Unavailable

MAX_CONNECTIONS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where Odoo is and who we are there. `key` is asked at every call, so that a rotated key is taken at once.

    `timeout_s` is for a whole call: a batch that meets conflicts takes up to half a minute inside Odoo.
    """

    url: str
    database: str
    key: Callable[[], str]
    company: int = 1
    connect_timeout_s: float = 5.0
    timeout_s: float = 60.0


Recorder = Callable[[str, Mapping[str, object], int, object], None]
"""Told of every exchange: path, request body, status, answer. Never of headers."""


class Json2:
    """Calls on one database. One session with kept-alive connections; `close` ends it."""

    def __init__(self, connection: Connection, record: Recorder | None = None) -> None:
        self.connection = connection
        self._record = record
        self._session: aiohttp.ClientSession | None = None

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
        body: dict[str, object] = dict(arguments)
        if ids is not None:
            body["ids"] = list(ids)
        body["context"] = {
            "lang": "en_US",
            "tz": "UTC",
            "allowed_company_ids": [self.connection.company],
            **(context or {}),
        }
        return await self._exchange("POST", f"/json/2/{model}/{method}", body, writes=writes)

    async def version(self) -> str:
        """The server's version, such as `19.0`; needs no key."""
        answer = await self._exchange("GET", "/web/version", None, writes=False)
        version = answer.get("version") if isinstance(answer, dict) else None
        if not isinstance(version, str):
            raise classify(Answer(404, None), writes=False)
        return version

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _exchange(self, verb: str, path: str, body: Mapping[str, object] | None, *, writes: bool) -> Any:
        headers = self._headers(signed=body is not None)
        try:
            status, answer = await self._send(verb, path, body, headers)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise classify(error, writes=writes) from error
        if self._record is not None:
            self._record(path, body or {}, status, None if isinstance(answer, _NotJson) else answer)
        if status != 200 or isinstance(answer, _NotJson):
            raise classify(Answer(status, None if isinstance(answer, _NotJson) else answer), writes=writes)
        return answer

    def _headers(self, *, signed: bool) -> dict[str, str]:
        headers = {"X-Odoo-Database": self.connection.database, "Content-Type": "application/json"}
        if signed:
            try:
                headers["Authorization"] = f"bearer {self.connection.key().strip()}"
            except OSError as error:
                raise Unavailable(f"the API key cannot be read: {error.strerror or error}", KEY_RETRY_MS) from error
        return headers

    async def _send(
        self, verb: str, path: str, body: Mapping[str, object] | None, headers: Mapping[str, str]
    ) -> tuple[int, Any]:
        payload = None if body is None else msgspec.json.encode(body)
        url = self.connection.url.rstrip("/") + path
        async with self._opened().request(verb, url, data=payload, headers=headers, allow_redirects=False) as response:
            raw = await response.read()
            return response.status, _parse(raw)

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


class _NotJson:
    """The body was something else, such as a proxy's or Odoo's own page."""


def _parse(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _NotJson()
