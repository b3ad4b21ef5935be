"""The whole bridge in virtual time under faults: a slice of the schedules, that they repeat, and that they can fail."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.fault import Kind, draw
from tests.faults.trial import play

ROOT = Path(__file__).parents[2]
SLICE = 12


def test_what_happens_is_in_odoo_once_and_in_order_whatever_fails(tmp_path: Path) -> None:
    judged = {seed: play(draw(seed), tmp_path).verdict.faults for seed in range(1, SLICE + 1)}
    assert {seed: faults for seed, faults in judged.items() if faults} == {}


def test_a_seed_is_the_same_schedule_event_by_event_also_in_a_process_that_hashes_otherwise(tmp_path: Path) -> None:
    asked = [sys.executable, "-m", "tests.faults", "--seed", "7"]
    told = [
        subprocess.run(asked, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": each}, capture_output=True, check=True)
        for each in ("0", "1")
    ]
    assert len({hashlib.sha256(one.stdout).hexdigest() for one in told}) == 1
    events = play(draw(7), tmp_path).events
    assert len(events) > 100
    assert "\n".join(events) in told[0].stdout.decode()


def test_all_kinds_of_faults_are_drawn() -> None:
    assert {fault.kind for seed in range(1, 400) for fault in draw(seed).faults} == set(Kind)


def test_leaving_a_fault_out_changes_no_other() -> None:
    schedule = draw(7)
    assert schedule.without({2}).faults == (schedule.faults[0], *schedule.faults[2:])


@pytest.mark.parametrize("trait", ["inbox", "look-first"])
def test_a_day_without_faults_is_clean(tmp_path: Path, trait: str) -> None:
    quiet = replace(draw(3), faults=(), traits=frozenset({trait}))
    assert play(quiet, tmp_path).verdict.faults == ()
