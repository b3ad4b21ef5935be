"""`uns-bridge outbox`: what waits, what was delivered, what could not be; and what people do about it.

Lists read the store. Acts are left there for the running bridge, which does them in its next commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.console import Console
from rich.table import Table as RichTable

from bridge.commands.exit import FAILED, UNREACHABLE, WRONG, fail
from bridge.commands.site import ByOption, JsonOption, PlantOption, answered, ask, login, print_json
from bridge.console.format import odoo_link
from bridge.core.act import new_act
from bridge.core.input import ActKind
from bridge.core.job import NEED_NOT_MET, readable_jobs, unmet_reason
from bridge.core.standing import Standings
from bridge.plant import Plant
from bridge.wiring import open_odoo
from odoo_adapter.errors import OdooError
from odoo_adapter.odoo import Job
from state.entry import Entry, EntryState, decode
from state.intervention import Prediction
from state.outbox import Outbox
from state.record import Table
from state.store import Act, Store

app = typer.Typer(help="Entries of the outbox: list, show, replay, skip, release.", no_args_is_help=True)

ACT_WAIT_S: Final = 10.0
"""How long an act may take until the running bridge has done it."""

StateOption = Annotated[EntryState | None, typer.Option("--state", help="Only entries in this state.")]
KeysArgument = Annotated[list[str] | None, typer.Argument(help="Keys of entries.")]
AllOption = Annotated[bool, typer.Option("--all", help="Instead of keys: all to which it can be done.")]
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
        since = datetime.fromtimestamp(entry.changed_ms / 1000, UTC).strftime("%m-%d %H:%M:%S")
        table.add_row(entry.state, entry.key, entry.lane, since, str(entry.attempts), entry.reason)
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


def _command(kind: ActKind, help: str) -> None:
    """Add the command of one act: all of them take the same."""

    def command(
        plant: PlantOption,
        reason: ReasonOption,
        keys: KeysArgument = None,
        all_entries: AllOption = False,
        by: ByOption = "",
        dry_run: DryRunOption = False,
        json_output: JsonOption = False,
    ) -> None:
        _act(kind, plant, keys, all_entries, by, reason, dry_run, json_output)

    app.command(kind.value, help=help)(command)


_command(ActKind.REPLAY, "Send dead entries again.")
_command(ActKind.SKIP, "Give entries up: they are never sent, and what waited for them goes on.")
_command(ActKind.RELEASE, "Let held entries go.")


def _act(
    kind: ActKind,
    folder: Path,
    keys: Sequence[str] | None,
    all_entries: bool,
    by: str,
    reason: str,
    dry_run: bool,
    json_output: bool,
) -> None:
    if bool(keys) == all_entries:
        fail("name keys, or say --all", WRONG)
    if not reason.strip():
        fail("--reason must say why", WRONG)
    who = by or login()

    async def question(plant: Plant, store: Store) -> tuple[tuple[Prediction, ...], bool]:
        predictions = await _predict(plant, store, kind, keys, reason)
        doable = tuple(one.key for one in predictions if one.would is not None)
        is_done = dry_run or not doable or await _submit(store, new_act(kind, doable, who, reason))
        return predictions, is_done

    predictions, is_done = ask(folder, question)
    if json_output:
        print_json([{"key": one.key, "would": one.would, "text": one.text} for one in predictions])
    else:
        table = RichTable("key", "would be" if dry_run else "is to be", "why")
        for one in predictions:
            table.add_row(one.key, one.would or "unchanged", one.text)
        Console().print(table if predictions else "no such entries")
    if not is_done:
        fail(
            f"the act is stored, but no bridge has done it within {ACT_WAIT_S:.0f} s; "
            "it will be done when `uns-bridge run` runs",
            UNREACHABLE,
        )
    if any(one.would is None for one in predictions):
        raise typer.Exit(FAILED)


async def _predict(
    plant: Plant, store: Store, kind: ActKind, keys: Sequence[str] | None, reason: str
) -> tuple[Prediction, ...]:
    outbox, standings, records = Outbox(), Standings(), (await store.load()).records
    outbox.restore(records)
    for record, snapshot in records.items():
        if record.table is Table.STANDING:
            standings.restore(record.id, snapshot)
    chosen = tuple(keys or (entry.key for entry in outbox.entries() if _suits(kind, entry)))
    predictions = outbox.act(kind, chosen, by="", reason=reason, now_ms=0, dry_run=True)
    if kind is not ActKind.REPLAY:
        return predictions
    sendable = tuple(_without_transaction(outbox.entry(one.key)) or one for one in predictions)
    jobs = readable_jobs((outbox.entry(one.key) for one in sendable if one.would), standings)
    return await _in_odoo(plant, jobs, sendable)


def _suits(kind: ActKind, entry: Entry) -> bool:
    return entry.state in SUITS[kind] and not (kind is ActKind.REPLAY and _without_transaction(entry))


def _without_transaction(entry: Entry | None) -> Prediction | None:
    """What is to be said of a dead letter of a rule's `need`: to send it again, there would have to be something."""
    if entry is None or entry.state is not EntryState.DEAD or (reason := unmet_reason(entry.body)) is None:
        return None
    return Prediction(entry.key, None, f"there is nothing to send: {reason}; {NEED_NOT_MET}")


async def _submit(store: Store, act: Act) -> bool:
    """Leave the act for the running bridge; whether it was done within `ACT_WAIT_S`."""
    await store.submit(act)

    async def is_done() -> bool | None:
        return None if any(one.id == act.id for one in await store.acts()) else True

    return bool(await answered(is_done, ACT_WAIT_S))


async def _in_odoo(plant: Plant, jobs: Sequence[Job], predictions: tuple[Prediction, ...]) -> tuple[Prediction, ...]:
    """Say which of these entries stand in Odoo already, where it can be asked."""
    odoo = open_odoo(plant)
    try:
        found = await odoo.look_up(jobs) if jobs else {}
    except OdooError as error:
        return tuple(
            Prediction(one.key, one.would, f"{one.text} (Odoo could not be asked: {error})") for one in predictions
        )
    finally:
        await odoo.close()
    return tuple(
        Prediction(one.key, one.would, f"stands in Odoo already as {found[one.key].model} {found[one.key].id}")
        if one.key in found
        else one
        for one in predictions
    )


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
