"""An API key that Odoo refused: another one is tried as soon as it is there, the same one once a minute."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.clock import SystemClock
from bridge.core.input import Destination, Input, Outcomes, Send, Setback, Tick
from bridge.delivery import Delivery, OdooCarrier
from bridge.doctor.key import KeyWatch
from bridge.loop import Entering
from bridge.orders.poll import OrderPoller
from bridge.settings.secret import Secret
from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.connection import Connection
from odoo_adapter.odoo import Declined
from odoo_adapter.plan import PlanContext
from odoo_adapter.seed import Planner
from odoo_adapter.server import OdooServer
from odoo_adapter.simulator.http import Service
from odoo_adapter.simulator.server import open_service, serving
from ruleset.problem import Problem
from tests.bridge.beside_odoo import ADMIN_KEY, KEY
from tests.bridge.simulator.listener import running, until
from tests.bridge.test_delivery import START

NEW_KEY = "the-bridges-new-key"
SOON_S = 10.0
"""Much less than the minute for which a refused key is left alone."""

either_protocol = pytest.mark.parametrize("version", ["19.0", "18.0"], ids=["json-2", "json-rpc"])


@dataclass(frozen=True, slots=True)
class Desk:
    """An Odoo, the file of its key, and the calls that were refused for their key."""

    service: Service
    odoo: OdooServer
    file: Path
    refused: list[str]

    def ends_the_key(self) -> None:
        self.service.accept(ADMIN_KEY, [NEW_KEY])


@asynccontextmanager
async def desk(folder: Path, version: str) -> AsyncIterator[Desk]:
    clock, file, refused = SystemClock(), folder / "odoo.secret", list[str]()
    file.write_text(f"{KEY}\n")
    service = open_service("plant", administrator=ADMIN_KEY, bridge=KEY, now_ms=clock.now_ms, version=version)

    def note(path: str, body: object, status: int, answer: object) -> None:
        if status == 401 or answer == _NOBODY:
            refused.append(path)

    async with serving(service) as url:
        key = Secret(place=Problem(file="bridge.yaml", text="here"), file=file)
        api = OdooApi(Connection(url=url, database="plant", user="uns-bridge", key=key.reveal), note)
        admin = OdooApi(Connection(url=url, database="plant", user="admin", key=lambda: ADMIN_KEY))
        try:
            await Planner(admin).prepare()
            yield Desk(service, OdooServer(api, PlanContext()), file, refused)
        finally:
            await admin.close()
            await api.close()


_NOBODY = {"jsonrpc": "2.0", "id": 1, "result": False}
"""What a log-in over JSON-RPC is answered with a wrong key."""


@either_protocol
async def test_what_waits_is_posted_as_soon_as_another_key_is_in_the_file(tmp_path: Path, version: str) -> None:
    entered = asyncio.Queue[Input]()
    async with desk(tmp_path, version) as at:
        carrier = OdooCarrier(at.odoo, batch=10, per_second=1000, checked=lambda _: None)
        delivery = Delivery(carrier, entered.put)
        at.ends_the_key()
        with capture_logs() as logs:
            async with running(delivery.run()):
                delivery.send(Send(Destination.ODOO, (START,)))
                setback = await entered.get()
                at.file.write_text(NEW_KEY)
                tick = await asyncio.wait_for(entered.get(), SOON_S)
                assert delivery.idle
                delivery.send(Send(Destination.ODOO, (START,)))
                outcomes = await asyncio.wait_for(entered.get(), SOON_S)
    assert isinstance(setback, Setback)
    assert (setback.keys, setback.uncertain, setback.retry_after_ms) == (("start",), False, None)
    assert "make a new key" in setback.reason
    assert (tick, len(at.refused)) == (Tick(), 1)
    assert isinstance(outcomes, Outcomes)
    assert isinstance(outcomes.outcomes[0], Declined)  # this Odoo has no such order: it let us in
    assert [(line["event"], line["log_level"]) for line in logs] == [("odoo.refuses", "error")]


async def test_a_key_whose_file_was_gone_is_used_as_soon_as_it_is_back(tmp_path: Path) -> None:
    async with desk(tmp_path, "19.0") as at:
        carrier = OdooCarrier(at.odoo, batch=10, per_second=1000, checked=lambda _: None)
        at.file.unlink()
        (setback,) = await carrier.carry(Send(Destination.ODOO, (START,)))
        waiting = asyncio.create_task(carrier.mended())
        at.file.write_text(KEY)
        assert await asyncio.wait_for(waiting, SOON_S)
    assert isinstance(setback, Setback)
    assert "cannot read the secret file" in setback.reason


async def test_the_same_key_is_tried_again_after_the_pause_and_no_sooner(tmp_path: Path) -> None:
    async with desk(tmp_path, "19.0") as at:
        at.ends_the_key()
        carrier = OdooCarrier(at.odoo, batch=10, per_second=1000, checked=lambda _: None)
        await carrier.carry(Send(Destination.ODOO, (START,)))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(carrier.mended(), 1.5)
    assert len(at.refused) == 1


async def test_orders_and_the_keys_end_are_read_as_soon_as_there_is_another_key(tmp_path: Path) -> None:
    entered = asyncio.Queue[Entering]()
    async with desk(tmp_path, "19.0") as at:
        at.ends_the_key()
        poller = OrderPoller(
            at.odoo,
            entered.put,
            SystemClock(),
            cursor=lambda: "",
            known=tuple,
            every_ms=1,
            reconcile_every_ms=60_000,
        )
        watch = KeyWatch(at.odoo, SystemClock(), lambda _: None)
        async with running(poller.run(), watch.run()):
            await until(lambda: len(at.refused) == 2)
            at.file.write_text(NEW_KEY)
            await asyncio.wait_for(entered.get(), SOON_S)
    assert len(at.refused) == 2
