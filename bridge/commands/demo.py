"""`uns-bridge demo`: the whole product on this machine, for a minute, and whether it kept its promise."""

from __future__ import annotations

import asyncio
import re
import shlex
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from bridge.commands.exit import FAILED, OK, UNREACHABLE, WRONG, fail
from bridge.demo.chaos.rounds import Total
from bridge.demo.odoo import DemoOdooError
from bridge.demo.process import BridgeEnded
from bridge.demo.run import Outcome, run_demo
from bridge.demo.servers import EmbeddedServerError
from bridge.demo.stage import DemoSettings
from bridge.errors import first_of
from odoo_adapter.errors import OdooError
from ruleset.document import DURATION_UNITS_MS

REAL_LIMIT_S: Final = 120
"""Odoo's own default for `limit_time_real`."""
SIMULATOR_LIMIT_S: Final = 10


def command(
    length: Annotated[str, typer.Option("--for", help="How long the plant produces, such as 60s or 5m.")] = "60s",
    seed: Annotated[
        int | None, typer.Option("--seed", help="What chance draws from, instead of the scenario's own seed.")
    ] = None,
    odoo: Annotated[
        str | None,
        typer.Option("--odoo", help="URL of a real Odoo 17, 18 or 19 instead of the simulator. See docs/odoo.md."),
    ] = None,
    odoo_control: Annotated[
        str | None,
        typer.Option(
            "--odoo-control",
            help="With --chaos and --odoo, for your own server: a command that takes kill, start, pause or continue "
            "as its last word and does so to the server. See docs/chaos.md.",
        ),
    ] = None,
    chaos: Annotated[
        bool, typer.Option("--chaos", help="Kill, cut and fail all parts meanwhile. See docs/chaos.md.")
    ] = False,
    kills: Annotated[
        int | None, typer.Option("--kills", min=0, help="With --chaos: kill the bridge so many times.")
    ] = None,
    minutes: Annotated[
        int | None,
        typer.Option("--minutes", min=1, help="With --chaos: round after round, with the next seed each, for so long."),
    ] = None,
    without_inbox: Annotated[
        bool,
        typer.Option("--without-inbox", help="Post without the inbox: look before each step. See docs/delivery.md."),
    ] = False,
    server_limit: Annotated[
        int | None,
        typer.Option("--server-limit", min=1, help="With --without-inbox: after how many seconds Odoo ends a call."),
    ] = None,
    headless: Annotated[bool, typer.Option("--headless", help="Plain lines, also on a terminal.")] = False,
    report: Annotated[Path | None, typer.Option("--report", help="Write the result to this file, as JSON.")] = None,
) -> None:
    """Run a simulated plant, the bridge and an Odoo, and compare what happened with what was posted.

    Exit 0 when nothing is lost, doubled or out of order; 1 when something is, or too little happened to judge.
    """
    for option, value in (("--kills N", kills), ("--minutes N", minutes)):
        if value is not None and not chaos:
            fail(f"{option} says how much chaos there is; add --chaos", WRONG)
    if report and not report.parent.is_dir():
        fail(f"--report {report}: there is no folder {report.parent}", WRONG)
    seconds = _seconds(length)
    if server_limit is not None and not without_inbox:
        fail("--server-limit N matters only without the inbox; add --without-inbox", WRONG)
    settings = DemoSettings(
        seconds=seconds,
        seed=seed,
        odoo_url=odoo,
        odoo_control=_control(odoo_control, is_meant=bool(chaos and odoo)),
        chaos=chaos,
        kills=kills,
        limit_s=(server_limit or (REAL_LIMIT_S if odoo else SIMULATOR_LIMIT_S)) if without_inbox else None,
        headless=headless,
        home=Path(),
    )
    if minutes is not None:
        raise typer.Exit(OK if _rounds(settings, length, minutes, report) else FAILED)
    try:
        outcome = _once(settings, length)
    except _Ended as ended:
        if report and ended.outcome:
            _write_report(report, _as_json(ended.outcome))
        fail(ended, ended.code)
    if report:
        _write_report(report, _as_json(outcome))


