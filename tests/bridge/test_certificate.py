"""The births that a Sparkplug Aware broker keeps: what the bridge reads by them, and on a real broker, where a client
puts them where such a broker would."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from bridge.broker.paho import PahoLink
from bridge.core.input import HostConnected, SparkplugMessage, Started, Tick
from bridge.pipeline import step
from bridge.plant import load_plant
from bridge.wiring import new_core
from sparkplug.edge import EdgeNode, EdgeOutput, Publish
from sparkplug.edge.origin import MetricDefinition
from sparkplug.fact import NodeId, NodeOnline, RequestRebirth
from sparkplug.topic import CERTIFICATES
from sparkplug.wire.datatype import Datatype
from tests.bridge.broker.ground import BASE, put, running, up
from tests.bridge.rig import PLANT
from tests.foreign.host import NODE_ID, host_on
from tests.servers import Mosquitto, StartMosquitto
from tests.sparkplug.situation import FORCE_ALIAS, birth_bytes, data_bytes, device_birth_bytes

GROUP, NODE = NODE_ID
NBIRTH, DBIRTH = f"spBv1.0/{GROUP}/NBIRTH/{NODE}", f"spBv1.0/{GROUP}/DBIRTH/{NODE}/arm"
NDATA, DDATA = f"spBv1.0/{GROUP}/NDATA/{NODE}", f"spBv1.0/{GROUP}/DDATA/{NODE}/arm"
START_MS = 1_700_000_000_000
SETTLED_MS = 60_000
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


def scrap_metrics(number: int) -> list[MetricDefinition]:
    """The metrics of one scrap event of a press."""
    return [
        MetricDefinition(name="Scrap/Number", datatype=Datatype.INT64, value=number, alias=1),
        MetricDefinition(name="Scrap/order", datatype=Datatype.STRING, value="mo-1", alias=2),
        MetricDefinition(name="Scrap/qty", datatype=Datatype.DOUBLE, value=2.0, alias=3),
        MetricDefinition(name="Scrap/reason", datatype=Datatype.STRING, value="S01", alias=4),
        MetricDefinition(name="Scrap/confirmed", datatype=Datatype.BOOLEAN, value=True, alias=5),
    ]


def published(outputs: Iterable[EdgeOutput]) -> list[tuple[str, bytes]]:
    return [(output.topic, output.payload) for output in outputs if isinstance(output, Publish)]


@pytest.mark.parametrize(("certificates", "read"), [(True, ["5", "6"]), (False, [])])
def test_events_before_the_birth_are_read_where_the_broker_keeps_births(certificates: bool, read: list[str]) -> None:
    plant = load_plant(PLANT)
    sparkplug = replace(plant.settings.sparkplug, certificates=certificates)
    core = new_core(replace(plant, settings=replace(plant.settings, sparkplug=sparkplug)))
    press = EdgeNode(NodeId("acme-berlin", "machining"), primary_host=None)
    press.define_device("press-1", scrap_metrics(4))
    press.will(START_MS)
    births = published(press.connected(START_MS))
    step(core, Started(), START_MS)
    step(core, HostConnected(will_ms=START_MS), START_MS)
    for topic, payload in births if certificates else []:
        step(core, SparkplugMessage(topic=f"{CERTIFICATES}{topic}", payload=payload, retain=True), START_MS)

    for number in (5, 6):
        values = {metric.name: metric.value for metric in scrap_metrics(number)}
        for topic, payload in published(press.update("press-1", values, START_MS)):
            step(core, SparkplugMessage(topic=topic, payload=payload, retain=False), START_MS)
    step(core, Tick(), START_MS + SETTLED_MS)

    assert [entry.key.split(":")[-1] for entry in core.outbox.entries()] == read
