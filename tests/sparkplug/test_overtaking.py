"""Births of devices that come before that of their node."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sparkplug.fact import DataRead, DeviceOnline, NodeOnline
from sparkplug.message import DeviceBirth
from sparkplug.session import SessionSettings
from sparkplug.snapshot import restore, store
from tests.sparkplug.situation import NODE, SENT_MS, device_birth, device_data, node_birth, unborn


@pytest.mark.parametrize("restarts", [False, True])
def test_the_birth_of_a_device_that_overtook_its_nodes_is_read_after_that(restarts: bool) -> None:
    session = unborn()
    session.receive(device_birth(1), now_ms=0)
    if restarts:
        session = restore(NODE, store(session), SessionSettings())
    born = session.receive(node_birth(), now_ms=5)

    assert [type(output) for output in born] == [NodeOnline, DataRead, DeviceOnline, DataRead]
    assert [type(output) for output in session.receive(device_data(2, 21), now_ms=10)] == [DataRead]


def test_the_birth_of_a_device_from_before_its_nodes_is_not_of_that_session() -> None:
    session = unborn()
    earlier = DeviceBirth(replace(device_birth(1).payload, timestamp_ms=SENT_MS - 1), 0, "arm")
    session.receive(earlier, now_ms=0)

    assert [type(output) for output in session.receive(node_birth(), now_ms=5)] == [NodeOnline, DataRead]
