"""What the bridge did live, a recording of it does again, to the byte."""

from __future__ import annotations

from pathlib import Path

from bridge.recording.rerun import Stepped, rerun
from state.record import Table
from tests.bridge.recording.day import Day, gaps, inputs, live, recording_plant, site_of


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


async def test_a_recorded_day_run_again_commits_the_same_records_and_entries(tmp_path: Path) -> None:
    plant = recording_plant(tmp_path)
    day = await live(site_of(plant), plant, lives=[4.0])

    again = rerun_records(day)

    assert gaps(day.recording()) == []
    assert len(inputs(day.recording())) > 500
    assert len(day.done) > 30
    live_records = {(table.value, id): body for (table, id), body in day.stored.records.items()}
    assert {id: body for id, body in again.items() if id[0] != Table.DONE} == live_records
