"""A recording that no plant made: days of presses with a MES and Odoo's orders, written as a bridge would record them.

Every device tells its counter and vibration every few seconds, stops for seconds or minutes, makes one order after the
other, has scrap and failed checks, and shakes a few times a day. By a seed, so that the same days come again.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, Final

import msgspec

from bridge.core.input import HostConnected, Input, OrdersArrived, SparkplugMessage, Started, UnsDocument
from bridge.plant import Plant, load_plant
from bridge.recording.about import about
from bridge.recording.folder import Bounds, RecordingFolder
from bridge.recording.span import Mirror, Span
from odoo_adapter.odoo import OrderRead, OrdersRead
from sparkplug.fact import NodeId, Value
from sparkplug.topic import DeviceVerb, NodeVerb, device_topic, node_topic
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.payload import TypedMetric, encode

DEVICES_PER_NODE: Final = 5
SPAN: Final = 500
"""Inputs of one commit; where it begins and ends changes nothing."""
DAY_MS: Final = 86_400_000
START_MS: Final = 1_794_787_200_000  # a Monday, midnight UTC
_SECOND: Final = 1_000
_MINUTE: Final = 60_000
_HOUR: Final = 3_600_000

ASSETS: Final = """\
enterprise: acme
site: bench
timezone: UTC
company: 1
types:
  press:
    signals:
      state: {{metric: State, type: text, role: state}}
      fault: {{metric: Fault, type: text}}
      order: {{metric: Order, type: text, role: order}}
      good_count: {{metric: Counters/Good, type: integer, role: counter, unit: pcs, rollover: 4294967296}}
      vibration_rms: {{metric: Vibration/RMS, type: number, unit: mm/s}}
      spindle_rms: {{metric: Spindle/RMS, type: number, unit: mm/s}}
      temperature: {{metric: Temperature, type: number}}
      scrap:
        document: scrap
        fields: {{order: text, qty: {{type: number, unit: pcs}}, reason: text, confirmed: boolean}}
      quality:
        document: quality
        fields: {{order: text, check: text, result: text}}
      finished:
        document: finished
        fields: {{order: text, lot: text, qty: {{type: number, unit: pcs}}}}
      disposition:
        document: disposition
        fields: {{order: text, lot: text, status: text}}
equipment:
  line-{{l:1..{nodes}}}/press-{{n:1..{presses}}}:
    type: press
    source: {{group: bench, node: "line-{{l}}", device: "press-{{n}}"}}
    work_center: "PRESS-{{l}}-{{n}}"
    serial_number: "PRESS-{{l}}-{{n}}"
"""

RULES: Final = """\
- rule: downtime
  assets: "*"
  episode: {open: "state in ['STOPPED', 'FAULT']", close: "state == 'RUN'", merge_gaps: 5s}
  micro: 2m
  classify:
    - {when: "episode.fault in codes.fault_reason", loss: "codes.fault_reason[episode.fault]"}
    - {when: "true", loss: "'unclassified'"}
  do: downtime.record
  with: {start: started, end: ended, loss: loss}

- rule: spindle-vibration
  assets: "*"
  raise: {when: "vibration_rms > 7.1", for: 30s}
  clear: {when: "vibration_rms < 5.5", for: 1m}
  once: while_open
  do: maintenance.request
  with: {title: "'Vibration on ' + asset.name", priority: "vibration_rms > 11 ? 3 : 2"}

- rule: progress
  assets: "*"
  order: running
  collect: {good: {delta: good_count}}
  post: {every: 60s, or: "good >= 25", and_when_changes: [order]}
  do: production.progress
  with: {quantity: good}

- rule: scrap
  assets: "*"
  event: scrap
  order: scrap.order
  when: scrap.confirmed && scrap.qty > 0
  need:
    - {that: "scrap.reason in codes.scrap_reason", else: "scrap reason {scrap.reason} is not in codes.yaml"}
  do: production.scrap
  with: {quantity: scrap.qty, reason: "codes.scrap_reason[scrap.reason]"}

