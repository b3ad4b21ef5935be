"""Real servers for tests: mosquitto and Redis on free loopback ports, each with a directory of its own.

Where a Docker engine answers they run in containers (testcontainers), else from the binaries of the Debian packages.
`mosquitto` and `redis_server` are shared by a whole session: use own topics, client ids and keys. A test that needs
other settings, or that kills its server, takes `start_mosquitto` or `start_redis` and gets one of its own.
"""

from __future__ import annotations

import base64
import hashlib
import os
import pwd
import shutil
import socket
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from bridge.demo.servers import free_ports
from tests.certificate import Tls, make_tls
from tests.server_process import HOST, Container, Lifecycle, LocalProcess, Runtime, docker_answers

MOSQUITTO_IMAGE = "eclipse-mosquitto:2.0.22"
REDIS_IMAGE = "redis:7.4.2"
MQTT_CONNECT = b"\x10\x11\x00\x04MQTT\x04\x02\x00\x05\x00\x05ready"
"""MQTT 3.1.1, clean session, client id `ready`, no user: also a refusal is an answer."""
MQTT_CONNACK = b"\x20"


class Mosquitto:
    """A mosquitto. `user` and `password` are empty where it takes everybody. It saves sessions on a clean stop."""

    host = HOST

    def __init__(self, port: int, runtime: Runtime, *, user: str, password: str, ca_file: Path | None) -> None:
        self.port = port
        self.user = user
        self.password = password
        self.ca_file = ca_file
        life = Lifecycle("mosquitto", runtime, self._answers_connect)
        self.start, self.stop, self.kill = life.start, life.stop, life.kill
        self.restart, self.remove = life.restart, life.remove

    def _answers_connect(self) -> bool:
        """Whether a CONNECT is answered: an accepted connection may be one of the engine's proxy only."""
        with ExitStack() as stack:
            connection = stack.enter_context(socket.create_connection((HOST, self.port), timeout=1))
            if self.ca_file is not None:
                context = ssl.create_default_context(cafile=self.ca_file)
                connection = stack.enter_context(context.wrap_socket(connection, server_hostname=HOST))
            connection.sendall(MQTT_CONNECT)
            return connection.recv(1) == MQTT_CONNACK


class Redis:
    """A Redis. `url` holds the password and database 0."""

    host = HOST

    def __init__(self, port: int, runtime: Runtime, *, password: str) -> None:
        self.port = port
        self.password = password
        self.url = f"redis://:{password}@{HOST}:{port}/0"
        self._runtime = runtime
        life = Lifecycle("redis-server", runtime, self._pongs)
        self.start, self.stop, self.kill = life.start, life.stop, life.kill
        self.restart, self.remove = life.restart, life.remove

    @property
    def address(self) -> str:
        """Where a replica reaches it; tests reach it at `host`."""
        return self._runtime.address

    def _pongs(self) -> bool:
        with socket.create_connection((HOST, self.port), timeout=1) as connection:
            connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2 and (part := connection.recv(256)):
                answer += part
            return answer == b"+OK\r\n+PONG\r\n"


def _password_line(user: str, password: str) -> str:
    """A line of mosquitto's password file: PBKDF2 with SHA-512, 101 rounds, as `mosquitto_passwd` writes it."""
    salt = os.urandom(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 101)
    return f"{user}:$7$101${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}\n"


