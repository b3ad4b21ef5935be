"""The console inside the running bridge, on a real broker and a real store; only Odoo is in memory."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from aiohttp import ClientSession, CookieJar

from bridge.broker.link import LinkSettings, LinkUp, Publication
from bridge.broker.paho import PahoLink
from bridge.clock import SystemClock
from bridge.console.trouble.health import LIVE, READY
from bridge.demo.servers import EmbeddedBroker, EmbeddedStore, embedded_broker, embedded_store, free_ports
from bridge.plant import Plant, load_plant
from bridge.service import Service
from bridge.wiring import Outside, open_store
from odoo_adapter.memory import MemoryOdoo
from odoo_adapter.plan import PlanContext
from state.audit import verify
from tests.bridge.console.desk import CHEAP, PASSWORD, form_token
from tests.bridge.rig import PLANT
from tests.bridge.simulator.listener import running
from tests.integration.patience import until

pytestmark = pytest.mark.embedded

LIMIT_S = 20.0
BRIDGE_YAML = """\
broker: {{host: {broker.host}, port: {broker.port_5}, user: {broker.user}, secret: {{file: broker.secret}}}}
redis: {{url: "redis://{store.host}:{store.port}/0", secret: {{file: redis.secret}}, lease: 1s}}
odoo: {{database: memory, user: uns-bridge, key: {{env: UNUSED}}, poll_every: 100ms}}
sparkplug: {{host_id: acme-bridge, groups: [acme-berlin]}}
limits: {{stale_grace: 100ms}}
console: {{port: {port}, password_file: console.hash}}
"""


@dataclass(slots=True, kw_only=True)
class Site:
    """The servers, the plant folder, and an Odoo that can refuse."""

    plant: Plant
    broker: EmbeddedBroker
    odoo: MemoryOdoo

    @property
    def url(self) -> str:
        assert self.plant.settings.console is not None
        return f"http://127.0.0.1:{self.plant.settings.console.port}"

    @asynccontextmanager
    async def bridge(self) -> AsyncIterator[asyncio.Event]:
        """A bridge that runs, and the event that stops it."""
        store, stop = open_store(self.plant), asyncio.Event()
        outside = Outside(store=store, odoo=self.odoo, link=PahoLink, clock=SystemClock())
        service = asyncio.create_task(Service(self.plant, outside).run(stop))
        try:
            yield stop
        finally:
            stop.set()
            await service
            await store.close()

    async def start_work(self, *ids: str) -> None:
        """The MES says that work on an order began."""
        broker = self.broker
        settings = LinkSettings(
            host=broker.host, port=broker.port_5, client_id="mes", user=broker.user, password=lambda: broker.password
        )
        link = PahoLink(settings, [])
        async with running(link.run()):
            while not isinstance(await link.next_event(), LinkUp):
                pass
            for id in ids:
                body = {"id": id, "at": SystemClock().now_ms(), "order": "mo-1", "work_order": "wo-1"}
                topic = "uns/v1/acme/berlin/packaging/line-1/work_started"
                await link.publish(Publication(topic=topic, payload=msgspec.json.encode(body), qos=1, retain=False))


def write_plant(folder: Path, broker: EmbeddedBroker, store: EmbeddedStore) -> Plant:
    """The demonstration's plant on these servers, with a console."""
    shutil.copytree(PLANT, folder)
    (folder / "bridge.yaml").write_text(BRIDGE_YAML.format(broker=broker, store=store, port=free_ports(1)[0]))
    (folder / "console.hash").write_text(CHEAP.hash(PASSWORD))
    for name, secret in {"broker": broker.password, "redis": store.password}.items():
        (folder / f"{name}.secret").write_text(secret)
        (folder / f"{name}.secret").chmod(0o600)
    return load_plant(folder)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    context = PlanContext(units={"pcs": "Units"}, over=Decimal("0.05"))
    async with embedded_broker() as broker, embedded_store() as store:
        plant = write_plant(tmp_path / "plant", broker, store)
        yield Site(plant=plant, broker=broker, odoo=MemoryOdoo(context=context))


@pytest.fixture
async def browser(site: Site) -> AsyncIterator[ClientSession]:
    async with ClientSession(site.url, cookie_jar=CookieJar(unsafe=True)) as browser:
        yield browser


async def page(browser: ClientSession, path: str) -> str:
    """What is shown there, without the places where long texts may be broken; nothing while nobody listens."""
    try:
        async with browser.get(path) as answer:
            return (await answer.text()).replace("<wbr>", "")
    except OSError:
        return ""


async def shows(browser: ClientSession, path: str, text: str) -> None:
    """Wait until a page shows it."""

    async def holds() -> bool:
        return text in await page(browser, path)

    await until(holds, f"{text} on {path}", LIMIT_S)


async def health(browser: ClientSession, path: str) -> tuple[int, object]:
    """The status and what is told, asked by nobody who is logged in."""
    async with browser.get(path) as answer:
        return answer.status, await answer.json()


async def log_in(browser: ClientSession) -> None:
    await shows(browser, "/login", "Password")
    token = form_token(await page(browser, "/login"))
    await browser.post("/login", data={"csrf": token, "name": "Ana Weber", "password": PASSWORD})


async def test_a_dead_letter_is_seen_replayed_by_a_person_and_delivered(site: Site, browser: ClientSession) -> None:
    async with site.bridge():
        await log_in(browser)
        await shows(browser, "/", "connected")
        await site.start_work("s1")
        await until(lambda: bool(site.odoo.effects), "the first posting", LIMIT_S)
        key = site.odoo.effects[0].key.replace("s1", "s2")
        site.odoo.refusals[key] = "order_state"
        await site.start_work("s2")
        await shows(browser, "/attention", key)

        site.odoo.refusals.clear()
        form = {"act": "replay", "key": key, "reason": "the order was confirmed"}
        form["csrf"] = form_token(await page(browser, "/attention"))
        async with browser.post("/attention/check", data=form) as answer:
            assert "will be sent" in await answer.text()
        await browser.post("/attention/act", data=form)

        await shows(browser, "/entries?state=delivered", key)
        story = await page(browser, f"/entry?key={key}")
    assert [effect.key for effect in site.odoo.effects].count(key) == 1
    assert "replay: the order was confirmed" in story
    assert "by <b><bdi>Ana Weber</bdi></b>" in story
    assert verify(site.plant.settings.data_dir / "audit.jsonl") == ()


async def test_a_standby_says_who_leads_and_becomes_the_console_when_it_takes_over(
    site: Site, browser: ClientSession
) -> None:
    other = open_store(site.plant)
    lease = await other.acquire("bridge-a:4711:1f2e3d4c", 60_000)
    assert lease is not None
    async with site.bridge():
        await shows(browser, "/", "This bridge stands by")
        async with browser.get("/entries") as answer:
            text, status, style = await answer.text(), answer.status, await page(browser, "/static/console.css")
        well = [await health(browser, path) for path in (LIVE, READY)]
        await other.release(lease)
        await shows(browser, "/", "Password")
        well.append(await health(browser, READY))
    await other.close()

    assert well == [(200, {"role": "standby"}), (200, {"role": "standby"}), (200, {"role": "leader"})]
    assert status == 503
    assert "<b><bdi>bridge-a</bdi></b>" in text
    assert "<form" not in text
    assert ".login" in style


async def test_a_standby_whose_address_is_taken_waits_without_a_page(site: Site, browser: ClientSession) -> None:
    async with site.bridge():
        await shows(browser, "/login", "Password")
        async with site.bridge() as stop:
            await shows(browser, "/login", "Password")
            stop.set()
        assert "Password" in await page(browser, "/login")
