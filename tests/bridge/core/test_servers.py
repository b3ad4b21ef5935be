"""A core on several MQTT servers: what the loss of one costs, and where requests go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bridge.core.input import AnnounceHost, HostConnected, HostDisconnected, Started, Tick
from bridge.core.site import Core
from bridge.pipeline import step
from bridge.plant import Plant
from bridge.settings.broker import BrokerSettings
from bridge.wiring import new_core, servers
from tests.bridge.site import plant_in

HALL, CELLAR = "hall:1883", "cellar:1883"
SETTLED_MS = 1_000_000


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """A plant with two servers."""
    plant = plant_in(tmp_path)
    brokers = (BrokerSettings(host="hall"), BrokerSettings(host="cellar"))
    return replace(plant, settings=replace(plant.settings, brokers=brokers))


@pytest.fixture
def core(plant: Plant) -> Core:
    """A core on both servers, in which nothing settles any more."""
    core = new_core(plant)
    step(core, Started(), 0)
    for server in (HALL, CELLAR):
        assert step(core, HostConnected(server=server, will_ms=7), 1) == (AnnounceHost(server, 7),)
    step(core, Tick(), SETTLED_MS)
    return core


def test_one_server_has_no_name_and_several_have_their_addresses(plant: Plant) -> None:
    alone = replace(plant, settings=replace(plant.settings, brokers=(BrokerSettings(),)))

    assert (list(servers(alone)), list(servers(plant))) == ([""], [HALL, CELLAR])


def test_the_loss_of_one_of_two_servers_does_not_make_all_equipment_settle(core: Core) -> None:
    step(core, HostDisconnected(server=CELLAR), SETTLED_MS)
    assert core.floor.settler.next_due_ms is None

    step(core, HostConnected(server=CELLAR, will_ms=8), SETTLED_MS)
    assert core.floor.settler.next_due_ms is None


def test_the_loss_of_the_last_server_makes_all_equipment_settle(core: Core) -> None:
    step(core, HostDisconnected(server=CELLAR), SETTLED_MS)
    step(core, HostDisconnected(server=HALL), SETTLED_MS)

    assert core.floor.settler.next_due_ms is not None
