"""A bridge that runs takes up what people do with versions of its rules."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from bridge.core.site import IN_FORCE
from bridge.errors import StartRefused
from bridge.lifecycle.book import VersionBook
from bridge.lifecycle.history import InForce, Step
from bridge.lifecycle.live import load_live
from ruleset.transaction import decode
from state.audit import log_files, read_lines
from state.entry import decode as read_entry
from state.record import Table
from tests.bridge.lifecycle.test_book import ANNA, BEN
from tests.bridge.simulator.listener import running, until
from tests.bridge.site import LINE, Site, bridge_on, plant_in


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(plant_in(tmp_path))


@pytest.fixture
def book(site: Site) -> VersionBook:
    return VersionBook(site.plant.folder)


def edit(site: Site, file: str, before: str, after: str) -> None:
    path = site.plant.folder / file
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def release(book: VersionBook) -> str:
    version = book.propose(ANNA, "a reason", 1, 1)
    book.act(Step.APPROVE, BEN, version, "a reason", 2)
    book.act(Step.PROMOTE, BEN, version, "a reason", 3)
    return version


async def start_work(site: Site, id: str) -> None:
    before = len(site.kinds)
    site.tell(f"{LINE}/work_started", id=id, order="mo-1", work_order="wo-1")
    await site.pass_time(lambda: len(site.kinds) > before)


async def ran(site: Site, book: VersionBook) -> str:
    """Release the folder as it stands, and let a bridge run it and end."""
    version = release(book)
    site.plant = load_live(site.plant.folder)
    async with bridge_on(site):
        pass
    return version


async def refused_start(site: Site) -> str:
    with pytest.raises(StartRefused) as refused:
        await asyncio.wait_for(site.service().run(asyncio.Event()), 5)
    return str(refused.value)


def lacking(site: Site, line: int, version: str) -> str:
    """What is said of a log in which what ran is missing."""
    log = site.plant.folder / "versions" / "audit.jsonl"
    return (
        f"{log}: line {line} is missing, which made {version} live, and the bridge ran that: put versions/ back as it "
        f"was, from git, or begin anew with what is there now: `uns-bridge rules forget-live {site.plant.folder}`"
    )


def texts_of_log(site: Site) -> dict[str, str]:
    return {file.name: file.read_text() for file in (site.plant.folder / "versions").glob("audit.jsonl*")}


def put_back(site: Site, texts: dict[str, str]) -> None:
    """Bring the log of the versions back as it was."""
    for name, text in texts.items():
        (site.plant.folder / "versions" / name).write_text(text)


def not_taken_up(logs: list[MutableMapping[str, Any]]) -> dict[str, str]:
    """Why versions were not taken up, and what stayed. A log that changes while it is read may be said to be broken."""
    return {each["reason"]: each["effect"] for each in logs if each["event"] == "rules.not_taken_up"}


def logged(logs: list[MutableMapping[str, Any]], event: str) -> MutableMapping[str, Any] | None:
    return next((each for each in logs if each["event"] == event), None)


async def test_what_is_promoted_while_the_bridge_runs_decides_from_then_on(site: Site, book: VersionBook) -> None:
    site.release_order()
    with capture_logs() as logs:
        async with bridge_on(site):
            await until(lambda: site.released is not None)
            await start_work(site, "s1")
            edit(site, "rules/production.yaml", "event: work_started\n", "event: work_started\n  when: 'true'\n")
            version = release(book)
            await until(lambda: logged(logs, "rules.live") is not None)
            await start_work(site, "s2")
    entries = [read_entry(body) for body in (await site.store.read(Table.DONE)).values()]
    done = [decode(entry.body).provenance for entry in entries if entry.action == "workorder.start"]
    starts = sorted((each.release, each.approved_by) for each in done)
    assert starts == [("", ""), (version, "ben")]
    lines = read_lines(*log_files(site.plant.folder / "data" / "audit.jsonl"))
    assert [(line.kind, line.fields) for line in lines if line.kind.startswith("rules.")] == [
        ("rules.in_force", {"version": version, "approved_by": "ben", "before": None})
    ]


async def test_a_version_runs_in_shadow_until_people_end_it(site: Site, book: VersionBook) -> None:
    version = book.propose(ANNA, "a reason", 1, 1)
    with capture_logs() as logs:
        async with bridge_on(site):
            book.act(Step.SHADOW, ANNA, version, "a reason", 2)
            await until(lambda: logged(logs, "rules.shadow_begun") is not None)
            book.act(Step.END_SHADOW, ANNA, version, "a reason", 3)
            await until(lambda: logged(logs, "rules.shadow_ended") is not None)
    begun, ended = logged(logs, "rules.shadow_begun"), logged(logs, "rules.shadow_ended")
    assert begun is not None
    assert ended is not None
    assert (begun["version"], ended["version"], ended["differing"]) == (version, version, 0)


async def test_versions_that_somebody_changed_are_not_taken_up_and_the_bridge_goes_on(
    site: Site, book: VersionBook
) -> None:
    site.release_order()
    with capture_logs() as logs:
        async with bridge_on(site):
            await until(lambda: site.released is not None)
            version = release(book)
            await until(lambda: logged(logs, "rules.live") is not None)
            edit(site, "versions/audit.jsonl", '"by":"ben"', '"by":"eve"')
            await until(lambda: logged(logs, "rules.not_taken_up") is not None)
            await start_work(site, "s1")
    refused = logged(logs, "rules.not_taken_up")
    assert refused is not None
    assert refused["log_level"] == "error"
    assert "it was changed after it was written" in refused["reason"]
    assert refused["effect"] == f"{version} stays live"


async def test_what_cannot_change_while_the_bridge_runs_is_said_and_counts_from_the_next_start(
    site: Site, book: VersionBook
) -> None:
    with capture_logs() as logs:
        async with bridge_on(site):
            edit(site, "assets.yaml", "company: 1", "company: 2")
            version = release(book)
            await until(lambda: logged(logs, "rules.need_restart") is not None)
    said = logged(logs, "rules.need_restart")
    assert said is not None
    assert said["reason"] == "the company cannot change while the bridge runs"
    live = load_live(site.plant.folder)
    assert (live.release and live.release.version, live.assets.company) == (version, 2)


@asynccontextmanager
async def standing_by(site: Site, *, ends: bool = True) -> AsyncIterator[asyncio.Task[None]]:
    """A bridge that waits for another one, which leads for a minute; stopped in order if it `ends`."""
    assert await site.store.acquire("another", 60_000) is not None
    stop = asyncio.Event()
    with capture_logs() as logs:
        waiting = asyncio.create_task(site.service().run(stop))
        await until(lambda: logged(logs, "lease.held_by_another") is not None)
    try:
        yield waiting
        if ends:
            stop.set()
            await asyncio.wait_for(waiting, 5)
    finally:
        waiting.cancel()
        await asyncio.wait([waiting])


async def test_a_bridge_that_stood_by_begins_with_what_was_promoted_meanwhile(site: Site, book: VersionBook) -> None:
    before = await ran(site, book)
    site.release_order()
    with capture_logs() as logs:
        async with running(site.line.run()), standing_by(site):
            edit(site, "rules/production.yaml", "event: work_started\n", "event: work_started\n  when: 'true'\n")
            version = release(book)
            site.clock.advance(60_000)
            await until(lambda: site.released is not None)
            await start_work(site, "s1")
    assert version != before
    assert msgspec.json.decode((await site.store.load()).records[IN_FORCE], type=InForce).version == version
    assert [each["event"] for each in logs if each["event"].startswith("rules.")] == []


async def test_a_bridge_that_stood_by_does_not_take_over_what_only_a_start_can_take(
    site: Site, book: VersionBook
) -> None:
    await ran(site, book)
    async with standing_by(site, ends=False) as waiting:
        edit(site, "assets.yaml", "company: 1", "company: 2")
        version = release(book)
        site.clock.advance(60_000)
        with pytest.raises(StartRefused) as refused:
            await asyncio.wait_for(waiting, 5)
    why = f"{version} became live while this bridge stood by, and the company cannot change while the bridge runs"
    assert str(refused.value) == f"{why}: start it again"


async def test_a_version_whose_files_come_after_the_log_is_taken_up_when_they_have_come(
    site: Site, book: VersionBook, tmp_path: Path
) -> None:
    with capture_logs() as logs:
        async with bridge_on(site):
            edit(site, "assets.yaml", "company: 1", "company: 1 # ours")
            version = book.propose(ANNA, "a reason", 1, 1)
            book.act(Step.APPROVE, BEN, version, "a reason", 2)
            texts = site.plant.folder / "versions" / version
            book.act(Step.PROMOTE, BEN, version, "a reason", 3)
            texts.rename(tmp_path / "not yet here")
            await until(lambda: logged(logs, "rules.not_taken_up") is not None)
            (tmp_path / "not yet here").rename(texts)
            await until(lambda: logged(logs, "rules.live") is not None)
    assert [each["event"] for each in logs].count("rules.not_taken_up") == 1


async def test_a_log_that_is_gone_leaves_live_what_is(site: Site, book: VersionBook) -> None:
    version = release(book)
    site.plant = load_live(site.plant.folder)
    with capture_logs() as logs:
        async with bridge_on(site):
            (site.plant.folder / "versions" / "audit.jsonl").rename(site.plant.folder / "versions" / "elsewhere")
            await until(lambda: lacking(site, 3, version) in not_taken_up(logs))
    assert not_taken_up(logs)[lacking(site, 3, version)] == f"{version} stays live"


async def test_a_log_that_is_older_than_what_ran_leaves_live_what_is(site: Site, book: VersionBook) -> None:
    first = release(book)
    site.plant = load_live(site.plant.folder)
    older = texts_of_log(site)
    with capture_logs() as logs:
        async with bridge_on(site):
            edit(site, "rules/production.yaml", "event: work_started\n", "event: work_started\n  when: 'true'\n")
            second = release(book)
            await until(lambda: logged(logs, "rules.live") is not None)
            put_back(site, older)
            await until(lambda: lacking(site, 6, second) in not_taken_up(logs))
    assert not_taken_up(logs)[lacking(site, 6, second)] == f"{second} stays live"
    assert [each["version"] for each in logs if each["event"] == "rules.live"] == [second]
    assert first != second


async def test_a_bridge_does_not_start_where_the_versions_are_gone(site: Site, book: VersionBook) -> None:
    version = await ran(site, book)
    (site.plant.folder / "versions").rename(site.plant.folder.parent / "elsewhere")
    site.plant = load_live(site.plant.folder)
    assert site.plant.release is None
    assert await refused_start(site) == lacking(site, 3, version)


async def test_a_bridge_does_not_start_on_a_version_that_was_replaced_or_taken_back_since(
    site: Site, book: VersionBook
) -> None:
    first = await ran(site, book)
    older = texts_of_log(site)
    edit(site, "rules/production.yaml", "event: work_started\n", "event: work_started\n  when: 'true'\n")
    second = await ran(site, book)
    newer = texts_of_log(site)
    put_back(site, older)
    site.plant = load_live(site.plant.folder)
    assert await refused_start(site) == lacking(site, 6, second)

    put_back(site, newer)
    book.act(Step.ROLL_BACK, BEN, second, "a reason", 4)
    site.plant = load_live(site.plant.folder)
    async with bridge_on(site):
        pass
    put_back(site, newer)
    site.plant = load_live(site.plant.folder)
    assert await refused_start(site) == lacking(site, 7, first)


async def test_a_bridge_starts_on_a_log_that_went_on_while_it_was_stopped(site: Site, book: VersionBook) -> None:
    await ran(site, book)
    edit(site, "rules/production.yaml", "event: work_started\n", "event: work_started\n  when: 'true'\n")
    await ran(site, book)
    stored = await site.store.read_one(IN_FORCE.table, IN_FORCE.id)
    assert stored is not None
    assert msgspec.json.decode(stored, type=InForce).line == 6


async def test_a_start_on_a_version_is_in_the_log_of_what_was_in_force(site: Site, book: VersionBook) -> None:
    version = release(book)
    site.plant = load_live(site.plant.folder)
    log = site.plant.folder / "data" / "audit.jsonl"
    async with bridge_on(site):
        await until(lambda: any(line.kind == "rules.in_force" for line in read_lines(*log_files(log))))
    (line,) = (each for each in read_lines(*log_files(log)) if each.kind == "rules.in_force")
    assert line.fields == {"version": version, "approved_by": "ben", "before": None}
