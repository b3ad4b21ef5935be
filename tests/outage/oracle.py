"""What the floor itself counted, to be found in Odoo afterwards. It reads what the plant told, and nothing else."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bench.recorded import DEVICES_PER_NODE
from bridge.core.input import Input, SparkplugMessage, UnsDocument
from sparkplug.wire.payload import decode

METRICS = 7
ORDER, GOOD = 2, 3
"""Places of a device's metrics in its birth: which alias is which."""
REASONS = ("S1", "S2")


@dataclass(slots=True)
class Floor:
    """The pieces of each order, and how many postings of each kind there must be."""

    pieces: Counter[str] = field(default_factory=Counter)
    facts: Counter[str] = field(default_factory=Counter)
    _running: dict[tuple[str, int], str] = field(default_factory=dict)
    _counts: dict[tuple[str, int], int] = field(default_factory=dict)

    def hear(self, entered: Input) -> None:
        """Take what the plant tells at the same time as the bridge."""
        match entered:
            case SparkplugMessage(topic=topic, payload=payload) if "/DDATA/" in topic:
                self._count(topic.split("/")[3], payload)
            case UnsDocument(topic=topic, payload=payload):
                self._document(topic.rpartition("/")[2], msgspec.json.decode(payload))
            case _:
                pass

    def _count(self, node: str, payload: bytes) -> None:
        for metric in decode(payload).metrics:
            assert metric.alias is not None
            device, place = divmod(metric.alias - 1, METRICS)
            assert device < DEVICES_PER_NODE
            if place == ORDER:
                self._running[node, device] = str(metric.raw)
            elif place == GOOD and isinstance(metric.raw, int):
                made = metric.raw - self._counts.get((node, device), 0)
                self._counts[node, device] = metric.raw
                self.pieces[self._running.get((node, device), "")] += made

    def _document(self, name: str, body: dict[str, Any]) -> None:
        match name:
            case "scrap" if body["confirmed"]:
                self.facts["production.scrap" if body["reason"] in REASONS else "dead"] += 1
            case "quality" if body["result"] == "fail":
                self.facts["quality.result"] += 1
            case "consumed":
                self.facts["material.consume"] += 1
            case "disposition":
                self.facts["production.complete" if body["status"] == "accept" else "quality.hold"] += 1
            case _:
                pass
