"""Real servers for tests: mosquitto and Redis on free loopback ports, each with a directory of its own.

Where a Docker engine answers they run in containers (testcontainers), else from the binaries of the Debian packages.
`mosquitto` and `redis_server` are shared by a whole session: use own topics, client ids and keys. A test that needs
other settings, or that kills its server, takes `start_mosquitto` or `start_redis` and gets one of its own.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import docker
import docker.errors
import pytest
from testcontainers.core.container import DockerContainer

HOST = "127.0.0.1"
READY_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 10.0
MOSQUITTO_IMAGE = "eclipse-mosquitto:2.0.22"
REDIS_IMAGE = "redis:7.4.2"


class ServerError(Exception):
    """A test's server is not installed, or did not come up; the message holds what it printed."""


def free_port() -> int:
    """A loopback TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


class Runtime(Protocol):
    """How a server's process is run: `LocalProcess` or `Container`."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...
    def remove(self) -> None: ...
    def failure(self) -> str | None: ...


class LocalProcess:
    """A server run from a binary of this machine."""

    def __init__(self, binary: str, package: str, arguments: list[str], log: Path) -> None:
        self._command = [_find(binary, package), *arguments]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )

    def stop(self) -> None:
        """End it cleanly; what it keeps is on the disk afterwards."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_TIMEOUT_S)

    def remove(self) -> None:
        self.stop()

    def failure(self) -> str | None:
        """What it printed, if it has ended by itself."""
        if self._process is None or self._process.poll() is None:
            return None
        return self._log.read_text(errors="replace")


class Container:
    """A server run by the Docker engine. It keeps its port and its files when it is stopped and started."""

    def __init__(self, image: str, command: list[str], port: int, mount: tuple[Path, str] | None = None) -> None:
        self._container = DockerContainer(image).with_command(command)
        # The engine takes an address with the port, which the library's annotation does not know.
        self._container.ports[str(port)] = (HOST, port)  # type: ignore[assignment]
        if mount is not None:
            self._container.with_volume_mapping(str(mount[0]), mount[1], "rw")
        self._created = False

    def start(self) -> None:
        if self._created:
            self._container.get_wrapped_container().start()
        else:
            self._container.start()
            self._created = True

    def stop(self) -> None:
        self._container.get_wrapped_container().stop()

    def kill(self) -> None:
        self._container.get_wrapped_container().kill()

    def remove(self) -> None:
        self._container.stop()

    def failure(self) -> str | None:
        wrapped = self._container.get_wrapped_container()
        wrapped.reload()
        return None if wrapped.status != "exited" else wrapped.logs().decode(errors="replace")


@functools.cache
def docker_answers() -> bool:
    """Whether a Docker engine can be used here."""
    try:
        docker.from_env(timeout=2).ping()
    except docker.errors.DockerException:
        return False
    return True


def _find(binary: str, package: str) -> str:
    path = shutil.which(binary, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if path is None:
        raise ServerError(f"{binary} is not installed: install the Debian package {package}, or start a Docker engine")
    return path


def _until_ready(runtime: Runtime, ready: Callable[[], bool], name: str) -> None:
    """Ask again and again, for at most `READY_TIMEOUT_S`."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    while not _answers(ready):
        if (printed := runtime.failure()) is not None:
            raise ServerError(f"{name} ended while starting:\n{printed}")
        if time.monotonic() > deadline:
            raise ServerError(f"{name} did not answer within {READY_TIMEOUT_S:.0f} s")
        time.sleep(0.02)


def _answers(ready: Callable[[], bool]) -> bool:
    try:
        return ready()
    except OSError:
        return False


class Server:
    """A server that a test can end and start again; its address and its files stay."""

    host = HOST

    def __init__(self, name: str, port: int, runtime: Runtime, ready: Callable[[], bool]) -> None:
        self.port = port
        self._name = name
        self._runtime = runtime
        self._ready = ready

    def start(self) -> None:
        """Start it and return when it answers."""
        self._runtime.start()
        _until_ready(self._runtime, self._ready, self._name)

    def stop(self) -> None:
        """End it cleanly and return when it has ended."""
        self._runtime.stop()

    def kill(self) -> None:
        """End it without warning, as a power cut would."""
        self._runtime.kill()

    def restart(self) -> None:
        self.stop()
        self.start()

    def remove(self) -> None:
        """End it for good."""
        self._runtime.remove()


class Mosquitto(Server):
    """A mosquitto. `user` and `password` are empty where it takes everybody. It saves sessions on a clean stop."""

    def __init__(self, port: int, runtime: Runtime, *, user: str, password: str, ca_file: Path | None) -> None:
        super().__init__("mosquitto", port, runtime, self._accepts)
        self.user = user
        self.password = password
        self.ca_file = ca_file

    def _accepts(self) -> bool:
        with socket.create_connection((HOST, self.port), timeout=1):
            return True


class Redis(Server):
    """A Redis. `url` holds the password and database 0."""

    def __init__(self, port: int, runtime: Runtime, *, password: str) -> None:
        super().__init__("redis-server", port, runtime, self._pongs)
        self.password = password
        self.url = f"redis://:{password}@{HOST}:{port}/0"

    def _pongs(self) -> bool:
        with socket.create_connection((HOST, self.port), timeout=1) as connection:
            connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2 and (part := connection.recv(256)):
                answer += part
            return answer == b"+OK\r\n+PONG\r\n"


@dataclass(frozen=True, slots=True)
class Tls:
    """A server's certificate with its key, and the authority that signed it."""

    ca_file: Path
    cert_file: Path
    key_file: Path


def make_tls(folder: Path) -> Tls:
    """A new certificate authority and a certificate for 127.0.0.1 and localhost, by the `openssl` command."""
    openssl = _find("openssl", "openssl")
    tls = Tls(folder / "ca.crt", folder / "server.crt", folder / "server.key")
    request, extensions = folder / "server.csr", folder / "server.ext"
    extensions.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    ca_key = str(folder / "ca.key")
    commands = [
        [
            "req",
            "-x509",
            *key,
            "-keyout",
            ca_key,
            "-out",
            str(tls.ca_file),
            "-days",
            "2",
            "-subj",
            "/CN=test authority",
        ],
        ["req", *key, "-keyout", str(tls.key_file), "-out", str(request), "-subj", "/CN=127.0.0.1"],
        ["x509", "-req", "-in", str(request), "-CA", str(tls.ca_file), "-CAkey", ca_key, "-CAcreateserial"],
    ]
    commands[-1] += ["-days", "2", "-extfile", str(extensions), "-out", str(tls.cert_file)]
    for command in commands:
        subprocess.run([openssl, *command], check=True, capture_output=True)
    tls.key_file.chmod(0o644)
    return tls


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
        folder, port, in_docker = Path(name), free_port(), docker_answers()
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
        port, in_docker = free_port(), docker_answers()
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
