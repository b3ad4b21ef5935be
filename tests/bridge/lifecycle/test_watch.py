"""A bridge that runs takes up what people do with versions of its rules."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.lifecycle.book import VersionBook
from bridge.lifecycle.history import Step
from bridge.lifecycle.live import load_live
from ruleset.transaction import decode
from state.audit import log_files, read_lines
from state.entry import decode as read_entry
from state.record import Table
from tests.bridge.lifecycle.test_book import ANNA, BEN
from tests.bridge.simulator.listener import until
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
    release(book)
    site.plant = load_live(site.plant.folder)
    with capture_logs() as logs:
        async with bridge_on(site):
            (site.plant.folder / "versions" / "audit.jsonl").rename(site.plant.folder / "versions" / "elsewhere")
            await until(lambda: logged(logs, "rules.not_taken_up") is not None)
    refused = logged(logs, "rules.not_taken_up")
    assert refused is not None
    assert refused["reason"] == f"{site.plant.folder}: the log of its versions is gone; take it from git"


async def test_a_start_on_a_version_is_in_the_log_of_what_was_in_force(site: Site, book: VersionBook) -> None:
    version = release(book)
    site.plant = load_live(site.plant.folder)
    log = site.plant.folder / "data" / "audit.jsonl"
    async with bridge_on(site):
        await until(lambda: any(line.kind == "rules.in_force" for line in read_lines(*log_files(log))))
    (line,) = (each for each in read_lines(*log_files(log)) if each.kind == "rules.in_force")
    assert line.fields == {"version": version, "approved_by": "ben", "before": None}
