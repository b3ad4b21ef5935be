"""A plant folder whose site is in a real Redis, as a bridge left it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import msgspec

from bridge.plant import Plant, load_plant
from bridge.wiring import open_store
from odoo_adapter.odoo import OrderRead, OrdersRead
from ruleset.transaction import IdempotencyKey, encode
from state.outbox import Outbox
from state.record import Commit, RecordId, Table
from tests.bridge.core.test_posting import LINE, Desk, start, unmet
from tests.bridge.rig import PLANT
from tests.servers import Redis


def plant_on(folder: Path, redis: Redis, more: str = "") -> Path:
    """The demonstration's plant with a site name of its own. Nothing listens where its broker and its Odoo are."""
    plant = folder / "plant"
    shutil.copytree(PLANT, plant)
    (plant / "redis.secret").write_text(redis.password)
    (plant / "bridge.yaml").write_text(
        f"broker: {{port: 1}}\n"
        f'redis: {{url: "redis://127.0.0.1:{redis.port}/0", secret: {{file: redis.secret}}, lease: 1s{more}}}\n'
        "odoo: {url: 'http://127.0.0.1:1', database: d, user: u, key: {file: redis.secret}}\n"
    )
    assets = plant / "assets.yaml"
    assets.write_text(assets.read_text().replace("site: berlin", f"site: s{uuid4().hex[:12]}"))
    return plant


def left_behind(plant: Path) -> None:
    """A held, a dead and an unmet entry, one that was never sent, and an order, as commits of a bridge that ended."""
    asyncio.run(_commit(load_plant(plant)))


def delivered(plant: Plant, key: str) -> None:
    """An entry that stands in Odoo as work order 7, as a commit of a bridge that ended later."""

    def deliver(outbox: Outbox) -> None:
        offer(outbox, key, lane="mo-5")
        outbox.claim("odoo", now_ms=2, limit=10)
        outbox.applied(key, b'{"model": "mrp.workorder", "id": 7, "details": {}}', 3)

    asyncio.run(_commit_more(plant, deliver))


def held_without_order(plant: Plant, key: str) -> None:
    """A held entry of an equipment at which no order ran, as a commit of a bridge that ended later."""
    body = encode(msgspec.structs.replace(start(), key=IdempotencyKey(key), order=None))

    def hold(outbox: Outbox) -> None:
        outbox.offer(
            key=key, lane=LINE, action="workorder.start", destination="odoo", body=body, now_ms=2, hold="no order ran"
        )

    asyncio.run(_commit_more(plant, hold))


async def _commit_more(plant: Plant, change: Callable[[Outbox], None]) -> None:
    store, outbox = open_store(plant), Outbox()
    stored = await store.load()
    outbox.restore(stored.records)
    change(outbox)
    lease = await store.acquire("gone too", 1_000)
    assert lease is not None
    puts = {record: outbox.snapshot(record) for record in outbox.take_changed()}
    await store.commit(lease, Commit(number=stored.number + 1, puts=puts))
    await store.release(lease)
    await store.close()


async def _commit(plant: Plant) -> None:
    desk = Desk()
    desk.postings.refuse(unmet("S9 is not mapped"), 1)
    offer(desk.outbox, "held", lane="mo-2", hold="above the tolerance")
    offer(desk.outbox, "dead", lane="mo-3", dead="no stock")
    offer(desk.outbox, "waits", lane="mo-4")
    book = desk.postings.book
    read = OrderRead(order="mo-2", name="WH/MO/2", state="confirmed", document={"quantity": "5"})
    book.read(OrdersRead(orders=(read,), cursor="2"), 2)
    puts = {record: desk.outbox.snapshot(record) for record in desk.outbox.take_changed()}
    puts |= {RecordId(Table.ORDER, order): book.snapshot(order) for order in book.take_changed()}
    store = open_store(plant)
    lease = await store.acquire("gone", 1_000)
    assert lease is not None
    await store.commit(lease, Commit(number=1, puts=puts))
    await store.release(lease)
    await store.close()


def offer(outbox: Outbox, key: str, *, lane: str, hold: str | None = None, dead: str | None = None) -> None:
    body = encode(msgspec.structs.replace(start(), key=IdempotencyKey(key)))
    outbox.offer(
        key=key, lane=lane, action="workorder.start", destination="odoo", body=body, now_ms=1, hold=hold, dead=dead
    )
