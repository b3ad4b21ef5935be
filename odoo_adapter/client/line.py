"""The HTTP exchanges with a server, over one session. What an answer means is told elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import aiohttp
import msgspec

from odoo_adapter.client.classify import Answer, classify
from odoo_adapter.client.connection import Connection, Recorder
from odoo_adapter.client.pace import Pace
from odoo_adapter.errors import Unavailable

PAUSED: Final = (429, 503)
"""What may ask us to leave a server alone for a while: nobody calls it then."""

LONGEST_PAUSE_S: Final = 600
"""A server that asks for a longer one is asked again all the same: a typing error of a proxy must not stop a plant."""


class Line:
    """One session with kept-alive connections to one server; `close` ends it."""

    def __init__(self, connection: Connection, record: Recorder | None = None) -> None:
        self.connection = connection
        self.pace = Pace(connection.most_per_second, connection.most_at_once)
        self._record = record
        self._session: aiohttp.ClientSession | None = None
        self._quiet_until_s = 0.0

    async def exchange(
        self,
        verb: str,
        path: str,
        body: Mapping[str, object] | None,
        *,
        headers: Mapping[str, str],
        writes: bool,
        told: Mapping[str, object] | None = None,
    ) -> Answer:
        """Send when it is our turn, and read the whole answer.

        `told` is what the recorder gets for the body, where that holds a secret. Raises `Unavailable` or `Uncertain`.
        """
        async with self.pace.turn():
            if (left_s := self._quiet_until_s - asyncio.get_running_loop().time()) > 0:
                raise Unavailable(f"Odoo asked for a pause, which lasts {left_s:.0f} s more", round(left_s * 1000))
            answer = await self._exchange(verb, path, body, headers, writes=writes)
        if answer.status in PAUSED and answer.pause_ms is not None:
            self._quiet_until_s = asyncio.get_running_loop().time() + answer.pause_ms / 1000
        if self._record is not None:
            self._record(path, told if told is not None else body or {}, answer.status, answer.body)
        return answer

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _exchange(
        self, verb: str, path: str, body: Mapping[str, object] | None, headers: Mapping[str, str], *, writes: bool
    ) -> Answer:
        proxy = self.connection.proxy
        session, proxy_headers = self._opened(), proxy.headers() if proxy else None
        payload = None if body is None else msgspec.json.encode(body)
        url = self.connection.url.rstrip("/") + path
        sent = {"Content-Type": "application/json", **headers}
        if proxy_headers and url.startswith("http:"):  # over TLS they go to the proxy alone
            sent |= proxy_headers
        try:
            async with session.request(
                verb,
                url,
                data=payload,
                headers=sent,
                allow_redirects=False,
                proxy=proxy.url if proxy else None,
                proxy_headers=proxy_headers,
            ) as response:
                return _answer(response.status, response.headers, await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise classify(error, writes=writes) from error

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connection = self.connection
            tls = connection.tls.context() if connection.url.startswith("https:") else True
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=connection.most_at_once, ssl=tls),
                timeout=aiohttp.ClientTimeout(
                    total=connection.timeout_s,
                    connect=connection.connect_timeout_s,
                    sock_connect=connection.connect_timeout_s,
                    sock_read=connection.read_timeout_s,
                ),
                headers={"User-Agent": user_agent()},
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


def user_agent() -> str:
    """What the logs of Odoo and of proxies show of us."""
    try:
        return f"uns-bridge/{version('uns-odoo-bridge')}"
    except PackageNotFoundError:
        return "uns-bridge"


def _answer(status: int, headers: Mapping[str, str], raw: bytes) -> Answer:
    pause_ms, location = _pause_ms(headers.get("Retry-After", "")), headers.get("Location", "")
    try:
        return Answer(status, msgspec.json.decode(raw), is_json=True, pause_ms=pause_ms, location=location)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Answer(status, None, pause_ms=pause_ms, location=location)


def _pause_ms(asked: str) -> int | None:
    """What `Retry-After` asks for, in seconds or as a moment."""
    if asked.isascii() and asked.isdigit():
        wanted_s = float(asked[:9])
    else:
        try:
            moment = parsedate_to_datetime(asked)
        except ValueError:
            return None
        wanted_s = (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return round(1000 * max(0.0, min(wanted_s, LONGEST_PAUSE_S)))
