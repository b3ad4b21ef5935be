"""RedisStore: the store of a site on Redis 7 or later, or on Valkey.

What is confirmed is on the server's disk when the server runs with `appendonly yes` and `appendfsync always`
(`weaknesses` says whether it does). No call is repeated in here: the caller repeats what `StoreUnavailable` ended.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final, TypeVar
from urllib.parse import unquote, urlsplit

from redis import exceptions
from redis.asyncio import Redis

from state.errors import Fenced, OutOfStep, StoreUnavailable
from state.keys import Keys
from state.memory_store import fenced_text, out_of_step_text
from state.record import NOT_LOADED, Commit, RecordId, Stored, Table, content_hash
from state.server.failure import meaning_of
from state.server.reach import Cluster, OneServer, Reach
from state.server.settings import UNREADABLE_URL, RedisSettings
from state.store import Act, Leader, Lease
from state.survey.redis import PRIMARY, Assurance, Survey, durability, survey

SCANNED: Final = 10_000
"""Ids of traces that are looked at in one call."""
KEPT_DONE_ACTS: Final = 1000
"""How many ids of acts done are remembered, so that submitting one of them again changes nothing."""

Result = TypeVar("Result")


class RedisStore:
    """A `Store` on one Redis server or a cluster. Made without connecting; raises `ValueError` for an unusable url."""

    def __init__(self, settings: RedisSettings, site: str) -> None:
        self._settings = settings
        self._keys = Keys(site)
        try:
            url = urlsplit(settings.url)
            self._server: Reach = Cluster(settings, self._keys.lease) if settings.nodes else OneServer(settings)
        except ValueError:
            # The reason may quote a part of the password, where a character of it was not encoded.
            raise ValueError(UNREADABLE_URL) from None
        self._secret = unquote(url.password or "")

    async def acquire(self, holder: str, ttl_ms: int) -> Lease | None:
        token = await self._run("acquire", (self._keys.lease, self._keys.token), (holder, ttl_ms))
        return Lease(holder=holder, token=int(token), ttl_ms=ttl_ms) if int(token) else None

    async def renew(self, lease: Lease) -> bool:
        return bool(await self._run("renew", (self._keys.lease,), (lease.holder, lease.token, lease.ttl_ms)))

    async def release(self, lease: Lease) -> None:
        await self._run("release", (self._keys.lease,), (lease.holder, lease.token))

    async def leader(self) -> Leader | None:
        found = await self._run("leader", (self._keys.lease,))
        return Leader(holder=found[0].decode(), since_ms=int(found[1])) if found else None

    async def load(self) -> Stored:
        tables = [table for table in Table if table not in NOT_LOADED]
        keys = (self._keys.commit, *(self._keys.table(table) for table in tables))
        number, *stored = await self._run("load", keys, timeout_s=self._settings.load_timeout_s)
        records = {
            RecordId(table, id.decode()): value
            for table, flat in zip(tables, stored, strict=True)
            for id, value in _pairs(flat)
        }
        return Stored(number=int(number or 0), records=records)

    async def read(self, table: Table) -> dict[str, bytes]:
        command = self._command("HGETALL", self._keys.table(table))
        stored = await self._wait(command, self._settings.load_timeout_s)
        return {id.decode(): value for id, value in stored.items()}

    async def read_one(self, table: Table, id: str) -> bytes | None:
        value = await self._wait(self._command("HGET", self._keys.table(table), id))
        return None if value is None else bytes(value)

    async def traced(self, prefix: str, limit: int) -> Sequence[str]:
        pattern, cursor = re.sub(r"([*?\[\]\\])", r"\\\1", prefix) + "*", b"0"
        found: set[str] = set()
        while True:
            scan = self._command("ZSCAN", self._keys.traces_order, cursor, "MATCH", pattern, "COUNT", SCANNED)
            cursor, scored = await self._wait(scan)
            found |= {id.decode() for id, _ in scored}
            if int(cursor) == 0:
                return sorted(found)[:limit]

    async def commit(self, lease: Lease, commit: Commit) -> None:
        keys = self._keys
        fixed = (keys.lease, keys.commit, keys.acts, keys.acts_order, keys.acts_done, keys.traces_order)
        keys_used = (*fixed, *keys.tables)
        arguments = _commit_arguments(lease, commit, self._settings.traces_kept)
        answer, number = await self._run("commit", keys_used, arguments, replicas=self._settings.replicas)
        match answer.decode():
            case "done" | "repeated":
                return
            case "fenced":
                raise Fenced(fenced_text(lease, number.decode()))
            case _:
                raise OutOfStep(out_of_step_text(commit, int(number)), int(number))

    async def submit(self, act: Act) -> None:
        keys = (self._keys.acts, self._keys.acts_order, self._keys.acts_done)
        await self._run("submit", keys, (act.id, act.body))

    async def acts(self) -> Sequence[Act]:
        flat = await self._run("acts", (self._keys.acts, self._keys.acts_order))
        return tuple(Act(id=id.decode(), body=body) for id, body in _pairs(flat))

    async def weaknesses(self) -> Sequence[str]:
        return tuple(one.weakness for one in await self.durability() if one.weakness and one.name != PRIMARY)

    async def clock_ms(self) -> int:
        """The server's clock."""
        seconds, micros = await self._wait(self._command("TIME"))
        return int(seconds) * 1000 + int(micros) // 1000

    async def durability(self) -> Sequence[Assurance]:
        """What keeps that which is confirmed, each with what is wrong with it."""
        return await self._wait(durability(self._command, self._settings.replicas))

    async def survey(self) -> Survey:
        """What the server says of itself."""
        return await self._wait(survey(self._command))

    async def try_commit(self) -> None:
        """Write and remove a key of our own, as durably as a commit: to see that it works, and how long it takes."""
        await self._run("probe", (self._keys.probe,), replicas=self._settings.replicas)

    async def close(self) -> None:
        await self._wait(self._server.close())

    async def _run(
        self,
        name: str,
        keys: Sequence[str],
        arguments: Sequence[str | int | bytes] = (),
        *,
        replicas: int = 0,
        timeout_s: float | None = None,
    ) -> Any:
        """The script's result, once `replicas` have it."""
        script = _script(name)
        rest = (len(keys), *keys, *arguments)
        run = self._run_replicated(script, rest, replicas) if replicas else self._run_once(script, rest)
        return await self._wait(run, timeout_s)

    async def _command(self, *words: str | int | bytes) -> Any:
        return await self._at_primary(lambda redis: redis.execute_command(*words))  # type: ignore[no-untyped-call]

    async def _at_primary(self, work: Callable[[Redis], Awaitable[Result]]) -> Result:
        """Do it where the keys are. A server that says that another one has them did nothing, and it is done there."""
        try:
            return await work(await self._server.primary())
        except exceptions.MovedError:
            await self._server.failed()
            return await work(await self._server.primary())

    async def _run_once(self, script: Script, rest: Sequence[str | int | bytes]) -> Any:
        try:
            return await self._command("EVALSHA", script.sha, *rest)
        except exceptions.NoScriptError:
            return await self._command("EVAL", script.text, *rest)

    async def _run_replicated(self, script: Script, rest: Sequence[str | int | bytes], replicas: int) -> Any:
        """EVAL and WAIT on one connection: WAIT waits for the writes of its own connection only."""

        async def evaluate(redis: Redis) -> Any:
            async with redis.pipeline(transaction=False) as pipe:
                pipe.execute_command("EVAL", script.text, *rest)
                pipe.execute_command("WAIT", replicas, int(self._settings.timeout_s * 800))
                return await pipe.execute()

        result, reached = await self._at_primary(evaluate)
        if reached < replicas:
            raise StoreUnavailable(
                f"{self._server.name}: {reached} of {replicas} replicas have the commit; start the others"
            )
        return result

    async def _wait(self, work: Awaitable[Result], timeout_s: float | None = None) -> Result:
        limit_s = timeout_s or self._settings.timeout_s
        task = asyncio.current_task()
        cancelled_before = task.cancelling() if task else 0
        try:
            with self._translated(limit_s):
                async with asyncio.timeout(limit_s):
                    return await work
        except StoreUnavailable:
            await self._server.failed()
            raise
        finally:
            if task and task.cancelling() > cancelled_before:
                raise asyncio.CancelledError  # the client (redis-py 8.1) may swallow it while it connects

    @contextmanager
    def _translated(self, limit_s: float) -> Iterator[None]:
        """Turn every failure of the client into `StoreUnavailable`, in words that hold no secret."""
        try:
            yield
        except StoreUnavailable:
            raise
        except (TimeoutError, exceptions.TimeoutError) as error:
            raise StoreUnavailable(f"{self._server.name} did not answer within {limit_s:g} s") from error
        except (exceptions.RedisError, OSError) as error:
            text = meaning_of(error)
            raise StoreUnavailable(
                f"{self._server.name} {text.replace(self._secret, '***') if self._secret else text}"
            ) from error


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script and what Redis calls it."""

    text: bytes
    sha: str


@functools.cache
def _script(name: str) -> Script:
    text = files("state").joinpath("lua", f"{name}.lua").read_bytes()
    return Script(text, hashlib.sha1(text, usedforsecurity=False).hexdigest())


def _pairs(flat: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    return zip(flat[::2], flat[1::2], strict=True)


def _commit_arguments(lease: Lease, commit: Commit, traces_kept: int) -> list[str | int | bytes]:
    """ARGV of `lua/commit.lua`."""
    arguments: list[str | int | bytes] = [lease.holder, lease.token, commit.number, content_hash(commit)]
    arguments += [KEPT_DONE_ACTS, traces_kept, list(Table).index(Table.TRACE) + 1]
    arguments += [len(commit.acts_done), *commit.acts_done]
    puts: dict[Table, list[str | bytes]] = {table: [] for table in Table}
    removals: dict[Table, list[str]] = {table: [] for table in Table}
    for (table, id), value in commit.puts.items():
        if value is None:
            removals[table].append(id)
        else:
            puts[table] += (id, value)
    for table in Table:
        arguments += [len(puts[table]) // 2, *puts[table], len(removals[table]), *removals[table]]
    return arguments
