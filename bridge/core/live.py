"""What the equipment says at present, for people to look at: last values, last events, and since when a source is gone.

Part of the core because the observations pass there, but nothing decides by it and nothing of it is stored: after a
start it fills with the births. It holds at most one entry per signal of assets.yaml and one per node.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from ruleset.sample import Event, Fresh, Observation, Sample, Stale
from sparkplug.fact import DataRead, DeviceOffline, DeviceOnline, Fact, Finding, NodeId, NodeOffline, NodeOnline

_Name = TypeVar("_Name", str, NodeId)


class Seen(msgspec.Struct, frozen=True):
    """The last sample or event of one signal, and when it was received."""

    observation: Sample | Event
    received_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Whether a node, or the source of an equipment, is there; since when, and why not."""

    present: bool
    since_ms: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LiveView:
    """The present as far as it was heard since the start."""

    signals: dict[tuple[str, str], Seen] = field(default_factory=dict)
    equipment: dict[str, Presence] = field(default_factory=dict)
    nodes: dict[NodeId, Presence] = field(default_factory=dict)

    def take(self, observations: Iterable[Observation], now_ms: int) -> None:
        """Remember the latest. What was stored while we were away does not describe the present."""
        for one in observations:
            if isinstance(one, Sample | Event):
                if not one.historical:
                    self.signals[one.equipment, one.signal] = Seen(one, now_ms)
            elif isinstance(one, Stale):
                _turn(self.equipment, one.equipment, present=False, at_ms=one.at_ms, reason=one.reason)
            elif isinstance(one, Fresh):
                _turn(self.equipment, one.equipment, present=True, at_ms=one.at_ms)

    def note(self, fact: Fact) -> None:
        """Remember since when a node is there or gone."""
        match fact:
            case NodeOnline(node=node, at_ms=at_ms):
                self.nodes[node] = Presence(present=True, since_ms=at_ms)
            case NodeOffline(node=node, at_ms=at_ms, reason=reason):
                _turn(self.nodes, node, present=False, at_ms=at_ms, reason=reason)
            case DeviceOnline() | DeviceOffline() | DataRead() | Finding():
                pass

    def forget(self, nodes: Iterable[NodeId]) -> None:
        """The host forgot these nodes."""
        for node in nodes:
            self.nodes.pop(node, None)

    def of(self, equipment: str) -> Mapping[str, Seen]:
        """The last of each signal of one equipment."""
        return {signal: seen for (path, signal), seen in self.signals.items() if path == equipment}


def _turn(known: dict[_Name, Presence], name: _Name, *, present: bool, at_ms: int, reason: str = "") -> None:
    """Note a change; the same again keeps the moment of the first."""
    before = known.get(name)
    if before is None or before.present is not present:
        known[name] = Presence(present=present, since_ms=at_ms, reason=reason)
