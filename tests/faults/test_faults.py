"""The whole bridge in virtual time under faults: a slice of the schedules, that they repeat, and that they can fail."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from odoo_adapter.client.classify import Answer
from state.record import Commit
from state.store import Lease
from tests.faults.desk import Desk
from tests.faults.fault import Fault, Kind, Schedule, draw
from tests.faults.keeper import Server
from tests.faults.shrink import left_out, shrink
from tests.faults.trial import play


class Forgetful(Desk):
    """An Odoo whose inbox forgets which keys it has seen, but not what it did."""

    def carry_out(self, user: int, path: str, body: Mapping[str, Any]) -> Answer:
        answer = super().carry_out(user, path, body)
        for row in self.database.all("x_uns_transaction"):
            if not (name := row.text("x_name")).startswith("@") and "#" not in name:
                row.write(x_name=f"{name}#{row.id}")
        return answer


class Unfenced(Server):
    """A store that takes commits from whoever sends them."""

    async def commit(self, lease: Lease, commit: Commit) -> None:
        self._number = commit.number - 1
        await super().commit(lease, commit)

    def _holds(self, lease: Lease) -> bool:
        return True


ROOT = Path(__file__).parents[2]
SLICE = range(1, 41)


def test_what_happens_is_in_odoo_once_and_in_order_whatever_fails(tmp_path: Path) -> None:
    judged = {seed: play(draw(seed), tmp_path).verdict.faults for seed in SLICE}
    assert {seed: faults for seed, faults in judged.items() if faults} == {}


def test_each_kind_of_fault_is_among_those_that_are_always_played() -> None:
    assert {fault.kind for seed in SLICE for fault in draw(seed).faults} == set(Kind)


@pytest.mark.parametrize("seed", [7, 10])
def test_a_seed_is_the_same_schedule_to_the_byte_also_in_a_process_that_hashes_otherwise(
    tmp_path: Path, seed: int
) -> None:
    asked = [sys.executable, "-m", "tests.faults", "--seed", str(seed)]
    first, second = (
        subprocess.run(asked, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": each}, capture_output=True, check=True)
        for each in ("0", "1")
    )
    assert first.stdout == second.stdout
    events = play(draw(seed), tmp_path).events
    assert len(events) > 100
    assert "\n".join(events) in first.stdout.decode()


def test_leaving_a_fault_out_changes_no_other() -> None:
    schedule = draw(7)
    assert schedule.without({2}).faults == (schedule.faults[0], *schedule.faults[2:])


@pytest.mark.parametrize("trait", ["inbox", "look-first"])
def test_a_day_without_faults_is_clean(tmp_path: Path, trait: str) -> None:
    quiet = replace(draw(3), faults=(), traits=frozenset({trait}))
    assert play(quiet, tmp_path).verdict.faults == ()


def only(seed: int, *faults: Fault, traits: Collection[str] = ()) -> Schedule:
    """The day of a seed, with these faults."""
    return Schedule(seed=seed, traits=frozenset(traits), faults=faults)


def fault(kind: Kind, at_s: float, *, lasts_s: float = 0.0, amount: int = 0, who: str = "") -> Fault:
    return Fault(number=1, kind=kind, at_s=at_s, lasts_s=lasts_s, amount=amount, who=who)


def test_an_odoo_that_forgets_its_keys_is_found_out(tmp_path: Path) -> None:
    schedule = only(3, fault(Kind.ODOO_AFTER, 3.0, amount=4))
    assert play(schedule, tmp_path).verdict.is_clean
    assert play(schedule.without({1}), tmp_path, new_desk=Forgetful).verdict.is_clean
    assert play(schedule, tmp_path, new_desk=Forgetful).verdict.doubled > 0


def test_a_bridge_that_was_paused_and_kept_its_links_puts_what_waited_in_them_in_order(tmp_path: Path) -> None:
    schedule = only(53, fault(Kind.PAUSE, 0.995, lasts_s=16.6, who="a"))
    assert play(schedule, tmp_path).verdict.faults == ()


def test_a_failing_schedule_is_shortened_to_the_faults_that_it_takes(tmp_path: Path) -> None:
    needless = [replace(fault(Kind.CUT, 2.0, who="plant-mes"), number=2)]
    whole = only(3, fault(Kind.ODOO_AFTER, 3.0, amount=4), *needless)
    forgetful = partial(play, new_desk=Forgetful)
    shortest = shrink(forgetful(whole, tmp_path), tmp_path, forgetful)
    assert left_out(shortest.schedule, whole) == "2"


def test_a_store_that_does_not_fence_is_found_out(tmp_path: Path) -> None:
    schedule = only(3, fault(Kind.PAUSE, 6.0, lasts_s=26.0, who="a"), traits=("standby",))
    assert play(schedule, tmp_path).verdict.is_clean
    found = play(schedule, tmp_path, new_server=Unfenced).verdict.faults
    assert any("was fenced out" in text for text in found)


def test_what_was_lost_in_a_gap_and_is_sent_again_is_told_between_what_came_before_and_after_it(tmp_path: Path) -> None:
    schedule = only(973, fault(Kind.LOSE, 1.827, lasts_s=2.1, amount=2, who="acme-bridge-host"), traits=("lossy",))
    assert play(schedule, tmp_path).verdict.faults == ()
