"""What a host holds of others is bounded, whoever publishes: messages that wait, devices, nodes, and the long dead."""

from __future__ import annotations

import pytest

from sparkplug.fact import DataRead, Finding, NodeId, NodeOffline, NodeOnline, Output, RequestRebirth
from sparkplug.finding import FindingName
from sparkplug.host import HostApplication, HostSettings
from sparkplug.host.roster import FORGET_NODES_EVERY_MS
from sparkplug.message import DeviceBirth, DeviceData
from sparkplug.session import NodeSession, SessionSettings
from sparkplug.wire.payload import decode
from tests.sparkplug.situation import (
    NODE,
    PRESS,
    SENT_MS,
    birth_bytes,
    data_bytes,
    death_bytes,
    device_birth,
    device_birth_bytes,
    device_data,
    node_data,
    online,
    online_with_device,
    speed,
)

DAY_MS = 86_400_000
START_MS = 1_700_000_000_000
ROBOT = NodeId("plant", "robot")
EARLY_BYTES = len(data_bytes(2, 12))
ONE_DEVICE = SessionSettings(most_devices=1)
ONE_NODE = HostSettings(birth_grace_ms=0, rebirth_jitter_ms=0, most_nodes=1)


def found(name: FindingName, text: str, node: NodeId = NODE) -> Finding:
    return Finding(node=node, name=name.value, text=text)


def gripper_birth(seq: int) -> DeviceBirth:
    return DeviceBirth(decode(device_birth_bytes(seq, alias=3)), 0, "gripper")


def following(settings: HostSettings, *nodes: NodeId) -> HostApplication:
    """A connected host that saw these nodes born."""
    host = HostApplication("berlin", settings)
    host.connected(START_MS, will_ms=START_MS)
    for node in nodes:
        receive(host, "NBIRTH", node, birth_bytes())
    return host


def receive(host: HostApplication, verb: str, node: NodeId, raw: bytes, now_ms: int = START_MS) -> tuple[Output, ...]:
    return host.receive(f"spBv1.0/{node.group}/{verb}/{node.node}", raw, retain=False, now_ms=now_ms)


def restarted(settings: HostSettings, host: HostApplication) -> HostApplication:
    """A host that knows of the other what was stored; not connected yet."""
    again = HostApplication("berlin", settings)
    for view in host.nodes():
        again.restore(view.node, host.snapshot(view.node))
    return again


# Messages that wait


def waiting(most_bytes: int) -> NodeSession:
    """An online node whose `seq` 2 came early."""
    session = online(SessionSettings(most_waiting_bytes=most_bytes))
    assert session.receive(node_data(2, 12), now_ms=100) == ()
    return session


@pytest.mark.spec("tck-id-operational-behavior-host-reordering-rebirth")
def test_a_gap_is_given_up_at_once_when_too_many_bytes_wait_for_it() -> None:
    session = waiting(2 * EARLY_BYTES - 1)

    text = "seq 1 is late, and too much waits for it"
    assert session.receive(node_data(3, 13), now_ms=200) == (
        NodeOffline(node=NODE, at_ms=200, reason=text),
        DataRead(origin=PRESS, readings=speed(12), at_ms=SENT_MS, seq=2),
        DataRead(origin=PRESS, readings=speed(13), at_ms=SENT_MS, seq=3),
        found(FindingName.SEQ_GAP, text),
        RequestRebirth(NODE, text),
    )
    assert session.sequence.waiting == ()


def test_as_many_bytes_as_may_wait_do() -> None:
    session = waiting(2 * EARLY_BYTES)

    assert session.receive(node_data(3, 13), now_ms=200) == ()
    assert [output.seq for output in session.receive(node_data(1, 11), now_ms=300) if isinstance(output, DataRead)] == [
        1,
        2,
        3,
    ]


# Devices


def test_devices_beyond_the_limit_are_set_aside_and_the_known_ones_are_read() -> None:
    session = online_with_device(ONE_DEVICE)
    text = "{} of gripper, beyond the 1 devices of the node"

    assert session.receive(gripper_birth(2), now_ms=0) == (
        found(FindingName.TOO_MANY_DEVICES, text.format("DeviceBirth")),
    )
    assert session.receive(DeviceData(decode(data_bytes(3, 1)), 0, "gripper"), now_ms=0) == ()  # told already
    assert [output.seq for output in session.receive(device_data(4, 21), now_ms=0) if isinstance(output, DataRead)] == [
        4
    ]
    assert list(session.devices.known) == ["arm"]
    assert session.findings.tallies["too-many-devices"].count == 2