- rule: repeated-quality-failure
  assets: "*"
  event: quality
  when: quality.result == 'fail'
  count: {by: [quality.check], at_least: 3, within: 8h}
  once: 24h
  do: maintenance.request
  with: {title: "'3 failures of ' + quality.check + ' in 8 h on ' + asset.name"}

- rule: complete
  assets: "*"
  event: finished
  order: finished.order
  wait: {for: disposition, match: "disposition.order == finished.order && disposition.lot == finished.lot", at_most: 4h}
  do:
    - {when: "disposition.status == 'accept'", post: production.complete, with: {quantity: finished.qty}}
    - {when: "disposition.status == 'reject'", post: quality.hold, with: {quantity: finished.qty}}
    - {when: timed_out, alert: "no disposition for {finished.order} after 4 h"}
"""

CODES: Final = """\
fault_reason: {E12: breakdown, W03: setup}
scrap_reason: {S1: Scratched, S2: Short shot}
units: {pcs: Units, mm/s: ""}
"""

BRIDGE: Final = """\
odoo: {database: bench, user: bench, key: {env: UNUSED}}
sparkplug: {host_id: bench, groups: [bench]}
"""

_METRICS: Final = {
    "State": Datatype.STRING,
    "Fault": Datatype.STRING,
    "Order": Datatype.STRING,
    "Counters/Good": Datatype.INT64,
    "Vibration/RMS": Datatype.DOUBLE,
    "Spindle/RMS": Datatype.DOUBLE,
    "Temperature": Datatype.DOUBLE,
}
_ALIASES: Final = {name: alias for alias, name in enumerate(_METRICS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """What is to be made: `every_ms` is how often a device tells its counter."""

    devices: int
    days: float
    seed: int = 1
    every_ms: int = 5_000


@dataclass(frozen=True, slots=True)
class _Told:
    """A device's metrics that changed, the document of its MES, or what Odoo says of an order."""

    at_ms: int
    device: int
    values: dict[str, Value] | None = None
    document: tuple[str, dict[str, Any]] | None = None
    order: OrderRead | None = None


def write_plant(folder: Path, devices: int) -> Plant:
    """The plant folder of a recording of so many devices, a multiple of those of a node."""
    (folder / "rules").mkdir(parents=True)
    nodes = devices // DEVICES_PER_NODE
    (folder / "assets.yaml").write_text(ASSETS.format(nodes=nodes, presses=DEVICES_PER_NODE))
    (folder / "codes.yaml").write_text(CODES)
    (folder / "rules" / "plant.yaml").write_text(RULES)
    (folder / "bridge.yaml").write_text(BRIDGE)
    return load_plant(folder)


def record(plant: Plant, folder: Path, days: Days) -> int:
    """Write the recording of these days into a folder; returns its inputs. Its files are as large as by default."""
    bounds = Bounds(max_file=64_000_000, max_total=10**12, max_age_ms=6 * _HOUR)
    files = RecordingFolder(folder, bounds, about(plant), Mirror(0, {}))
    entering = inputs(plant, days)
    number = 0
    while span := tuple(islice(entering, SPAN)):
        number += 1
        files.write([Span(number=number, inputs=span, changes={})])
    files.finish()
    return files.inputs


def inputs(plant: Plant, days: Days) -> Iterator[tuple[int, Input]]:
    """The inputs of these days in their order, with their times."""
    nodes = _Nodes(days)
    yield START_MS, Started()
    yield START_MS, HostConnected()
    for topic, payload in nodes.births(START_MS):
        yield START_MS + _SECOND, SparkplugMessage(topic=topic, payload=payload, retain=False)
    each = [_device(number, days) for number in range(days.devices)]
    for told in heapq.merge(*each, key=lambda one: one.at_ms):
        if told.values is not None:
            topic, payload = nodes.data(told.device, told.values, told.at_ms)
            yield told.at_ms, SparkplugMessage(topic=topic, payload=payload, retain=False)
        if told.document is not None:
            name, body = told.document
            line, press = _place(told.device)
            yield (
                told.at_ms,
                UnsDocument(f"uns/v1/{plant.assets.path}/{line}/{press}/{name}", msgspec.json.encode(body)),
            )
        if told.order is not None:
            yield told.at_ms, OrdersArrived(OrdersRead(orders=(told.order,), cursor=str(told.at_ms)))


