"""An edge node of our own; what it sends is judged by the host application."""

from __future__ import annotations

import pytest

from sparkplug.command import rebirth_command
from sparkplug.edge import EdgeNode, Publish
from sparkplug.edge.origin import MetricDefinition
from sparkplug.fact import (
    DataRead,
    DataSet,
    DeviceOffline,
    DeviceOnline,
    NodeId,
    NodeOffline,
    NodeOnline,
    Reading,
)
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.payload import decode
from sparkplug.wire.state import HostState, encode_state
from tests.sparkplug.edge_situation import ONLINE, STATE, heard, online, press, seqs, verbs, waiting
from tests.sparkplug.situation import ARM, NODE, PRESS

# Births


@pytest.mark.spec("tck-id-topics-ndeath-topic")
@pytest.mark.spec("tck-id-topics-ndeath-payload")
@pytest.mark.spec("tck-id-payloads-ndeath-seq")
@pytest.mark.spec("tck-id-message-flow-edge-node-birth-publish-will-message-payload")
@pytest.mark.spec("tck-id-payloads-ndeath-will-message")
@pytest.mark.spec("tck-id-message-flow-edge-node-birth-publish-will-message-topic")
@pytest.mark.spec("tck-id-message-flow-edge-node-birth-publish-will-message-payload-bdSeq")
@pytest.mark.spec("tck-id-topics-nbirth-bdseq-increment")
@pytest.mark.spec("tck-id-topics-ndeath-seq")
def test_each_connect_has_a_will_with_the_next_bdseq() -> None:
    edge = EdgeNode(NODE, primary_host=None, next_bd_seq=255)
    wills = [edge.will(now_ms) for now_ms in (1, 2)]

    assert [topic for topic, _ in wills] == ["spBv1.0/plant/NDEATH/press"] * 2
    assert [decode(payload).metrics[0].raw for _, payload in wills] == [255, 0]
    assert [decode(payload).seq for _, payload in wills] == [None, None]


@pytest.mark.spec("tck-id-message-flow-edge-node-ncmd-subscribe")
@pytest.mark.spec("tck-id-message-flow-device-dcmd-subscribe")
def test_it_listens_to_commands_and_to_its_primary_host() -> None:
    commands = ("spBv1.0/plant/NCMD/press", "spBv1.0/plant/DCMD/press/+")

    assert press().subscriptions == (*commands, STATE)
    assert press(primary_host=None).subscriptions == commands


@pytest.mark.spec("tck-id-message-flow-edge-node-birth-publish-phid-wait-online")
@pytest.mark.spec("tck-id-payloads-dbirth-order")
@pytest.mark.spec("tck-id-payloads-nbirth-seq")
@pytest.mark.spec("tck-id-payloads-dbirth-seq-inc")
@pytest.mark.spec("tck-id-message-flow-device-birth-publish-dbirth-payload-seq")
@pytest.mark.spec("tck-id-message-flow-edge-node-birth-publish-nbirth-payload-seq")
@pytest.mark.spec("tck-id-payloads-sequence-num-req-nbirth")
@pytest.mark.spec("tck-id-topics-dbirth-seq")
@pytest.mark.spec("tck-id-message-flow-edge-node-birth-publish-phid-wait")
@pytest.mark.spec("tck-id-operational-behavior-edge-node-birth-sequence-wait")
@pytest.mark.spec("tck-id-message-flow-device-birth-publish-nbirth-wait")
@pytest.mark.spec("tck-id-topics-nbirth-seq-num")
def test_births_wait_for_the_primary_host() -> None:
    edge = press()
    edge.will(40)

    assert edge.connected(50) == ()
    assert edge.receive(STATE, encode_state(HostState(False, 90)), 55) == ()
    births = edge.receive(STATE, ONLINE, 60)
    assert verbs(births) == ["NBIRTH", "DBIRTH"]
    assert seqs(births) == [0, 1]
    assert edge.is_online


def test_without_a_primary_host_births_follow_the_connect() -> None:
    edge = press(primary_host=None)
    edge.will(40)

    assert verbs(edge.connected(50)) == ["NBIRTH", "DBIRTH"]


