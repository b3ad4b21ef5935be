"""`uns-bridge rules difference`: what the version in shadow would have done differently until now."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Column
from rich.table import Table as Shown

from bridge.clock import iso
from bridge.commands.exit import FAILED, OK, WRONG, fail
from bridge.commands.site import JsonOption, ask, print_json
from bridge.console.format import clock_of
from bridge.lifecycle.book import LogBroken, VersionBook
from bridge.lifecycle.difference import Change, Decided, Difference, Differing, Reason
from bridge.lifecycle.shadow import Seen, seen
from bridge.plant import Plant
from ruleset.trace.sentence import Clock, headline, one_line
from state.record import Table
from state.store import Store

FACTS_SHOWN: Final = 50
"""How many facts are told of, where nobody says how many."""
_SIGN: Final = {Change.ADDED: "+", Change.REMOVED: "-", Change.CHANGED: "~"}

NOTHING: Final = "–"
"""Stands where there is no value."""

LimitOption = Annotated[int, typer.Option("--limit", min=0, help="How many facts are told.")]


def command(
    plant: Annotated[Path, typer.Argument(help="The plant folder.")],
    limit: LimitOption = FACTS_SHOWN,
    json_output: JsonOption = False,
) -> None:
    """Say what the version in shadow would have posted differently until now. Exit 0 nothing, 1 something."""
    try:
        history = VersionBook(plant).history()
    except (LogBroken, OSError) as error:
        fail(error, WRONG)
    if (version := history.shadow) is None:
        fail("no version runs in shadow; `uns-bridge rules shadow` lets one", WRONG)

    async def question(loaded: Plant, store: Store) -> tuple[Seen | None, str]:
        return seen(version, await store.read(Table.SHADOW)), loaded.assets.timezone

    found, timezone = ask(plant, question)
    if found is None:
        fail(f"{version} is to run in shadow, but no bridge has run it yet; does one run on this folder?", WRONG)
    if json_output:
        about = {"since_ms": found.since_ms, "defects": found.defects, **as_data(found.difference, limit)}
        print_json({"version": version, "live": history.live, **about})
    else:
        beside = history.live or "the folder as it stands"
        print(f"{version} in shadow beside {beside} since {clock_of(timezone)(found.since_ms)}")
        print_difference(found.difference, limit, timezone)
        if found.defects:
            print(f"{version} failed {found.defects} times over what it saw; what it made of that is not told here")
    raise typer.Exit(FAILED if found.difference.differing or found.defects else OK)


def print_difference(difference: Difference, limit: int, timezone: str) -> None:
    """Print totals, then how many facts differ by rule and by order, then the first `limit` of them."""
    counts = ", ".join(f"{difference.count(change)} {change}" for change in Change)
    print(f"{difference.agreed} facts agreed, {counts}")
    print(f"{difference.postings_before} postings before, {difference.postings_after} after")
    if not difference.differing:
        return
    console = Console()
    console.print(_table("rule", difference.by_rule()))
    console.print(_table("order", difference.by_order()))
    moment = clock_of(timezone)
    for each in difference.differing[:limit]:
        one = each.either
        named = (one.action, *([one.order] if one.order else []), one.equipment, f"({one.rule})")
        print(_SIGN[each.change], moment(one.at_ms), *named)
        print(f"    {told(each, moment)}")
        for side, text in why(each, moment).items():
            print(f"    {side}: {text}")
    if (more := len(difference.differing) - limit) > 0:
        print(f"and {more} more; --limit says how many are told")


def _table(what: str, by: Mapping[tuple[str, Change], int]) -> Shown:
    table = Shown(what, *(Column(change.value, justify="right") for change in Change), box=SIMPLE, pad_edge=False)
    for name, counts in counted(by).items():
        table.add_row(name or NOTHING, *(str(count or "") for count in counts.values()))
    return table


def as_data(difference: Difference, limit: int) -> dict[str, Any]:
    """The difference as JSON has it, with its first `limit` facts."""
    return {
        "agreed": difference.agreed,
        **{change.value: difference.count(change) for change in Change},
        "postings": {"before": difference.postings_before, "after": difference.postings_after},
        "by_rule": counted(difference.by_rule()),
        "by_order": counted(difference.by_order()),
        "facts": [_fact(each) for each in difference.differing[:limit]],
    }


def told(each: Differing, clock: Clock) -> str:
    """What differs of one fact: its values, or those that changed."""
    if each.before is not None and each.after is not None:
        sides = (each.before, each.after)
        return ", ".join(f"{_word(name)} {' -> '.join(_at(one, name, clock) for one in sides)}" for name in each.fields)
    names = [*each.either.content, *(["refused"] if each.either.refused else [])]
    return ", ".join(f"{_word(name)} {_at(each.either, name, clock)}" for name in names)


def why(each: Differing, clock: Clock) -> Mapping[str, str]:
    """By `before` and `after`, why each version decided what it did, or did not; only of what is kept."""
    reasons = {
        "before": (each.before, each.why_before, "not posted"),
        "after": (each.after, each.why_after, "not any more"),
    }
    return {
        side: _reason_text(reason, clock) if made is not None else f"{missing}: {_reason_text(reason, clock)}"
        for side, (made, reason, missing) in reasons.items()
        if reason is not None
    }


def _reason_text(reason: Reason, clock: Clock) -> str:
    if isinstance(reason, str):
        return reason
    return ": ".join(text for text in (headline(reason, clock), one_line(reason, clock)) if text)


def _word(name: str) -> str:
    return name.removesuffix("_ms")


def _at(decided: Decided, name: str, clock: Clock) -> str:
    """The value of one of `Differing.fields`."""
    named = {"order": decided.order, "action": decided.action, "refused": decided.refused}
    value = decided.content.get(name, named.get(name))
    if name.endswith("_ms") and isinstance(value, int):
        return clock(value)
    return NOTHING if value is None else str(value)


def counted(by: Mapping[tuple[str, Change], int]) -> dict[str, dict[str, int]]:
    """`Difference.by_rule` or `by_order` by name: how many are added, removed and changed."""
    names = sorted({name for name, _ in by})
    return {name: {change.value: by.get((name, change), 0) for change in Change} for name in names}


def _fact(each: Differing) -> dict[str, Any]:
    one = each.either
    return {
        "change": each.change.value,
        "fact": one.fact,
        "at_ms": one.at_ms,
        "order": one.order,
        "equipment": one.equipment,
        "action": one.action,
        "rule": one.rule,
        "fields": list(each.fields),
        "before": _side(each.before),
        "after": _side(each.after),
        **({"why": reasons} if (reasons := why(each, iso)) else {}),
    }


def _side(decided: Decided | None) -> dict[str, Any] | None:
    if decided is None:
        return None
    named = {"order": decided.order, "action": decided.action, "rule": decided.rule, "rule_version": decided.version}
    return {**named, "refused": decided.refused, "content": decided.content}
