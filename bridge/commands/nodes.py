"""`uns-bridge nodes`: what the host believes of each edge node, and what is wrong with what they send.

It reads what the running bridge commits; where none runs, what the last one knew.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from bridge.clock import SystemClock
from bridge.commands.exit import FAILED, fail
from bridge.commands.site import JsonOption, PlantOption, ask, print_json
from bridge.console.format import age, printable, requirement, sample, skew
from bridge.core.site import STRANGERS_ID
from bridge.plant import Plant
from sparkplug.command import did_you_mean
from sparkplug.errors import SnapshotError
from sparkplug.fact import NodeId
from sparkplug.finding import Tally
from sparkplug.snapshot import NodeView, stored_findings, stored_view
from state.record import Table
from state.store import Leader, Store

NodeArgument = Annotated[str | None, typer.Argument(metavar="[GROUP/NODE]", help="Only this edge node.")]
SamplesOption = Annotated[bool, typer.Option("--samples", help="With a payload of each finding, decoded.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the bridge committed. `strangers`: the findings of messages that belong to no node that is followed."""

    leader: Leader | None
    nodes: list[NodeView]
    strangers: Mapping[str, Tally]


def command(
    plant: PlantOption, node: NodeArgument = None, samples: SamplesOption = False, json_output: JsonOption = False
) -> None:
    """List edge nodes with their state, their devices and what is done against the standard, also by no node."""
    known = ask(plant, _read)
    if node is not None:
        known = _only(node, known)
    if json_output:
        print_json(_as_data(known, samples))
        return
    now_ms, console = SystemClock().now_ms(), Console(width=None if sys.stdout.isatty() else 160)
    print(_headline(known.leader, known.nodes, now_ms))
    if known.nodes:
        console.print(_table(known.nodes, now_ms))
    _tell_findings("no node that is followed", known.strangers, samples=samples, now_ms=now_ms)
    for view in known.nodes:
        _tell_findings(str(view.node), view.findings, samples=samples, now_ms=now_ms)


async def _read(_: Plant, store: Store) -> _Known:
    leader, stored = await store.leader(), await store.read(Table.NODE)
    strangers = await store.read_one(Table.META, STRANGERS_ID)
    try:
        return _Known(
            leader=leader,
            nodes=[stored_view(NodeId(*id.split("/")), stored[id]) for id in sorted(stored)],
            strangers={} if strangers is None else stored_findings(strangers),
        )
    except SnapshotError as error:
        fail(error, FAILED)


def _only(node: str, known: _Known) -> _Known:
    names = [str(view.node) for view in known.nodes]
    if node not in names:
        fail(f"no edge node {node!r} was ever heard of{did_you_mean(node, names)}", FAILED)
    return _Known(leader=known.leader, nodes=[known.nodes[names.index(node)]], strangers={})


def _headline(leader: Leader | None, views: list[NodeView], now_ms: int) -> str:
    if not views:
        return "no edge node was ever heard of" + ("" if leader else ", and no bridge runs")
    if leader is None:
        return f"no bridge runs: this is what the last one knew, {age(now_ms - max(v.seen_ms for v in views))} ago"
    return f"what the bridge {leader.holder} believes, which leads for {age(now_ms - leader.since_ms)}"


def _table(views: list[NodeView], now_ms: int) -> RichTable:
    """`seq` and the last message are those of the last commit that changed more than them."""
    several = any(view.server for view in views)
    headings = ["node", "state", "since (UTC)", "told", "seq", "bdSeq", "clock", "devices", "findings"]
    table = RichTable(*headings, *(["server"] if several else []), box=None)
    for view in views:
        cells = [
            str(view.node),
            view.phase,
            _moment(view.since_ms),
            f"{age(now_ms - view.seen_ms)} ago" if view.seen_ms else "",
            _number(view.seq),
            _number(view.bd_seq),
            skew(view.skew_ms),
            ", ".join(name if born else f"{name} (gone)" for name, born in sorted(view.devices.items())),
            str(sum(tally.count for tally in view.findings.values())),
            *([view.server] if several else []),
        ]
        table.add_row(*(escape(printable(cell)) for cell in cells))
    return table


def _tell_findings(who: str, findings: Mapping[str, Tally], *, samples: bool, now_ms: int) -> None:
    for name, tally in sorted(findings.items()):
        times = "once" if tally.count == 1 else f"{tally.count} times"
        last = f", last {age(now_ms - tally.last_ms)} ago" if tally.last_ms else ""
        print(printable(f"{who}: {name} {times}{last} ({requirement(name)}): {tally.text}"))
        if samples and tally.sample:
            print(printable(f"    {sample(tally.sample)}"))


def _as_data(known: _Known, samples: bool) -> Mapping[str, Any]:
    leader = known.leader
    return {
        "bridge": None if leader is None else {"holder": leader.holder, "since_ms": leader.since_ms},
        "nodes": [_node(view, samples) for view in known.nodes],
        "findings": _findings(known.strangers, samples),
    }


def _node(view: NodeView, samples: bool) -> Mapping[str, Any]:
    return {
        "node": str(view.node),
        "server": view.server,
        "state": view.phase,
        "since_ms": view.since_ms,
        "seen_ms": view.seen_ms,
        "seq": view.seq,
        "bd_seq": view.bd_seq,
        "skew_ms": view.skew_ms,
        "metrics": view.metrics,
        "devices": view.devices,
        "findings": _findings(view.findings, samples),
    }


def _findings(findings: Mapping[str, Tally], samples: bool) -> list[Mapping[str, Any]]:
    return [_finding(name, tally, samples) for name, tally in sorted(findings.items())]


def _finding(name: str, tally: Tally, samples: bool) -> Mapping[str, Any]:
    return {
        "finding": name,
        "requirement": requirement(name),
        "count": tally.count,
        "first_ms": tally.first_ms,
        "last_ms": tally.last_ms,
        "text": tally.text,
        **({"sample": tally.sample, "decoded": sample(tally.sample)} if samples else {}),
    }


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%m-%d %H:%M:%S") if at_ms else ""


def _number(value: int | None) -> str:
    return "" if value is None else str(value)
