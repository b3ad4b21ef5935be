"""The plant of the scenarios on real processes: its edge nodes and its MES on a real broker, the bridge with a real
Redis, and lines to Odoo and to a hall that can be cut. Odoo is whatever `Ground` is."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from bridge.broker.link import LinkSettings, LinkUp, Message, Publication, Subscription
from bridge.broker.paho import PahoLink
from bridge.clock import Clock as AnyClock
from bridge.clock import SystemClock
from bridge.core.input import Destination
from bridge.demo.chaos.proxy import Proxy
from bridge.plant import load_plant
from bridge.simulator.edge_session import EdgeSession
from bridge.wiring import open_store
from sparkplug.fact import Value
from state.entry import Entry, EntryState, decode
from state.record import Table
from state.store import Store
from tests.bridge.broker.ground import BASE
from tests.integration.bridge_process import Bridge
from tests.integration.folder import OdooAccess, write_folder
from tests.integration.patience import until
from tests.scenarios.bridge import Clock
from tests.scenarios.factory import TOWN, Ground, edge_nodes, plant_in
from tests.scenarios.office import Office, Running
from tests.scenarios.planner import Planner
from tests.servers import Mosquitto, Redis

LIMIT_S: Final = 180.0
LONG_S: Final = 3_600.0
WAITING: Final = (EntryState.PENDING, EntryState.CLAIMED)
RESEND_MS: Final = 15_000
MINUTE_MS: Final = 60_000
LOOK_FIRST: Final[dict[str, object]] = {"inbox": "never", "server_limit": "2s", "timeout": "4s"}
"""Shorter than a real server's own limit: only for a test that sees itself that no call goes on there."""
SHIFTS: Final = ("06:00", "14:00", "22:00")