@pytest.mark.spec("tck-id-topics-nbirth-bdseq-included")
@pytest.mark.spec("tck-id-topics-nbirth-metrics")
@pytest.mark.spec("tck-id-payloads-nbirth-bdseq")
@pytest.mark.spec("tck-id-payloads-nbirth-bdseq-repeat")
@pytest.mark.spec("tck-id-payloads-nbirth-rebirth-req")
@pytest.mark.spec("tck-id-payloads-metric-datatype-req")
@pytest.mark.spec("tck-id-payloads-name-birth-data-requirement")
@pytest.mark.spec("tck-id-operational-behavior-data-commands-rebirth-name")
@pytest.mark.spec("tck-id-operational-behavior-data-commands-rebirth-datatype")
@pytest.mark.spec("tck-id-operational-behavior-data-commands-rebirth-value")
@pytest.mark.spec("tck-id-message-flow-edge-node-birth-publish-nbirth-payload-bdSeq")
@pytest.mark.spec("tck-id-topics-ddata-payload")
@pytest.mark.spec("tck-id-topics-nbirth-rebirth-metric")
@pytest.mark.spec("tck-id-topics-nbirth-bdseq-matching")
@pytest.mark.spec("tck-id-topics-dbirth-metrics")
def test_the_host_understands_births_and_data_without_a_finding() -> None:
    edge = waiting()
    outputs = (*edge.receive(STATE, ONLINE, 60), *edge.update("arm", {"force": 21}, 70))

    assert heard(*outputs) == (
        NodeOnline(node=NODE, at_ms=60),
        DataRead(
            origin=PRESS,
            readings=(
                Reading(metric="bdSeq", value=0, at_ms=60),
                Reading(metric="Node Control/Rebirth", value=False, at_ms=60),
                Reading(metric="speed", value=10, at_ms=60),
            ),
            at_ms=60,
            seq=0,
            birth=True,
        ),
        DeviceOnline(origin=ARM, at_ms=60),
        DataRead(origin=ARM, readings=(Reading(metric="force", value=20, at_ms=60),), at_ms=60, seq=1, birth=True),
        DataRead(origin=ARM, readings=(Reading(metric="force", value=21, at_ms=70),), at_ms=70, seq=2),
    )


def everything() -> list[tuple[str, Publish]]:
    """One message of each kind that an edge node publishes in a session, with its verb."""
    edge = waiting()
    outputs = (
        *edge.receive(STATE, ONLINE, 60),
        *edge.update(None, {"speed": 11}, 70),
        *edge.update("arm", {"force": 21}, 71),
        *edge.device_lost("arm", 72),
    )
    return [(output.topic.split("/")[2], output) for output in outputs if isinstance(output, Publish)]


TOPICS = {
    "NBIRTH": "spBv1.0/plant/NBIRTH/press",
    "DBIRTH": "spBv1.0/plant/DBIRTH/press/arm",
    "NDATA": "spBv1.0/plant/NDATA/press",
    "DDATA": "spBv1.0/plant/DDATA/press/arm",
    "DDEATH": "spBv1.0/plant/DDEATH/press/arm",
}


@pytest.mark.spec("tck-id-topics-nbirth-topic")
@pytest.mark.spec("tck-id-topics-dbirth-topic")
@pytest.mark.spec("tck-id-topics-ndata-topic")
@pytest.mark.spec("tck-id-topics-ddata-topic")
@pytest.mark.spec("tck-id-topics-ddeath-topic")
@pytest.mark.spec("tck-id-topics-nbirth-mqtt")
@pytest.mark.spec("tck-id-topics-dbirth-mqtt")
@pytest.mark.spec("tck-id-topics-ndata-mqtt")
@pytest.mark.spec("tck-id-topics-ddata-mqtt")
@pytest.mark.spec("tck-id-topics-ddeath-mqtt")
@pytest.mark.spec("tck-id-payloads-nbirth-qos")
@pytest.mark.spec("tck-id-payloads-nbirth-retain")
@pytest.mark.spec("tck-id-payloads-dbirth-qos")
@pytest.mark.spec("tck-id-payloads-dbirth-retain")
@pytest.mark.spec("tck-id-payloads-ndata-qos")
@pytest.mark.spec("tck-id-payloads-ndata-retain")
@pytest.mark.spec("tck-id-payloads-ddata-qos")
@pytest.mark.spec("tck-id-payloads-ddata-retain")
@pytest.mark.spec("tck-id-message-flow-edge-node-birth-publish-nbirth-topic")
@pytest.mark.spec("tck-id-message-flow-edge-node-birth-publish-nbirth-qos")
@pytest.mark.spec("tck-id-message-flow-edge-node-birth-publish-nbirth-retained")
@pytest.mark.spec("tck-id-message-flow-device-birth-publish-dbirth-topic")
@pytest.mark.spec("tck-id-message-flow-device-birth-publish-dbirth-qos")
@pytest.mark.spec("tck-id-message-flow-device-birth-publish-dbirth-retained")
@pytest.mark.spec("tck-id-message-flow-device-birth-publish-dbirth-match-edge-node-topic")
def test_every_message_of_a_session_has_its_topic_and_is_neither_assured_nor_retained() -> None:
    assert {verb: (sent.topic, sent.qos, sent.retain) for verb, sent in everything()} == {
        verb: (topic, 0, False) for verb, topic in TOPICS.items()
    }