class _Ended(Exception):
    """A run ended without a comparison, or with a difference: why, where the logs are, and how to repeat it."""

    def __init__(self, text: str, code: int, outcome: Outcome | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.outcome = outcome


def _once(settings: DemoSettings, length: str) -> Outcome:
    """One run in a folder of its own, shown at its end. Raises `_Ended`."""
    home = Path(tempfile.mkdtemp(prefix="uns-bridge-demo-"))
    settings = replace(settings, home=home)
    logs = f"logs are in {home}\n{how_to_repeat(length, settings)}"
    try:
        outcome = asyncio.run(_run(settings))
    except DemoOdooError as error:
        shutil.rmtree(home, ignore_errors=True)
        raise _Ended(str(error), WRONG) from error
    except (EmbeddedServerError, OdooError) as error:
        raise _Ended(f"{error}\n{logs}", UNREACHABLE) from error
    except BridgeEnded as error:
        raise _Ended(f"{error}\n{logs}", FAILED) from error
    except TimeoutError as error:
        raise _Ended(f"the plant or the outbox did not come to rest; {logs}", FAILED) from error
    _print(outcome)
    if not outcome.report.is_clean:
        text = f"ledger, logs and the plant folder are in {home}\n{how_to_repeat(length, settings)}"
        raise _Ended(text, FAILED, outcome)
    shutil.rmtree(home, ignore_errors=True)
    return outcome


def _rounds(settings: DemoSettings, length: str, minutes: int, report: Path | None) -> bool:
    """Run round after round until the time is over; whether all were clean."""
    total, seed, ends_s = Total(), settings.seed or 1, time.monotonic() + minutes * 60
    while total.rounds == 0 or time.monotonic() < ends_s:
        outcome: Outcome | None
        try:
            outcome = _once(replace(settings, seed=seed), length)
        except _Ended as ended:
            outcome = ended.outcome
            print(ended, file=sys.stderr)
        total.add(seed, outcome)
        print(f"round {total.rounds}, seed {seed}: {total.lines[-1]} until now", flush=True)
        seed += 1
    if report:
        _write_report(report, asdict(total))
    print("\n".join(total.lines))
    return total.is_clean


def _write_report(file: Path, content: dict[str, Any]) -> None:
    file.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")


async def _run(settings: DemoSettings) -> Outcome:
    try:
        return await run_demo(settings)
    except ExceptionGroup as group:
        raise first_of(group) from group


def how_to_repeat(length: str, settings: DemoSettings) -> str:
    """The command line that repeats the run."""
    words = ["uns-bridge demo", f"--for {length}"]
    words += [f"--seed {settings.seed}"] if settings.seed is not None else []
    words += [f"--odoo {settings.odoo_url}"] if settings.odoo_url else []
    words += [f"--odoo-control {shlex.quote(shlex.join(settings.odoo_control))}"] if settings.odoo_control else []
    words += ["--chaos"] if settings.chaos else []
    words += [f"--kills {settings.kills}"] if settings.kills is not None else []
    words += [f"--without-inbox --server-limit {settings.limit_s}"] if settings.limit_s is not None else []
    return f"to repeat it: {' '.join(words)}"


def _seconds(length: str) -> float:
    match = re.fullmatch(r"([1-9]\d*)(ms|s|m|h)", length)
    if match is None:
        fail(f"--for {length}: write a length such as 60s or 5m", WRONG)
    return int(match[1]) * DURATION_UNITS_MS[match[2]] / 1000


def _control(command: str | None, *, is_meant: bool) -> tuple[str, ...]:
    """The words of the command that controls a real Odoo; none where it is left alone."""
    if command is None:
        return ()
    if not is_meant:
        fail("--odoo-control CMD says how a real Odoo is killed under chaos; add --chaos and --odoo URL", WRONG)
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        fail(f"--odoo-control {command}: {error}", WRONG)
    if not words or shutil.which(words[0]) is None:
        fail(f"--odoo-control {command}: there is no such command, or it may not be executed", WRONG)
    return words


def _as_json(outcome: Outcome) -> dict[str, Any]:
    abuses = [asdict(abuse) for abuse in outcome.abuses]
    return {**asdict(outcome.report), "abuses": abuses, "kills": outcome.kills, "odoo": outcome.odoo}


def _print(outcome: Outcome) -> None:
    console, result, odoo = Console(highlight=False, markup=False), outcome.report, outcome.odoo
    for abuse in outcome.abuses:
        console.print(f"{abuse.at_s:6.1f} s  {abuse.what}")
    name = "the Odoo simulator" if odoo["simulator"] else f"Odoo {odoo['version']}"
    table = Table("", f"in {name}", title="What happened on the floor, and what stands in Odoo", title_justify="left")
    table.add_row("facts on the floor", f"{result.facts} of {result.kinds} kinds")
    table.add_row("postings", str(result.postings))
    table.add_row("lost", str(result.lost))
    table.add_row("doubled", str(result.doubled))
    table.add_row("out of order", str(result.out_of_order))
    table.add_row("held back for a person", f"{result.held} held, {result.dead} dead letters, as the rules say")
    console.print(table)
    for difference in (*result.differences, *result.not_promised):
        console.print(difference)
