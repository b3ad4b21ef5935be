"""Births of devices, and what they say, that come before the birth of their node."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sparkplug.fact import DataRead, DeviceOnline, NodeOnline, Output
from sparkplug.message import DeviceBirth, DeviceData
from sparkplug.session import SessionSettings
from sparkplug.snapshot import restore, store
from tests.sparkplug.situation import NODE, SENT_MS, dead, device_birth, device_data, force, node_birth, unborn

TIMEOUT_MS = SessionSettings().reorder_timeout_ms


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


def told(*outputs: Output) -> list[object]:
    """What was read of the device, by the sequence number of its message."""
    return [
        (output.seq, output.readings) for output in outputs if isinstance(output, DataRead) and output.origin.device
    ]


@pytest.mark.spec("tck-id-operational-behavior-host-reordering-success")
def test_what_a_device_said_before_the_birth_that_it_overtook_is_read_after_that() -> None:
    session = dead()
    for early in (device_birth(1), device_data(3, 23), device_data(2, 22)):
        assert told(*session.receive(early, now_ms=0)) == []

    assert told(*session.receive(node_birth(now_ms=TIMEOUT_MS), now_ms=TIMEOUT_MS)) == [
        (1, force(20)),
        (2, force(22)),
        (3, force(23)),
    ]
    assert told(*session.receive(device_data(4, 24), now_ms=TIMEOUT_MS)) == [(4, force(24))]


def test_what_was_said_too_long_before_a_birth_is_not_of_its_session() -> None:
    session = dead()
    session.receive(device_data(2, 22), now_ms=0)

    assert told(*session.receive(node_birth(now_ms=TIMEOUT_MS + 1), now_ms=TIMEOUT_MS + 1)) == []


def test_what_was_sent_before_a_birth_is_not_of_its_session() -> None:
    session = dead()
    earlier = DeviceData(replace(device_data(2, 22).payload, timestamp_ms=SENT_MS - 1), 0, "arm")
    session.receive(earlier, now_ms=0)

    assert told(*session.receive(node_birth(), now_ms=0)) == []


def test_of_what_overtakes_a_birth_no_more_is_kept_than_waits_for_a_sequence_number() -> None:
    size = device_data(2, 22).payload.size
    session = unborn(SessionSettings(most_waiting_bytes=2 * size))
    for seq in (2, 3, 4):
        session.receive(device_data(seq, 20 + seq), now_ms=0)
    session.receive(node_birth(), now_ms=0)

    assert told(*session.receive(device_birth(1), now_ms=0)) == [(1, force(20))]
    assert told(*session.receive(device_data(2, 22), now_ms=0)) == [(2, force(22)), (3, force(23)), (4, force(24))]
