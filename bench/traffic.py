"""The messages of a measurement, made before it: births, DDATA of ten metrics, and JSON documents.

The same for every consumer, by plain arithmetic. The DDATA names its metrics by alias and carries their datatypes,
which the standard allows, because npm's `sparkplug-payload` reads no value without.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bench.plant import GROUP, equipment_path, lines_and_presses
from sparkplug.fact import NodeId, Value
from sparkplug.topic import DeviceVerb, NodeVerb, device_topic, node_topic
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.payload import TypedMetric, encode

METRICS: Final = (
    ("State", Datatype.STRING),
    ("Fault", Datatype.STRING),
    ("Order", Datatype.STRING),
    ("Counters/Good", Datatype.INT64),
    ("Vibration/RMS", Datatype.DOUBLE),
    ("Temperature", Datatype.DOUBLE),
    ("Pressure", Datatype.DOUBLE),
    ("Cycle Time", Datatype.FLOAT),
    ("Power", Datatype.FLOAT),
    ("Cavity", Datatype.INT32),
)
STOPS_EVERY: Final = 50
"""One message in fifty begins a stop, which the device's next message ends: a downtime record."""
SHAKES_EVERY: Final = 97
"""One message in ninety-seven is above the vibration's limit: a maintenance request."""
FAILS_EVERY: Final = 10
"""One document in ten is a failed check: a quality result."""


@dataclass(frozen=True, slots=True)
class Packet:
    """A message to publish."""

    topic: str
    payload: bytes


class Plant:
    """Edge nodes that count on from message to message."""

    def __init__(self, devices: int, began_ms: int) -> None:
        self.devices = devices
        self.sent = 0
        self._now_ms = began_ms
        self._presses = lines_and_presses(devices)[1]
        self._seq = [0] * lines_and_presses(devices)[0]

    def births(self) -> list[Packet]:
        """NBIRTH of every node and DBIRTH of every device."""
        packets: list[Packet] = []
        for line in range(len(self._seq)):
            control = [
                TypedMetric(name="bdSeq", datatype=Datatype.INT64, value=0, at_ms=self._now_ms),
                TypedMetric(name="Node Control/Rebirth", datatype=Datatype.BOOLEAN, value=False, at_ms=self._now_ms),
            ]
            packets.append(
                Packet(node_topic(NodeVerb.BIRTH, self._node(line)), self._encode(line, control, birth=True))
            )
            for device in range(line * self._presses, (line + 1) * self._presses):
                packets.append(self._message(DeviceVerb.BIRTH, device, 0))
        return packets

    def data(self, count: int) -> list[Packet]:
        """DDATA of ten metrics, device after device."""
        return list(self._data(count))

    def documents(self, count: int, first: int) -> list[Packet]:
        """Quality checks. The last one fails, and is so a posting that says that all were taken."""
        packets: list[Packet] = []
        for number in range(first, first + count):
            fails = number % FAILS_EVERY == 0 or number == first + count - 1
            device = number % self.devices
            document = {
                "id": f"check-{number}",
                "at": self._now_ms + number,
                "order": f"mo-{device}",
                "check": "torque",
                "result": "fail" if fails else "pass",
                "lot": f"L-{number}",
                "measured": 12.5,
                "station": "station-1",
            }
            path = equipment_path(device, self.devices)
            packets.append(Packet(f"uns/v1/{path}/quality", json.dumps(document).encode()))
        return packets

    def good_count(self) -> tuple[str, int]:
        """The equipment of the last DDATA, and the count that it told."""
        last = self.sent - 1
        return equipment_path(last % self.devices, self.devices), last // self.devices + 1

    def _data(self, count: int) -> Iterator[Packet]:
        for _ in range(count):
            self._now_ms += 1
            yield self._message(DeviceVerb.DATA, self.sent % self.devices, self.sent // self.devices + 1)
            self.sent += 1

    def _message(self, verb: DeviceVerb, device: int, good: int) -> Packet:
        line, press = divmod(device, self._presses)
        turn = good * 31 + device
        stops, shakes = good and turn % STOPS_EVERY == 0, good and turn % SHAKES_EVERY == 0
        values: tuple[Value, ...] = (
            "FAULT" if stops else "RUN",
            "E12" if stops else "",
            f"mo-{device}",
            good,
            9.5 if shakes else 2.0 + turn % 29 / 10,
            60 + turn % 101 / 10,
            5 + turn % 53 / 10,
            30 + turn % 17 / 4,
            11 + turn % 13 / 8,
            turn % 8,
        )
        metrics = [
            TypedMetric(
                name=name if verb is DeviceVerb.BIRTH else None,
                alias=press * len(METRICS) + place,
                datatype=datatype,
                value=value,
                at_ms=self._now_ms,
            )
            for place, ((name, datatype), value) in enumerate(zip(METRICS, values, strict=True), 1)
        ]
        return Packet(device_topic(verb, self._node(line), f"press-{press + 1}"), self._encode(line, metrics))

    def _encode(self, line: int, metrics: list[TypedMetric], *, birth: bool = False) -> bytes:
        self._seq[line] = 0 if birth else (self._seq[line] + 1) % 256
        return encode(timestamp_ms=self._now_ms, seq=self._seq[line], metrics=metrics)

    def _node(self, line: int) -> NodeId:
        return NodeId(GROUP, f"line-{line + 1}")
