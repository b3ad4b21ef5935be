"""What holds for every session: the order that was sent, the patience with each gap, and the peace of a broken node."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from sparkplug.fact import Finding, NodeOffline, Output, RequestRebirth
from sparkplug.message import DeviceBirth, DeviceData, Message, NodeBirth
from sparkplug.session import Phase, SessionSettings
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.payload import decode, encode
from tests.sparkplug.situation import (
    FORCE_ALIAS,
    NODE,
    SENT_MS,
    declared,
    device_birth_bytes,
    node_birth,
    node_data,
    node_death,
    online,
    reported,
    unborn,
)

PATIENCE_MS = 2_000
DAY_MS = 86_400_000


def sent_in_order(number: int) -> list[Message]:
    """A birth, two devices' births, and data of all three in turn: `number` messages, more than one way around."""
    devices = [(f"d{place}", FORCE_ALIAS + place) for place in range(2)]
    messages: list[Message] = [node_birth()]
    for seq, (device, alias) in enumerate(devices, 1):
        messages.append(DeviceBirth(decode(device_birth_bytes(seq, alias=alias)), 0, device))
    for value in range(3, number):
        turn = value % 3
        if turn == 2:
            messages.append(node_data(value % 256, value))
        else:
            device, alias = devices[turn]
            data = encode(timestamp_ms=SENT_MS, seq=value % 256, metrics=[reported(alias, value)])
            messages.append(DeviceData(decode(data), 0, device))
    return messages


@settings(deadline=None, max_examples=50)
@given(data=st.data(), number=st.integers(10, 300))
def test_any_order_of_arrival_within_the_window_reports_the_order_sent(data: st.DataObject, number: int) -> None:
    messages = sent_in_order(number)
    late = data.draw(st.lists(st.integers(0, 12), min_size=number, max_size=number))
    by_arrival = sorted(range(1, number), key=lambda place: place + late[place])  # the birth itself comes first

    in_order, disordered = unborn(), unborn()
    expected = [output for message in messages for output in in_order.receive(message, now_ms=0)]
    outputs: list[Output] = list(disordered.receive(messages[0], now_ms=0))
    for at_ms, place in enumerate(by_arrival):
        outputs += disordered.due(at_ms)
        outputs += disordered.receive(messages[place], now_ms=at_ms)

    assert outputs == expected
    assert disordered.next_due_ms is None


def test_each_gap_has_its_own_patience() -> None:
    session = online(SessionSettings(reorder_timeout_ms=PATIENCE_MS))
    session.receive(node_data(2, 12, now_ms=0), now_ms=0)
    session.receive(node_data(4, 14, now_ms=1_500), now_ms=1_500)
    session.receive(node_data(1, 11, now_ms=1_900), now_ms=1_900)

    assert session.due(PATIENCE_MS) == (), "the first gap is closed"
    assert session.next_due_ms == 1_500 + PATIENCE_MS
    assert RequestRebirth(NODE, "seq 3 never came") in session.due(1_500 + PATIENCE_MS)


def test_a_gap_is_neither_given_up_early_nor_kept_open() -> None:
    lost: list[int] = []
    for silence_ms in (0, 1, PATIENCE_MS - 1, PATIENCE_MS, PATIENCE_MS + 1):
        session = online(SessionSettings(reorder_timeout_ms=PATIENCE_MS))
        session.receive(node_data(2, 12, now_ms=0), now_ms=0)
        if any(isinstance(output, NodeOffline) for output in session.due(silence_ms)):
            lost.append(silence_ms)

    assert lost == [PATIENCE_MS, PATIENCE_MS + 1]


def test_a_node_that_answers_each_rebirth_with_the_same_broken_birth_is_asked_ever_more_rarely() -> None:
    session = online()
    asked: list[int] = []
    told: list[Finding] = []
    seq = 0
    for now_ms in range(0, DAY_MS, 10_000):
        seq += 1
        outputs = session.receive(node_data(seq % 256, now_ms, alias=99, now_ms=now_ms), now_ms=now_ms)
        told += [output for output in outputs if isinstance(output, Finding)]
        if any(isinstance(output, RequestRebirth) for output in outputs):
            asked.append(now_ms)
            session.receive(node_birth(now_ms=now_ms), now_ms=now_ms)
            seq = 0

    pauses = [later - earlier for earlier, later in pairwise(asked)]
    assert pauses[:7] == [10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 600_000]
    assert set(pauses[6:]) == {600_000}
    assert len(told) == DAY_MS // 600_000, "and the log has a line per ten minutes"
    assert sum(finding.times for finding in told) <= session.findings.tallies["alias-unknown"].count


# Clocks


def test_the_skew_of_a_nodes_clock_is_the_median_of_its_last_messages() -> None:
    session = online()
    received_ms = SENT_MS + 40  # the node's clock is 40 ms behind, or its messages take so long
    for seq in range(1, 16):
        session.receive(node_data(seq, seq), now_ms=received_ms)
    session.receive(node_data(16, 16), now_ms=received_ms + 60_000)  # one was held up

    assert session.skew_ms == -40


def test_a_will_and_history_tell_nothing_of_the_clock() -> None:
    session = unborn()
    birth = encode(timestamp_ms=SENT_MS, seq=0, metrics=[declared("bdSeq", Datatype.INT64, 7)])
    session.receive(NodeBirth(decode(birth), SENT_MS), now_ms=SENT_MS)
    session.receive(node_death(), now_ms=SENT_MS + DAY_MS)

    assert session.phase is Phase.OFFLINE
    assert session.skew_ms == 0
