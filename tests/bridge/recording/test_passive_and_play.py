"""Traffic is recorded without a word to the plant, and played again on another broker."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.broker.link import (
    BrokerLink,
    LinkSettings,
    MayConnect,
    Message,
    Publication,
    Subscription,
    Subscriptions,
    WillSource,
)
from bridge.broker.memory import MemoryBroker, MemoryLink
from bridge.core.input import HostConnected, SparkplugMessage, Started, UnsDocument
from bridge.recording.about import about
from bridge.recording.folder import RecordingFolder
from bridge.recording.passive import PassiveHost
from bridge.recording.play import Played, is_plants_own, play
from bridge.recording.reader import Recorded, files_in, read
from bridge.recording.recorder import FileRecorder
from tests.bridge.recording.day import inputs
from tests.bridge.recording.spans import PLENTY, START_MS
from tests.bridge.simulator.listener import running, settings, until
from tests.bridge.site import ManualClock, plant_in

BIRTH = Publication(topic="spBv1.0/acme-berlin/NBIRTH/packaging", payload=b"\x08\x01", qos=0, retain=False)
SCRAP = Publication(topic="uns/v1/acme/berlin/packaging/line-1/scrap", payload=b'{"id": 1}', qos=1, retain=False)
COMMAND = Publication(topic="spBv1.0/acme-berlin/NCMD/packaging", payload=b"\x08\x02", qos=0, retain=False)
MASTER = Publication(topic="uns/v1/acme/berlin/master/product/P1", payload=b"{}", qos=1, retain=False)


class Ear:
    """Keeps what is published on a broker."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.link = MemoryLink(broker, settings("ear"), [Subscription(filter="#", qos=1)])
        self.heard: list[tuple[str, bytes]] = []

    async def run(self) -> None:
        while True:
            event = await self.link.next_event()
            if isinstance(event, Message):
                self.heard.append((event.topic, event.payload))
                await self.link.acknowledge(event.token)


async def test_what_nodes_and_documents_say_is_recorded_and_nothing_is_published(tmp_path: Path) -> None:
    broker, clock, plant = MemoryBroker(), ManualClock(), plant_in(tmp_path)

    def link(given: LinkSettings, subscriptions: Subscriptions, will: WillSource, may: MayConnect) -> BrokerLink:
        return MemoryLink(broker, given, subscriptions, will, may, now_ms=clock.now_ms)

    recorder = FileRecorder(
        RecordingFolder(tmp_path / "files", PLENTY, about(plant), None), lambda notice: None, gather_s=0.001
    )
    host, ear = PassiveHost(plant, link, recorder, clock), Ear(broker)
    async with running(recorder.run(), host.run(), ear.link.run(), ear.run()):
        await until(host.reached.is_set)
        for publication in (BIRTH, SCRAP, MASTER):
            broker.publish(publication)
        await until(lambda: host.heard == 2 and len(ear.heard) == 3)
        await recorder.finish()

    assert [each.input for each in inputs(read(files_in([tmp_path / "files"])))] == [
        Started(),
        HostConnected(),
        SparkplugMessage(topic=BIRTH.topic, payload=BIRTH.payload, retain=False),
        UnsDocument(SCRAP.topic, SCRAP.payload),
    ]


async def test_messages_are_played_in_their_order_without_what_a_host_said() -> None:
    broker = MemoryBroker()
    state = SparkplugMessage(topic="spBv1.0/STATE/acme-bridge", payload=b"{}", retain=True)
    told = [
        Recorded(START_MS, Started()),
        Recorded(START_MS, state),
        Recorded(START_MS, SparkplugMessage(topic=BIRTH.topic, payload=BIRTH.payload, retain=False)),
        Recorded(START_MS + 20, SparkplugMessage(topic=COMMAND.topic, payload=COMMAND.payload, retain=False)),
        Recorded(START_MS + 40, UnsDocument(SCRAP.topic, SCRAP.payload)),
    ]
    ear, link, played = Ear(broker), MemoryLink(broker, settings("player"), []), Played()
    async with running(ear.link.run(), ear.run(), link.run()):
        await link.next_event()
        await play(told, link, played, speed=2)
        await until(lambda: len(ear.heard) == 2)
    assert ear.heard == [(BIRTH.topic, BIRTH.payload), (SCRAP.topic, SCRAP.payload)]
    assert played == Played(published=2, left_out=2, at_ms=START_MS + 40)


@pytest.mark.parametrize(
    ("host", "port", "own"),
    [
        ("127.0.0.1", 1883, True),
        ("localhost", 1883, True),
        ("127.0.0.1", 1884, False),
        ("192.0.2.7", 8883, True),  # another listener of the plant's machine
        ("192.0.2.8", 1883, False),
    ],
)
def test_a_broker_of_the_plant_is_known_by_its_address(host: str, port: int, own: bool) -> None:
    assert is_plants_own(host, port, ["127.0.0.1:1883", "192.0.2.7:1883"]) is own
