"""What a demonstration under chaos does to its parts, as scheduled by `bridge.demo.chaos`. All of it is real."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from bridge.broker.link import BrokerLink, LinkSettings, MayConnect, Subscriptions, WillSource
from bridge.broker.paho import PahoLink
from bridge.demo.chaos import ON_LINK, ON_SIMULATED_ODOO, Abuse, AbuseKind
from bridge.demo.odoo import DemoOdoo
from bridge.demo.process import BridgeProcess
from bridge.demo.proxy import Proxy
from bridge.demo.servers import HOST, DemoBroker, EmbeddedStore, MosquittoBroker
from bridge.simulator.scenario import Scenario

BRIDGE_TO_BROKER: Final = "the bridge to the broker"
BRIDGE_TO_ODOO: Final = "the bridge to Odoo"
MES: Final = "the MES to the broker"
LONGEST_PAUSE_S: Final = 2.0
"""Between two attempts of a simulated node to connect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """An abuse that happened. `at_s` counts from the beginning of production."""

    at_s: float
    what: str


class Links:
    """The links that can be cut, by name; a `LinkFactory` for the simulated plant."""

    def __init__(self, proxies: Mapping[str, Proxy]) -> None:
        self._proxies = proxies

    @property
    def by_kind(self) -> Mapping[AbuseKind, Sequence[str]]:
        """What can be done to which link."""
        return dict.fromkeys(ON_LINK, tuple(self._proxies))

    def port(self, name: str) -> int:
        """Where this link begins."""
        return self._proxies[name].port

    def for_bridge(self, odoo: DemoOdoo) -> DemoOdoo:
        """Odoo as the bridge reaches it."""
        if BRIDGE_TO_ODOO not in self._proxies:
            return odoo
        return replace(odoo, url=f"http://{HOST}:{self.port(BRIDGE_TO_ODOO)}")

    def __getitem__(self, name: str) -> Proxy:
        return self._proxies[name]

    def of_plant(
        self, settings: LinkSettings, subscriptions: Subscriptions, will: WillSource, may_connect: MayConnect
    ) -> BrokerLink:
        """A link of the simulated plant, through the proxy of its node or of its MES."""
        node = settings.client_id.rsplit("-", 1)[-1]
        name = MES if node == "mes" else of_node(node)
        longest_s = min(settings.longest_pause_s, LONGEST_PAUSE_S)
        settings = replace(settings, port=self.port(name), longest_pause_s=longest_s)
        return PahoLink(settings, subscriptions, will, may_connect)


def of_node(node: str) -> str:
    """The name of an edge node's link."""
    return f"the edge node {node} to the broker"


@asynccontextmanager
async def open_links(scenario: Scenario, broker: DemoBroker, odoo: DemoOdoo) -> AsyncIterator[Links]:
    """A proxy for each link. That to an Odoo behind TLS is left alone: it goes by the server's name."""
    nodes = sorted({station.source.node.node for station in scenario.stations} | {scenario.quality.source.node.node})
    names = (BRIDGE_TO_BROKER, MES, *(of_node(node) for node in nodes))
    proxies = {name: Proxy(broker.port_5, broker.host) for name in names}
    url = urlsplit(odoo.url)
    if url.scheme == "http" and url.hostname:
        proxies[BRIDGE_TO_ODOO] = Proxy(url.port or 80, url.hostname)
    async with AsyncExitStack() as stack:
        for proxy in proxies.values():
            await proxy.start()
            stack.push_async_callback(proxy.close)
        yield Links(proxies)


def possible_kinds(broker: DemoBroker, *, simulator: bool) -> frozenset[AbuseKind]:
    """What can be done to these parts."""
    left_out = set() if simulator else set(ON_SIMULATED_ODOO)
    if not isinstance(broker, MosquittoBroker):
        left_out.add(AbuseKind.RESTART_BROKER)
    return frozenset(AbuseKind) - left_out


class Chaos:
    """Does what is planned. `odoo_turn` is held while Odoo is abused: who works in it as a person waits meanwhile."""

    def __init__(
        self,
        plan: Sequence[Abuse],
        *,
        bridge: BridgeProcess,
        broker: DemoBroker,
        store: EmbeddedStore,
        odoo: DemoOdoo,
        links: Links,
        say: Callable[[str], None],
    ) -> None:
        self._plan = plan
        self._bridge = bridge
        self._broker = broker
        self._store = store
        self._odoo = odoo
        self._links = links
        self._say = say
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._began_s = time.monotonic()
        self.odoo_turn = self._turns["odoo"]
        self.happened: list[Happened] = []

    async def run(self) -> None:
        """Return when the last abuse is over."""
        self._began_s = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for nth, abuse in enumerate(self._plan):
                tasks.create_task(self._one(abuse), name=f"abuse-{nth}")

    def note(self, what: str) -> None:
        """List something that happened, and say it."""
        self.happened.append(Happened(at_s=round(time.monotonic() - self._began_s, 1), what=what))
        self._say(f"chaos: {what}")

    async def _one(self, abuse: Abuse) -> None:
        """Wait for its time and for the end of what is being done to the same part."""
        await asyncio.sleep(abuse.at_ms / 1000)
        async with self._turns[_part(abuse)]:
            self.note(abuse.what)
            await self._do(abuse, abuse.lasts_ms / 1000)

    async def _do(self, abuse: Abuse, lasts_s: float) -> None:
        match abuse.kind:
            case AbuseKind.KILL_BRIDGE:
                await self._bridge.kill(lasts_s)
            case AbuseKind.KILL_STORE:
                await self._store.kill()
                await asyncio.sleep(lasts_s)
                await self._store.start()
            case AbuseKind.KILL_ODOO:
                await self._odoo.kill(lasts_s)
            case AbuseKind.RESTART_BROKER:
                await self._broker.stop()
                await asyncio.sleep(lasts_s)
                await self._broker.start()
            case AbuseKind.CUT:
                await self._links[abuse.link].cut(lasts_s)
            case AbuseKind.SILENCE:
                await self._links[abuse.link].silence(lasts_s)
            case AbuseKind.ODOO_AWAY:
                await self._fail({"away": True}, lasts_s, {"away": False})
            case AbuseKind.TIMEOUT_BEFORE_COMMIT | AbuseKind.TIMEOUT_AFTER_COMMIT | AbuseKind.SERIALIZATION_FAILURES:
                await self._fail({abuse.kind.value: abuse.calls}, lasts_s, {abuse.kind.value: 0})

    async def _fail(self, faults: Mapping[str, Any], lasts_s: float, mended: Mapping[str, Any]) -> None:
        """Set faults of the simulated Odoo, and take back after a while what did not strike until then."""
        await self._set_faults(faults)
        await asyncio.sleep(lasts_s)
        await self._set_faults(mended)

    async def _set_faults(self, faults: Mapping[str, Any]) -> None:
        connection = self._odoo.admin.connection
        headers = {"Authorization": f"bearer {connection.key()}"}
        url = f"{connection.url}/simulator/faults"
        async with aiohttp.ClientSession(headers=headers, raise_for_status=True) as session:
            await session.post(url, json=dict(faults))


def _part(abuse: Abuse) -> str:
    """Whom it is done to: two abuses of the same part come one after the other."""
    if abuse.kind in ON_LINK:
        return abuse.link
    return "odoo" if abuse.kind in ON_SIMULATED_ODOO else abuse.kind
