"""A console on a running core in memory, and a browser that fills in its forms."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from aiohttp import ClientResponse, CookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher

from bridge.broker.memory import MemoryBroker, MemoryLink
from bridge.console.app import Desk, new_desk
from bridge.console.events import Streams
from bridge.console.facts import Inside
from bridge.console.server import make_app
from bridge.console.watch import Watch
from bridge.console.watched import watched
from bridge.core.input import Notice, Request, SparkplugMessage, Tick
from bridge.loop import Entering, Loop, Stall
from bridge.plant import Plant, load_plant
from bridge.settings import ConsoleSettings
from bridge.wiring import Outside, new_core
from odoo_adapter.memory import MemoryOdoo
from odoo_adapter.odoo import OrderRead, OrdersRead
from odoo_adapter.plan import PlanContext
from ruleset.sample import Plain
from ruleset.transaction import IdempotencyKey, OrderRef, Provenance, Scrap, encode
from sparkplug.edge import Publish
from state.audit import AuditLog
from state.memory_store import MemoryStore
from tests.bridge.rig import PLANT, new_world

PASSWORD = "night shift 3 am"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""A log-in per test must not cost what a guess is to cost."""
LINE = "acme/berlin/packaging/line-1"


@dataclass(slots=True)
class ManualClock:
    """Stands still until a test moves it."""

    at_ms: int = 1_795_000_000_000

    def now_ms(self) -> int:
        return self.at_ms


@dataclass(slots=True)
class _Shell:
    """Takes what the core asks for; the console hears the notices."""

    watch: Watch

    def act(self, request: Request) -> None:
        if isinstance(request, Notice):
            self.watch.notice(request)

    def stalled(self, stall: Stall, reason: str) -> None:
        self.watch.stalled(stall, reason)

    def recovered(self, stall: Stall) -> None:
        self.watch.recovered(stall)


@dataclass(slots=True, kw_only=True)
class Console:
    """A console, what is behind it, and a browser before it."""

    folder: Path
    clock: ManualClock
    store: MemoryStore
    odoo: MemoryOdoo
    inside: Inside
    desk: Desk
    browser: TestClient[web.Request, web.Application]

    async def get(self, path: str) -> str:
        """A page that must be there."""
        async with self.browser.get(path) as answer:
            assert answer.status == 200, (path, answer.status, await answer.text())
            return await answer.text()

    async def post(self, path: str, fields: dict[str, str], *, csrf: str | None = None) -> ClientResponse:
        """Send a form; where no token is given, the page's own."""
        token = self.csrf if csrf is None else csrf
        return await self.browser.post(path, data={"csrf": token, **fields}, allow_redirects=False)

    @property
    def csrf(self) -> str:
        """The token of the one who is logged in."""
        (session,) = self.desk.sessions.all
        return session.csrf

    async def log_in(self, name: str = "Ana Weber", password: str = PASSWORD) -> ClientResponse:
        token = form_token(await self.get("/login"))
        return await self.post("/login", {"name": name, "password": password}, csrf=token)

    def dead(self, key: str, *, reason: str = "no_stock: nothing of it is left", order: str = "mo-7") -> None:
        """A dead letter that could be sent again."""
        self._offer(key, order, dead=reason)

    def held(self, key: str, *, reason: str = "above the tolerance", order: str = "mo-8") -> None:
        self._offer(key, order, hold=reason)

    def held_without_order(self, key: str) -> None:
        """Two pieces that were thrown away on the packaging line while no order ran."""
        self._offer(key, None, hold="no order ran")

    def pending(self, key: str, *, order: str = "mo-9") -> None:
        self._offer(key, order)

    async def settle(self) -> None:
        """Let the core commit what was put into it."""
        done = asyncio.Event()

        async def committed() -> None:
            done.set()

        await self.inside.enter(Entering(input=Tick(), at_ms=self.clock.now_ms(), committed=committed))
        await done.wait()

    def release_order(self, order: str, name: str, *, work_center: str = "WC-ASSEMBLY") -> None:
        operations: list[Plain] = [{"work_order": f"wo-{order}", "work_center": work_center}]
        document: dict[str, Plain] = {
            "quantity": "100",
            "unit": "Units",
            "product": "HOUSING",
            "operations": operations,
        }
        read = OrderRead(order=order, name=name, state="confirmed", document=document)
        self.inside.core.book.read(OrdersRead(orders=(read,), cursor="1"), self.clock.now_ms())

    def _offer(self, key: str, order: str | None, *, dead: str | None = None, hold: str | None = None) -> None:
        self.inside.core.outbox.offer(
            key=key,
            lane=order or LINE,
            action="production.scrap",
            destination="odoo",
            body=encode(scrap(key, order)),
            now_ms=self.clock.now_ms(),
            dead=dead,
            hold=hold,
        )


