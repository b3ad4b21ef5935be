"""A Redis Cluster for tests: three primaries that share the slots, and replicas where a test wants some."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from redis import Redis as Client
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from bridge.demo.servers import free_ports
from state.keys import Keys
from tests.servers import Redis, redis

PRIMARIES = 3
READY_S = 20.0
NODE_TIMEOUT_MS = 500


@dataclass(frozen=True, slots=True)
class Cluster:
    """Its servers: the primaries in the order of their slots, then the replica of each, where there are any."""

    servers: Sequence[Redis]
    has_replicas: bool

    @property
    def url(self) -> str:
        return self.servers[0].url

    @property
    def nodes(self) -> tuple[str, ...]:
        """All of them as `redis.nodes` has them."""
        return tuple(f"{server.host}:{server.port}" for server in self.servers)

    def primary_of(self, site: str) -> Redis:
        """The server that had the keys of a site at first."""
        return self.servers[key_slot(Keys(site).lease.encode()) * PRIMARIES // REDIS_CLUSTER_HASH_SLOTS]

    def replica_of(self, site: str) -> Redis:
        """The server that takes over from it."""
        return self.servers[PRIMARIES + self.servers.index(self.primary_of(site))]


def cluster(stack: ExitStack, *, replicas: bool = False) -> Cluster:
    """A running cluster that ends with the stack."""
    count = PRIMARIES * (2 if replicas else 1)
    servers, buses = [], free_ports(count)
    for bus in buses:
        config = {
            "cluster-enabled": "yes",
            "cluster-port": str(bus),
            "cluster-node-timeout": str(NODE_TIMEOUT_MS),
            "masterauth": "redis-password",
            "repl-diskless-sync-delay": "0",
        }
        servers.append(stack.enter_context(redis(config)))
    for place, server in enumerate(servers[:PRIMARIES]):
        first, after = (REDIS_CLUSTER_HASH_SLOTS * end // PRIMARIES for end in (place, place + 1))
        told(server, "CLUSTER ADDSLOTSRANGE", _up(first, place), _up(after, place + 1) - 1)
    for server, bus in zip(servers[1:], buses[1:], strict=True):
        told(servers[0], "CLUSTER MEET", server.address, server.port, bus)
    _until(lambda: all(told(each, "CLUSTER INFO")["cluster_known_nodes"] == str(count) for each in servers))
    for primary, replica in zip(servers[:PRIMARIES], servers[PRIMARIES:], strict=False):
        told(replica, "CLUSTER REPLICATE", told(primary, "CLUSTER MYID"))
    _until(lambda: all(told(each, "CLUSTER INFO")["cluster_state"] == "ok" for each in servers))
    if replicas:
        _until(
            lambda: all(told(each, "ROLE")[0] != b"slave" or told(each, "ROLE")[3] == b"connected" for each in servers)
        )
    return Cluster(servers, replicas)


def told(server: Redis, *words: str | int | bytes) -> Any:
    """An administrator tells a server something."""
    with Client.from_url(server.url) as client:
        return client.execute_command(*words)


def _up(slot: int, place: int) -> int:
    """The first slot of which `slot * PRIMARIES // SLOTS` is `place`."""
    while slot * PRIMARIES // REDIS_CLUSTER_HASH_SLOTS < place:
        slot += 1
    return slot


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + READY_S
    while not holds():
        assert time.monotonic() < deadline, "the cluster does not come up"
        time.sleep(0.02)
