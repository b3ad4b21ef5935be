"""The plant folder of one demonstration: the shipped one, pointed at the servers that were started for it."""

from __future__ import annotations

import json
import os
import shutil
from importlib.resources import files
from pathlib import Path

from bridge.demo.console import DemoConsole
from bridge.demo.odoo import DemoOdoo
from bridge.demo.servers import DemoBroker, EmbeddedStore

BRIDGE_YAML = """\
# Written by `uns-bridge demo` for this one run.
broker: {{host: {broker.host}, port: {port}, version: 5, user: {broker.user}, secret: {{file: broker.secret}}}}
redis: {{url: "redis://{store.host}:{store.port}/0", secret: {{file: redis.secret}}, lease: 2s}}
odoo:
  url: {url}
  database: {database}
  user: {user}
  key: {{file: odoo.secret}}
  poll_every: 1s
{way}sparkplug: {{host_id: acme-bridge, groups: [acme-berlin]}}
edge_node: {{group: acme-berlin, node: orders}}
retry: {{first: 200ms, longest: 5s}}
limits: {{stale_grace: 10s}}
"""
WITHOUT_INBOX = """\
  inbox: never
  timeout: 10s
  server_limit: {limit_s}s
"""


def write_plant(
    home: Path,
    broker: DemoBroker,
    store: EmbeddedStore,
    odoo: DemoOdoo,
    console: DemoConsole | None,
    broker_port: int | None = None,
) -> Path:
    """Copy the shipped plant below `home` and point it at the servers. Secrets are files of their owner's only.

    `broker_port`: where the bridge finds the broker, if not on the broker's own port.
    """
    plant = home / "plant"
    shutil.copytree(Path(str(files("bridge.demo") / "plant")), plant)
    port = broker_port or broker.port_5
    names = {"url": odoo.url, "database": odoo.database, "user": odoo.user}
    quoted = {name: json.dumps(value) for name, value in names.items()}  # a database may be called 2026, or true
    way = "" if odoo.limit_s is None else WITHOUT_INBOX.format(limit_s=odoo.limit_s)
    text = BRIDGE_YAML.format(broker=broker, port=port, store=store, way=way, **quoted) + (
        console.yaml if console else ""
    )
    (plant / "bridge.yaml").write_text(text, "utf-8")
    secrets = {"broker": broker.password, "redis": store.password, "odoo": odoo.key}
    for name, secret in secrets.items():
        _write_secret(plant / f"{name}.secret", secret)
    return plant


def _write_secret(path: Path, secret: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secret)
