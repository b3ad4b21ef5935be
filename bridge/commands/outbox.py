"""`uns-bridge outbox`: what waits, by entry and by cause, what was delivered, and what people do about it.

Lists read the store. Acts are left there for the running bridge, which does them in its next commit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.console import Console
from rich.table import Table as RichTable

from bridge.clock import SystemClock
from bridge.commands.exit import FAILED, UNREACHABLE, WRONG, fail
from bridge.commands.site import ByOption, JsonOption, PlantOption, answered, ask, login, print_json
from bridge.console.format import odoo_link
from bridge.core.act import new_act
from bridge.core.input import ActKind
from bridge.core.site import RUNS, restore
from bridge.correction.given import ORDER
from bridge.intervention.act import Wish, steps
from bridge.intervention.cause import Cause, causes
from bridge.intervention.foresight import foreseen
from bridge.lifecycle.live import as_it_runs
from bridge.plant import Plant
from bridge.wiring import new_core, open_odoo
from state.entry import Entry, EntryState, decode
from state.intervention import Prediction
from state.record import Table
from state.store import Act, Store

app = typer.Typer(
    help="Entries of the outbox: list, causes, show, replay, correct, skip, release.", no_args_is_help=True
)

ACT_WAIT_S: Final = 10.0
"""How long an act may take until the running bridge has done it."""

StateOption = Annotated[EntryState | None, typer.Option("--state", help="Only entries in this state.")]
KeysArgument = Annotated[list[str] | None, typer.Argument(help="Keys of entries.")]
AllOption = Annotated[bool, typer.Option("--all", help="Instead of keys: all to which it can be done.")]
CauseOption = Annotated[
    str | None, typer.Option("--cause", help="Instead of keys: all of one cause; `outbox causes` has the ids.")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept with the entry.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")]

SUITS: Final = {
    ActKind.REPLAY: (EntryState.DEAD,),
    ActKind.SKIP: (EntryState.DEAD, EntryState.HELD),
    ActKind.RELEASE: (EntryState.HELD,),
}
"""What `--all` takes."""


@app.command("list")
def list_entries(
    plant: PlantOption,
    state: StateOption = None,
    lane: Annotated[str | None, typer.Option("--lane", help="Only this order or equipment.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many, the latest.")] = 200,
    json_output: JsonOption = False,
) -> None:
    """List entries, the latest last."""
    entries = [
        entry
        for entry in ask(plant, _entries)
        if (state is None or entry.state is state) and (lane is None or entry.lane == lane)
    ][-limit:]
    if json_output:
        print_json([_summary(entry) for entry in entries])
        return
    table = RichTable("state", "key", "lane", "since (UTC)", "tries", "reason")
    for entry in entries:
        table.add_row(entry.state, entry.key, entry.lane, _clock(entry.changed_ms), str(entry.attempts), entry.reason)
    Console().print(table if entries else "no such entries")


@app.command("show")
def show_entry(plant: PlantOption, key: Annotated[str, typer.Argument(help="The entry's key.")]) -> None:
    """Show one entry as JSON: its content, its history, its receipt, and the address of the record in Odoo."""

    async def question(plant: Plant, store: Store) -> dict[str, Any] | None:
        entry = next((one for one in await _entries(plant, store) if one.key == key), None)
        return None if entry is None else _whole(entry, plant.settings.odoo.url)

    found = ask(plant, question)
    if found is None:
        fail(f"there is no entry {key!r}; `uns-bridge outbox list` shows what there is", FAILED)
    print_json(found)


@app.command("causes")
def list_causes(plant: PlantOption, json_output: JsonOption = False) -> None:
    """What keeps dead letters and held entries, by cause: what keeps most first."""
    found = causes(ask(plant, _entries))
    if json_output:
        print_json([_cause(one) for one in found])
        return
    table = RichTable("cause", "state", "entries", "orders", "since (UTC)", "rule", "action", "reason")
    for one in found:
        row = (one.id, one.state, str(one.count), str(len(one.orders)), _clock(one.oldest_ms), one.rule, one.action)
        table.add_row(*row, one.text)
    Console().print(table if found else "nothing is dead or held")


def _command(kind: ActKind, help: str) -> None:
    """Add the command of one act: all of them take the same."""

    def command(
        plant: PlantOption,
        reason: ReasonOption,
        keys: KeysArgument = None,
        all_entries: AllOption = False,
        cause: CauseOption = None,
        by: ByOption = "",
        dry_run: DryRunOption = False,
        json_output: JsonOption = False,
    ) -> None:
        chosen = _chosen(keys, cause, all_entries)
        wanted = _Wanted(kind=kind, keys=chosen, cause=cause, by=by, reason=reason)
        _act(plant, wanted, dry_run, json_output)

    app.command(kind.value, help=help)(command)


def _chosen(keys: Sequence[str] | None, cause: str | None, all_entries: bool) -> tuple[str, ...]:
    """The keys that are named, where neither a cause nor all are meant."""
    if (bool(keys), all_entries, cause is not None).count(True) != 1:
        fail("name keys, or a cause, or say --all", WRONG)
    return tuple(keys or ())


_command(ActKind.REPLAY, "Send dead entries again; what a rule refused is decided anew by the rules that are live.")
_command(ActKind.SKIP, "Give entries up: they are never sent, and what waited for them goes on.")


@app.command("release")
def release(
    plant: PlantOption,
    reason: ReasonOption,
    keys: KeysArgument = None,
    all_entries: AllOption = False,
    cause: CauseOption = None,
    order: Annotated[
        str, typer.Option("--order", help="The order of what happened while none ran: mo-42, or Odoo's name of it.")
    ] = "",
    by: ByOption = "",
    dry_run: DryRunOption = False,
    json_output: JsonOption = False,
) -> None:
    """Let held entries go."""
    values, chosen = {ORDER: order} if order else {}, _chosen(keys, cause, all_entries)
    wanted = _Wanted(kind=ActKind.RELEASE, keys=chosen, cause=cause, by=by, reason=reason, corrected=values)
    _act(plant, wanted, dry_run, json_output)


@app.command("correct")
def correct(
    plant: PlantOption,
    reason: ReasonOption,
    key: Annotated[str, typer.Argument(help="The entry's key.")],
    values: Annotated[list[str], typer.Argument(help="NAME=VALUE, as `outbox show` has them.")],
    by: ByOption = "",
    dry_run: DryRunOption = False,
    json_output: JsonOption = False,
) -> None:
    """Send a dead entry with other values: where one value is wrong and its source cannot mend it."""
    pairs = [value.partition("=") for value in values]
    if wrong := next((text for text, (name, sign, _) in zip(values, pairs, strict=True) if not (name and sign)), None):
        fail(f"{wrong!r} is not NAME=VALUE, such as quantity=4", WRONG)
    corrected = {name: value for name, _, value in pairs}
    wanted = _Wanted(kind=ActKind.CORRECT, keys=(key,), by=by, reason=reason, corrected=corrected)
    _act(plant, wanted, dry_run, json_output)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What a command asks for. Neither keys nor a cause: all to which it can be done."""

    kind: ActKind
    keys: tuple[str, ...]
    cause: str | None = None
    by: str
    reason: str
    corrected: Mapping[str, str] = field(default_factory=dict)