@contextmanager
def mosquitto_server(
    *,
    anonymous: bool = False,
    users: Mapping[str, str] | None = None,
    acl: str | None = None,
    tls: Tls | None = None,
    config: Mapping[str, str] | None = None,
) -> Iterator[Mosquitto]:
    """A running mosquitto. `users` are name to password (the first is the server's `user`); `acl` is the text of an
    ACL file; `config` holds further or other settings of mosquitto.conf."""
    users = {} if anonymous else dict(users or {"bridge": "bridge-password"})
    with tempfile.TemporaryDirectory(prefix="mosquitto-") as name:
        folder, (port,), in_docker = Path(name), free_ports(1), docker_answers()
        folder.chmod(0o777 if in_docker else 0o700)
        home = "/mosquitto/test" if in_docker else name
        (folder / "passwords").write_text("".join(_password_line(*one) for one in users.items()))
        settings = {
            "listener": f"{port} {'0.0.0.0' if in_docker else HOST}",
            "user": "mosquitto" if in_docker else pwd.getpwuid(os.getuid()).pw_name,
            "allow_anonymous": "true" if anonymous else "false",
            "password_file": "" if anonymous else f"{home}/passwords",
            "persistence": "true",
            "persistence_location": f"{home}/",
            "autosave_interval": "1",
            "max_inflight_messages": "1000",
            "max_queued_messages": "100000",
            "set_tcp_nodelay": "true",
        }
        if acl is not None:
            (folder / "acl").write_text(acl)
            settings["acl_file"] = f"{home}/acl"
        if tls is not None:
            for file, setting in ((tls.cert_file, "certfile"), (tls.key_file, "keyfile")):
                shutil.copy(file, folder / file.name)
                settings[setting] = f"{home}/{file.name}"
        settings |= config or {}
        lines = [f"{key} {value}\n" for key, value in settings.items() if value]
        (folder / "mosquitto.conf").write_text("".join(lines))
        arguments = ["-c", f"{home}/mosquitto.conf"]
        runtime: Runtime
        if in_docker:
            runtime = Container(MOSQUITTO_IMAGE, ["mosquitto", *arguments], port, (folder, home))
        else:
            runtime = LocalProcess("mosquitto", "mosquitto", arguments, folder / "log")
        user, password = next(iter(users.items()), ("", ""))
        server = Mosquitto(port, runtime, user=user, password=password, ca_file=tls.ca_file if tls else None)
        try:
            server.start()
            yield server
        finally:
            server.remove()


@contextmanager
def redis(config: Mapping[str, str] | None = None) -> Iterator[Redis]:
    """A running Redis, as durable as the bridge asks for; `config` holds other settings of redis.conf."""
    password = "redis-password"
    with tempfile.TemporaryDirectory(prefix="redis-") as name:
        (port,), in_docker = free_ports(1), docker_answers()
        settings = {
            "port": str(port),
            "bind": "0.0.0.0" if in_docker else HOST,
            "requirepass": password,
            "appendonly": "yes",
            "appendfsync": "always",
            "maxmemory-policy": "noeviction",
            "save": "",
        } | dict(config or {})
        arguments = [part for key, value in settings.items() for part in (f"--{key}", value)]
        runtime: Runtime
        if in_docker:
            runtime = Container(REDIS_IMAGE, ["redis-server", *arguments], port)
        else:
            arguments += ["--dir", name]
            runtime = LocalProcess("redis-server", "redis-server", arguments, Path(name) / "log")
        server = Redis(port, runtime, password=password)
        try:
            server.start()
            yield server
        finally:
            server.remove()


class StartMosquitto(Protocol):
    """Starts a mosquitto that ends with the test; the arguments are those of `mosquitto_server`."""

    def __call__(
        self,
        *,
        anonymous: bool = False,
        users: Mapping[str, str] | None = None,
        acl: str | None = None,
        tls: Tls | None = None,
        config: Mapping[str, str] | None = None,
    ) -> Mosquitto: ...


class StartRedis(Protocol):
    """Starts a Redis that ends with the test; `config` holds other settings of redis.conf."""

    def __call__(self, config: Mapping[str, str] | None = None) -> Redis: ...


@pytest.fixture(scope="session")
def mosquitto() -> Iterator[Mosquitto]:
    """The session's broker: durable, with a user and a password."""
    with mosquitto_server() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    """The session's Redis: appendonly, fsync always, no eviction, with a password."""
    with redis() as server:
        yield server


@pytest.fixture
def start_mosquitto() -> Iterator[StartMosquitto]:
    """Brokers of a test's own, with other settings, to be stopped and killed at will."""
    with ExitStack() as stack:

        def start(
            *,
            anonymous: bool = False,
            users: Mapping[str, str] | None = None,
            acl: str | None = None,
            tls: Tls | None = None,
            config: Mapping[str, str] | None = None,
        ) -> Mosquitto:
            return stack.enter_context(
                mosquitto_server(anonymous=anonymous, users=users, acl=acl, tls=tls, config=config)
            )

        yield start


@pytest.fixture
def start_redis() -> Iterator[StartRedis]:
    """Redis servers of a test's own, with other settings, to be stopped and killed at will."""
    with ExitStack() as stack:
        yield lambda config=None: stack.enter_context(redis(config))


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """A certificate for loopback and the authority that signed it."""
    return make_tls(tmp_path_factory.mktemp("tls"))
