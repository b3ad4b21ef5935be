"""Where an Odoo is and who we are there, and how its methods are called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from odoo_adapter.client.classify import KEY_RETRY_MS
from odoo_adapter.client.route import Proxy, Tls
from odoo_adapter.errors import KeyRefused

USUAL_TRUST: Final = Tls()


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where Odoo is and who we are there. `key` is asked at every call, so that a rotated key is taken at once.

    `user` is the key's login; only servers without JSON-2 ask for it. Where there is a
    `company_name`, it goes before `company`, and its id is asked for at the first call. `timeout_s` is for
    a whole call, `read_timeout_s` for a silence in it (None: as long as the call): a batch that meets conflicts takes
    up to half a minute inside Odoo. `client_lib`: calls are made by odoo-client-lib. `accept_unknown_version`: a
    version that the bridge was never tried with is called as the nearest older one.
    """

    url: str
    database: str
    key: Callable[[], str]
    user: str = ""
    company: int = 1
    company_name: str = ""
    connect_timeout_s: float = 5.0
    read_timeout_s: float | None = None
    timeout_s: float = 60.0
    tls: Tls = USUAL_TRUST
    proxy: Proxy | None = None
    most_per_second: float | None = None
    most_at_once: int = 4
    client_lib: bool = False
    accept_unknown_version: bool = False

    @contextmanager
    def revealed_key(self) -> Iterator[str]:
        """The key as it is now, for one call. A `KeyRefused` of that call, or for a key that cannot be read, learns to
        tell whether there is another key."""
        key = ""
        try:
            key = self._read_key()
            yield key
        except KeyRefused as error:
            error.is_replaced = lambda: self._has_other_key(key)
            raise

    def _read_key(self) -> str:
        try:
            return self.key().strip()
        except OSError as error:
            raise KeyRefused(f"the API key cannot be read: {error.strerror or error}", KEY_RETRY_MS) from error

    def _has_other_key(self, key: str) -> bool:
        try:
            return self._read_key() not in ("", key)
        except KeyRefused:
            return False

    def context(self, more: Mapping[str, object] | None) -> dict[str, object]:
        """The context of every call: English names, UTC, and this company's records only, once its id is known."""
        companies = [] if self.company_name else [self.company]
        return {"lang": "en_US", "tz": "UTC", "allowed_company_ids": companies, **(more or {})}


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
