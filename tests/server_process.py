"""How a test's server is run and ended: as a process of this machine, or in a container."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import docker
import docker.errors
from testcontainers.core.container import DockerContainer

HOST = "127.0.0.1"
READY_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 10.0


class ServerError(Exception):
    """A test's server is not installed, or did not come up; the message holds what it printed."""


class Runtime(Protocol):
    """How a server's process is run: `LocalProcess` or `Container`."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...
    def remove(self) -> None: ...
    def failure(self) -> str | None: ...

    @property
    def address(self) -> str:
        """Where other servers of the tests reach it."""


class LocalProcess:
    """A server run from a binary of this machine."""

    address = HOST

    def __init__(self, binary: str, package: str, arguments: list[str], log: Path) -> None:
        self._command = [find_binary(binary, package), *arguments]
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
        wrapped = self._container.get_wrapped_container()
        wrapped.kill()
        wrapped.wait()

    def remove(self) -> None:
        self._container.stop()

    @property
    def address(self) -> str:
        wrapped = self._container.get_wrapped_container()
        wrapped.reload()
        return str(wrapped.attrs["NetworkSettings"]["IPAddress"])

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


def find_binary(binary: str, package: str) -> str:
    path = shutil.which(binary, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/usr/local/sbin")
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


class Lifecycle:
    """Starting and ending a server; its address and its files stay."""

    def __init__(self, name: str, runtime: Runtime, ready: Callable[[], bool]) -> None:
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
