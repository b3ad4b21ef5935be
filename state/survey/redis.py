"""What a Redis says of itself: whether it keeps what it confirms, which version it is, its clock, its memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from redis import exceptions

from state.errors import WrongServer

Command: TypeAlias = Callable[..., Awaitable[Any]]
"""A Redis command and its arguments."""

WANTED: Final = {
    "appendonly": ("yes", "the server keeps no append-only file: what it confirmed is lost when it ends"),
    "appendfsync": ("always", "the server confirms before the disk has it: a power cut loses what was confirmed last"),
    "no-appendfsync-on-rewrite": ("no", "the server does not wait for the disk while it rewrites its append-only file"),
    "maxmemory-policy": ("noeviction", "the server throws away what it keeps when its memory is full"),
}
"""The settings that the bridge relies on: the value, and what another value means."""


PRIMARY: Final = "primary"
"""What a replica is not. That is no weakness which somebody may accept: it takes no writes, perhaps only for now."""


SENTINEL: Final = (
    "this is a Redis Sentinel, which keeps no data, and the bridge asks none where the primary is: give the url of the "
    "primary, by a name that moves with it, or use a Redis Cluster (`redis: {nodes: [...]}`)"
)


@dataclass(frozen=True, slots=True)
class Assurance:
    """One thing that the bridge relies on, and what is wrong with it, with its mend; empty: it is so."""

    name: str
    weakness: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What the server says of itself. `version` is that of Redis which it is compatible with, (0,) where it is hidden.

    `memory_limit` is 0 where there is none. Both in bytes.
    """

    product: str
    version: tuple[int, ...]
    now_ms: int
    memory_used: int
    memory_limit: int


async def survey(command: Command) -> Survey:
    """Ask the server. A user without the right to ask INFO learns the clock only."""
    seconds, micros = await command("TIME")
    try:
        info: Mapping[str, Any] = await command("INFO")
    except exceptions.ResponseError:
        info = {}
    found = str(info.get("redis_version", "0"))
    product = f"Valkey {info['valkey_version']}" if "valkey_version" in info else f"Redis {found}"
    return Survey(
        product=product if info else "",
        version=tuple(int(part) for part in found.split(".") if part.isdigit()),
        now_ms=int(seconds) * 1000 + int(micros) // 1000,
        memory_used=int(info.get("used_memory", 0)),
        memory_limit=int(info.get("maxmemory", 0)),
    )


async def durability(command: Command, replicas: int) -> tuple[Assurance, ...]:
    """What keeps that which is confirmed. `replicas` is how many a commit waits for. Raises `WrongServer`."""
    role = await _role(command, replicas)
    return (*await _settings(command), role)


async def _settings(command: Command) -> list[Assurance]:
    values: dict[str, str] = {}
    try:
        for name in WANTED:
            answer: Any = await command("CONFIG GET", name)
            values |= {_text(key): _text(value) for key, value in answer.items()}
    except exceptions.ResponseError:
        wanted = ", ".join(f"{name} {value}" for name, (value, _) in WANTED.items())
        hidden = (
            "the server does not let CONFIG be read, so nobody can tell whether it keeps what it confirms; "
            f"allow `CONFIG GET` to this user, or see to it that it runs with {wanted}"
        )
        return [Assurance("settings", hidden)]
    return [
        Assurance(
            f"{name} {wanted}",
            "" if values.get(name, wanted) == wanted else f"{meaning}; set `{name} {wanted}` in redis.conf",
        )
        for name, (wanted, meaning) in WANTED.items()
    ]


async def _role(command: Command, replicas: int) -> Assurance:
    try:
        answer: Any = await command("ROLE")
    except exceptions.ResponseError:
        return Assurance("role", "the server does not tell its role; allow `ROLE` to this user")
    role = _text(answer[0])
    if role == "sentinel":
        raise WrongServer(SENTINEL)
    if role != "master":
        return Assurance(PRIMARY, "the server is a replica and takes no writes; give the url of its primary")
    count = len(answer[2])
    if count and not replicas:
        weakness = (
            f"the server has {count} replica{'s' * (count > 1)} and a commit waits for none: a failover loses what was "
            "confirmed last; set `replicas` to 1 or more"
        )
        return Assurance("replicas", weakness)
    return Assurance(f"primary, {count} replica{'s' * (count != 1)}")


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