@dataclass(slots=True)
class Mes:
    """A MES: it hears the order releases and the commands to nodes, and sends documents at QoS 1."""

    settings: LinkSettings
    site: str
    town: str
    retained: dict[str, Any] = field(default_factory=dict)
    """The order releases, by order, as they stand on the namespace."""
    asked: list[str] = field(default_factory=list)
    """Which nodes were sent commands, in order."""
    _link: PahoLink = field(init=False)
    _up: asyncio.Event = field(init=False, default_factory=asyncio.Event)
    _moments: dict[str, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        filters = (f"uns/v1/{self.site}/order/+", f"spBv1.0/{self.town}/NCMD/+")
        self._link = PahoLink(self.settings, [Subscription(filter=filter, qos=1) for filter in filters])

    async def run(self) -> None:
        """Hear until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._link.run(), name="mes-link")
            while True:
                event = await self._link.next_event()
                if isinstance(event, LinkUp):
                    self._up.set()
                elif isinstance(event, Message):
                    self._hear(event)
                    await self._link.acknowledge(event.token)

    async def accepts(self, order: str) -> None:
        """Say that the first version of a release is accepted."""
        await self.says(f"order/{order}/ack", f"ack-{order}", order=order, version=1, status="accepted", by="MES")

    async def says(self, path: str, id: str, **body: object) -> None:
        """Send a document; returns when the broker has it. What has the same id happened at the same moment."""
        document = {"id": id, "at": self._moments.setdefault(id, SystemClock().now_ms()), **body}
        await self._up.wait()
        topic, payload = f"uns/v1/{self.site}/{path}", json.dumps(document).encode()
        await self._link.publish(Publication(topic=topic, payload=payload, qos=1, retain=False))

    async def until_released(self, order: str) -> None:
        """Wait until it can read the order."""
        await until(lambda: order in self.retained, f"{order} on the namespace", LIMIT_S)

    def _hear(self, message: Message) -> None:
        if "/NCMD/" in message.topic:
            self.asked.append(message.topic.rpartition("/")[2])
        elif message.payload:
            self.retained[message.topic.rpartition("/")[2]] = json.loads(message.payload)


@dataclass(slots=True)
class Device:
    """A device of an edge node."""

    session: EdgeSession
    name: str
    clock: AnyClock
    count: int = 0

    async def runs(self, order: str) -> None:
        await self.says({"Order": order, "Counters/Good": self.count})

    async def makes(self, pieces: int) -> None:
        self.count += pieces
        await self.says({"Counters/Good": self.count})

    async def says(self, values: Mapping[str, Value]) -> None:
        await self.session.report(self.name, values, self.clock.now_ms())


class Line:
    """A line that is cut, or over which nothing comes back, until it is mended."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._fault: asyncio.Task[None] | None = None

    def cut(self) -> None:
        self._fault = asyncio.create_task(self._proxy.cut(LONG_S), name="cut")

    def lose_answers(self) -> None:
        """What is sent arrives, and what is answered does not."""
        self._fault = asyncio.create_task(self._proxy.silence(LONG_S, there=False), name="silence")

    async def mend(self) -> None:
        if self._fault is not None:
            self._fault.cancel()
            with suppress(asyncio.CancelledError):
                await self._fault


@dataclass(slots=True, kw_only=True)
class Works:
    """The plant, in words of what happens to it."""

    bridge: Bridge
    folder: Path
    broker: Mosquitto
    redis: Redis
    store: Store
    mes: Mes
    planner: Planner
    office: Office
    mill: Device
    lines: tuple[Device, ...]
    to_odoo: Line
    to_packing: Line
    shift_ms: int
    """When the shift of the mill changed: a few minutes ago."""
    mill_clock: Clock
    """The clock of the mill's edge node: it begins ten minutes ago, and a test moves it."""

    async def mill_becomes(self, state: str, *, minute: int, fault: str = "") -> None:
        """The mill says so, in this minute after the change of shifts."""
        self.mill_clock.move_to(self.shift_ms + minute * MINUTE_MS)
        await self.mill.says({"State": state, "Fault": fault})

    async def releases(self, quantity: float) -> str:
        """The planner confirms an order, and the MES reads it."""
        order = await self.planner.order("HOUSING", quantity)
        await self.mes.until_released(order)
        return order

    async def restarts(self) -> None:
        """kill -9, and a new start."""
        connected = len(self.bridge.told("host.connected"))
        await self.bridge.kill()
        await self.bridge.start()
        await self.bridge.until_told("host.connected", times=connected + 1)

    async def entries(self, *states: EntryState) -> list[Entry]:
        """The entries that are not done, in these states."""
        entries = [decode(body) for body in (await self.store.read(Table.ENTRY)).values()]
        return [one for one in entries if not states or one.state in states]

    async def until_waiting(self, **counts: int) -> None:
        """Wait until so many entries of these actions wait, each by the last part of its name."""

        async def wait() -> bool:
            waiting = Counter(entry.action.partition(".")[2] for entry in await self.entries(*WAITING))
            return all(waiting[action] >= count for action, count in counts.items())

        await until(wait, f"{counts} waiting", LIMIT_S)

    async def until_counted(self, order: str, pieces: int) -> None:
        """Wait until so many pieces stand on the order in Odoo."""

        async def counted() -> bool:
            return await self.office.order(order) == Running(pieces)

        await until(counted, f"{pieces} pieces on {order}", LIMIT_S)

    async def until_dead(self, count: int) -> None:
        """Wait until so many entries are declined."""

        async def declined() -> bool:
            return len(await self.entries(EntryState.DEAD)) >= count

        await until(declined, f"{count} dead letters", LIMIT_S)

    async def until_posted(self, *actions: str, limit_s: float = LIMIT_S) -> None:
        """Wait until these actions were delivered, and nothing of them waits."""

        async def is_posted() -> bool:
            waiting = {entry.action for entry in await self.entries(*WAITING)}
            return waiting.isdisjoint(actions) and {entry.action for entry in await self._delivered()} >= set(actions)

        await until(is_posted, lambda: f"{actions} posted:\n{self.bridge.log[-3_000:]}", limit_s)

    async def posted_in_order(self) -> bool:
        """Whether the entries of each lane were posted to Odoo in the order in which they were accepted."""
        entries = {entry.key: entry for entry in await self._delivered()}
        numbers: defaultdict[str, list[int]] = defaultdict(list)
        for line in self.bridge.told("entry.delivered"):
            if entry := entries.get(line["key"]):
                numbers[entry.lane].append(entry.number)
        return bool(numbers) and all(sorted(lane) == lane for lane in numbers.values())

    async def command(self, *arguments: str) -> tuple[int, Any]:
        """Run `uns-bridge` on this plant as an operator does; its exit code and what it says with `--json`."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bridge", *arguments, "--plant", str(self.folder), "--json"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, error = await process.communicate()
        assert process.returncode is not None
        assert out, error.decode()
        return process.returncode, json.loads(out)

    async def ends(self) -> None:
        """The bridge is stopped in good order."""
        assert await self.bridge.stop() == 0

    async def _delivered(self) -> list[Entry]:
        """What stands in Odoo by this bridge."""
        done = [decode(body) for body in (await self.store.read(Table.DONE)).values()]
        return [one for one in done if one.destination == Destination.ODOO and one.state is EntryState.DELIVERED]


@asynccontextmanager
async def another(mes: Mes) -> AsyncIterator[Mes]:
    """A second MES, which comes to the broker now."""
    newcomer = Mes(replace(mes.settings, client_id="newcomer"), mes.site, mes.town)
    hearing = asyncio.create_task(newcomer.run(), name="newcomer")
    try:
        yield newcomer
    finally:
        hearing.cancel()
        await asyncio.wait([hearing])


@asynccontextmanager
async def opened_works(
    ground: Ground, mode: str, home: Path, broker: Mosquitto, redis: Redis, *, stores: bool = True
) -> AsyncIterator[Works]:
    """The plant, whose bridge and floor run. `stores`: edge nodes store and send again while it is away."""
    town = TOWN + ground.suffix.lower()
    planner = Planner(odoo=ground.admin, suffix=ground.suffix, town=town)
    await planner.prepare()
    plant = plant_in(home / "shipped", ground, mode, town)
    at = urlsplit(ground.admin.connection.url)
    assert at.port
    assert at.hostname
    async with AsyncExitStack() as ended:
        to_odoo, to_packing = Proxy(at.port, at.hostname), Proxy(broker.port)
        for proxy in (to_odoo, to_packing):
            await proxy.start()
            ended.push_async_callback(proxy.close)
        folder = _write(ground, mode, home, broker, redis, to_odoo.port, plant.folder, town)
        shift_ms = _change_shifts(folder / "assets.yaml")
        store = open_store(load_plant(folder))
        ended.push_async_callback(store.close)
        password = broker.password
        link = replace(BASE, port=broker.port, client_id="floor", user=broker.user, password=lambda: password)
        far, clock, now = replace(link, port=to_packing.port), Clock(shift_ms - 7 * MINUTE_MS), SystemClock()
        resend_ms, primary = (RESEND_MS, f"{town}-bridge") if stores else (0, None)
        nodes = edge_nodes(town, primary_host=primary)
        pressing = EdgeSession(nodes[0], broker=link, link=PahoLink, clock=clock, resend_ms=resend_ms)
        packing = EdgeSession(nodes[1], broker=far, link=PahoLink, clock=now, resend_ms=resend_ms)
        works = Works(
            bridge=Bridge(folder, home / "bridge.log"),
            folder=folder,
            broker=broker,
            redis=redis,
            store=store,
            mes=Mes(replace(link, client_id="mes"), plant.assets.path, town),
            planner=planner,
            office=Office(odoo=ground.admin, suffix=ground.suffix, began_ms=shift_ms),
            mill=Device(pressing, "mill-1", clock),
            lines=tuple(Device(packing, f"line-{n}", now) for n in (1, 2, 3, 4)),
            to_odoo=Line(to_odoo),
            to_packing=Line(to_packing),
            shift_ms=shift_ms,
            mill_clock=clock,
        )
        ended.push_async_callback(works.bridge.remove)
        await works.bridge.start()
        await works.bridge.until_told("host.connected")
        await ended.enter_async_context(_running(pressing, packing, works.mes))
        await until(lambda: pressing.node.is_online and packing.node.is_online, "edge nodes that are born", LIMIT_S)
        yield works


@asynccontextmanager
async def _running(*floor: EdgeSession | Mes) -> AsyncIterator[None]:
    """These are there."""
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(one.run(), name="floor") for one in floor]
        try:
            yield
        finally:
            for task in running:
                task.cancel()


def _write(
    ground: Ground, mode: str, home: Path, broker: Mosquitto, redis: Redis, port: int, shipped: Path, town: str
) -> Path:
    """The plant's folder, whose Odoo is at this port."""
    database = ground.admin.connection.database
    access = OdooAccess(url=f"http://127.0.0.1:{port}", database=database, user=ground.user, key=ground.key)
    changes: dict[str, dict[str, object]] = {
        "odoo": LOOK_FIRST if mode == "look-first" else {},
        "sparkplug": {"host_id": f"{town}-bridge", "groups": [town]},
        "edge_node": {"group": town},
    }
    return write_folder(home / "plant", broker, redis, access, changes, shipped=shipped)


def _change_shifts(assets: Path) -> int:
    """Let the shifts of the mill change three minutes ago, and every eight hours; that moment."""
    shift_ms = (SystemClock().now_ms() // MINUTE_MS - 3) * MINUTE_MS
    began = datetime.fromtimestamp(shift_ms / 1000, ZoneInfo("Europe/Berlin"))
    moments = {f'"{old}"': f'"{began + timedelta(hours=8 * nth):%H:%M}"' for nth, old in enumerate(SHIFTS)}
    assets.write_text(re.sub("|".join(moments), lambda found: moments[found[0]], assets.read_text()))
    return shift_ms
