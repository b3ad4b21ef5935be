"""Commands of the host."""

from __future__ import annotations

import pytest

from sparkplug.command import rebirth_command, write_command
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.payload import decode
from tests.sparkplug.situation import ARM, NODE, PRESS


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
