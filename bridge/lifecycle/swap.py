"""The core changes from one version of the rules to another between two inputs, and begins and ends shadows. Pure.

Totals, keys of events and the outbox belong to the plant: they stay. So does what a rule was at (an open episode, a
raised condition, an event that waits), where both versions have a rule of that name and form at that equipment; the
rest of the working memory is dropped, as after a start with other rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from msgspec.structs import replace as replace_struct

from bridge.core.input import Notice
from bridge.core.site import Core
from bridge.floor.content import factors_of, floor_of, priorities_of, rebound_nodes, started_at
from bridge.floor.floor import Decisions
from bridge.lifecycle.shadow import Shadow
from bridge.plant import Content, Release
from ruleset.output import Alert, EngineOutput, Post, Remark, Retraction, Unmet
from ruleset.transaction import Provenance
from sparkplug.fact import NodeId


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """What followed from a promotion. `rebound` are edge nodes of which other metrics are read than before."""

    notice: Notice
    decisions: tuple[Decisions, ...]
    rebound: tuple[NodeId, ...]


def promote(core: Core, content: Content, now_ms: int) -> Promotion:
    """Let this content decide from now on, with the memory of what decided until now."""
    before, release = core.release, content.release
    floor = floor_of(content, core.grace_ms)
    rebound = rebound_nodes(core.floor.assets, content.assets)
    decisions = tuple(floor.take_over(core.floor, now_ms))
    floor.owe(core.floor.take_changed())
    core.content, core.floor, core.release = content, floor, release
    core.alarm.workflows = content.workflows
    core.host.expect(floor.translator.nodes)
    tolerance = replace(core.postings.tolerance, factors=factors_of(content))
    core.postings = replace(
        core.postings, tolerance=tolerance, priorities=priorities_of(content), started_at=started_at(content)
    )
    fields = {
        "version": release.version if release else "",
        "author": release.author if release else "",
        "approved_by": release.approved_by if release else "",
        "before": before.version if before else "",
    }
    notice = Notice(level="info", name="rules.live", fields=fields)
    return Promotion(notice=notice, decisions=decisions, rebound=tuple(sorted(rebound)))


def shadow_begins(core: Core, content: Content | None, now_ms: int) -> Iterator[Notice]:
    """Let this version, or none, run beside the live one. What another in shadow found is said a last time."""
    for shadow in core.shadows:
        found = shadow.difference()
        fields: dict[str, str | int | float | None] = {
            "version": shadow.version,
            "agreed": found.agreed,
            "differing": len(found.differing),
            "defects": shadow.defects,
        }
        yield Notice(level="info", name="rules.shadow_ended", fields=fields)
        core.left |= shadow.ids
    core.shadows.clear()
    if content is None:
        return
    shadow = Shadow(content, core.grace_ms)
    shadow.take_over(core.floor, now_ms)
    core.shadows.append(shadow)
    yield Notice(level="info", name="rules.shadow_begun", fields={"version": shadow.version})


def credited(output: EngineOutput, release: Release | None) -> EngineOutput:
    """What was decided; its provenance then says by which version of all rules, and who approved that."""
    if release is None:
        return output
    match output:
        case Post(transaction=transaction):
            signed = replace_struct(transaction, provenance=_signed(transaction.provenance, release))
            return replace(output, transaction=signed)
        case Unmet():
            return replace(output, provenance=_signed(output.provenance, release))
        case Retraction(refused=refused):
            return replace(output, refused=replace(refused, provenance=_signed(refused.provenance, release)))
        case Alert() | Remark():
            return output


def _signed(provenance: Provenance, release: Release) -> Provenance:
    return replace_struct(provenance, release=release.version, approved_by=release.approved_by)
