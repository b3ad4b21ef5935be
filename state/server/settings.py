"""`RedisSettings`, and a client of one server that is made from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.credentials import CredentialProvider

from state.record import TRACES_KEPT


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisSettings:
    """How to reach Redis. `url` is `redis://host:port/db`, or `rediss://` for TLS; it may hold user and password.

    `password` is asked at every new connection, so that a rotated one is taken without a restart (it raises `OSError`
    where there is none); the url holds no password then. `replicas` is how many replicas must have a commit before
    it is confirmed. `nodes` are further nodes (`host:port`) of the Redis Cluster of which `url` is one; empty:
    it is no cluster.
    """

    url: str
    user: str | None = None
    password: Callable[[], str] | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    timeout_s: float = 5.0
    load_timeout_s: float = 60.0
    replicas: int = 0
    nodes: tuple[str, ...] = ()
    traces_kept: int = TRACES_KEPT


UNREADABLE_URL: Final = (
    "the Redis url cannot be read; write redis://host:6379/0 or rediss://host:6379/0, "
    "and give user and password apart from the url"
)


class Credentials(CredentialProvider):
    """Gives the user, and the password as it is now."""

    def __init__(self, user: str | None, ask: Callable[[], str]) -> None:
        self._user = user
        self._ask = ask

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        try:
            password = self._ask().strip()
        except (OSError, UnicodeDecodeError) as error:
            # One of the client's own errors, because on any other it would keep the connection, without a password.
            raise exceptions.ConnectionError(f"its password cannot be read: {error}") from error
        return (self._user, password) if self._user else (password,)

    async def get_credentials_async(self) -> tuple[str] | tuple[str, str]:
        return self.get_credentials()


def client_of(settings: RedisSettings, address: tuple[str, int] | None = None) -> Redis:
    """A client of the url's server, or with the same log-in of that at another address. Raises `ValueError`."""
    url = urlsplit(settings.url)
    options: dict[str, Any] = {}
    if settings.password is not None:
        if url.password or url.username:
            raise ValueError(UNREADABLE_URL)
        options["credential_provider"] = Credentials(settings.user, settings.password)
    elif settings.user is not None:
        options["username"] = settings.user
    if url.scheme == "rediss":
        files_given = {
            "ssl_ca_certs": settings.ca_file,
            "ssl_certfile": settings.cert_file,
            "ssl_keyfile": settings.key_file,
        }
        options |= {name: value for name, value in files_given.items() if value}
    longest_s = max(settings.timeout_s, settings.load_timeout_s)
    if address is not None:
        host, port = address
        log_in = url.netloc.rpartition("@")[0]
        url = url._replace(netloc=f"{log_in}@{_bracketed(host)}:{port}" if log_in else f"{_bracketed(host)}:{port}")
    return Redis.from_url(
        url.geturl(),
        protocol=2,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=longest_s,
        socket_connect_timeout=settings.timeout_s,
        **options,
    )


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
