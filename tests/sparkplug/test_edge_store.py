"""An edge node of our own while its host is away, and when it is commanded."""

from __future__ import annotations

import pytest

from sparkplug.command import rebirth_command, write_command
from sparkplug.edge import Disconnect, Ignored, Publish, Rebirthed, Written
from sparkplug.edge.origin import MetricDefinition
from sparkplug.fact import DataRead, Reading
from sparkplug.message import REBIRTH
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.payload import decode
from sparkplug.wire.state import HostState, encode_state
from tests.sparkplug.edge_situation import ONLINE, STATE, heard, online, press, seqs, verbs, waiting
from tests.sparkplug.situation import ARM, NODE, PRESS

# Storing


@pytest.mark.spec("tck-id-payloads-ndata-order")
@pytest.mark.spec("tck-id-payloads-ddata-order")
def test_what_is_stored_waits_for_the_births_of_the_node_and_of_all_its_devices() -> None:
    edge = press()
    edge.define_device("belt", [MetricDefinition(name="pace", datatype=Datatype.INT32, value=1)])
    edge.will(40)
    edge.connected(50)
    edge.update(None, {"speed": 11}, 51)
    edge.update("arm", {"force": 21}, 52)

    assert verbs(edge.receive(STATE, ONLINE, 60)) == ["NBIRTH", "DBIRTH", "DBIRTH", "NDATA", "DDATA"]


def test_what_happens_offline_is_stored_and_sent_as_historical_after_the_births() -> None:
    edge = waiting()
    assert edge.update("arm", {"force": 21}, 51) == ()
    assert edge.update("arm", {"force": 22}, 52) == ()

    *_, device_birth, first, second = heard(*edge.receive(STATE, ONLINE, 60))

    assert device_birth == DataRead(
        origin=ARM, readings=(Reading(metric="force", value=22, at_ms=52),), at_ms=60, seq=1, birth=True
    )
    assert [first, second] == [
        DataRead(
            origin=ARM,
            readings=(Reading(metric="force", value=value, at_ms=at_ms, historical=True),),
            at_ms=60,
            seq=seq,
        )
        for value, at_ms, seq in [(21, 51, 2), (22, 52, 3)]
    ]
    assert edge.stored == 0


def test_the_store_is_bounded_and_counts_what_it_drops() -> None:
    edge = press(buffer_limit=2)
    for value in (1, 2, 3):
        edge.update(None, {"speed": value}, value)

    assert (edge.stored, edge.dropped) == (2, 1)
    edge.will(40)
    edge.connected(50)
    history = [
        fact for fact in heard(*edge.receive(STATE, ONLINE, 60)) if isinstance(fact, DataRead) and not fact.birth
    ]
    assert [reading.value for fact in history for reading in fact.readings] == [2, 3]


def test_the_history_of_a_lost_device_waits_until_it_is_found() -> None:
    edge = waiting()
    edge.device_lost("arm", 51)
    edge.update("arm", {"force": 21}, 52)
    edge.update(None, {"speed": 11}, 53)

    assert verbs(edge.receive(STATE, ONLINE, 60)) == ["NBIRTH", "NDATA"]
    assert edge.stored == 1
    assert verbs(edge.device_found("arm", 70)) == ["DBIRTH", "DDATA"]


@pytest.mark.spec("tck-id-message-flow-edge-node-birth-publish-phid-offline")
@pytest.mark.spec("tck-id-operational-behavior-edge-node-termination-host-offline")
def test_when_the_primary_host_goes_offline_it_dies_leaves_and_stores() -> None:
    edge = online()
    outputs = edge.receive(STATE, encode_state(HostState(False, 200)), 210)

    assert verbs(outputs) == ["NDEATH"]
    assert outputs[-1] == Disconnect("the primary host berlin is offline")
    assert edge.update(None, {"speed": 11}, 220) == ()
    assert edge.stored == 1


@pytest.mark.spec("tck-id-operational-behavior-edge-node-termination-host-offline-timestamp")
def test_an_offline_older_than_the_last_online_is_of_the_past() -> None:
    edge = online()

    assert edge.receive(STATE, encode_state(HostState(False, 99)), 210) == ()
    assert edge.is_online


@pytest.mark.spec("tck-id-message-flow-edge-node-birth-publish-phid-wait-timestamp")
def test_an_online_older_than_the_last_state_is_of_the_past() -> None:
    edge = waiting()
    edge.receive(STATE, encode_state(HostState(False, 500)), 55)

    assert edge.receive(STATE, encode_state(HostState(True, 499)), 60) == ()


