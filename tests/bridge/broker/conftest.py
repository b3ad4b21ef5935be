"""The room of a test: each test runs on every ground."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.bridge.broker.ground import MemoryGround, MosquittoGround, Room
from tests.bridge.broker.proxy import proxy_to
from tests.certificate import Tls
from tests.servers import Mosquitto, mosquitto_server

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def mosquitto_with_tls(tls: Tls) -> Iterator[Mosquitto]:
    """A mosquitto that speaks TLS only."""
    with mosquitto_server(tls=tls) as server:
        yield server


@pytest.fixture(
    params=[
        "memory",
        pytest.param("mosquitto 5", marks=pytest.mark.mosquitto),
        pytest.param("mosquitto 3.1.1", marks=pytest.mark.mosquitto),
        pytest.param("mosquitto 5 TLS", marks=pytest.mark.mosquitto),
    ]
)
async def room(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Room]:
    """Topics and clients that no other test has, on each ground in turn."""
    name = f"room{next(NUMBERS)}"
    kind: str = request.param
    if kind == "memory":
        yield Room(MemoryGround(), name)
        return
    server: Mosquitto = request.getfixturevalue("mosquitto_with_tls" if kind.endswith("TLS") else "mosquitto")
    async with proxy_to(server.port) as proxy:
        version = 4 if kind.endswith("3.1.1") else 5
        yield Room(MosquittoGround(server, proxy, tmp_path, version), name)
