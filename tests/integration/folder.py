"""A plant folder for a test: the shipped plant or another one, pointed at the servers that the test started."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from tests.servers import Mosquitto, Redis

SHIPPED_PLANT = Path(str(files("bridge.demo") / "plant"))
Sections = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class OdooAccess:
    """Where Odoo is, for the integration user. Nobody answers where nothing else is said."""

    url: str = "http://127.0.0.1:9"
    database: str = "demo"
    user: str = "uns-bridge"
    key: str = "0" * 40


def write_folder(
    folder: Path,
    broker: Mosquitto,
    redis: Redis,
    odoo: OdooAccess,
    changes: Sections | None = None,
    shipped: Path = SHIPPED_PLANT,
) -> Path:
    """Copy the `shipped` plant to `folder` and point it at the servers. `changes` are settings by section."""
    shutil.copytree(shipped, folder)
    sections: dict[str, dict[str, Any]] = {
        "broker": {"host": broker.host, "port": broker.port},
        "redis": {"url": f"redis://{redis.host}:{redis.port}/0", "secret": {"file": "redis.secret"}, "lease": "1s"},
        "odoo": {
            "url": odoo.url,
            "database": odoo.database,
            "user": odoo.user,
            "key": {"file": "odoo.secret"},
            "poll_every": "300ms",
        },
        "sparkplug": {"host_id": "acme-bridge", "groups": ["acme-berlin"]},
        "edge_node": {"group": "acme-berlin", "node": "orders"},
        "retry": {"first": "100ms", "longest": "1s"},
        "limits": {"stale_grace": "2s", "commit_patience": "500ms"},
    }
    if broker.user:
        sections["broker"] |= {"user": broker.user, "secret": {"file": "broker.secret"}}
    if broker.ca_file:
        sections["broker"] |= {"ca_file": str(broker.ca_file)}
    for name, change in (changes or {}).items():
        sections.setdefault(name, {}).update(change)
    lines = [f"{name}: {json.dumps(section)}\n" for name, section in sections.items()]
    (folder / "bridge.yaml").write_text("".join(lines), "utf-8")
    for name, secret in {"broker": broker.password, "redis": redis.password, "odoo": odoo.key}.items():
        write_secret(folder / f"{name}.secret", secret)
    return folder


def write_secret(path: Path, secret: str) -> None:
    """Readable by its owner only, and replaced in one step."""
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(secret, "utf-8")
    fresh.replace(path)
