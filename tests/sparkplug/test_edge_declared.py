"""What an edge node of our own declares in its births, and that its data keeps to it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from sparkplug.catalog import BD_SEQ
from sparkplug.edge import EdgeNode, EdgeOutput, Publish
from sparkplug.edge.origin import MetricDefinition
from sparkplug.message import REBIRTH
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.payload import Metric, decode
from tests.sparkplug.edge_situation import ONLINE, STATE, online, press, waiting
from tests.sparkplug.situation import NODE


def metric(name: str, alias: int | None = None, value: int | None = 1) -> MetricDefinition:
    return MetricDefinition(name=name, datatype=Datatype.INT32, value=value, alias=alias)


def sent(outputs: Iterable[EdgeOutput]) -> list[tuple[Metric, ...]]:
    """The metrics of each message."""
    return [tuple(decode(output.payload).metrics) for output in outputs if isinstance(output, Publish)]


def born(*metrics: MetricDefinition, device: Iterable[MetricDefinition] = ()) -> list[tuple[Metric, ...]]:
    """The metrics of the births of a node with these metrics and a device with those."""
    edge = EdgeNode(NODE, primary_host=None)
    edge.define_metrics(metrics)
    edge.define_device("arm", device)
    edge.will(1)
    return sent(edge.connected(2))


@pytest.mark.spec("tck-id-payloads-alias-birth-requirement")
@pytest.mark.spec("tck-id-operational-behavior-data-commands-rebirth-name-aliases")
def test_births_give_each_metric_its_name_and_its_alias_and_none_to_the_rebirth_command() -> None:
    births = born(metric("speed", 1), metric("pace"), device=[metric("force", 2)])

    assert [[(one.name, one.alias) for one in birth] for birth in births] == [
        [(BD_SEQ, None), (REBIRTH, None), ("speed", 1), ("pace", None)],
        [("force", 2)],
    ]


@pytest.mark.spec("tck-id-operational-behavior-data-publish-nbirth-values")
@pytest.mark.spec("tck-id-operational-behavior-data-publish-dbirth-values")
def test_births_carry_the_present_value_of_each_metric_or_say_that_there_is_none() -> None:
    edge = press(primary_host=None)
    edge.update(None, {"speed": 11}, 30)
    edge.update("arm", {"force": None}, 31)
    edge.will(40)
    (*_, speed), (force,), *_ = sent(edge.connected(50))

    assert (speed.raw, speed.is_null, speed.at_ms) == (11, False, 30)
    assert (force.field, force.is_null, force.at_ms) == (None, True, 31)


@pytest.mark.spec("tck-id-topics-nbirth-metric-reqs")
@pytest.mark.spec("tck-id-topics-dbirth-metric-reqs")
@pytest.mark.spec("tck-id-operational-behavior-data-publish-nbirth")
@pytest.mark.spec("tck-id-operational-behavior-data-publish-dbirth")
@pytest.mark.parametrize(("origin", "undeclared"), [(None, "force"), ("arm", "speed")])
def test_data_has_no_metric_that_the_birth_has_not(origin: str | None, undeclared: str) -> None:
    edge = online()

    with pytest.raises(ValueError, match=f"declares no .*{undeclared}"):
        edge.update(origin, {undeclared: 1}, 70)
    with pytest.raises(ValueError, match="fixed until its session ends"):
        edge.define_metrics([metric("force")])


@pytest.mark.spec("tck-id-topics-ndata-payload")
@pytest.mark.spec("tck-id-operational-behavior-data-publish-nbirth-order")
@pytest.mark.spec("tck-id-operational-behavior-data-publish-dbirth-order")
def test_a_message_of_data_has_what_changed_at_one_moment_and_messages_keep_their_order() -> None:
    edge = EdgeNode(NODE, primary_host=None)
    edge.define_metrics([metric("speed"), metric("pace"), metric("heat")])
    edge.define_device("arm", [metric("force"), metric("grip")])
    edge.will(1)
    edge.connected(2)
    outputs = [
        *edge.update(None, {"pace": 2, "speed": 3}, 70),
        *edge.update("arm", {"grip": 4}, 71),
        *edge.update(None, {"pace": 5}, 72),
        *edge.update("arm", {"force": 6, "grip": 7}, 73),
    ]

    assert [[(one.name, one.raw, one.at_ms) for one in message] for message in sent(outputs)] == [
        [("pace", 2, 70), ("speed", 3, 70)],
        [("grip", 4, 71)],
        [("pace", 5, 72)],
        [("force", 6, 73), ("grip", 7, 73)],
    ]


@pytest.mark.spec("tck-id-payloads-alias-uniqueness")
def test_an_alias_that_another_metric_of_the_node_or_a_device_has_is_refused() -> None:
    edge = press()

    with pytest.raises(ValueError, match=r"the node and arm share aliases \[5\]"):
        edge.define_metrics([metric("speed", 5)])
    with pytest.raises(ValueError, match=r"leg and arm share aliases \[5\]"):
        edge.define_device("leg", [metric("force", 5), metric("grip", 6)])
    with pytest.raises(ValueError, match="alias '7' is declared twice"):
        edge.define_device("leg", [metric("force", 7), metric("grip", 7)])
    edge.define_device("arm", [metric("force", 5), metric("grip", 6)])


@pytest.mark.spec("tck-id-case-sensitivity-metric-names")
@pytest.mark.parametrize("names", [("Speed", "speed"), ("speed", "speed"), ("bdseq",), ("node control/rebirth",)])
def test_metric_names_that_differ_by_letter_case_at_most_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="is declared twice"):
        press().define_metrics([metric(name) for name in names])


@pytest.mark.spec("tck-id-topic-structure-namespace-unique-device-id")
@pytest.mark.spec("tck-id-case-sensitivity-sparkplug-ids")
def test_a_device_whose_name_differs_from_anothers_by_letter_case_is_refused_and_the_same_is_declared_anew() -> None:
    edge = press(primary_host=None)
    with pytest.raises(ValueError, match="device 'arm' is declared twice"):
        edge.define_device("Arm", [metric("force")])
    edge.define_device("arm", [metric("grip")])
    edge.will(1)

    _, *devices = sent(edge.connected(2))
    assert [[one.name for one in birth] for birth in devices] == [["grip"]]


def test_what_is_declared_between_sessions_stands_in_the_next_birth() -> None:
    edge = waiting()
    edge.define_device("leg", [metric("step")])

    _, *devices = sent(edge.receive(STATE, ONLINE, 60))
    assert [[one.name for one in birth] for birth in devices] == [["force"], ["step"]]
