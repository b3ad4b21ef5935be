"""`uns-bridge rerun PLANT FILE...`: what a plant folder would have posted on a recording. In memory; it asks nobody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bridge.commands.exit import FAILED, OK, WRONG, fail
from bridge.commands.site import JsonOption, print_json
from bridge.errors import ConfigError
from bridge.plant import Plant, load_plant
from bridge.recording.about import about
from bridge.recording.commands.replay import FilesArgument, progress, tell_gaps
from bridge.recording.errors import Differs, RecordingError
from bridge.recording.reader import Began, files_in, of_one_site, read
from bridge.recording.rerun import Posting, Reran, Stepped, postings, rerun
from bridge.recording.span import Lost


class Outcomes(StrEnum):
    """What becomes of entries when a recording is run again."""

    RECORDED = "recorded"
    AT_ONCE = "at-once"


@dataclass(slots=True)
class _Seen:
    inputs: int = 0
    gaps: list[Lost] = field(default_factory=list)


def command(
    plant: Annotated[Path, typer.Argument(help="The plant folder whose rules are run.")],
    files: FilesArgument,
    outcomes: Annotated[
        Outcomes | None,
        typer.Option(
            help="What becomes of entries: as it was recorded, or each is delivered at once. By default as recorded "
            "where the plant folder is as it was then, and the files begin with a start of the bridge."
        ),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Run a recording through the rules of a plant folder, in memory, and print what would be posted.

    Exit 0 ran, 1 the recorded outcomes are not those of this plant folder, 2 a wrong folder or no recording.
    """
    try:
        loaded, paths = load_plant(plant), files_in(files)
        chosen = outcomes or _as_it_was(loaded, paths)
        seen = _Seen()
        with progress(paths) as advanced:
            ran = _counted(rerun(loaded, read(paths, advanced), as_recorded=chosen is Outcomes.RECORDED), seen)
            posted = list(postings(ran))
    except Differs as error:
        fail(f"{error}; run it with --outcomes at-once", FAILED)
    except (ConfigError, RecordingError) as error:
        fail(error, WRONG)
    if json_output:
        told = [_as_json(one) for one in posted]
        print_json({"outcomes": chosen, "inputs": seen.inputs, "gaps": seen.gaps, "postings": told})
    else:
        _tell(posted, seen, chosen)
    raise typer.Exit(OK)


def _as_it_was(plant: Plant, paths: Sequence[Path]) -> Outcomes:
    """In the midst of a run a core begins as after a restart, and sends again what was on its way then."""
    now, first = about(plant), next(each for each in read(paths) if isinstance(each, Began))
    same = all((each.plant, each.bridge) == (now.plant, now.bridge) for each in of_one_site(paths))
    return Outcomes.RECORDED if same and first.part == 1 else Outcomes.AT_ONCE


def _counted(reran: Iterator[Reran], seen: _Seen) -> Iterator[Reran]:
    for each in reran:
        if isinstance(each, Stepped):
            seen.inputs += 1
        elif isinstance(each, Lost):
            seen.gaps.append(each)
        yield each


def _as_json(posting: Posting) -> dict[str, Any]:
    entry = posting.entry
    return {
        "at_ms": posting.at_ms,
        "action": entry.action,
        "key": entry.key,
        "lane": entry.lane,
        "state": entry.state,
        "reason": entry.reason,
        "replaced": posting.replaced,
        "transaction": msgspec.Raw(entry.body),
    }


def _tell(posted: Sequence[Posting], seen: _Seen, chosen: Outcomes) -> None:
    table = Table("at (UTC)", "action", "key", "state", "reason", box=None)
    for one in posted:
        at = datetime.fromtimestamp(one.at_ms / 1000, UTC).strftime("%m-%d %H:%M:%S.%f")[:-3]
        state = f"{one.entry.state}, replaced" if one.replaced else str(one.entry.state)
        table.add_row(at, *(escape(cell) for cell in (one.entry.action, one.entry.key, state, one.entry.reason)))
    if posted:
        Console(width=None if Console().is_terminal else 200).print(table)
    how = "outcomes as recorded" if chosen is Outcomes.RECORDED else "each entry taken as delivered at once"
    print(f"{len(posted)} entries of {seen.inputs} steps; {how}")
    tell_gaps(seen.gaps)
