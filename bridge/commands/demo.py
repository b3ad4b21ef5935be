"""`uns-bridge demo`: the whole product on this machine, for a minute, and whether it kept its promise."""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from bridge.commands.exit import FAILED, OK, UNREACHABLE, WRONG, fail
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
    chaos: Annotated[
        bool, typer.Option("--chaos", help="Kill, cut and fail all parts meanwhile. See docs/chaos.md.")
    ] = False,
    kills: Annotated[
        int | None, typer.Option("--kills", min=0, help="With --chaos: kill the bridge so many times.")
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
    if kills is not None and not chaos:
        fail("--kills N says how often the bridge is killed under --chaos; add --chaos", WRONG)
    if report and not report.parent.is_dir():
        fail(f"--report {report}: there is no folder {report.parent}", WRONG)
    seconds = _seconds(length)
    if server_limit is not None and not without_inbox:
        fail("--server-limit N matters only without the inbox; add --without-inbox", WRONG)
    home = Path(tempfile.mkdtemp(prefix="uns-bridge-demo-"))
    settings = DemoSettings(
        seconds=seconds,
        seed=seed,
        odoo_url=odoo,
        chaos=chaos,
        kills=kills,
        limit_s=(server_limit or (REAL_LIMIT_S if odoo else SIMULATOR_LIMIT_S)) if without_inbox else None,
        headless=headless,
        home=home,
    )
    try:
        outcome = asyncio.run(_run(settings))
    except DemoOdooError as error:
        shutil.rmtree(home, ignore_errors=True)
        fail(error, WRONG)
    except (EmbeddedServerError, OdooError) as error:
        fail(f"{error}\nlogs are in {home}\n{how_to_repeat(length, settings)}", UNREACHABLE)
    except BridgeEnded as error:
        fail(f"{error}\nlogs are in {home}\n{how_to_repeat(length, settings)}", FAILED)
    except TimeoutError:
        text = f"the plant or the outbox did not come to rest; logs are in {home}"
        fail(f"{text}\n{how_to_repeat(length, settings)}", FAILED)
    if report:
        report.write_bytes(msgspec.json.format(msgspec.json.encode(_as_json(outcome)), indent=2) + b"\n")
    _print(outcome)
    if outcome.report.is_clean:
        shutil.rmtree(home, ignore_errors=True)
        raise typer.Exit(OK)
    fail(f"ledger, logs and the plant folder are in {home}\n{how_to_repeat(length, settings)}", FAILED)


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
    words += ["--chaos"] if settings.chaos else []
    words += [f"--kills {settings.kills}"] if settings.kills is not None else []
    words += [f"--without-inbox --server-limit {settings.limit_s}"] if settings.limit_s is not None else []
    return f"to repeat it: {' '.join(words)}"


def _seconds(length: str) -> float:
    match = re.fullmatch(r"([1-9]\d*)(ms|s|m|h)", length)
    if match is None:
        fail(f"--for {length}: write a length such as 60s or 5m", WRONG)
    return int(match[1]) * DURATION_UNITS_MS[match[2]] / 1000


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
    for difference in result.differences:
        console.print(difference)