class _Nodes:
    """The edge nodes: what they said last, and their `seq`."""

    def __init__(self, days: Days) -> None:
        self._seq = [0] * (days.devices // DEVICES_PER_NODE)
        self._devices = days.devices

    def births(self, at_ms: int) -> Iterator[tuple[str, bytes]]:
        for node in range(len(self._seq)):
            control = [TypedMetric(name="bdSeq", datatype=Datatype.INT64, value=0, at_ms=at_ms)]
            control.append(
                TypedMetric(name="Node Control/Rebirth", datatype=Datatype.BOOLEAN, value=False, at_ms=at_ms)
            )
            yield node_topic(NodeVerb.BIRTH, _node(node)), encode(timestamp_ms=at_ms, seq=0, metrics=control)
            for device in range(node * DEVICES_PER_NODE, (node + 1) * DEVICES_PER_NODE):
                born: dict[str, Value] = {"State": "RUN", "Fault": "", "Order": "", "Counters/Good": 0}
                born |= {"Vibration/RMS": 3.0, "Spindle/RMS": 3.0, "Temperature": 60.0}
                yield self._message(DeviceVerb.BIRTH, device, born, at_ms)

    def data(self, device: int, values: dict[str, Value], at_ms: int) -> tuple[str, bytes]:
        return self._message(DeviceVerb.DATA, device, values, at_ms)

    def _message(self, verb: DeviceVerb, device: int, values: dict[str, Value], at_ms: int) -> tuple[str, bytes]:
        node, _ = divmod(device, DEVICES_PER_NODE)
        self._seq[node] = (self._seq[node] + 1) % 256
        first = device % DEVICES_PER_NODE * len(_METRICS) + 1
        metrics = [
            TypedMetric(
                name=name if verb is DeviceVerb.BIRTH else None,
                alias=first + _ALIASES[name],
                datatype=_METRICS[name],
                value=value,
                at_ms=at_ms,
            )
            for name, value in values.items()
        ]
        topic = device_topic(verb, _node(node), _place(device)[1])
        return topic, encode(timestamp_ms=at_ms, seq=self._seq[node], metrics=metrics)


def _device(number: int, days: Days) -> Iterator[_Told]:
    """All that one device, its MES and Odoo tell, in order."""
    chance = Random(f"{days.seed} {number}")
    end_ms = START_MS + round(days.days * DAY_MS)
    metrics = _metrics(number, days, chance, end_ms)
    return heapq.merge(metrics, _making(number, chance, end_ms), key=lambda one: one.at_ms)


def _metrics(number: int, days: Days, chance: Random, end_ms: int) -> Iterator[_Told]:
    """Counter and vibration every few seconds; stops; and times in which it shakes."""
    now_ms = START_MS + 10 * _SECOND + number * 37
    good = 0
    stops_ms = now_ms + _span(chance, 5, 40)
    runs_ms = 0
    shakes_ms = now_ms + _span(chance, 10, 90)
    still_ms, peak = 0, 0.0
    while now_ms < end_ms:
        values: dict[str, Value] = {}
        if runs_ms and now_ms >= runs_ms:
            values |= {"State": "RUN", "Fault": ""}
            runs_ms, stops_ms = 0, now_ms + _span(chance, 5, 40)
        elif not runs_ms and now_ms >= stops_ms:
            fault = chance.choice(("E12", "W03", "X99", ""))
            values |= {"State": "FAULT" if fault else "STOPPED", "Fault": fault}
            short = chance.random() < 0.7
            runs_ms = now_ms + (chance.randrange(20, 110) * _SECOND if short else _span(chance, 3, 20))
        if now_ms >= shakes_ms:
            still_ms, peak = now_ms + _span(chance, 2, 10), chance.uniform(6.8, 9.5)
            shakes_ms = now_ms + _span(chance, 60, 300)
        shaking = now_ms < still_ms
        if not runs_ms:
            good += chance.randrange(1, 3)
            values["Counters/Good"] = good
        values["Vibration/RMS"] = round(peak if shaking else chance.uniform(2.5, 4.5), 2)
        values["Spindle/RMS"] = round((peak if shaking else 3.0) * 0.9, 2)
        values["Temperature"] = round(60 + chance.random() * 5, 1)
        yield _Told(now_ms, number, values=values)
        now_ms += days.every_ms


def _making(number: int, chance: Random, end_ms: int) -> Iterator[_Told]:
    """One order after the other, with scrap, checks, and the decision of quality at its end."""
    now_ms, nth = START_MS + 15 * _SECOND + number * 41, 0
    while now_ms < end_ms:
        nth += 1
        order, lot = f"mo-{number * 10_000 + nth}", f"L-{number}-{nth}"
        content = {"quantity": "100000", "unit": "Units"}
        yield _Told(now_ms, number, order=OrderRead(order=order, name=order, state="confirmed", document=content))
        yield _Told(now_ms + _SECOND, number, values={"Order": order})
        ends_ms = now_ms + _span(chance, 180, 300)
        yield from _happenings(number, chance, order, now_ms + _MINUTE, min(ends_ms, end_ms))
        if ends_ms + 10 * _MINUTE >= end_ms:
            return
        finished = {"id": f"F-{lot}", "at": ends_ms, "order": order, "lot": lot, "qty": 5000}
        yield _Told(ends_ms, number, values={"Order": ""}, document=("finished", finished))
        decided_ms = ends_ms + _span(chance, 1, 5)
        status = "reject" if chance.random() < 0.1 else "accept"
        disposition = {"id": f"D-{lot}", "at": decided_ms, "order": order, "lot": lot, "status": status}
        yield _Told(decided_ms, number, document=("disposition", disposition))
        done = OrderRead(order=order, name=order, state="done", document=content)
        yield _Told(decided_ms + _MINUTE, number, order=done)
        now_ms = decided_ms + 2 * _MINUTE


def _happenings(number: int, chance: Random, order: str, from_ms: int, to_ms: int) -> Iterator[_Told]:
    at_ms, nth = from_ms, 0
    while (at_ms := at_ms + _span(chance, 4, 12)) < to_ms:
        nth += 1
        id = f"{order}-{nth}"
        if chance.random() < 0.3:
            reason = chance.choice(("S1", "S1", "S2", "S9"))
            scrap = {"id": id, "at": at_ms, "order": order, "qty": chance.randrange(1, 5), "reason": reason}
            yield _Told(at_ms, number, document=("scrap", {**scrap, "confirmed": chance.random() < 0.9}))
        else:
            check = chance.choice(("torque-left", "torque-right", "gap"))
            result = "fail" if chance.random() < 0.08 else "pass"
            body = {"id": id, "at": at_ms, "order": order, "check": check, "result": result}
            yield _Told(at_ms, number, document=("quality", body))


def _span(chance: Random, least_minutes: int, most_minutes: int) -> int:
    return chance.randrange(least_minutes * _MINUTE, most_minutes * _MINUTE)


def _place(device: int) -> tuple[str, str]:
    node, press = divmod(device, DEVICES_PER_NODE)
    return f"line-{node + 1}", f"press-{press + 1}"


def _node(node: int) -> NodeId:
    return NodeId("bench", f"line-{node + 1}")
