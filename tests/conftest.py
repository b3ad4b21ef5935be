"""Registers the servers' fixtures, marks each test with the server that it needs, and undoes what a command set up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog

from tests.servers import mosquitto, redis_server, start_mosquitto, start_redis, tls

__all__ = ["mosquitto", "redis_server", "start_mosquitto", "start_redis", "tls"]

SERVER_OF_FIXTURE = {
    "mosquitto": "mosquitto",
    "start_mosquitto": "mosquitto",
    "redis_server": "redis",
    "start_redis": "redis",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """So that `-m "not redis"` holds without anybody remembering a marker."""
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            if server := SERVER_OF_FIXTURE.get(fixture):
                item.add_marker(server)


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A command sets logging up for its process, with a standard error that ends with its test."""
    yield
    structlog.reset_defaults()
