"""Topics, parsed and built."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkplug.fact import NodeId
from sparkplug.topic import (
    DeviceTopic,
    DeviceVerb,
    InvalidTopic,
    NodeTopic,
    NodeVerb,
    StateTopic,
    device_topic,
    node_topic,
    parse_topic,
    state_topic,
)

PRESS = NodeId("plant", "press")

levels = st.text(min_size=1).filter(lambda text: not set(text) & set("+#/\0"))


@pytest.mark.spec("tck-id-intro-group-id-string")
@pytest.mark.spec("tck-id-intro-edge-node-id-string")
@pytest.mark.spec("tck-id-topic-structure")
@pytest.mark.parametrize("verb", NodeVerb)
@given(group=levels, node=levels)
def test_a_node_topic_reads_as_it_was_built(verb: NodeVerb, group: str, node: str) -> None:
    assert parse_topic(node_topic(verb, NodeId(group, node))) == NodeTopic(verb, NodeId(group, node))


@pytest.mark.spec("tck-id-topic-structure-namespace-device-id-associated-message-types")
@pytest.mark.spec("tck-id-intro-device-id-string")
@pytest.mark.parametrize("verb", DeviceVerb)
@given(device=levels)
def test_a_device_topic_reads_as_it_was_built(verb: DeviceVerb, device: str) -> None:
    topic = DeviceTopic(verb=verb, node=PRESS, device=device)

    assert parse_topic(device_topic(verb, PRESS, device)) == topic


def test_a_state_topic_names_the_host() -> None:
    assert parse_topic(state_topic("berlin")) == StateTopic("berlin")


def test_a_group_may_be_called_state() -> None:
    assert parse_topic("spBv1.0/STATE/NDATA/n") == NodeTopic(NodeVerb.DATA, NodeId("STATE", "n"))


@pytest.mark.spec("tck-id-topic-structure-namespace-device-id-non-associated-message-types")
@pytest.mark.parametrize(
    ("topic", "node"),
    [
        ("spBv1.0", NodeId("", "")),
        ("spBv1.0/plant", NodeId("plant", "")),
        ("spBv1.0/plant/NDATA", NodeId("plant", "")),
        ("spBv1.0/plant/DDATA/press", PRESS),
        ("spBv1.0/plant/NDATA/press/arm", PRESS),
        ("spBv1.0/plant/DDATA/press/arm/x", PRESS),
        ("spBv1.0/plant/ndata/press", PRESS),
        ("spBv1.0/plant/STATE/press", PRESS),
        ("spBv1.0//NDATA/press", NodeId("", "press")),
    ],
)
def test_what_is_no_topic_of_the_standard_is_named_with_its_sender(topic: str, node: NodeId) -> None:
    parsed = parse_topic(topic)

    assert isinstance(parsed, InvalidTopic)
    assert parsed.node == node


@pytest.mark.spec("tck-id-topic-structure-namespace-a")
@pytest.mark.parametrize("topic", ["STATE/berlin", "spAv1.0/plant/NDATA/press", "acme/berlin", ""])
def test_other_namespaces_are_not_ours(topic: str) -> None:
    assert parse_topic(topic) is None


@pytest.mark.spec("tck-id-intro-group-id-chars")
@pytest.mark.spec("tck-id-intro-edge-node-id-chars")
@pytest.mark.spec("tck-id-intro-device-id-chars")
@pytest.mark.spec("tck-id-topic-structure-namespace-valid-group-id")
@pytest.mark.spec("tck-id-topic-structure-namespace-valid-edge-node-id")
@pytest.mark.spec("tck-id-topic-structure-namespace-valid-device-id")
@pytest.mark.parametrize("level", ["", "a/b", "a+", "#", "a\0"])
def test_an_id_that_cannot_be_a_level_is_refused(level: str) -> None:
    builds: list[Callable[[], str]] = [
        lambda: node_topic(NodeVerb.DATA, NodeId(level, "press")),
        lambda: node_topic(NodeVerb.DATA, NodeId("plant", level)),
        lambda: device_topic(DeviceVerb.DATA, PRESS, level),
        lambda: state_topic(level),
    ]
    for build in builds:
        with pytest.raises(ValueError, match="cannot be a level"):
            build()