def test_the_states_of_two_servers_are_not_compared() -> None:
    edge = press()
    edge.will(40)
    edge.connected(50, "first")
    edge.receive(STATE, encode_state(HostState(True, 500)), 55)
    edge.disconnected(60)
    edge.will(61)
    edge.connected(62, "second")

    assert verbs(edge.receive(STATE, encode_state(HostState(True, 499)), 63)) == ["NBIRTH", "DBIRTH"]
    edge.disconnected(70)
    edge.will(71)
    edge.connected(72, "first")
    assert edge.receive(STATE, encode_state(HostState(True, 499)), 73) == ()


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"OFFLINE",
        b'{"online": false}',
        b'{"online": false, "timestamp": "soon"}',
        b'{"online": false, "timestamp": -1}',
        b'{"online": "false", "timestamp": 200}',
    ],
)
def test_a_state_that_cannot_be_read_ends_nothing(payload: bytes) -> None:
    edge = online()

    [ignored] = edge.receive(STATE, payload, 210)
    assert isinstance(ignored, Ignored)
    assert edge.is_online


@pytest.mark.spec("tck-id-message-flow-edge-node-birth-publish-phid-wait-id")
def test_another_hosts_state_is_not_for_it() -> None:
    assert waiting().receive("spBv1.0/STATE/paris", ONLINE, 60) == (
        Ignored(topic="spBv1.0/STATE/paris", reason="not for this node"),
    )


def test_while_disconnected_it_stores_and_a_new_session_has_its_own_bdseq() -> None:
    edge = online()
    edge.disconnected(70)
    assert edge.update(None, {"speed": 11}, 80) == ()
    edge.will(90)
    edge.connected(95)

    birth, *_ = edge.receive(STATE, ONLINE, 100)
    assert isinstance(birth, Publish)
    assert decode(birth.payload).metrics[0].raw == 1


# Commands


@pytest.mark.spec("tck-id-operational-behavior-data-commands-rebirth-action-1")
@pytest.mark.spec("tck-id-operational-behavior-data-commands-rebirth-action-2")
@pytest.mark.spec("tck-id-operational-behavior-data-commands-rebirth-action-3")
def test_a_rebirth_repeats_all_births_in_the_same_session() -> None:
    edge = online()
    edge.update(None, {"speed": 11}, 70)
    outputs = edge.receive(*rebirth_command(NODE, 80), 80)

    assert verbs(outputs) == ["NBIRTH", "DBIRTH"]
    assert seqs(outputs) == [0, 1]
    assert outputs[-1] == Rebirthed(NODE)
    first = outputs[0]
    assert isinstance(first, Publish)
    assert [metric.raw for metric in decode(first.payload).metrics] == [0, False, 11]


@pytest.mark.parametrize("value", [False, None])
def test_only_true_asks_for_a_rebirth(value: bool | None) -> None:
    assert online().receive(*write_command(PRESS, REBIRTH, Datatype.BOOLEAN, value, 80), 80) == ()


def test_while_waiting_it_does_not_obey_a_rebirth() -> None:
    assert waiting().receive(*rebirth_command(NODE, 80), 80) == ()


def test_writes_are_told_to_the_owner() -> None:
    edge = online()

    assert edge.receive(*write_command(PRESS, "speed", Datatype.INT32, -7, 80), 80) == (
        Written(device=None, metric="speed", value=-7),
    )
    assert edge.receive(*write_command(ARM, "force", Datatype.INT32, None, 80), 80) == (
        Written(device="arm", metric="force", value=None),
    )


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        (*write_command(PRESS, "colour", Datatype.STRING, "red", 80), "no metric 'colour' here"),
        (*write_command(PRESS, "speed", Datatype.STRING, "fast", 80), "speed: INT32 cannot be in string_value"),
        ("spBv1.0/plant/DCMD/press/leg", b"", "no device 'leg' here"),
        ("spBv1.0/plant/NCMD/other", b"", "not for this node"),
        (STATE, b"ONLINE", "the STATE document is the bare ONLINE of Sparkplug 2.2, which belongs under STATE/<host>"),
    ],
)
def test_what_cannot_be_followed_is_said(topic: str, payload: bytes, reason: str) -> None:
    assert online().receive(topic, payload, 80) == (Ignored(topic=topic, reason=reason),)
