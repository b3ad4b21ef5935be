"""The poller of acts: each is taken once, an outage of the store included."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.core.act import new_act
from bridge.core.input import Acted, ActKind, Tick
from bridge.loop import Entering
from bridge.poll import ActPoller
from state.audit import AuditLog, verify
from state.errors import StoreUnavailable
from state.memory_store import MemoryStore
from state.store import Act
from tests.bridge.simulator.listener import running, until
from tests.bridge.site import ManualClock

ACT = new_act(ActKind.SKIP, ("a", "b"), "ada", "by hand")


class Flaky(MemoryStore):
    """A store whose every second answer about acts is an outage."""

    asked = 0

    async def acts(self) -> Sequence[Act]:
        self.asked += 1
        if self.asked % 2 == 0:
            raise StoreUnavailable("away")
        return await super().acts()


@pytest.fixture
def entered() -> asyncio.Queue[Entering]:
    return asyncio.Queue(100)


async def test_an_act_is_entered_once_although_the_store_is_away_in_between(
    tmp_path: Path, entered: asyncio.Queue[Entering]
) -> None:
    store, log = Flaky(), tmp_path / "audit.jsonl"
    await store.submit(ACT)
    poller = ActPoller(store, entered.put, ManualClock(), AuditLog(log), every_s=0)
    async with running(poller.run()):
        await until(lambda: store.asked > 10)
    entering = entered.get_nowait()
    assert (entered.empty(), entering.act, isinstance(entering.input, Acted)) == (True, ACT.id, True)
    assert (verify(log), len(log.read_text().splitlines())) == ((), 2)


async def test_an_act_that_cannot_be_read_is_said_and_ticked_off(
    tmp_path: Path, entered: asyncio.Queue[Entering]
) -> None:
    store = MemoryStore()
    await store.submit(Act(id="odd", body=b"?"))
    poller = ActPoller(store, entered.put, ManualClock(), AuditLog(tmp_path / "audit.jsonl"), every_s=0)
    with capture_logs() as logs:
        async with running(poller.run()):
            entering = await asyncio.wait_for(entered.get(), 5)
    assert (entering.act, entering.input, logs[0]["event"]) == ("odd", Tick(), "act.unreadable")


async def test_an_act_that_cannot_be_audited_waits(tmp_path: Path, entered: asyncio.Queue[Entering]) -> None:
    store, folder = MemoryStore(), tmp_path / "data"
    await store.submit(ACT)
    poller = ActPoller(store, entered.put, ManualClock(), AuditLog(folder / "audit.jsonl"), every_s=0)
    with capture_logs() as logs:
        async with running(poller.run()):
            await until(lambda: bool(logs))
            assert entered.empty()
            folder.mkdir()
            await asyncio.wait_for(entered.get(), 5)
    assert [line["event"] for line in logs] == ["audit.not_written"]
