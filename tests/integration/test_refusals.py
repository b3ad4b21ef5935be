"""What `uns-bridge run` refuses to begin on, seen from outside. docs/operation.md has the table."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from bridge.clock import SystemClock
from bridge.commands.exit import WRONG
from odoo_adapter.simulator.server import open_service, serving
from tests.integration.bridge_process import Bridge
from tests.integration.folder import OdooAccess, write_folder
from tests.servers import Mosquitto, Redis

pytestmark = pytest.mark.slow


@asynccontextmanager
async def odoo_that_tells(version: str) -> AsyncIterator[OdooAccess]:
    """Something that answers as an Odoo of this version does when it is asked for it."""

    async def tell(_: web.Request) -> web.Response:
        return web.json_response({"version": version})

    app = web.Application()
    app.router.add_get("/web/version", tell)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield OdooAccess(url=f"http://127.0.0.1:{runner.addresses[0][1]}")
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("off_ms", [-90_000, 90_000])
async def test_an_odoo_whose_clock_is_off_is_refused_with_the_setting_that_accepts_it(
    off_ms: int, tmp_path: Path, mosquitto: Mosquitto, redis_server: Redis
) -> None:
    now = SystemClock().now_ms
    service = open_service("demo", administrator="1" * 40, bridge="0" * 40, now_ms=lambda: now() + off_ms)
    async with serving(service) as url:
        folder = write_folder(tmp_path / "plant", mosquitto, redis_server, OdooAccess(url=url))
        bridge = Bridge(folder, tmp_path / "bridge.log")
        await bridge.start()
        assert await bridge.ended() == WRONG
    side = "ahead of" if off_ms > 0 else "behind"
    assert re.search(rf"Odoo's clock is (89|90)\.\d s {side} ours: .*`limits: {{clock_off: \.\.\.}}`", bridge.log)
    assert bridge.told("bridge.started") == []


@pytest.mark.parametrize("version", ["16.0", "20.0"])
async def test_an_odoo_of_an_unknown_version_is_refused_with_a_sentence(
    version: str, tmp_path: Path, mosquitto: Mosquitto, redis_server: Redis
) -> None:
    async with odoo_that_tells(version) as odoo:
        bridge = Bridge(write_folder(tmp_path / "plant", mosquitto, redis_server, odoo), tmp_path / "bridge.log")
        await bridge.start()
        assert await bridge.ended() == WRONG
    assert f"Odoo {version} is not supported; supported: 17.0, 18.0, 19.0; run a version of the bridge" in bridge.log
    assert bridge.told("bridge.started") == []


async def test_a_plant_folder_with_problems_is_refused_with_all_of_them(
    tmp_path: Path, mosquitto: Mosquitto, redis_server: Redis
) -> None:
    folder = write_folder(
        tmp_path / "plant",
        mosquitto,
        redis_server,
        OdooAccess(),
        {"limits": {"clock_of": "1m"}, "redis": {"nodes": ["here"]}},
    )
    bridge = Bridge(folder, tmp_path / "bridge.log")
    await bridge.start()
    assert await bridge.ended() == WRONG
    assert 'unknown key "clock_of"; did you mean "clock_off"?' in bridge.log
    assert 'expected a node of the Redis Cluster as host:port, found "here"' in bridge.log