async def hear_the_line(console: Console) -> None:
    """The packaging line is born and counts."""
    world = new_world()
    await console.inside.enter(Entering(input=SparkplugMessage(topic="x", payload=b"", retain=False), at_ms=0))
    outputs = world.node.connected(console.clock.now_ms())
    state = f'{{"online":true,"timestamp":{console.clock.now_ms()}}}'.encode()
    outputs += world.node.receive("spBv1.0/STATE/acme-bridge", state, console.clock.now_ms())
    for output in outputs:
        if isinstance(output, Publish):
            message = SparkplugMessage(topic=output.topic, payload=output.payload, retain=output.retain)
            await console.inside.enter(Entering(input=message, at_ms=console.clock.now_ms()))
    await console.settle()


def scrap(key: str, order: str | None) -> Scrap:
    """Two pieces thrown away on the packaging line."""
    return Scrap(
        key=IdempotencyKey(key),
        equipment=LINE,
        at_ms=1_794_999_990_000,
        order=None if order is None else OrderRef(order),
        quantity=Decimal(2),
        unit="pcs",
        reason="S01",
        provenance=Provenance(
            rule="scrap", version="ab12", topic="spBv1.0/acme-berlin/DDATA/packaging/line-1", seq=7, values={"qty": 2}
        ),
    )


def form_token(page: str) -> str:
    """The token in a page's form."""
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None, page
    return found[1]


def plant_with_console(folder: Path) -> Plant:
    """The demonstration's plant with a console that has a password."""
    (folder / "console.hash").write_text(CHEAP.hash(PASSWORD))
    plant = load_plant(shutil.copytree(PLANT, folder / "plant"))
    console = ConsoleSettings(password_file=folder / "console.hash", link_file=folder / "console.link")
    return replace(plant, settings=replace(plant.settings, console=console))


@asynccontextmanager
async def console_in(folder: Path) -> AsyncIterator[Console]:
    """A console that nobody is logged in to yet."""
    clock, plant = ManualClock(), plant_with_console(folder)
    store, broker = MemoryStore(clock=clock.now_ms), MemoryBroker()
    odoo = MemoryOdoo(context=PlanContext(units={"pcs": "Units"}, over=Decimal("0.05")))
    outside = Outside(store=store, odoo=odoo, link=lambda *parts: MemoryLink(broker, *parts), clock=clock)
    watch, core = Watch(clock), new_core(plant)
    seen = watched(outside, watch)
    lease = await store.acquire("test", 10_000_000)
    assert lease is not None
    loop = Loop(
        core,
        seen.store,
        lease,
        number=0,
        clock=clock,
        shell=_Shell(watch),
        deliveries=(),
        queue_size=100,
        patience_ms=10_000,
        outbox_limit=1_000,
    )
    inside = Inside(plant=plant, core=core, outside=seen, watch=watch, enter=loop.enter)
    settings = plant.settings.console
    assert settings is not None
    desk = new_desk(inside, settings, AuditLog(folder / "audit.jsonl"))
    server = TestServer(make_app(desk, Streams(pause_s=0)))
    async with asyncio.TaskGroup() as tasks, TestClient(server, cookie_jar=CookieJar(unsafe=True)) as browser:
        tasks.create_task(loop.run())
        yield Console(folder=folder, clock=clock, store=store, odoo=odoo, inside=inside, desk=desk, browser=browser)
        loop.finish()
