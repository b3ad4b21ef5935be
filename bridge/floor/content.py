"""What the core takes from a plant folder beyond its settings: all that a version of the rules can change."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.floor.floor import Floor
from bridge.plant import COMPLETE, Content
from ruleset.codes import OWN_LOSSES, UNITS
from ruleset.equipment import Assets
from ruleset.rules import posted_at
from ruleset.transaction import Short
from ruleset.unit import Factor, factors
from sparkplug.fact import NodeId
from state.lane import START


def floor_of(content: Content, grace_ms: int) -> Floor:
    """The floor as this content sees it; it remembers nothing yet. `grace_ms`: the plant's `limits.stale_grace`."""
    return Floor(content.assets, content.rules, grace_ms=grace_ms)


def priorities_of(content: Content) -> Mapping[str, int]:
    """The priorities of workflows.yaml, by action."""
    return {action: flow.priority for flow in content.workflows for action in flow.actions}


def started_at(content: Content) -> frozenset[str]:
    """The equipment at which a rule posts that work on an order starts."""
    return posted_at(content.rules, START)


def factors_of(content: Content) -> Mapping[tuple[str, str], Factor]:
    """What leads from a unit of the floor to one of Odoo."""
    return factors(content.assets.codes.get(UNITS, {}), content.assets.measures)


def short_of(content: Content) -> Short:
    """What becomes of an order that is completed with less, as workflows.yaml says; a rule may say otherwise."""
    completing = content.workflow_of(COMPLETE)
    return completing.short if completing is not None else "close"


def why_restart(before: Content, after: Content) -> str | None:
    """Why content cannot take the place of another one while the bridge runs; None where it can.

    Compared is what the sessions and the connection to Odoo keep from the start.
    """
    running, wanted = before.assets, after.assets
    fixed = {
        "the site": (running.path, wanted.path),
        "the company": (running.company, wanted.company),
        "the units of codes.yaml": (running.codes.get(UNITS), wanted.codes.get(UNITS)),
        "the losses of codes.yaml": (running.codes.get(OWN_LOSSES), wanted.codes.get(OWN_LOSSES)),
        "short of workflows.yaml": (short_of(before), short_of(after)),
    }
    differing = [name for name, (kept, other) in fixed.items() if kept != other]
    return f"{' and '.join(differing)} cannot change while the bridge runs" if differing else None


def rebound_nodes(running: Assets, wanted: Assets) -> frozenset[NodeId]:
    """Edge nodes of which other metrics are read than before: only a birth shows their values."""
    return frozenset(
        NodeId(each.group, each.node)
        for path, each in wanted.equipment.items()
        if each.group is not None and each.node is not None and _read(running, path) != _read(wanted, path)
    )


def _read(assets: Assets, path: str) -> object:
    each = assets.equipment.get(path)
    return None if each is None else (each.group, each.node, each.device, dict(each.signals))
