"""STATE as Sparkplug 2.2 had it: it shows what the host's session shows, whatever ends."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

from bridge.broker.memory import MemoryBroker, MemoryLink
from bridge.core.input import HostConnected
from bridge.legacy_state import LegacyState, legacy_state
from bridge.loop import Entering
from bridge.session import HostSession
from bridge.settings import read_settings
from ruleset.problem import Problems
from sparkplug.presence import HostPresence
from tests.bridge.simulator.listener import HOST, running, until
from tests.bridge.simulator.listener import settings as link_settings
from tests.bridge.site import ManualClock, Site, bridge_on, plant_in

TOPIC = f"STATE/{HOST}"


class Bench:
    """A host's session and its STATE of Sparkplug 2.2, each on a link of its own."""

    def __init__(self) -> None:
        self.broker, self.presence = MemoryBroker(), HostPresence(HOST)
        self.connected = 0
        self.legacy_link = MemoryLink(self.broker, link_settings("state"), [], lambda: legacy_state(HOST, online=False))
        self.legacy = LegacyState(self.legacy_link, HOST)
        self.may_connect = True
        self.link = MemoryLink(self.broker, link_settings("host"), [], lambda: None, self._may_connect)
        self.session = HostSession(self.link, self.presence, self._enter, ManualClock(), legacy=self.legacy)
        self.presence.will(1)

    async def _may_connect(self) -> bool:
        return self.may_connect

    async def _enter(self, entering: Entering) -> None:
        if isinstance(entering.input, HostConnected):
            self.connected += 1
            self.session.announce(self.presence.will_ms)

    @property
    def word(self) -> bytes | None:
        said = self.broker.retained(TOPIC)
        return None if said is None else said.payload

    def running(self) -> AbstractAsyncContextManager[object]:
        return running(
            self.link.run(),
            self.legacy_link.run(),
            self.session.run(),
            self.session.send(),
            self.legacy.run(),
            self.legacy.send(),
        )


async def test_it_is_online_while_the_host_is_and_offline_when_the_host_leaves() -> None:
    bench = Bench()
    async with bench.running():
        await until(lambda: bench.word == b"ONLINE")
        bench.may_connect = False
        bench.session.leave_soon()
        await until(lambda: bench.word == b"OFFLINE")


async def test_a_lost_session_of_its_own_is_said_by_the_will_and_mended_by_the_next() -> None:
    bench = Bench()
    async with bench.running():
        await until(lambda: bench.word == b"ONLINE")
        bench.broker.cut("state")
        assert bench.word == b"OFFLINE"
        await until(lambda: bench.word == b"ONLINE")


async def test_it_follows_the_host_that_loses_its_session() -> None:
    bench = Bench()
    async with bench.running():
        await until(lambda: bench.word == b"ONLINE")
        bench.broker.stop()
        bench.broker.start()
        await until(lambda: bench.connected == 2 and bench.word == b"ONLINE")


async def test_the_bridge_says_it_while_it_runs_where_the_plant_asks_for_it(tmp_path: Path) -> None:
    plant = plant_in(tmp_path)
    sparkplug = replace(plant.settings.sparkplug, legacy_state=True)
    site = Site(replace(plant, settings=replace(plant.settings, sparkplug=sparkplug)))

    async with bridge_on(site):
        await until(lambda: site.broker.retained(TOPIC) == legacy_state(HOST, online=True))
    assert site.broker.retained(TOPIC) == legacy_state(HOST, online=False)


async def test_the_bridge_says_nothing_of_it_unless_asked(tmp_path: Path) -> None:
    site = Site(plant_in(tmp_path))

    async with bridge_on(site):
        await until(lambda: site.is_host_online)
    assert site.broker.retained(TOPIC) is None


def test_the_plant_asks_for_it_in_bridge_yaml() -> None:
    problems = Problems()
    text = "odoo: {database: prod, user: bridge, key: {env: KEY}}\nsparkplug: {legacy_state: true}\n"
    settings = read_settings("bridge.yaml", text, Path("/plant"), problems)

    assert settings is not None
    assert settings.sparkplug.legacy_state
