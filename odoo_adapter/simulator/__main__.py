"""Run a simulated Odoo: `python -m odoo_adapter.simulator --port 0 --database demo --key-file KEYS`.

Prints one JSON line with `url`, `database` and `simulator` once it answers. KEYS holds the administrator's API key and
the integration user's, one a line (further lines are further keys of that user); it is made with fresh keys, readable
by its owner only, if it is not there, and is read again at a SIGHUP.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import signal
import sys
import time
from pathlib import Path

from odoo_adapter.simulator.http import DEFAULT_LIMIT_S, Service
from odoo_adapter.simulator.model import QUALITY
from odoo_adapter.simulator.server import open_service, serving
from odoo_adapter.versions import KNOWN


def main() -> int:
    """Serve until SIGTERM or SIGINT. Exit code 2 for wrong use."""
    parser = argparse.ArgumentParser(prog="odoo_adapter.simulator", description="A simulator of Odoo. Not Odoo.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--database", default="demo")
    parser.add_argument("--key-file", type=Path, required=True, help="lines: the administrator's key, the bridge's")
    parser.add_argument("--state", type=Path, help="keep the database in this file")
    parser.add_argument(
        "--version", choices=[one.removesuffix(".0") for one in KNOWN], default="19", help="answer as it"
    )
    parser.add_argument("--limit", type=float, default=DEFAULT_LIMIT_S, help="seconds after which a call is ended")
    parser.add_argument("--quality", choices=[one for one in QUALITY if one], default="", help="keep inspections as it")
    given = parser.parse_args()
    try:
        administrator, *bridge = read_keys(given.key_file)
        service = open_service(
            given.database,
            administrator=administrator,
            bridge=bridge[-1],
            now_ms=_now_ms,
            state=given.state,
            version=f"{given.version}.0",
            limit_s=given.limit,
            quality=given.quality,
        )
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    service.accept(administrator, bridge)
    asyncio.run(_serve(service, given.port, given.database, given.key_file))
    return 0


def read_keys(path: Path) -> list[str]:
    """The keys of a key file, which is made if it is not there: the administrator's and one or more of the bridge.

    Raises `ValueError` for any other content.
    """
    if not path.exists():
        fresh = f"{secrets.token_hex(20)}\n{secrets.token_hex(20)}\n"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(fresh)
    keys = path.read_text("utf-8").split()
    if len(keys) < 2 or len(set(keys)) < len(keys):
        raise ValueError(f"{path}: holds different keys, the administrator's and one or more of the bridge, one a line")
    return keys


async def _serve(service: Service, port: int, database: str, key_file: Path) -> None:
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)

    def accept_keys() -> None:
        administrator, *bridge = read_keys(key_file)
        service.accept(administrator, bridge)

    loop.add_signal_handler(signal.SIGHUP, accept_keys)
    async with serving(service, port) as url:
        sys.stdout.write(json.dumps({"url": url, "database": database, "simulator": True}) + "\n")
        sys.stdout.flush()
        await stopped.wait()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    sys.exit(main())
