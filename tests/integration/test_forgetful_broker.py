"""A broker without persistence forgets at its restart what it retained: it has all of it again, on a real mosquitto."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.broker.link import Message, Subscription
from bridge.broker.paho import PahoLink
from bridge.clock import SystemClock
from bridge.demo.odoo import simulated_odoo
from tests.integration.patience import until
from tests.integration.works import LIMIT_S, Mes, opened_works
from tests.scenarios.bridge import Clock
from tests.scenarios.factory import Ground
from tests.servers import StartMosquitto, StartRedis

pytestmark = pytest.mark.slow

FORGETFUL = {"persistence": "false", "persistence_location": "", "autosave_interval": ""}


@asynccontextmanager
async def retained(mes: Mes) -> AsyncIterator[dict[str, bytes]]:
    """What the broker retains of orders and master data, as one who comes now hears it, and what comes after that."""
    held: dict[str, bytes] = {}
    filters = [Subscription(filter=f"uns/v1/{mes.site}/{kind}/#", qos=1) for kind in ("order", "master")]
    link = PahoLink(replace(mes.settings, client_id="newcomer"), filters)

    async def hear() -> None:
        while True:
            event = await link.next_event()
            if isinstance(event, Message):
                held[event.topic] = event.payload
                await link.acknowledge(event.token)

    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(link.run(), name="newcomer"), tasks.create_task(hear(), name="hear")]
        try:
            yield held
        finally:
            for task in running:
                task.cancel()


async def test_orders_and_master_data_are_there_again_after_a_broker_forgot_them(
    tmp_path: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis
) -> None:
    broker = start_mosquitto(config=FORGETFUL)
    async with simulated_odoo(tmp_path) as odoo:
        await odoo.prepare(lambda _: None)
        clock = Clock(SystemClock().now_ms())
        ground = Ground(admin=odoo.admin, user=odoo.user, key=odoo.key, clock=clock, suffix="-SIM")
        async with opened_works(ground, "inbox", tmp_path, broker, start_redis()) as works:
            with (works.folder / "bridge.yaml").open("a") as settings:
                settings.write("master_data: {publish: true, every: 1h}\n")
            await works.restarts()
            first, second = await works.releases(10), await works.releases(20)
            await works.bridge.until_told("master.read", kind="product")
            async with retained(works.mes) as before:
                await until(lambda: _has(before, first, second), lambda: f"all of it, not only {set(before)}", LIMIT_S)
            broker.kill()
            await works.bridge.until_told("documents.disconnected")
            await asyncio.to_thread(broker.start)
            async with retained(works.mes) as after:
                await until(lambda: after == before, lambda: f"{set(before) - set(after)} again", LIMIT_S)
            await works.ends()


def _has(held: dict[str, bytes], *orders: str) -> bool:
    """Whether these orders are there, and master data of every kind that this Odoo has."""
    named = {topic.rpartition("/")[2] for topic in held}
    kinds = {topic.split("/")[-2] for topic in held if "/master/" in topic}
    return named.issuperset(orders) and {"product", "work-center", "bom"} <= kinds
