"""The births that a Sparkplug Aware broker keeps, on a real broker; a client puts them where such a broker would."""

from __future__ import annotations

from dataclasses import replace

from bridge.broker.paho import PahoLink
from sparkplug.fact import NodeOnline, RequestRebirth
from sparkplug.topic import CERTIFICATES
from tests.bridge.broker.ground import BASE, put, running, up
from tests.foreign.host import NODE_ID, host_on
from tests.servers import Mosquitto, StartMosquitto
from tests.sparkplug.situation import FORCE_ALIAS, birth_bytes, data_bytes, device_birth_bytes

GROUP, NODE = NODE_ID
NBIRTH, DBIRTH = f"spBv1.0/{GROUP}/NBIRTH/{NODE}", f"spBv1.0/{GROUP}/DBIRTH/{NODE}/arm"
NDATA, DDATA = f"spBv1.0/{GROUP}/NDATA/{NODE}", f"spBv1.0/{GROUP}/DDATA/{NODE}/arm"
OTHER_GROUP = f"{CERTIFICATES}spBv1.0/acme-oslo/NBIRTH/{NODE}"


def link_to(broker: Mosquitto) -> PahoLink:
    settings = replace(BASE, port=broker.port, client_id="node", user=broker.user, password=lambda: broker.password)
    return PahoLink(settings, [])


async def test_a_host_that_comes_after_the_births_reads_the_first_data(start_mosquitto: StartMosquitto) -> None:
    broker = start_mosquitto()
    node = link_to(broker)
    async with running(node):
        await up(node)
        await put(node, f"{CERTIFICATES}{NBIRTH}", birth_bytes(), retain=True)
        await put(node, f"{CERTIFICATES}{DBIRTH}", device_birth_bytes(1), retain=True)
        await put(node, OTHER_GROUP, birth_bytes(), retain=True)
        async with host_on(broker, certificates=True) as host:
            await host.until(lambda: host.view is not None and host.view.metrics == 4)
            assert [view.phase for view in host.host.nodes()] == ["not born yet"]

            await put(node, NDATA, data_bytes(7, 11), qos=0)
            await put(node, DDATA, data_bytes(8, 21, FORCE_ALIAS), qos=0)
            await host.until(lambda: bool(host.values_of("force")))
            assert (host.values_of("speed"), host.values_of("force"), host.findings()) == ([11], [21], {})
            assert [fact for fact in host.facts if isinstance(fact, RequestRebirth)] == [
                RequestRebirth(NODE_ID, "stale")
            ]

            await put(node, NBIRTH, birth_bytes(), qos=0)
            await host.until_phase("online")
            assert [fact.node for fact in host.facts if isinstance(fact, NodeOnline)] == [NODE_ID]
