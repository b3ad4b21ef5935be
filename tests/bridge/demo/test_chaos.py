"""The schedule of a run under chaos: the same for a seed, spread over the run, every kind in it; and one such run."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from bridge.__main__ import app
from bridge.commands.demo import how_to_repeat
from bridge.demo.chaos.plan import FIRST_S, LAST_S, ON_LINK, SPACING_S, TRAITS, Abuse, AbuseKind, plan_abuses
from bridge.demo.chaos.rounds import Total
from bridge.demo.compare import Report
from bridge.demo.run import Outcome
from bridge.demo.stage import DemoSettings

LINKS = ("the bridge", "a node", "the MES")


def minute(seed: int, *, kills: int | None = None) -> tuple[Abuse, ...]:
    return plan_abuses(seed=seed, seconds=60, kinds=frozenset(AbuseKind), links=LINKS, kills=kills)


def test_a_seed_has_one_schedule_and_another_seed_another_one() -> None:
    assert minute(7) == minute(7)
    assert minute(7) != minute(8)


def test_no_kind_comes_twice_in_a_minute_and_all_come_in_a_longer_run_as_often_as_their_tickets_say() -> None:
    counted = Counter(abuse.kind for abuse in minute(7))
    assert (counted.total(), set(counted.values())) == (24, {1})
    seconds = SPACING_S * (len(AbuseKind) + sum(trait.tickets for trait in TRAITS.values()))
    longer = plan_abuses(seed=7, seconds=seconds, kinds=frozenset(AbuseKind), links=LINKS)
    assert Counter(abuse.kind for abuse in longer) == {kind: 1 + TRAITS[kind].tickets for kind in AbuseKind}


@given(seed=st.integers(0, 10_000), seconds=st.floats(20, 600))
def test_abuses_come_in_order_within_production_and_last_a_moment(seed: int, seconds: float) -> None:
    plan = plan_abuses(seed=seed, seconds=seconds, kinds=frozenset(AbuseKind), links=LINKS)
    moments = [abuse.at_ms for abuse in plan]
    assert moments == sorted(moments)
    assert moments[0] >= FIRST_S * 1000
    assert moments[-1] <= (seconds - LAST_S) * 1000
    assert all(0 <= abuse.lasts_ms <= 6_000 for abuse in plan)
    assert all((abuse.link in LINKS) if abuse.kind in ON_LINK else abuse.link == "" for abuse in plan)


def test_as_many_kills_of_the_bridge_as_were_asked_for_come_beside_the_rest() -> None:
    counted = Counter(abuse.kind for abuse in minute(7, kills=20))
    assert counted[AbuseKind.KILL_BRIDGE] == 20
    assert counted.total() - 20 == sum(abuse.kind is not AbuseKind.KILL_BRIDGE for abuse in minute(7))


def test_what_cannot_be_done_is_not_planned() -> None:
    kinds = frozenset(AbuseKind) - {AbuseKind.RESTART_BROKER, AbuseKind.KILL_ODOO}
    plan = plan_abuses(seed=7, seconds=120, kinds=kinds, links=LINKS)
    assert {abuse.kind for abuse in plan} == kinds


def test_every_abuse_is_told_in_words() -> None:
    abuse = replace(minute(7)[0], link="the MES", lasts_ms=1_500, calls=2)
    told = {kind: replace(abuse, kind=kind).what for kind in AbuseKind}
    assert told[AbuseKind.SILENCE] == "the link of the MES lets nothing pass for 1.5 s, then it is reset"
    assert told[AbuseKind.TIMEOUT_AFTER_COMMIT] == "Odoo commits and hangs up, for the next 2 calls"
    assert len(set(told.values())) == len(AbuseKind)


@pytest.mark.parametrize("option", ["--kills", "--minutes"])
def test_kills_and_rounds_are_for_chaos_only(option: str) -> None:
    result = CliRunner().invoke(app, ["demo", option, "3"])
    assert (result.exit_code, "add --chaos" in result.output) == (2, True)


def test_the_servers_limit_matters_only_without_the_inbox() -> None:
    result = CliRunner().invoke(app, ["demo", "--server-limit", "30"])
    assert (result.exit_code, "add --without-inbox" in result.output) == (2, True)


def test_a_run_that_failed_is_repeated_by_the_command_that_it_names(tmp_path: Path) -> None:
    settings = DemoSettings(
        seconds=60, seed=12, odoo_url=None, chaos=True, kills=20, headless=True, home=tmp_path / "home"
    )
    words = "to repeat it: uns-bridge demo --for 60s --seed 12 --chaos --kills 20"
    assert how_to_repeat("60s", settings) == words
    assert how_to_repeat("60s", replace(settings, limit_s=10)) == f"{words} --without-inbox --server-limit 10"


def outcome(*, lost: int = 0) -> Outcome:
    """A round that lost so much."""
    report = Report(
        facts=90,
        kinds=9,
        postings=80,
        lost=lost,
        doubled=0,
        out_of_order=0,
        held=0,
        dead=1,
        seed=1,
        differences=("lost: a fact",) * lost,
    )
    return Outcome(report=report, odoo={}, abuses=(), kills=12)


def test_rounds_add_up_to_one_line_and_one_that_failed_or_broke_is_named() -> None:
    total = Total()
    total.add(7, outcome())
    assert (total.is_clean, total.lines[-1]) == (True, "kills 12, lost 0, doubled 0, out of order 0")
    total.add(8, outcome(lost=2))
    total.add(9, None)
    assert (total.is_clean, total.lines) == (
        False,
        (
            "3 rounds, 0 abuses, 180 facts on the floor, 160 postings",
            "failed: the rounds of seed 8, 9",
            "kills 24, lost 2, doubled 0, out of order 0",
        ),
    )


@pytest.mark.slow
@pytest.mark.embedded
@pytest.mark.parametrize("way", [[], ["--without-inbox"]], ids=["inbox", "look-first"])
async def test_a_short_day_under_chaos_loses_and_doubles_nothing(tmp_path: Path, way: list[str]) -> None:
    file = tmp_path / "report.json"
    words = ["demo", "--for", "20s", "--seed", "7", "--chaos", "--headless", "--report", str(file), *way]
    run = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bridge", *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    printed, _ = await run.communicate()
    assert run.returncode == 0, printed.decode()
    report = msgspec.json.decode(file.read_bytes())
    assert (report["lost"], report["doubled"], report["out_of_order"], len(report["abuses"]) >= 8) == (0, 0, 0, True)
