"""The tests' own servers: they come up, keep what they hold and say what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis as RedisClient

from tests.server_process import LocalProcess, ServerError
from tests.servers import Mosquitto, Redis, StartMosquitto, StartRedis


def test_the_sessions_redis_is_durable(redis_server: Redis) -> None:
    with RedisClient.from_url(redis_server.url) as client:
        found = client.config_get("append*") | client.config_get("maxmemory-policy")
    assert found["appendonly"] == "yes"
    assert found["appendfsync"] == "always"
    assert found["maxmemory-policy"] == "noeviction"


def test_a_killed_redis_keeps_what_was_written(start_redis: StartRedis) -> None:
    server = start_redis()
    with RedisClient.from_url(server.url) as client:
        client.set("fact", "kept")
    server.kill()
    server.start()
    with RedisClient.from_url(server.url) as client:
        assert client.get("fact") == b"kept"


def test_a_redis_takes_other_settings(start_redis: StartRedis) -> None:
    server = start_redis({"appendfsync": "everysec"})
    with RedisClient.from_url(server.url) as client:
        assert client.config_get("appendfsync") == {"appendfsync": "everysec"}


def test_brokers_of_a_test_have_ports_of_their_own(mosquitto: Mosquitto, start_mosquitto: StartMosquitto) -> None:
    server = start_mosquitto(anonymous=True)
    server.restart()
    assert server.port != mosquitto.port


def test_a_broker_that_refuses_its_settings_says_why(start_mosquitto: StartMosquitto) -> None:
    with pytest.raises(ServerError, match="no_such_setting"):
        start_mosquitto(config={"no_such_setting": "1"})


def test_a_missing_binary_names_its_package(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="install the Debian package no-such-package"):
        LocalProcess("no-such-server", "no-such-package", [], tmp_path / "log")
