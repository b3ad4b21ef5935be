"""`uns-bridge send`: ask an edge node for its births, or write a metric of a node or device.

The running bridge sends it, as the site's one Sparkplug host, or refuses it; the command waits for which. What it asks
for is void when it no longer waits.
"""

from __future__ import annotations

import sys
from typing import Annotated, Final

import msgspec
import typer

from bridge.clock import SystemClock
from bridge.commands.exit import FAILED, UNREACHABLE, WRONG, fail
from bridge.commands.site import ByOption, JsonOption, PlantOption, answered, ask, login, print_json
from bridge.core.act import new_id, store_act
from bridge.core.command import Reply
from bridge.core.input import RebirthWanted, WriteWanted
from bridge.plant import Plant
from sparkplug.command import Refusal, did_you_mean, write
from sparkplug.errors import SnapshotError
from sparkplug.fact import NodeId, Origin
from sparkplug.session import NodeSession, SessionSettings
from sparkplug.snapshot import as_stored
from sparkplug.topic import is_level
from state.record import Table
from state.store import Store

app = typer.Typer(help="Commands to edge nodes and devices: rebirth, write.", no_args_is_help=True)

WAIT_S: Final = 10.0
"""How long the running bridge may take to answer, and a node to be born."""

TargetArgument = Annotated[str, typer.Argument(metavar="GROUP/NODE[/DEVICE]", help="An edge node, or its device.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept in the audit log.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask: it is meant.")]


@app.command("rebirth")
def rebirth(
    plant: PlantOption,
    target: TargetArgument,
    reason: ReasonOption = "",
    by: ByOption = "",
    json_output: JsonOption = False,
) -> None:
    """Ask a node for all its births; a device is born with its node."""
    node, who = _origin(target).node_id, by or login()

    async def question(_: Plant, store: Store) -> Reply:
        await _expect_bridge(store)
        before = await _birth_ms(store, node)
        until_ms = SystemClock().now_ms() + round(WAIT_S * 1000)
        reply = await ask_bridge(store, RebirthWanted(id=new_id(), node=node, by=who, reason=reason, until_ms=until_ms))
        if not reply.sent:
            return reply

        async def is_born() -> bool | None:
            return True if await _birth_ms(store, node) != before else None

        if await answered(is_born, WAIT_S):
            return msgspec.structs.replace(reply, text=f"{reply.text}, and was born")
        text = f"{reply.text}, but no birth came within {WAIT_S:g} s; see `uns-bridge nodes {node}`"
        return msgspec.structs.replace(reply, sent=False, text=text)

    _end(ask(plant, question), json_output)


@app.command("write", context_settings={"ignore_unknown_options": True})  # or -5 would be an option
def write_metric(
    plant: PlantOption,
    target: TargetArgument,
    metric: Annotated[str, typer.Argument(help="The metric's whole name, as the birth has it, such as CMD/Target.")],
    value: Annotated[str, typer.Argument(help="The value, by the datatype of the birth.")],
    reason: ReasonOption = "",
    by: ByOption = "",
    yes: YesOption = False,
    json_output: JsonOption = False,
) -> None:
    """Write a metric: this changes something in the plant, so it is asked for before."""
    origin, who = _origin(target), by or login()

    async def look(_: Plant, store: Store) -> str:
        """What it would be written as. Ends with the reason where the bridge would refuse it."""
        await _expect_bridge(store)
        session = await _session(store, origin.node_id)
        told = write(session, origin.device, metric, value, SystemClock().now_ms())
        return fail(told.reason, FAILED) if isinstance(told, Refusal) else told.datatype

    async def question(_: Plant, store: Store) -> Reply:
        until_ms = SystemClock().now_ms() + round(WAIT_S * 1000)
        wanted = WriteWanted(
            id=new_id(), origin=origin, metric=metric, value=value, by=who, reason=reason, until_ms=until_ms
        )
        return await ask_bridge(store, wanted)

    datatype = ask(plant, look)
    if not yes:
        _confirm(f"Write {metric} of {origin} as the {datatype} {value}?")
    _end(ask(plant, question), json_output)


def _origin(target: str) -> Origin:
    levels = target.split("/")
    if not 2 <= len(levels) <= 3 or not all(is_level(level) for level in levels):
        fail(f"{target!r} is no edge node and no device: write GROUP/NODE or GROUP/NODE/DEVICE", WRONG)
    group, node, *device = levels
    return Origin(group, node, device[0] if device else None)


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        fail("this writes to the plant, and there is no terminal to ask on; say --yes if it is meant", WRONG)
    if not typer.confirm(question, err=True):
        fail("nothing was written", FAILED)


async def _expect_bridge(store: Store) -> None:
    if await store.leader() is None:
        fail("no bridge runs on this site, so nothing can be sent; start it with `uns-bridge run`", UNREACHABLE)


async def _birth_ms(store: Store, node: NodeId) -> int | None:
    """When the node was born last, by its own clock; None also where it was never heard of."""
    stored = await store.read_one(Table.NODE, str(node))
    return None if stored is None else _stored(node, stored).birth_ms


async def _session(store: Store, node: NodeId) -> NodeSession:
    """What the running bridge knows of the node. Ends with a sentence where that is nothing."""
    stored = await store.read_one(Table.NODE, str(node))
    if stored is None:
        known = did_you_mean(str(node), await store.read(Table.NODE))
        fail(f"no edge node {str(node)!r} was ever heard of{known}; `uns-bridge nodes` lists them", FAILED)
    return _stored(node, stored)


def _stored(node: NodeId, stored: bytes) -> NodeSession:
    try:
        return as_stored(node, stored, SessionSettings())
    except SnapshotError as error:
        fail(error, FAILED)


async def ask_bridge(store: Store, wanted: RebirthWanted | WriteWanted) -> Reply:
    """Leave it for the running bridge, and wait for its reply."""
    await store.submit(store_act(wanted))

    async def reply() -> Reply | None:
        stored = await store.read_one(Table.REPLY, wanted.id)
        return None if stored is None else msgspec.json.decode(stored, type=Reply)

    found = await answered(reply, WAIT_S)
    if found is None:
        fail(f"the bridge did not answer within {WAIT_S:g} s; what comes later than that it refuses", UNREACHABLE)
    return found


def _end(reply: Reply, json_output: bool) -> None:
    if json_output:
        print_json({"sent": reply.sent, "text": reply.text})
    elif reply.sent:
        print(reply.text)
    if not reply.sent:
        if not json_output:
            print(reply.text, file=sys.stderr)
        raise typer.Exit(FAILED)
