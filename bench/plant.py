"""The plant of a measurement: lines of 25 presses, each with ten signals, three rules on them and one on documents."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

SITE: Final = "acme/bench"
GROUP: Final = "bench"
PRESSES_PER_LINE: Final = 25

ASSETS: Final = """\
enterprise: acme
site: bench
timezone: Europe/Berlin
company: 1
types:
  press:
    signals:
      state: {{metric: State, type: text, role: state}}
      fault: {{metric: Fault, type: text}}
      order: {{metric: Order, type: text, role: order}}
      good_count: {{metric: Counters/Good, type: integer, role: counter, unit: pcs, rollover: 4294967296}}
      vibration_rms: {{metric: Vibration/RMS, type: number, unit: mm/s}}
      temperature: {{metric: Temperature, type: number}}
      pressure: {{metric: Pressure, type: number}}
      cycle_time: {{metric: Cycle Time, type: number}}
      power: {{metric: Power, type: number}}
      cavity: {{metric: Cavity, type: integer}}
      quality:
        document: quality
        fields: {{order: text, check: text, result: text, lot: text}}
equipment:
  line-{{l:1..{lines}}}/press-{{n:1..{presses}}}:
    type: press
    source: {{group: bench, node: "line-{{l}}", device: "press-{{n}}"}}
    work_center: "PRESS-{{l}}-{{n}}"
    serial_number: "PRESS-{{l}}-{{n}}"
"""

RULES: Final = """\
- rule: downtime
  assets: "*"
  episode: {open: "state in ['STOPPED', 'FAULT']", close: "state == 'RUN'"}
  classify:
    - {when: "episode.fault in codes.fault_reason", loss: "codes.fault_reason[episode.fault]"}
    - {when: "true", loss: "'unclassified'"}
  do: downtime.record
  with: {start: started, end: ended, loss: loss}

- rule: spindle-vibration
  assets: "*"
  raise: {when: "vibration_rms > 7.1"}
  clear: {when: "vibration_rms < 5.5"}
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

- rule: failed-check
  assets: "*"
  event: quality
  order: quality.order
  when: quality.result == 'fail'
  do: quality.result
  with: {status: quality.result, lot: quality.lot}
"""

CODES: Final = """\
fault_reason: {E12: breakdown}
units: {pcs: Units, mm/s: ""}
"""

BRIDGE: Final = """\
broker: {{host: 127.0.0.1, port: {port}, version: 5}}
redis: {{url: "{redis}", secret: {{file: redis.secret}}, lease: 2s}}
odoo: {{url: "http://127.0.0.1:9", database: bench, user: bench, key: {{file: odoo.secret}}, poll_every: 10m}}
sparkplug: {{host_id: bench, groups: [bench]}}
retry: {{first: 10m, longest: 10m}}
"""
"""Odoo is not there, and is asked again after ten minutes: what is measured ends with the commit."""

WORKFLOWS: Final = """\
all:
  actions: [downtime.record, maintenance.request, production.progress, quality.result]
  system_of_record: floor
  mode: near_real_time
  latency: 60s
  priority: 50
  on_failure: wait
  alert: production
  alert_after: 1h
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Where the broker and the store are."""

    port: int
    redis: str
    password: str


def lines_and_presses(devices: int) -> tuple[int, int]:
    """How many edge nodes, and devices of each. Fewer than a line's presses are one line."""
    return (1, devices) if devices < PRESSES_PER_LINE else (devices // PRESSES_PER_LINE, PRESSES_PER_LINE)


def equipment_path(device: int, devices: int) -> str:
    """The equipment of the device of this number, from 0."""
    line, press = divmod(device, lines_and_presses(devices)[1])
    return f"{SITE}/line-{line + 1}/press-{press + 1}"


def write_plant(folder: Path, devices: int, servers: Servers) -> Path:
    """A plant folder of this many devices."""
    lines, presses = lines_and_presses(devices)
    (folder / "rules").mkdir(parents=True, exist_ok=True)
    (folder / "assets.yaml").write_text(ASSETS.format(lines=lines, presses=presses))
    (folder / "codes.yaml").write_text(CODES)
    (folder / "workflows.yaml").write_text(WORKFLOWS)
    (folder / "rules" / "bench.yaml").write_text(RULES)
    (folder / "bridge.yaml").write_text(BRIDGE.format(port=servers.port, redis=servers.redis))
    for name, secret in (("redis", servers.password), ("odoo", "no-key")):
        (folder / f"{name}.secret").touch(mode=0o600)
        (folder / f"{name}.secret").write_text(secret)
    return folder
