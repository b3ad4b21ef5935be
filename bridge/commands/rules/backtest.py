"""`uns-bridge rules backtest`: what a version of the rules would have posted on recorded traffic, and another not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final

import typer
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from bridge.clock import SystemClock
from bridge.commands.exit import FAILED, OK, WRONG, fail, write
from bridge.commands.rules.difference import (
    FACTS_SHOWN,
    LimitOption,
    as_data,
    counted,
    print_difference,
    told,
    why,
)
from bridge.commands.site import JsonOption, print_json
from bridge.console.format import clock_of
from bridge.errors import ConfigError
from bridge.lifecycle.backtest import Backtest, backtest
from bridge.lifecycle.book import LogBroken, Refused, VersionBook
from bridge.lifecycle.command import identified, named, opened
from bridge.lifecycle.content import texts_of, version_of
from bridge.lifecycle.difference import Change
from bridge.lifecycle.history import History, Step
from bridge.lifecycle.live import load_version
from bridge.plant import Plant, Release, content_of, load_plant
from bridge.recording.commands.replay import progress, tell_gaps
from bridge.recording.errors import RecordingError
from bridge.recording.reader import files_in, of_one_site
from ruleset.equipment import Assets

MOST_ON_PAGE: Final = 1_000
"""Facts that a browser shows without effort."""


def command(
    plant: Annotated[Path, typer.Argument(help="The plant folder.")],
    recording: Annotated[list[Path], typer.Option(help="A recording, or a folder of them; may be said several times.")],
    version: Annotated[str | None, typer.Option(help="The version to try; the folder as it stands by default.")] = None,
    against: Annotated[
        str | None, typer.Option(help="The version beside it; by default the live one, else that of the recording.")
    ] = None,
    limit: LimitOption = FACTS_SHOWN,
    json_output: JsonOption = False,
    page: Annotated[Path | None, typer.Option(help="Write a page for browsers, too.")] = None,
    attach: Annotated[
        bool, typer.Option("--attach", help="Keep the result with the version, which is proposed.")
    ] = False,
    who: Annotated[str | None, typer.Option("--as", help="Your name in people.yaml, with --attach.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the log, with --attach.")] = "",
) -> None:
    """Run recorded traffic through two versions of the rules, in memory, and tell what they would post differently.

    Exit 0 the same, 1 differences, 2 a wrong folder, version or recording.
    """
    if attach and (who is None or not reason.strip()):
        fail("--attach keeps the result in the log: say who you are with --as, and why with --reason", WRONG)
    book, history = opened(plant)
    try:
        paths = files_in(recording)
        after = _plant_of(plant, history, version)
        before = _before(plant, history, against, paths)
        with progress(paths) as advanced:
            found = backtest(before, after.content, paths, advanced)
    except (ConfigError, RecordingError, LogBroken, OSError, UnicodeDecodeError) as error:
        fail(error, WRONG)
    if json_output:
        about = {
            name: getattr(found, name) for name in ("before", "after", "from_ms", "to_ms", "inputs", "gaps", "defects")
        }
        print_json({**about, **as_data(found.difference, limit)})
    else:
        _tell(found, limit, before.assets.timezone)
    if page is not None:
        write(page, _page(found, before.assets))
    if attach and who is not None:
        _attach(plant, book, found, who, reason)
    raise typer.Exit(FAILED if found.difference.differing or found.defects else OK)


def _plant_of(folder: Path, history: History, version: str | None) -> Plant:
    """The version of this name; None: the folder as it stands."""
    if version is not None:
        return load_version(folder, history, named(history, version))
    plant = load_plant(folder)
    release = Release(version=version_of(texts_of(folder)), author="", approved_by="")
    return replace(plant, content=replace(plant.content, release=release))


def _before(folder: Path, history: History, against: str | None, paths: Sequence[Path]) -> Plant:
    if (version := against or history.live) is not None:
        return _plant_of(folder, history, version)
    about = of_one_site(paths)[0]
    release = Release(version=about.plant, author="", approved_by="")
    return replace(load_plant(folder), content=content_of(about.texts, release))


def _attach(plant: Path, book: VersionBook, found: Backtest, who: str, reason: str) -> None:
    person = identified(plant, who)
    counts = {change.value: found.difference.count(change) for change in Change}
    try:
        book.act(
            Step.BACKTEST, person, found.after, reason, SystemClock().now_ms(), {"against": found.before, **counts}
        )
    except (Refused, LogBroken, OSError) as error:
        fail(error, FAILED if isinstance(error, Refused) else WRONG)


def _tell(found: Backtest, limit: int, timezone: str) -> None:
    moment = clock_of(timezone)
    between = f"{moment(found.from_ms)} to {moment(found.to_ms)}"
    print(f"{found.after} beside {found.before} on {found.inputs} inputs, {between}")
    print_difference(found.difference, limit, timezone)
    if found.defects:
        print(f"{found.after} failed {found.defects} times over what it saw; what it made of that is not told here")
    tell_gaps(found.gaps)


def _page(found: Backtest, assets: Assets) -> str:
    """One HTML file that needs nothing else."""
    moment = clock_of(assets.timezone)
    pages = Environment(
        loader=PackageLoader("bridge.commands.rules"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters |= {
        "moment": moment,
        "told": lambda each: told(each, moment),
        "why": lambda each: why(each, moment).items(),
    }
    difference, shown = found.difference, found.difference.differing[:MOST_ON_PAGE]
    return pages.get_template("backtest.html").render(
        found=found,
        difference=difference,
        site=assets.path,
        style=(files("bridge.console") / "static" / "console.css").read_text("utf-8"),
        counts={change.value: difference.count(change) for change in Change},
        by_rule=counted(difference.by_rule()),
        by_order=counted(difference.by_order()),
        facts=shown,
        left_out=len(difference.differing) - len(shown),
    )