def _act(folder: Path, wanted: _Wanted, dry_run: bool, json_output: bool) -> None:
    if not wanted.reason.strip():
        fail("--reason must say why", WRONG)
    who = wanted.by or login()

    async def question(plant: Plant, store: Store) -> tuple[tuple[Prediction, ...], bool]:
        predictions = await _predict(plant, store, wanted, who)
        doable = tuple(one.key for one in predictions if one.would is not None)
        act = new_act(wanted.kind, doable, who, wanted.reason, wanted.corrected)
        return predictions, dry_run or not doable or await _submit(store, act)

    predictions, is_done = ask(folder, question)
    if json_output:
        print_json([{"key": one.key, "would": one.would, "text": one.text} for one in predictions])
    else:
        _tell(predictions, dry_run)
    if not is_done:
        fail(
            f"the act is stored, but no bridge has done it within {ACT_WAIT_S:.0f} s; "
            "it will be done when `uns-bridge run` runs",
            UNREACHABLE,
        )
    if any(one.would in (None, EntryState.DEAD) for one in predictions):
        raise typer.Exit(FAILED)


def _tell(predictions: Sequence[Prediction], dry_run: bool) -> None:
    """What became of each, or would; and how many of each, where they are many."""
    table = RichTable("key", "would be" if dry_run else "is to be", "why")
    for one in predictions:
        table.add_row(one.key, one.would or "unchanged", one.text)
    Console().print(table if predictions else "no such entries")
    if len(predictions) > 1:
        counts = Counter(one.would or "unchanged" for one in predictions)
        Console().print(
            f"{len(predictions)} entries: {', '.join(f'{count} {would}' for would, count in counts.items())}"
        )


