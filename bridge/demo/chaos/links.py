"""The links of a demonstration under chaos, each over a proxy of its own, by name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from bridge.broker.link import BrokerLink, LinkSettings, MayConnect, Subscriptions, WillSource
from bridge.broker.paho import PahoLink
from bridge.demo.chaos.proxy import Proxy
from bridge.demo.odoo import DemoOdoo
from bridge.demo.servers import HOST, DemoBroker
from bridge.simulator.scenario import Scenario

BRIDGE_TO_BROKER: Final = "the bridge to the broker"
BRIDGE_TO_ODOO: Final = "the bridge to Odoo"
MES: Final = "the MES to the broker"
LONGEST_PAUSE_S: Final = 2.0
"""Between two attempts of a simulated node to connect."""


class Links:
    """The links that can be cut, by name; a `LinkFactory` for the simulated plant."""

    def __init__(self, proxies: Mapping[str, Proxy]) -> None:
        self._proxies = proxies

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._proxies)

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
