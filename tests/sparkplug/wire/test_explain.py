"""A payload explained: all that it holds, and what is wrong where."""

from __future__ import annotations

from typing import Any

import pytest

from sparkplug.topic import DeviceVerb, NodeVerb
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.explain import Fault, explain
from sparkplug.wire.payload import TypedMetric, encode
from sparkplug.wire.sparkplug_b_pb2 import Payload as Message
from tests.sparkplug.situation import SENT_MS


def payload(**fields: Any) -> bytes:
    """A payload with one metric of these fields."""
    return Message(timestamp=SENT_MS, seq=0, metrics=[Message.Metric(**fields)]).SerializeToString()


def motor(**fields: Any) -> bytes:
    """A metric `m` that is a sound template, but for `fields`."""
    sound: dict[str, Any] = {
        "template_ref": "Motor",
        "is_definition": False,
        "version": "1.0",
        "parameters": [Message.Template.Parameter(name="size", type=Datatype.INT8, int_value=2**32 - 4)],
        "metrics": [Message.Metric(name="rpm", datatype=Datatype.INT32, int_value=7)],
    }
    template = Message.Template(**{name: value for name, value in (sound | fields).items() if value is not None})
    return payload(name="m", datatype=Datatype.TEMPLATE, template_value=template)


@pytest.mark.spec("tck-id-payloads-template-ref-instance")
@pytest.mark.spec("tck-id-payloads-template-is-definition-instance")
@pytest.mark.spec("tck-id-payloads-template-version")
@pytest.mark.spec("tck-id-payloads-template-parameter-value")
def test_a_template_instance_is_shown_with_its_parameters_and_members() -> None:
    explained = explain(motor(), NodeVerb.BIRTH)

    assert explained.faults == ()
    assert explained.metrics[0].value == {
        "ref": "Motor",
        "is_definition": False,
        "version": "1.0",
        "parameters": {"size": -4},
        "members": {"rpm": 7},
    }


@pytest.mark.spec("tck-id-payloads-template-is-definition-definition")
def test_a_definition_names_its_members_without_values() -> None:
    members = [Message.Metric(name="rpm", datatype=Datatype.INT32)]
    explained = explain(motor(template_ref=None, is_definition=True, metrics=members), NodeVerb.BIRTH)

    assert explained.faults == ()
    assert explained.metrics[0].value == {
        "ref": None,
        "is_definition": True,
        "version": "1.0",
        "parameters": {"size": -4},
        "members": {"rpm": None},
    }


def parameter(**fields: Any) -> list[Message.Template.Parameter]:
    return [Message.Template.Parameter(**fields)]


@pytest.mark.spec("tck-id-payloads-template-ref-definition")
@pytest.mark.spec("tck-id-payloads-template-is-definition")
@pytest.mark.spec("tck-id-payloads-template-parameter-name-required")
@pytest.mark.spec("tck-id-payloads-template-parameter-type-value")
@pytest.mark.spec("tck-id-payloads-template-parameter-value-type")
@pytest.mark.parametrize(
    ("raw", "place", "text"),
    [
        (motor(is_definition=True), "", "a template definition must have no template_ref, this one has 'Motor'"),
        (motor(template_ref=None), "", "a template instance must name its definition in template_ref"),
        (motor(is_definition=None), "", "a template must tell by is_definition what it is"),
        (motor(parameters=parameter(int_value=1)), ", parameter 0", "has no name"),
        (motor(parameters=parameter(name="a", type=16)), ", parameter 0", "16 is no datatype of a parameter"),
        (
            motor(parameters=parameter(name="a", type=Datatype.INT8, int_value=300)),
            ", parameter 0",
            "300 does not fit a signed integer of 8 bits",
        ),
        (motor(metrics=[Message.Metric(int_value=1)]), ", member 0", "has no name"),
        (motor(metrics=[Message.Metric(name="a", int_value=1)] * 2), ", member 1", "'a' comes twice"),
        (
            motor(metrics=[Message.Metric(name="a", datatype=Datatype.INT32, string_value="x")]),
            ", member 'a'",
            "INT32 cannot be in string_value",
        ),
    ],
)
def test_what_is_wrong_with_a_template_is_told(raw: bytes, place: str, text: str) -> None:
    assert explain(raw, NodeVerb.BIRTH).faults == (Fault(f"metrics[0] 'm'{place}", text),)


