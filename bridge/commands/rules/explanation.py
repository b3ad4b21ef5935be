"""What `uns-bridge rules explain` prints: why something was posted, or what a rule saw when it last looked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from bridge.commands.exit import FAILED, fail
from bridge.commands.site import ask, print_json
from bridge.console.format import clock_of
from bridge.plant import Plant
from bridge.trace.keeper import LOOKS_PAUSE_MS
from bridge.trace.reading import MOST_KEYS, Why, keys_of, looks, why
from ruleset.problem import suggest
from ruleset.trace.sentence import check_text, fact_texts, headline, one_line, told_text
from ruleset.trace.trace import Trace
from state.entry import Entry
from state.store import Store

Clock = Callable[[int], str]


def explain_key(folder: Path, given: str, json_output: bool) -> None:
    """Why something was posted, refused or alerted, and what became of it."""

    async def question(plant: Plant, store: Store) -> tuple[Sequence[str], Why | None, str]:
        keys = await keys_of(store, given)
        return keys, await why(store, keys[0]) if len(keys) == 1 else None, plant.assets.timezone

    keys, found, timezone = ask(folder, question)
    if found is None:
        _say_keys(given, keys)
    if json_output:
        print_json({"key": keys[0], "trace": _data(found.trace), "entry": _entry(found.entry)})
        return
    clock = clock_of(timezone)
    print(keys[0])
    if found.trace is None:
        print(
            "no trace: the bridge wrote it itself, it was posted before traces were kept, or newer traces took its "
            "place (limits.traces_kept); `uns-bridge outbox show` has what the entry says of its origin"
        )
    else:
        print("\n".join(_story(found.trace, clock)))
    print("\n".join(_became(found.entry, clock)))


def explain_looks(folder: Path, rule: str, asset: str, json_output: bool) -> None:
    """The last looks of a rule at an equipment, one of each outcome."""

    async def question(plant: Plant, store: Store) -> tuple[tuple[Trace, ...], str]:
        path = _equipment(plant, rule, asset)
        return await looks(store, rule, path), plant.assets.timezone

    found, timezone = ask(folder, question)
    if json_output:
        print_json([_data(each) for each in found])
        return
    if not found:
        fail(
            f"{rule} has not looked at {asset} yet: none of its signals changed, or the bridge has run for less than "
            f"{LOOKS_PAUSE_MS // 1000} s with it",
            FAILED,
        )
    clock = clock_of(timezone)
    for each in found:
        print(headline(each, clock))
        print(f"    {each.key or one_line(each, clock)}")


def _equipment(plant: Plant, rule: str, asset: str) -> str:
    """The whole path of the equipment, whose beginning may be left out."""
    known = {each.name: each.equipment for each in plant.rules.rules}
    if rule not in known:
        fail(f'there is no rule "{rule}"{suggest(rule, known)}; `uns-bridge rules list` names them', FAILED)
    path = asset if asset in plant.assets.equipment else f"{plant.assets.path}/{asset}"
    if path not in known[rule]:
        fail(f'the rule "{rule}" does not look at "{asset}"{suggest(path, known[rule])}', FAILED)
    return path


def _say_keys(given: str, keys: Sequence[str]) -> NoReturn:
    if not keys:
        fail(
            f"nothing has the key {given!r}, nor one that begins so; `uns-bridge outbox list` shows the keys of "
            "entries, and `rules explain --rule R --asset P` says why a rule did not post",
            FAILED,
        )
    more = " and more" if len(keys) > MOST_KEYS else ""
    fail("\n".join([f"several keys begin so{more}; write on:", *keys[:MOST_KEYS]]), FAILED)


def _story(trace: Trace, clock: Clock) -> list[str]:
    topic = f"{trace.topic}{'' if trace.seq is None else f' seq {trace.seq}'}" if trace.topic else "time alone"
    return [
        headline(trace, clock),
        f"  rule {trace.rule} ({trace.form}) version {trace.version} at {trace.equipment}",
        f"  happened {clock(trace.at_ms)}, told by {topic}",
        *(f"  {each}" for each in fact_texts(trace, clock)),
        *(f"  {check_text(each)}" for each in trace.checks),
        *(f"  {told_text(name, each, clock)}" for name, each in trace.told.items()),
    ]


def _became(entry: Entry | None, clock: Clock) -> list[str]:
    if entry is None:
        return ["  no entry: it was an alert, or the entry is done and forgotten"]
    lines = [f"  {clock(note.at_ms)} {note.what}{f' by {note.by}' if note.by else ''}" for note in entry.history]
    return [f"  {entry.state}{f': {entry.reason}' if entry.reason else ''}", *lines]


def _data(trace: Trace | None) -> Any:
    return None if trace is None else msgspec.to_builtins(trace)


def _entry(entry: Entry | None) -> dict[str, Any] | None:
    if entry is None:
        return None
    history = [{"at_ms": each.at_ms, "what": each.what, "by": each.by} for each in entry.history]
    return {"state": entry.state, "reason": entry.reason, "action": entry.action, "history": history}
