"""Odoo wakes the poller over HTTP: whoever knows the token, whatever is said; nobody else."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from bridge.orders.wake import Wake
from bridge.settings.secret import Secret
from bridge.settings.wake import WakeSettings
from ruleset.problem import Problem
from tests.bridge.simulator.listener import running

TOKEN = "a-long-and-secret-word"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class Called:
    """A wake server, and how often it woke the poller."""

    url: str
    token_file: Path
    wake: Wake | None = None
    times: list[None] = field(default_factory=list)

    async def post(self, token: str, verb: str = "POST") -> int:
        connector = aiohttp.TCPConnector(force_close=True)
        async with aiohttp.ClientSession(connector=connector) as session:
            for _ in range(500):
                try:
                    async with session.request(verb, f"{self.url}/wake/{token}", json={"_id": 42}) as response:
                        return response.status
                except aiohttp.ClientConnectorError:
                    continue
        raise AssertionError("nobody listens")


@pytest.fixture
async def called(tmp_path: Path) -> AsyncIterator[Called]:
    file, port = tmp_path / "token", free_port()
    file.write_text(f"{TOKEN}\n")
    called = Called(f"http://127.0.0.1:{port}", file)
    secret = Secret(place=Problem(file="bridge.yaml", text="the token is named here"), file=file)
    settings = WakeSettings(listen=("127.0.0.1", port), token_file=secret)
    called.wake = Wake(settings, lambda: called.times.append(None))
    async with running(called.wake.run()):
        yield called


async def test_a_call_with_the_token_wakes_the_poller(called: Called) -> None:
    assert (await called.post(TOKEN), len(called.times)) == (204, 1)


async def test_a_wrong_token_is_refused_and_counted(called: Called) -> None:
    assert [await called.post(token) for token in ("wrong", TOKEN[:-1])] == [403, 403]
    assert called.wake is not None
    assert (called.wake.refused, called.times) == (2, [])


async def test_only_a_post_wakes(called: Called) -> None:
    assert (await called.post(TOKEN, "GET"), called.times) == (405, [])


async def test_a_token_that_was_changed_counts_at_once_and_one_that_is_gone_wakes_nobody(called: Called) -> None:
    called.token_file.write_text("another")
    assert [await called.post(token) for token in (TOKEN, "another")] == [403, 204]
    called.token_file.unlink()
    assert await called.post("another") == 503
