"""The session of one edge node, as the host sees it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkplug.fact import (
    DataRead,
    DeviceOffline,
    DeviceOnline,
    Finding,
    NodeOffline,
    NodeOnline,
    Output,
    RequestRebirth,
)
from sparkplug.session import Phase, SessionSettings
from tests.sparkplug.situation import (
    ARM,
    BD_SEQ,
    NODE,
    PRESS,
    SENT_MS,
    SPEED_ALIAS,
    birth_readings,
    dead,
    device_birth,
    device_data,
    device_death,
    force,
    node_birth,
    node_data,
    node_death,
    online,
    online_with_device,
    speed,
    stale_after_a_gap,
    unborn,
    waiting_for_seq_1,
)

TOLERANT = SessionSettings(strict_deaths=False)


def read(value: int, seq: int | None) -> DataRead:
    return DataRead(origin=PRESS, readings=speed(value), at_ms=SENT_MS, seq=seq)


def read_force(value: int, seq: int) -> DataRead:
    return DataRead(origin=ARM, readings=force(value), at_ms=SENT_MS, seq=seq)


def born(bd_seq: int = BD_SEQ, seq: int = 0) -> tuple[Output, ...]:
    return (
        NodeOnline(node=NODE, at_ms=SENT_MS),
        DataRead(origin=PRESS, readings=birth_readings(bd_seq), at_ms=SENT_MS, seq=seq, birth=True),
    )


def finding(name: str, text: str) -> Finding:
    return Finding(node=NODE, name=name, text=text)


# Births


def test_a_birth_brings_the_node_online_with_its_full_state() -> None:
    session = unborn()

    assert session.receive(node_birth(), now_ms=0) == born()
    assert session.phase is Phase.ONLINE


@pytest.mark.spec("tck-id-topics-nbirth-seq-num")
def test_a_birth_with_another_seq_than_0_is_accepted_and_counted_from() -> None:
    session = unborn()

    assert session.receive(node_birth(seq=254), now_ms=0) == (
        *born(seq=254),
        finding("birth-seq-not-zero", "NBIRTH with seq 254"),
    )
    assert session.receive(node_data(255, 11), now_ms=0) == (read(11, 255),)
    assert session.receive(node_data(0, 12), now_ms=0) == (read(12, 0),)


@pytest.mark.spec("tck-id-topics-nbirth-bdseq-included")
def test_a_birth_without_bdseq_is_accepted_and_any_death_ends_it() -> None:
    session = unborn()

    assert session.receive(node_birth(bd_seq=None), now_ms=0)[-1] == finding(
        "birth-bdseq-missing", "NBIRTH without bdSeq"
    )
    assert session.receive(node_death(bd_seq=3), now_ms=9) == (NodeOffline(node=NODE, at_ms=9, reason="NDEATH"),)


@pytest.mark.spec("tck-id-operational-behavior-data-commands-rebirth-action-3")
def test_devices_stay_online_through_a_rebirth_of_their_node() -> None:
    session = online_with_device()

    assert session.receive(node_birth(), now_ms=50) == born()
    assert session.receive(device_birth(1), now_ms=60) == (
        DeviceOnline(origin=ARM, at_ms=SENT_MS),
        DataRead(origin=ARM, readings=force(20), at_ms=SENT_MS, seq=1, birth=True),
    )
    assert session.due(50 + 30_000) == ()
    assert session.next_due_ms is None


def test_a_device_that_does_not_follow_its_nodes_rebirth_goes_offline() -> None:
    session = online_with_device()
    session.receive(node_birth(), now_ms=50)

    assert session.next_due_ms == 50 + 30_000
    assert session.due(50 + 30_000) == (
        DeviceOffline(origin=ARM, at_ms=30_050, reason="no DBIRTH after the node's rebirth"),
        finding("device-not-reborn", "arm: no DBIRTH after the node's rebirth"),
    )


def test_a_birth_of_a_new_session_ends_the_devices_of_the_old_one() -> None:
    session = online_with_device()

    assert session.receive(node_birth(bd_seq=8), now_ms=50) == (
        DeviceOffline(origin=ARM, at_ms=50, reason="the node began a new session"),
        *born(bd_seq=8),
    )


# Deaths


@pytest.mark.spec("tck-id-operational-behavior-edge-node-termination-host-action-ndeath-node-tags-stale")
@pytest.mark.spec("tck-id-operational-behavior-edge-node-termination-host-action-ndeath-devices-tags-stale")
@pytest.mark.spec("tck-id-operational-behavior-edge-node-termination-host-action-ndeath-node-offline")
@pytest.mark.spec("tck-id-operational-behavior-edge-node-termination-host-action-ndeath-devices-offline")
def test_a_death_takes_the_node_and_its_devices_offline_at_the_hosts_own_now() -> None:
    session = online_with_device()

    assert session.receive(node_death(), now_ms=77) == (
        NodeOffline(node=NODE, at_ms=77, reason="NDEATH"),
        DeviceOffline(origin=ARM, at_ms=77, reason="NDEATH"),
    )
    assert session.receive(node_death(), now_ms=78) == ()


@pytest.mark.spec("tck-id-payloads-ndeath-bdseq")
def test_a_late_death_of_an_earlier_session_is_ignored() -> None:
    session = online_with_device()

    assert session.receive(node_death(bd_seq=6), now_ms=77) == (
        finding("death-bdseq-mismatch", "NDEATH with bdSeq 6, the birth had 7"),
    )
    assert session.phase is Phase.ONLINE


def test_a_tolerant_host_takes_any_death_and_makes_sure_by_a_rebirth() -> None:
    session = online(TOLERANT)

    assert session.receive(node_death(bd_seq=6), now_ms=77) == (
        NodeOffline(node=NODE, at_ms=77, reason="NDEATH"),
        finding("death-bdseq-mismatch", "NDEATH with bdSeq 6, the birth had 7"),
        RequestRebirth(NODE, "a death of another session"),
    )


def test_a_death_without_bdseq_is_a_death_and_a_finding() -> None:
    session = online()

    assert session.receive(node_death(bd_seq=None), now_ms=77) == (
        NodeOffline(node=NODE, at_ms=77, reason="NDEATH"),
        finding("death-bdseq-missing", "NDEATH without bdSeq"),
    )


def test_what_came_early_is_read_before_the_death() -> None:
    session = waiting_for_seq_1()

    assert session.receive(node_death(), now_ms=200) == (
        read(12, 2),
        NodeOffline(node=NODE, at_ms=200, reason="NDEATH"),
    )


@pytest.mark.spec("tck-id-operational-behavior-edge-node-termination-host-action-ddeath-devices-tags-stale")
@pytest.mark.spec("tck-id-operational-behavior-edge-node-termination-host-action-ddeath-devices-offline")
def test_a_device_death_counts_from_its_own_timestamp() -> None:
    session = online_with_device()

    assert session.receive(device_death(2), now_ms=77) == (
        DeviceOffline(origin=ARM, at_ms=SENT_MS + 5, reason="DDEATH"),
    )
    assert session.receive(device_data(3, 21), now_ms=78) == (
        finding("device-unborn", "DeviceData of arm before its DBIRTH"),
        RequestRebirth(NODE, "DeviceData of arm before its DBIRTH"),
    )


# Data


def test_the_node_and_its_devices_count_in_one_sequence() -> None:
    session = online_with_device()

    assert session.receive(node_data(2, 11), now_ms=0) == (read(11, 2),)
    assert session.receive(device_data(3, 21), now_ms=0) == (read_force(21, 3),)
    assert session.receive(node_data(4, 12), now_ms=0) == (read(12, 4),)


def test_data_before_any_birth_asks_for_one_rebirth_per_window() -> None:
    session = unborn()
    text = "NodeData while the node is not born yet"
    early = finding("node-unborn", text)

    assert session.receive(node_data(1, 11), now_ms=0) == (early, RequestRebirth(NODE, text))
    assert session.receive(node_data(2, 11), now_ms=9_999) == (RequestRebirth(NODE, text, not_before_ms=10_000),)
    assert session.receive(node_data(3, 11), now_ms=10_000) == (RequestRebirth(NODE, text),)
    assert session.receive(node_data(4, 11), now_ms=29_999) == (RequestRebirth(NODE, text, not_before_ms=30_000),), (
        "the window doubles"
    )


@pytest.mark.spec("tck-id-message-flow-device-birth-publish-nbirth-wait")
def test_a_device_birth_before_its_nodes_birth_asks_for_a_rebirth() -> None:
    text = "DeviceBirth while the node is not born yet"

    assert unborn().receive(device_birth(1), now_ms=0) == (finding("node-unborn", text), RequestRebirth(NODE, text))


def test_data_of_a_dead_node_is_not_believed() -> None:
    text = "NodeData while the node is offline"

    assert dead().receive(node_data(2, 11), now_ms=0) == (finding("node-unborn", text), RequestRebirth(NODE, text))


def test_an_unknown_alias_costs_only_its_own_metric_and_asks_for_a_rebirth() -> None:
    text = "alias 99 was not in the birth"

    assert online().receive(node_data(1, 11, alias=99), now_ms=0) == (
        finding("alias-unknown", text),
        RequestRebirth(NODE, text),
    )


@pytest.mark.spec("tck-id-payloads-alias-uniqueness")
def test_an_alias_shared_by_node_and_device_is_told_apart_by_the_topic() -> None:
    session = online()

    assert session.receive(device_birth(1, alias=SPEED_ALIAS), now_ms=0)[-1] == finding(
        "alias-shared", "arm and the node share the aliases [1]"
    )
    assert session.receive(node_data(2, 11), now_ms=0) == (read(11, 2),)


def test_data_without_seq_is_read_as_it_comes() -> None:
    session = online()

    assert session.receive(node_data(None, 11), now_ms=0) == (
        read(11, None),
        finding("seq-missing", "NodeData with seq None"),
    )
    assert session.receive(node_data(1, 12), now_ms=0) == (read(12, 1),)


def test_the_same_message_twice_is_read_once() -> None:
    session = online()
    session.receive(node_data(1, 11), now_ms=0)

    assert session.receive(node_data(1, 11), now_ms=0) == (finding("message-repeated", "seq 1 came twice"),)


# Order


@pytest.mark.spec("tck-id-operational-behavior-host-reordering-start")
def test_a_message_that_comes_early_waits() -> None:
    session = online()

    assert session.receive(node_data(2, 12, now_ms=100), now_ms=100) == ()
    assert session.next_due_ms == 2_100


@pytest.mark.spec("tck-id-operational-behavior-host-reordering-success")
def test_a_gap_that_fills_in_time_leaves_no_trace() -> None:
    session = waiting_for_seq_1()

    assert session.receive(node_data(1, 11), now_ms=2_000) == (read(11, 1), read(12, 2))
    assert session.next_due_ms is None
    assert session.due(2_100) == ()


@pytest.mark.spec("tck-id-operational-behavior-host-reordering-rebirth")
def test_a_gap_that_stays_open_ends_in_a_rebirth_request() -> None:
    session = waiting_for_seq_1()

    assert session.due(2_099) == ()
    assert session.due(2_100) == (
        NodeOffline(node=NODE, at_ms=2_100, reason="seq 1 never came"),
        read(12, 2),
        finding("seq-gap", "seq 1 never came"),
        RequestRebirth(NODE, "seq 1 never came"),
    )


@pytest.mark.spec("tck-id-operational-behavior-host-reordering-param")
def test_how_long_a_gap_may_stay_open_is_a_setting() -> None:
    assert waiting_for_seq_1(SessionSettings(reorder_timeout_ms=50)).next_due_ms == 150


def test_a_stale_node_is_still_read_and_asked_again_until_it_is_born() -> None:
    session = stale_after_a_gap()

    assert session.receive(node_data(9, 13), now_ms=3_000) == (read(13, 9),)
    assert session.receive(node_data(8, 14), now_ms=12_100) == (read(14, 8), RequestRebirth(NODE, "stale"))
    assert session.receive(node_birth(), now_ms=12_200) == born()
    assert session.receive(node_data(1, 15), now_ms=12_300) == (read(15, 1),)


@pytest.mark.spec("tck-id-operational-behavior-host-reordering-rebirth")
def test_a_gap_that_stays_open_soon_after_another_request_ends_in_one_that_waits() -> None:
    session = stale_after_a_gap()
    session.receive(node_birth(now_ms=3_000), now_ms=3_000)
    session.receive(node_data(2, 12), now_ms=3_100)
    asked_ms = session.backoff.asked_ms
    assert asked_ms is not None

    requests = [each for each in session.due(5_100) if isinstance(each, RequestRebirth)]

    assert requests == [RequestRebirth(NODE, "seq 1 never came", not_before_ms=asked_ms + 10_000)]


def test_a_birth_reads_first_what_waited_in_the_old_count() -> None:
    session = waiting_for_seq_1()

    assert session.receive(node_birth(), now_ms=150) == (read(12, 2), *born())
    assert session.next_due_ms is None


def test_a_node_that_counts_all_the_way_around_loses_its_gap_at_once() -> None:
    session = waiting_for_seq_1()

    assert session.receive(node_data(2, 99, now_ms=200), now_ms=200) == (
        NodeOffline(node=NODE, at_ms=200, reason="seq 1 never came"),
        read(12, 2),
        finding("seq-gap", "seq 1 never came"),
        RequestRebirth(NODE, "seq 1 never came"),
        read(99, 2),
    )


@given(order=st.permutations(range(1, 30)))
def test_any_order_within_the_window_is_read_as_in_order(order: list[int]) -> None:
    session = online_with_device()
    messages = {seq: device_data(seq + 1, seq) if seq % 3 else node_data(seq + 1, seq) for seq in order}

    outputs = [output for seq in order for output in session.receive(messages[seq], now_ms=0)]

    assert outputs == [read_force(seq, seq + 1) if seq % 3 else read(seq, seq + 1) for seq in range(1, 30)]


# The host's own outages


def test_when_the_host_leaves_everything_of_the_node_is_stale() -> None:
    session = online_with_device()

    assert session.host_left(500, "host disconnected") == (
        NodeOffline(node=NODE, at_ms=500, reason="host disconnected"),
        DeviceOffline(origin=ARM, at_ms=500, reason="host disconnected"),
    )
    assert session.phase is Phase.STALE
    assert session.host_left(600, "host disconnected") == ()


def test_a_death_of_a_session_never_seen_ends_a_stale_node() -> None:
    session = online_with_device()
    session.host_left(500, "host disconnected")

    assert session.receive(node_death(bd_seq=8), now_ms=600) == ()
    assert session.phase is Phase.OFFLINE


def test_every_finding_is_counted() -> None:
    session = online()
    for seq in (1, 2, 3):
        session.receive(node_data(seq, 11, alias=99), now_ms=0)

    assert [(name, tally.count) for name, tally in session.findings.tallies.items()] == [("alias-unknown", 3)]
