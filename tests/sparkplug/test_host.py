"""The host application over all nodes of a site."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkplug.errors import SnapshotError
from sparkplug.fact import (
    ONLY_SERVER,
    DataRead,
    DeviceOffline,
    Finding,
    NodeId,
    NodeOffline,
    NodeOnline,
    Origin,
    Output,
    PublishState,
    RequestRebirth,
)
from sparkplug.host import HostApplication, HostSettings
from sparkplug.snapshot import NodeView, stored_view
from sparkplug.topic import CERTIFICATES
from tests.sparkplug.situation import (
    ARM,
    BD_SEQ,
    NODE,
    PRESS,
    SENT_MS,
    birth_bytes,
    birth_readings,
    data_bytes,
    death_bytes,
    device_birth_bytes,
    device_death_bytes,
    speed,
)

STATE = "spBv1.0/STATE/berlin"
NBIRTH, NDATA, NDEATH = (f"spBv1.0/plant/{verb}/press" for verb in ("NBIRTH", "NDATA", "NDEATH"))
DBIRTH = "spBv1.0/plant/DBIRTH/press/arm"
WILL_MS = 1_000
AT_ONCE = HostSettings(birth_grace_ms=0, rebirth_jitter_ms=0)


def connected(settings: HostSettings = AT_ONCE) -> HostApplication:
    """A host whose MQTT session is up, its will made at 1000 ms."""
    host = HostApplication("berlin", settings)
    host.connected(WILL_MS, will_ms=WILL_MS)
    return host


def knowing_the_press(settings: HostSettings = AT_ONCE) -> HostApplication:
    """A connected host that saw the node and its device born."""
    host = connected(settings)
    host.receive(NBIRTH, birth_bytes(), retain=False, now_ms=WILL_MS)
    host.receive(DBIRTH, device_birth_bytes(1), retain=False, now_ms=WILL_MS)
    host.take_changed()
    return host


def restarted(settings: HostSettings = AT_ONCE) -> HostApplication:
    """A host that was started again and knows the node from a snapshot; not connected yet."""
    host = HostApplication("berlin", settings)
    host.restore(NODE, knowing_the_press().snapshot(NODE))
    return host


def born() -> tuple[Output, ...]:
    return (
        NodeOnline(node=NODE, at_ms=SENT_MS),
        DataRead(origin=PRESS, readings=birth_readings(), at_ms=SENT_MS, seq=0, birth=True),
    )


def read(value: int, seq: int) -> DataRead:
    return DataRead(origin=PRESS, readings=speed(value), at_ms=SENT_MS, seq=seq)


# Messages


def test_messages_reach_the_session_of_their_node() -> None:
    host = connected()

    assert host.receive(NBIRTH, birth_bytes(), retain=False, now_ms=1_200) == born()
    assert host.receive(NDATA, data_bytes(1, 11), retain=False, now_ms=1_300) == (read(11, 1),)
    assert host.receive(NDEATH, death_bytes(), retain=False, now_ms=1_400) == (
        NodeOffline(node=NODE, at_ms=1_400, reason="NDEATH"),
    )
    assert host.nodes() == (
        NodeView(
            node=NODE,
            server=ONLY_SERVER,
            phase="offline",
            since_ms=1_400,
            seen_ms=1_400,
            bd_seq=BD_SEQ,
            seq=1,
            skew_ms=SENT_MS - 1_300,
            metrics=3,
            devices={},
            findings={},
        ),
    )


@pytest.mark.spec("tck-id-topic-structure-namespace-duplicate-device-id-across-edge-node")
def test_devices_of_the_same_name_under_two_nodes_are_two_devices() -> None:
    host = knowing_the_press()
    host.receive("spBv1.0/plant/NBIRTH/robot", birth_bytes(), retain=False, now_ms=1_200)
    host.receive("spBv1.0/plant/DBIRTH/robot/arm", device_birth_bytes(1), retain=False, now_ms=1_200)

    assert host.receive("spBv1.0/plant/DDEATH/robot/arm", device_death_bytes(2), retain=False, now_ms=1_300) == (
        DeviceOffline(origin=Origin("plant", "robot", "arm"), at_ms=SENT_MS + 5, reason="DDEATH"),
    )
    assert {view.node.node: view.devices for view in host.nodes()} == {"press": {"arm": True}, "robot": {"arm": False}}


@pytest.mark.parametrize(
    "topic", ["spBv1.0/plant/NCMD/press", "spBv1.0/plant/DCMD/press/arm", "STATE/berlin", "acme/berlin", NDEATH]
)
def test_what_is_not_for_the_host_is_passed_over(topic: str) -> None:
    host = connected()

    assert host.receive(topic, death_bytes(), retain=False, now_ms=1_200) == ()
    assert host.nodes() == ()


def test_a_topic_that_is_none_of_the_standards_is_a_finding() -> None:
    assert connected().receive("spBv1.0/plant/NFOO/press", b"", retain=False, now_ms=1_200) == (
        Finding(node=NODE, name="topic-invalid", text="'spBv1.0/plant/NFOO/press' is no topic of Sparkplug B 3.0"),
    )


def test_bytes_that_cannot_be_read_change_nothing() -> None:
    host = knowing_the_press()
    before = host.nodes()[0]

    [finding] = host.receive(NBIRTH, b"\x0a\xff", retain=False, now_ms=WILL_MS)

    assert isinstance(finding, Finding)
    assert finding.name == "payload-unreadable"
    assert (host.nodes()[0].phase, host.nodes()[0].metrics) == (before.phase, before.metrics)


@pytest.mark.spec("tck-id-topics-nbirth-mqtt")
def test_a_retained_birth_tells_the_past_and_only_asks_for_a_new_one() -> None:
    host = connected()
    text = "a retained NBIRTH tells the past"

    assert host.receive(NBIRTH, birth_bytes(), retain=True, now_ms=1_200) == (
        Finding(node=NODE, name="message-retained", text=text),
        RequestRebirth(NODE, text),
    )
    assert host.nodes()[0].phase == "not born yet"


def test_a_gap_is_due_when_its_time_is_up() -> None:
    host = knowing_the_press()
    host.receive(NDATA, data_bytes(3, 13), retain=False, now_ms=1_500)

    assert host.next_due_ms == 3_500
    assert host.due(3_500) == (
        NodeOffline(node=NODE, at_ms=3_500, reason="seq 2 never came"),
        DeviceOffline(origin=ARM, at_ms=3_500, reason="seq 2 never came"),
        read(13, 3),
        Finding(node=NODE, name="seq-gap", text="seq 2 never came"),
        RequestRebirth(NODE, "seq 2 never came"),
    )
    assert host.next_due_ms is None


@given(
    messages=st.lists(
        st.tuples(
            st.one_of(
                st.sampled_from([NBIRTH, NDATA, NDEATH, DBIRTH, STATE, "spBv1.0/plant/DDATA/press/arm"]),
                st.sampled_from([f"{CERTIFICATES}{topic}" for topic in (NBIRTH, DBIRTH)]),
                st.text(),
            ),
            st.one_of(st.binary(), st.sampled_from([birth_bytes(), data_bytes(1, 5), device_birth_bytes(1)])),
            st.booleans(),
        )
    )
)
def test_nothing_that_a_peer_sends_is_raised(messages: list[tuple[str, bytes, bool]]) -> None:
    host = connected()

    for now_ms, (topic, payload, retain) in enumerate(messages):
        host.receive(topic, payload, retain=retain, now_ms=now_ms)
        host.due(now_ms)
    for view in host.nodes():
        HostApplication("berlin").restore(view.node, host.snapshot(view.node))


# Outages of the host


@pytest.mark.parametrize("is_born_meanwhile", [False, True])
def test_a_gap_soon_after_another_rebirth_is_asked_for_when_that_ones_window_is_over(is_born_meanwhile: bool) -> None:
    host = knowing_the_press()
    host.receive(NDATA, data_bytes(2, 11, alias=99), retain=False, now_ms=2_000)
    host.receive(NBIRTH, birth_bytes(), retain=False, now_ms=2_100)
    host.receive(NDATA, data_bytes(2, 12), retain=False, now_ms=2_200)
    if is_born_meanwhile:
        host.receive(NBIRTH, birth_bytes(), retain=False, now_ms=9_000)

    asked = []
    while host.next_due_ms is not None:
        now_ms = host.next_due_ms
        asked += [(now_ms, each) for each in host.due(now_ms) if isinstance(each, RequestRebirth)]

    request = RequestRebirth(NODE, "seq 1 never came")
    assert [each for _, each in asked] == ([] if is_born_meanwhile else [request])


def test_a_birth_that_was_lost_soon_after_another_rebirth_is_asked_for_though_the_node_says_nothing_more() -> None:
    host = knowing_the_press()
    host.receive(NDATA, data_bytes(2, 11, alias=99), retain=False, now_ms=2_000)
    host.receive(NDEATH, death_bytes(), retain=False, now_ms=2_100)
    host.receive(NDATA, data_bytes(1, 12), retain=False, now_ms=2_200)

    early = host.due(11_999)
    asked = host.due(12_000)

    assert (early, asked) == ((), (RequestRebirth(NODE, "NodeData while the node is offline"),))


def test_after_an_outage_each_node_is_asked_once_for_a_rebirth() -> None:
    host = knowing_the_press(HostSettings(birth_grace_ms=1_000, rebirth_jitter_ms=0))

    assert host.disconnected(2_000) == (
        NodeOffline(node=NODE, at_ms=2_000, reason="host disconnected"),
        DeviceOffline(origin=ARM, at_ms=2_000, reason="host disconnected"),
    )
    assert host.connected(3_100, will_ms=3_000) == (PublishState(at_ms=3_000),)
    assert host.next_due_ms == 4_100
    assert host.due(4_100) == (RequestRebirth(NODE, "the host was away"),)
    assert host.due(60_000) == ()


def test_a_node_that_is_born_by_itself_is_not_asked() -> None:
    host = restarted(HostSettings(birth_grace_ms=1_000, rebirth_jitter_ms=0))
    host.connected(3_000, will_ms=2_000)
    host.receive(NBIRTH, birth_bytes(), retain=False, now_ms=3_500)

    assert host.next_due_ms == 3_500 + 30_000, "only the device's own birth is waited for"
    assert host.due(4_000) == ()


def test_what_was_due_is_not_due_again() -> None:
    host = knowing_the_press()
    host.receive(NBIRTH, birth_bytes(), retain=False, now_ms=2_000)
    host.receive(DBIRTH, device_birth_bytes(1), retain=False, now_ms=2_001)

    assert host.due(32_000) == ()
    assert host.next_due_ms is None


def test_a_restored_node_is_stale_but_its_aliases_are_read() -> None:
    host = restarted(HostSettings(birth_grace_ms=1_000, rebirth_jitter_ms=0))
    host.connected(3_000, will_ms=2_000)

    assert host.nodes()[0].phase == "stale"
    assert host.receive(NDATA, data_bytes(9, 13), retain=False, now_ms=3_100) == (read(13, 9),)
    assert host.due(4_000) == (RequestRebirth(NODE, "the host was away"),)


def test_a_plant_that_comes_back_is_asked_at_a_limited_rate() -> None:
    host = HostApplication(
        "berlin", HostSettings(birth_grace_ms=0, rebirth_jitter_ms=0, rebirths_per_s=10, rebirth_burst=2)
    )
    nodes = [NodeId("plant", f"n{i}") for i in range(4)]
    for node in nodes:
        host.restore(node, knowing_the_press().snapshot(NODE))
    reason = "the host was away"

    assert host.connected(0, will_ms=0) == (
        PublishState(at_ms=0),
        RequestRebirth(nodes[0], reason),
        RequestRebirth(nodes[1], reason),
    )
    assert host.next_due_ms == 100
    assert host.due(100) == (RequestRebirth(nodes[2], reason),)
    assert host.due(200) == (RequestRebirth(nodes[3], reason),)


def test_while_disconnected_nothing_is_asked() -> None:
    host = knowing_the_press()
    host.disconnected(2_000)

    assert host.receive(NDATA, data_bytes(9, 13), retain=False, now_ms=2_100) == (read(13, 9),)
    assert host.next_due_ms is None


# What is stored


def test_data_in_order_changes_no_snapshot_but_births_gaps_and_findings_do() -> None:
    host = knowing_the_press()

    host.receive(NDATA, data_bytes(2, 11), retain=False, now_ms=1_200)
    assert host.take_changed() == frozenset()
    host.receive(NDATA, data_bytes(4, 11), retain=False, now_ms=1_200)
    assert host.take_changed() == {NODE}
    host.receive(NDATA, data_bytes(3, 11), retain=False, now_ms=1_200)
    assert host.take_changed() == {NODE}
    host.receive(NDATA, data_bytes(5, 11, alias=99), retain=False, now_ms=1_200)
    assert host.take_changed() == {NODE}
    host.receive(NBIRTH, birth_bytes(), retain=False, now_ms=1_200)
    assert host.take_changed() == {NODE}
    assert host.take_changed() == frozenset()


def test_findings_survive_a_restart() -> None:
    host = knowing_the_press()
    host.receive(NDATA, data_bytes(2, 11, alias=99), retain=False, now_ms=1_200)
    again = HostApplication("berlin")
    again.restore(NODE, host.snapshot(NODE))

    assert again.nodes()[0].findings == host.nodes()[0].findings
    assert list(again.nodes()[0].findings) == ["alias-unknown"]


def test_a_command_beside_the_host_sees_what_was_stored_last() -> None:
    host = knowing_the_press()

    assert stored_view(NODE, host.snapshot(NODE)) == host.nodes()[0]


def test_messages_of_nobody_are_counted_although_there_is_no_node_for_them() -> None:
    host = connected()
    for _ in range(3):
        host.receive("spBv1.0/plant/NFOO/press", b"bytes", retain=False, now_ms=1_200)

    assert {name: (tally.count, tally.sample) for name, tally in host.findings.items()} == {
        "topic-invalid": (3, b"bytes")
    }
    assert host.nodes() == ()


def test_findings_of_nobody_are_stored_when_they_are_told_and_survive_a_restart() -> None:
    host, again = connected(), HostApplication("berlin")
    host.receive(NDATA, b"\xff", retain=False, now_ms=1_200)
    stored = host.take_changed_findings()
    assert stored is not None
    again.restore_findings(stored)
    host.receive(NDATA, b"\xff", retain=False, now_ms=1_300)

    assert again.findings["payload-unreadable"].text.startswith("NDATA of plant/press: not a Sparkplug payload")
    assert again.findings["payload-unreadable"].count == 1
    assert host.findings["payload-unreadable"].count == 2
    assert (host.take_changed_findings(), again.take_changed_findings()) == (None, None)


def test_what_is_stored_of_findings_of_nobody_stays_small_whatever_is_sent() -> None:
    host = connected()
    for nth in range(50):
        topic = f"spBv1.0/{nth}" + "\x01" * 65_000
        host.receive(topic, bytes(1_000_000), retain=False, now_ms=1_200 + nth * 600_000)

    stored = host.take_changed_findings()

    assert stored is not None
    assert len(stored) < 5_000
    assert host.findings["topic-invalid"].count == 50


@pytest.mark.parametrize("stored", [b"\xff", b"{}", b'{"version":2,"findings":{}}'])
def test_findings_of_nobody_that_cannot_be_read_are_not_begun_anew(stored: bytes) -> None:
    with pytest.raises(SnapshotError, match="findings"):
        connected().restore_findings(stored)
