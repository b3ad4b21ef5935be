"""Which server has the keys of a site: the one of the url, or of a Redis Cluster the primary of their slot.

All keys of a site are in one slot (`state.keys`), so a cluster is to a site one server that may move. Who has the slot
is asked of any node that answers, and asked anew after every failure.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol, TypeAlias
from urllib.parse import urlsplit

from redis import exceptions
from redis.asyncio import Redis
from redis.crc import key_slot

from state.server.settings import UNREADABLE_URL, RedisSettings, client_of

Address: TypeAlias = tuple[str, int]
NO_DATABASE: Final = ("", "/", "/0")
"""A cluster has database 0 only."""


class Reach(Protocol):
    """Leads to the server that has the keys."""

    name: str
    """What it is, for people."""

    async def primary(self) -> Redis:
        """A client of it. Raises what a client raises."""
        ...

    async def failed(self) -> None:
        """It did not answer, or does not have the keys."""
        ...

    async def close(self) -> None: ...


class OneServer:
    """The server of the url; the same whatever happens."""

    def __init__(self, settings: RedisSettings) -> None:
        self._redis = client_of(settings)
        self.name = f"Redis at {_written(_address(settings.url))}"

    async def primary(self) -> Redis:
        return self._redis

    async def failed(self) -> None:
        return

    async def close(self) -> None:
        await self._redis.aclose()


class Cluster:
    """The primary of one slot of a cluster."""

    def __init__(self, settings: RedisSettings, key: str) -> None:
        if urlsplit(settings.url).path not in NO_DATABASE:
            raise ValueError(f"{UNREADABLE_URL}; a cluster has database 0 only")
        client_of(settings)  # a url that cannot be used is told now
        self._settings = settings
        self._slot = key_slot(key.encode())
        self._nodes = list(dict.fromkeys([_address(settings.url), *map(_host_and_port, settings.nodes)]))
        self._client: Redis | None = None
        self._at: Address | None = None
        self._looking = asyncio.Lock()
        self.name = f"the Redis Cluster of {_written(self._nodes[0])}"

    async def primary(self) -> Redis:
        async with self._looking:
            if self._client is None:
                self._at = await self._look()
                self._client = client_of(self._settings, self._at)
            return self._client

    async def failed(self) -> None:
        """Whoever is the primary now is asked of the others first: it may be this one that does not know it yet."""
        client, self._client = self._client, None
        if self._at in self._nodes:
            self._nodes.remove(self._at)
            self._nodes.append(self._at)
        if client is not None:
            await client.aclose()

    async def close(self) -> None:
        await self.failed()

    async def _look(self) -> Address:
        """Ask one node after the other. Raises what the last one raised."""
        limit_s, last = self._settings.timeout_s / (len(self._nodes) + 1), ""
        for node in tuple(self._nodes):
            try:
                async with asyncio.timeout(limit_s):
                    return await self._asked(node)
            except (exceptions.AuthenticationError, exceptions.ResponseError):
                raise
            except (exceptions.RedisError, OSError) as error:  # TimeoutError is an OSError
                last = f"{_written(node)}: {str(error) or 'no answer'}"
        raise exceptions.ConnectionError(f"none of its nodes tells who has slot {self._slot}; {last}")

    async def _asked(self, node: Address) -> Address:
        client = client_of(self._settings, node)
        try:
            slots = await client.execute_command("CLUSTER SLOTS")  # type: ignore[no-untyped-call]
        finally:
            await client.aclose()
        for first, last, *owners in slots:
            if first <= self._slot <= last:
                nodes = [_named(node, *owner[:2]) for owner in owners]
                self._nodes = list(dict.fromkeys([*self._nodes, *nodes]))
                return nodes[0]
        raise exceptions.ConnectionError(f"no node has slot {self._slot}")


def _address(url: str) -> Address:
    parts = urlsplit(url)
    return parts.hostname or "localhost", parts.port or 6379


def _host_and_port(node: str) -> Address:
    host, _, port = node.rpartition(":")
    return host.strip("[]"), int(port)


def _written(address: Address) -> str:
    return f"{address[0]}:{address[1]}"


def _named(asked: Address, host: bytes | None, port: int) -> Address:
    """A node may leave out the host that it was asked by."""
    return (host.decode() if host else asked[0]), port