async def _predict(plant: Plant, store: Store, wanted: _Wanted, who: str) -> tuple[Prediction, ...]:
    """What would become of each entry: decided on a copy of what the bridge knows, and looked up in Odoo."""
    records = (await store.load()).records
    if (runs := records.get(RUNS)) is not None and await store.leader() is not None:
        plant, said = as_it_runs(plant, runs.decode())
        if said:
            typer.echo(said, err=True)
    core = new_core(plant)
    restore(core, records)
    entries = core.outbox.entries()
    keys = wanted.keys
    if wanted.cause is not None:
        keys = next((one.keys for one in causes(entries) if one.id == wanted.cause), ())
        if not keys:
            fail(f"there is no cause {wanted.cause}; `uns-bridge outbox causes` lists them", FAILED)
    elif not keys:
        keys = tuple(entry.key for entry in entries if entry.state in SUITS[wanted.kind])
    wish = Wish(kind=wanted.kind, keys=keys, by=who, corrected=wanted.corrected)
    decided = steps(core, wish, SystemClock().now_ms())
    odoo = open_odoo(plant)
    try:
        return await foreseen(core, odoo, decided)
    finally:
        await odoo.close()


async def _submit(store: Store, act: Act) -> bool:
    """Leave the act for the running bridge; whether it was done within `ACT_WAIT_S`."""
    await store.submit(act)

    async def is_done() -> bool | None:
        return None if any(one.id == act.id for one in await store.acts()) else True

    return bool(await answered(is_done, ACT_WAIT_S))


async def _entries(plant: Plant, store: Store) -> list[Entry]:
    stored = {**await store.read(Table.DONE), **await store.read(Table.ENTRY)}
    return sorted((decode(body) for body in stored.values()), key=lambda entry: entry.number)


def _summary(entry: Entry) -> dict[str, Any]:
    return {
        "key": entry.key,
        "state": entry.state,
        "lane": entry.lane,
        "action": entry.action,
        "destination": entry.destination,
        "number": entry.number,
        "attempts": entry.attempts,
        "created_ms": entry.created_ms,
        "changed_ms": entry.changed_ms,
        "reason": entry.reason,
    }


def _cause(one: Cause) -> dict[str, Any]:
    return {
        "cause": one.id,
        "state": one.state,
        "count": one.count,
        "orders": one.orders,
        "oldest_ms": one.oldest_ms,
        "rule": one.rule,
        "action": one.action,
        "text": one.text,
        "example": one.example,
    }


def _clock(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%m-%d %H:%M:%S")


def _whole(entry: Entry, url: str) -> dict[str, Any]:
    history = [{"at_ms": note.at_ms, "what": note.what, "by": note.by} for note in entry.history]
    receipt = _json(entry.receipt)
    stands = {"receipt": receipt, "in_odoo": odoo_link(url, receipt)}
    return {**_summary(entry), "body": _json(entry.body), **stands, "history": history}


def _json(stored: bytes | None) -> Any:
    """Stored JSON as data; what cannot be read as text."""
    if stored is None:
        return None
    try:
        return msgspec.json.decode(stored)
    except msgspec.DecodeError:
        return stored.decode(errors="replace")