@pytest.mark.spec("tck-id-payloads-template-version")
@pytest.mark.spec("tck-id-payloads-template-parameter-name-type")
@pytest.mark.spec("tck-id-payloads-template-ref-instance")
@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"1.0", Fault("metrics[0] 'm'", "its template version is not UTF-8: ff ff ff")),
        (b"size", Fault("metrics[0] 'm', parameter 0", "its name is not UTF-8: ff ff ff ff")),
        (b"Motor", Fault("metrics[0] 'm'", "its template_ref is not UTF-8: ff ff ff ff ff")),
        (b"rpm", Fault("metrics[0] 'm', member 0", "its name is not UTF-8: ff ff ff")),
    ],
)
def test_a_text_that_is_not_utf8_is_told(text: bytes, fault: Fault) -> None:
    assert fault in explain(motor().replace(text, b"\xff" * len(text)), NodeVerb.BIRTH).faults


@pytest.mark.spec("tck-id-payloads-name-requirement")
@pytest.mark.spec("tck-id-payloads-metric-datatype-value-type")
@pytest.mark.parametrize(
    ("fields", "verb", "faults"),
    [
        ({"name": "a", "datatype": 3, "int_value": 1}, NodeVerb.BIRTH, []),
        ({"alias": 1, "int_value": 1}, DeviceVerb.DATA, []),
        ({"name": "a", "int_value": 1}, DeviceVerb.BIRTH, ["has no datatype, which a birth must tell"]),
        ({"alias": 1, "datatype": 3, "int_value": 1}, NodeVerb.BIRTH, ["has no name"]),
        ({"int_value": 1}, NodeVerb.DATA, ["has neither a name nor an alias"]),
        ({"name": "a", "datatype": 99, "int_value": 1}, None, ["99 is no datatype of a metric"]),
        ({"name": "a", "datatype": 3}, None, ["has no value and is not null"]),
        ({"name": "a", "datatype": 3, "is_null": True}, None, []),
        ({"name": "a", "timestamp": 2**64 - 1, "int_value": 1}, None, ["after the year 9999"]),
        ({"name": "a", "timestamp": 1_700_000_000, "int_value": 1}, None, ["is of 1970; are they seconds?"]),
        ({"name": "a", "datatype": 4, "int_value": 2**32 - 5}, None, ["may mean -5"]),
    ],
)
def test_what_is_wrong_with_a_metric_is_told(
    fields: dict[str, Any], verb: NodeVerb | DeviceVerb | None, faults: list[str]
) -> None:
    told = explain(payload(**fields), verb).faults

    assert len(told) == len(faults)
    assert all(part in fault.text for part, fault in zip(faults, told, strict=True))


@pytest.mark.parametrize(
    ("message", "verb", "text"),
    [
        (Message(seq=0), NodeVerb.DATA, "has no timestamp"),
        (Message(timestamp=SENT_MS), DeviceVerb.DEATH, "has no seq, which DDEATH must have"),
        (Message(timestamp=SENT_MS, seq=256), None, "seq is 256; it counts from 0 to 255"),
        (Message(timestamp=SENT_MS, seq=3), NodeVerb.BIRTH, "seq is 3; an NBIRTH begins with 0"),
    ],
)
def test_what_is_wrong_with_the_payload_is_told(
    message: Message, verb: NodeVerb | DeviceVerb | None, text: str
) -> None:
    assert explain(message.SerializeToString(), verb).faults == (Fault("payload", text),)


def test_a_death_needs_neither_seq_nor_timestamp() -> None:
    assert explain(b"", NodeVerb.DEATH).faults == ()


@pytest.mark.spec("tck-id-payloads-timestamp-in-UTC")
@pytest.mark.spec("tck-id-payloads-metric-timestamp-in-UTC")
def test_times_are_milliseconds_since_1970_in_utc() -> None:
    at_ms = 1_700_000_000_123  # 2023-11-14T22:13:20.123Z
    metric = TypedMetric(name="a", datatype=Datatype.INT8, value=1, at_ms=at_ms)
    message = Message.FromString(encode(timestamp_ms=at_ms, seq=0, metrics=[metric]))

    assert (message.timestamp, message.metrics[0].timestamp) == (at_ms, at_ms)
    assert explain(message.SerializeToString()).timestamp_ms == at_ms
