"""Commands of the host."""

from __future__ import annotations

import pytest

from sparkplug.command import Refusal, rebirth_command, write, write_command
from sparkplug.fact import RequestWrite
from sparkplug.message import NodeBirth
from sparkplug.session import NodeSession
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.payload import Metric, decode
from tests.sparkplug.situation import (
    ARM,
    FORCE_ALIAS,
    NODE,
    PRESS,
    SPEED_ALIAS,
    birth_bytes,
    dead,
    declared,
    device_death,
    online,
    online_with_device,
    stale_after_a_gap,
    unborn,
)


@pytest.mark.spec("tck-id-payloads-name-cmd-requirement")
@pytest.mark.spec("tck-id-topics-ncmd-timestamp")
@pytest.mark.spec("tck-id-topics-ncmd-payload")
@pytest.mark.spec("tck-id-operational-behavior-data-commands-ncmd-verb")
@pytest.mark.spec("tck-id-topics-ncmd-topic")
@pytest.mark.spec("tck-id-payloads-ncmd-seq")
@pytest.mark.spec("tck-id-payloads-ncmd-timestamp")
@pytest.mark.spec("tck-id-operational-behavior-data-commands-ncmd-rebirth-verb")
@pytest.mark.spec("tck-id-operational-behavior-data-commands-ncmd-rebirth-name")
@pytest.mark.spec("tck-id-operational-behavior-data-commands-ncmd-rebirth-value")
def test_a_rebirth_is_asked_by_name_without_seq() -> None:
    topic, payload = rebirth_command(NODE, 5)
    command = decode(payload)
    [metric] = command.metrics

    assert topic == "spBv1.0/plant/NCMD/press"
    assert (command.timestamp_ms, command.seq) == (5, None)
    assert (metric.name, metric.alias, metric.raw, metric.at_ms) == ("Node Control/Rebirth", None, True, 5)


@pytest.mark.spec("tck-id-topics-dcmd-timestamp")
@pytest.mark.spec("tck-id-topics-dcmd-payload")
@pytest.mark.spec("tck-id-operational-behavior-data-commands-dcmd-verb")
@pytest.mark.spec("tck-id-topics-dcmd-topic")
@pytest.mark.spec("tck-id-payloads-dcmd-seq")
@pytest.mark.spec("tck-id-payloads-dcmd-timestamp")
def test_a_device_is_written_by_dcmd() -> None:
    topic, payload = write_command(ARM, "force", Datatype.INT32, -1, 5)

    assert topic == "spBv1.0/plant/DCMD/press/arm"
    assert decode(payload).seq is None


@pytest.mark.spec("tck-id-operational-behavior-data-commands-dcmd-metric-value")
@pytest.mark.spec("tck-id-operational-behavior-data-commands-ncmd-metric-value")
def test_a_value_that_does_not_fit_is_not_sent() -> None:
    with pytest.raises(ValueError, match="'fast' is no INT32"):
        write_command(PRESS, "speed", Datatype.INT32, "fast", 5)


def written(outcome: RequestWrite | Refusal) -> tuple[str, Metric]:
    """The topic and the one metric of what is to be written."""
    assert isinstance(outcome, RequestWrite), outcome
    payload = decode(outcome.payload)
    [metric] = payload.metrics
    assert (payload.seq, payload.timestamp_ms) == (None, 5)
    return outcome.topic, metric


def refused(outcome: RequestWrite | Refusal) -> str:
    assert isinstance(outcome, Refusal), outcome
    return outcome.reason


@pytest.mark.spec("tck-id-payloads-alias-data-cmd-requirement")
@pytest.mark.spec("tck-id-operational-behavior-data-commands-ncmd-metric-name")
@pytest.mark.spec("tck-id-operational-behavior-data-commands-ncmd-metric-value")
def test_a_metric_that_was_born_with_an_alias_is_written_by_it_alone() -> None:
    topic, metric = written(write(online(), None, "speed", "-5", 5))

    assert topic == "spBv1.0/plant/NCMD/press"
    assert (metric.name, metric.alias, metric.datatype, metric.raw) == (None, SPEED_ALIAS, 3, (1 << 32) - 5)


@pytest.mark.spec("tck-id-operational-behavior-data-commands-dcmd-metric-name")
@pytest.mark.spec("tck-id-operational-behavior-data-commands-dcmd-metric-value")
def test_a_metric_of_a_device_is_written_as_its_birth_declared_it() -> None:
    topic, metric = written(write(online_with_device(), "arm", "force", "7", 5))

    assert topic == "spBv1.0/plant/DCMD/press/arm"
    assert (metric.alias, metric.datatype, metric.raw) == (FORCE_ALIAS, 3, 7)


@pytest.mark.parametrize("aliases", [(None, None), (4, 4)], ids=["no alias", "one alias of two metrics"])
def test_a_metric_without_an_alias_of_its_own_is_written_by_name(aliases: tuple[int | None, int | None]) -> None:
    more = tuple(declared(name, Datatype.BOOLEAN, False, alias) for name, alias in zip("ab", aliases, strict=True))
    session = unborn()
    session.receive(NodeBirth(decode(birth_bytes(more=more)), 0), now_ms=0)

    _, metric = written(write(session, None, "b", "true", 5))

    assert (metric.name, metric.alias, metric.raw) == ("b", None, True)


@pytest.mark.parametrize(
    ("session", "device", "metric", "value", "why"),
    [
        (online(), None, "sped", "5", "plant/press was born without a metric 'sped'; did you mean 'speed'?"),
        (online(), None, "speed", "fast", "'speed' of plant/press: 'fast' is no Int32: an Int32 is a whole number"),
        (online(), None, "bdSeq", "5", "'bdSeq' is the session's own and is not written"),
        (online(), None, "Node Control/Rebirth", "true", "`uns-bridge send rebirth` asks for a rebirth"),
        (online_with_device(), "arn", "force", "5", "plant/press has no device 'arn'; did you mean 'arm'?"),
        (unborn(), None, "speed", "5", "the edge node plant/press is not born yet; `uns-bridge send rebirth` asks"),
        (stale_after_a_gap(), None, "speed", "5", "the edge node plant/press is stale; `uns-bridge send rebirth` asks"),
        (dead(), "arm", "force", "5", "the edge node plant/press is offline"),
    ],
)
def test_what_cannot_be_written_is_refused_with_the_reason(
    session: NodeSession, device: str | None, metric: str, value: str, why: str
) -> None:
    assert refused(write(session, device, metric, value, 5)).find(why) >= 0


def test_a_device_that_is_gone_is_not_written() -> None:
    session = online_with_device()
    session.receive(device_death(2), now_ms=0)

    assert refused(write(session, "arm", "force", "5", 5)) == "the device plant/press/arm is offline"