def test_a_known_device_is_born_again_at_the_limit() -> None:
    session = online_with_device(ONE_DEVICE)
    session.receive(device_birth(2), now_ms=0)

    assert session.devices.known["arm"].born
    assert dict(session.findings.tallies) == {}


# Nodes


def test_nodes_beyond_the_limit_are_set_aside_and_leave_no_record() -> None:
    host = following(ONE_NODE, NODE)
    host.take_changed()
    text = "{} of plant/robot, beyond the 1 edge nodes of the site"

    assert receive(host, "NBIRTH", ROBOT, birth_bytes()) == (
        found(FindingName.TOO_MANY_NODES, text.format("NBIRTH"), ROBOT),
    )
    assert receive(host, "NDATA", ROBOT, data_bytes(1, 11)) == ()  # told already
    assert host.take_changed() == frozenset()
    assert [view.node for view in host.nodes()] == [NODE]
    assert host.findings["too-many-nodes"].count == 2


def test_a_known_node_is_unaffected_by_the_limit() -> None:
    host = restarted(ONE_NODE, following(HostSettings(), NODE, ROBOT))
    host.connected(START_MS, will_ms=START_MS)

    assert isinstance(receive(host, "NBIRTH", NODE, birth_bytes())[0], NodeOnline)
    assert isinstance(receive(host, "NBIRTH", ROBOT, birth_bytes())[0], NodeOnline)


def test_an_expected_node_is_followed_beyond_the_limit() -> None:
    host = following(HostSettings(most_nodes=1, expected=frozenset({ROBOT})), NODE)

    assert isinstance(receive(host, "NBIRTH", ROBOT, birth_bytes())[0], NodeOnline)


# The long dead


def test_a_node_that_died_long_ago_is_forgotten_and_may_come_back() -> None:
    host = following(HostSettings(), NODE, ROBOT)
    receive(host, "NDEATH", ROBOT, death_bytes(), START_MS + 5)
    host.take_changed()

    assert host.forget_before(START_MS) == ()
    assert host.forget_before(START_MS + FORGET_NODES_EVERY_MS) == (ROBOT,)
    assert host.take_changed() == {ROBOT}
    assert (host.knows(NODE), host.knows(ROBOT)) == (True, False)
    assert isinstance(receive(host, "NBIRTH", ROBOT, birth_bytes(), START_MS + DAY_MS)[0], NodeOnline)


def test_a_node_that_is_expected_is_never_forgotten() -> None:
    host = following(HostSettings(expected=frozenset({NODE})), NODE)
    receive(host, "NDEATH", NODE, death_bytes())

    assert host.forget_before(START_MS + DAY_MS) == ()


def test_who_is_expected_can_change_while_nodes_are_followed() -> None:
    host = following(HostSettings(most_nodes=1, expected=frozenset({NODE})), NODE)
    receive(host, "NDEATH", NODE, death_bytes())
    host.expect(frozenset({ROBOT}))

    assert isinstance(receive(host, "NBIRTH", ROBOT, birth_bytes())[0], NodeOnline)
    assert host.forget_before(START_MS + DAY_MS) == (NODE,)


def test_a_node_that_only_said_nonsense_is_forgotten_with_its_wait_for_a_rebirth() -> None:
    host = following(HostSettings(rebirths_per_s=1, rebirth_burst=1))
    for node in (NODE, ROBOT):
        receive(host, "NDATA", node, data_bytes(1, 11))

    assert host.forget_before(START_MS + 1) == (NODE, ROBOT)
    assert host.due(START_MS + DAY_MS) == ()


def test_a_node_that_was_silent_and_well_is_asked_for_its_birth_before_it_is_forgotten() -> None:
    settings = HostSettings(birth_grace_ms=0, rebirth_jitter_ms=0)
    host = restarted(settings, following(settings, NODE))
    later_ms = START_MS + 60 * DAY_MS

    assert host.forget_before(later_ms - 30 * DAY_MS) == ()
    assert RequestRebirth(NODE, "the host was away") in host.connected(later_ms, will_ms=later_ms)
    assert host.forget_before(later_ms - 29 * DAY_MS) == (NODE,)


def test_a_silent_node_that_is_online_is_kept() -> None:
    host = following(HostSettings(), NODE)

    assert host.forget_before(START_MS + 400 * DAY_MS) == ()