@pytest.mark.spec("tck-id-topics-nbirth-timestamp")
@pytest.mark.spec("tck-id-topics-dbirth-timestamp")
@pytest.mark.spec("tck-id-topics-ndata-timestamp")
@pytest.mark.spec("tck-id-topics-ddata-timestamp")
@pytest.mark.spec("tck-id-payloads-nbirth-timestamp")
@pytest.mark.spec("tck-id-payloads-dbirth-timestamp")
@pytest.mark.spec("tck-id-payloads-ndata-timestamp")
@pytest.mark.spec("tck-id-payloads-ddata-timestamp")
@pytest.mark.spec("tck-id-payloads-ddeath-timestamp")
@pytest.mark.spec("tck-id-payloads-ndata-seq")
@pytest.mark.spec("tck-id-payloads-ddata-seq")
@pytest.mark.spec("tck-id-payloads-ddeath-seq")
@pytest.mark.spec("tck-id-payloads-dbirth-seq")
@pytest.mark.spec("tck-id-payloads-sequence-num-always-included")
@pytest.mark.spec("tck-id-message-flow-edge-node-birth-publish-nbirth-payload")
@pytest.mark.spec("tck-id-message-flow-device-birth-publish-dbirth-payload")
def test_every_message_of_a_session_has_a_timestamp_and_the_next_seq() -> None:
    payloads = [decode(sent.payload) for _, sent in everything()]

    assert [(payload.timestamp_ms, payload.seq) for payload in payloads] == [
        (60, 0),
        (60, 1),
        (70, 2),
        (71, 3),
        (72, 4),
    ]


@pytest.mark.spec("tck-id-payloads-alias-data-cmd-requirement")
@pytest.mark.spec("tck-id-payloads-metric-datatype-not-req")
def test_data_carries_the_alias_alone() -> None:
    [data] = online().update("arm", {"force": 21}, 70)

    assert isinstance(data, Publish)
    [metric] = decode(data.payload).metrics
    assert (metric.name, metric.alias, metric.datatype) == (None, 5, None)
    assert (data.qos, data.retain) == (0, False)


@pytest.mark.spec("tck-id-topics-ndata-seq-num")
@pytest.mark.spec("tck-id-topics-ddata-seq-num")
@pytest.mark.spec("tck-id-payloads-ndata-seq-inc")
@pytest.mark.spec("tck-id-payloads-ddata-seq-inc")
@pytest.mark.spec("tck-id-payloads-sequence-num-incrementing")
def test_the_node_and_its_devices_count_together_and_wrap() -> None:
    edge = online()
    outputs = [edge.update("arm" if i % 2 else None, {"force": i} if i % 2 else {"speed": i}, i) for i in range(256)]

    assert [seq for output in outputs for seq in seqs(output)] == [(i + 2) % 256 for i in range(256)]


def test_a_data_set_travels() -> None:
    events = DataSet(columns=("id", "qty"), rows=(("a", 1), ("b", None)))
    edge = EdgeNode(NODE, primary_host=None)
    edge.define_metrics([MetricDefinition(name="events", datatype=Datatype.DATASET, value=events)])
    edge.will(1)

    [_, birth] = heard(*edge.connected(2))
    assert isinstance(birth, DataRead)
    assert birth.readings[-1] == Reading(metric="events", value=events, at_ms=2)


# Leaving, and devices that come and go


@pytest.mark.spec("tck-id-payloads-ndeath-bdseq")
@pytest.mark.spec("tck-id-payloads-ndeath-will-message-publisher")
@pytest.mark.spec("tck-id-operational-behavior-edge-node-intentional-disconnect-ndeath")
def test_leaving_on_purpose_it_publishes_its_death() -> None:
    edge = waiting()
    births = edge.receive(STATE, ONLINE, 60)

    assert heard(*births, *edge.leave(90))[-2:] == (
        NodeOffline(node=NODE, at_ms=1_000, reason="NDEATH"),
        DeviceOffline(origin=ARM, at_ms=1_000, reason="NDEATH"),
    )
    assert edge.leave(91) == ()


@pytest.mark.spec("tck-id-topics-ddeath-seq-num")
@pytest.mark.spec("tck-id-payloads-ddeath-seq")
@pytest.mark.spec("tck-id-payloads-ddeath-seq-inc")
@pytest.mark.spec("tck-id-payloads-ddeath-seq-number")
@pytest.mark.spec("tck-id-operational-behavior-device-ddeath")
def test_a_lost_device_dies_stores_and_is_born_again() -> None:
    edge = online()

    lost = edge.device_lost("arm", 70)
    assert (verbs(lost), seqs(lost)) == (["DDEATH"], [2])
    assert edge.update("arm", {"force": 21}, 75) == ()
    assert verbs(edge.receive(*rebirth_command(NODE, 76), 76)) == ["NBIRTH"]
    assert verbs(edge.device_found("arm", 80)) == ["DBIRTH", "DDATA"]
    assert edge.device_found("arm", 81) == ()


# Our own misuse


def test_misuse_is_refused_and_changes_nothing() -> None:
    edge = online()

    with pytest.raises(ValueError, match="declares no"):
        edge.update(None, {"colour": 1}, 70)
    with pytest.raises(ValueError, match="is no INT32"):
        edge.update(None, {"speed": "fast"}, 70)
    with pytest.raises(ValueError, match="no device 'leg'"):
        edge.update("leg", {}, 70)
    with pytest.raises(ValueError, match="is online"):
        edge.define_device("leg", [])
    with pytest.raises(ValueError, match="will first"):
        EdgeNode(NodeId("a", "b"), primary_host=None).connected(1)
    assert seqs(edge.update(None, {"speed": 12}, 71)) == [2]
