"""What the bridge did live, a recording of it does again, to the byte."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from bridge.core.site import RUNS
from bridge.plant import load_plant
from bridge.recording.reader import read
from bridge.recording.rerun import Stepped, postings, rerun
from state.record import NOT_LOADED
from tests.bridge.recording.day import Day, beginnings, gaps, inputs, live, recording_plant, site_of

TOTALS: Final = frozenset({"production.progress"})
"""Actions of which the bridge joins several into one while they wait."""


def rerun_records(day: Day) -> dict[tuple[str, str], bytes]:
    """The records that a rerun ends with."""
    records: dict[tuple[str, str], bytes] = {}
    for each in rerun(day.plant, day.recording(), as_recorded=True):
        if isinstance(each, Stepped):
            for (table, id), body in each.changes.items():
                if body is None:
                    records.pop((table, id), None)
                else:
                    records[table, id] = body
    return records


def core_records(day: Day) -> dict[tuple[str, str], bytes]:
    """The records that the store ends with; what runs is written by the shell."""
    return {(table.value, id): body for (table, id), body in day.stored.records.items() if (table, id) != RUNS}


async def test_a_recorded_day_run_again_commits_the_same_records_and_entries(tmp_path: Path) -> None:
    plant = recording_plant(tmp_path)
    day = await live(site_of(plant), plant, lives=[4.0])

    again = rerun_records(day)

    assert gaps(day.recording()) == []
    assert len(inputs(day.recording())) > 500
    assert len(day.done) > 30
    assert {id: body for id, body in again.items() if id[0] not in NOT_LOADED} == core_records(day)


async def test_a_day_with_a_restart_in_it_is_run_again_as_it_was(tmp_path: Path) -> None:
    plant = recording_plant(tmp_path)
    day = await live(site_of(plant), plant, lives=[2.0, 2.0])

    again = rerun_records(day)

    assert [(each.part, each.follows) for each in beginnings(day.recording())] == [(1, False), (1, True)]
    assert {id: body for id, body in again.items() if id[0] not in NOT_LOADED} == core_records(day)
    assert len(day.done) > 10


@pytest.mark.slow
async def test_any_file_can_be_run_by_itself_and_with_any_rules(tmp_path: Path) -> None:
    plant = recording_plant(tmp_path)
    assert plant.settings.recording is not None
    quick = replace(plant.settings.recording, max_age_ms=10_000)  # half a second here
    plant = replace(plant, settings=replace(plant.settings, recording=quick))
    day = await live(site_of(plant), plant, lives=[5.5])
    rules = plant.folder / "rules/production.yaml"
    rules.write_text(rules.read_text().replace("post: {every: 5s,", "post: {every: 1s,"))
    changed = load_plant(plant.folder)

    whole = [one.entry for one in postings(rerun(plant, read(day.files), as_recorded=False))]
    later = [one.entry for one in postings(rerun(plant, read(day.files[1:]), as_recorded=False))]
    others = [one.entry for one in postings(rerun(changed, read(day.files), as_recorded=False))]

    assert len(day.files) > 1
    assert {entry.key for entry in day.done} & {entry.key for entry in whole} >= {
        entry.key for entry in day.done if entry.action not in TOTALS
    }
    assert 0 < len(later) < len(whole)
    assert (
        Counter(entry.action for entry in others)["production.progress"]
        != Counter(entry.action for entry in whole)["production.progress"]
    )


@pytest.mark.slow
async def test_the_same_recording_gives_the_same_text_in_every_process(tmp_path: Path) -> None:
    plant = recording_plant(tmp_path)
    day = await live(site_of(plant), plant, lives=[3.0])
    texts = set()
    for seed, outcomes in [("1", "recorded"), ("2", "recorded"), ("1", "at-once"), ("2", "at-once")]:
        command = [sys.executable, "-m", "bridge", "rerun", str(plant.folder), *map(str, day.files), "--json"]
        process = await asyncio.create_subprocess_exec(
            *command, "--outcomes", outcomes, stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONHASHSEED": seed}
        )
        told, _ = await process.communicate()
        assert process.returncode == 0
        texts.add(told)
    assert len(texts) == 2
