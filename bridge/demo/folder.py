"""The plant folder of one demonstration: the shipped one, pointed at the servers that were started for it."""

from __future__ import annotations

import json
import shutil
from importlib.resources import files
from pathlib import Path

from bridge.demo.console import DemoConsole
from bridge.demo.odoo import DemoOdoo
from bridge.demo.servers import DemoBroker, EmbeddedStore
from bridge.settings.secret import write_privately

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
RECORDED = """\
recording: {max_file: 5MB, max_total: 20MB}
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
    *,
    name: str = "plant",
    recorded: bool = False,
) -> Path:
    """Copy the shipped plant below `home` and point it at the servers. Secrets are files of their owner's only.

    `broker_port`: where the bridge finds the broker, if not on the broker's own port.
    """
    plant = home / name
    shutil.copytree(Path(str(files("bridge.demo") / "plant")), plant, dirs_exist_ok=True)
    port = broker_port or broker.port_5
    names = {"url": odoo.url, "database": odoo.database, "user": odoo.user}
    quoted = {name: json.dumps(value) for name, value in names.items()}  # a database may be called 2026, or true
    way = "" if odoo.limit_s is None else WITHOUT_INBOX.format(limit_s=odoo.limit_s)
    text = BRIDGE_YAML.format(broker=broker, port=port, store=store, way=way, **quoted) + (
        console.yaml if console else ""
    )
    (plant / "bridge.yaml").write_text(text + (RECORDED if recorded else ""), "utf-8")
    secrets = {"broker": broker.password, "redis": store.password, "odoo": odoo.key}
    for what, secret in secrets.items():
        write_privately(plant / f"{what}.secret", secret)
    if odoo.keys:
        odoo.keys.handed_out(plant / "odoo.secret")
    return plant
