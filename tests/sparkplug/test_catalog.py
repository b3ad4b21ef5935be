"""What a birth declares, and how data is read by it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sparkplug.catalog import Catalog, Declared, declare, template_definitions
from sparkplug.fact import Reading
from sparkplug.finding import FindingName, Problem
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.payload import Payload, TypedMetric, decode, encode
from sparkplug.wire.sparkplug_b_pb2 import Payload as Message
from tests.sparkplug.situation import SENT_MS, declared, reported


def payload(*metrics: TypedMetric) -> Payload:
    return decode(encode(timestamp_ms=SENT_MS, seq=0, metrics=metrics))


def by_hand(**fields: object) -> Payload:
    """A payload whose one metric is what no sound publisher sends."""
    message = Message(timestamp=SENT_MS)
    message.metrics.add(**fields)
    return decode(message.SerializeToString())


CATALOG = Catalog(
    [
        Declared("a", 1, Datatype.INT32),
        Declared("b", None, Datatype.INT32),
        Declared("c", 3, None),
        Declared("d", 4, 99),
    ]
)


def test_data_is_read_by_name_or_alias_with_the_births_datatype() -> None:
    named = TypedMetric(name="b", datatype=Datatype.INT32, value=6, at_ms=SENT_MS, declares=False)

    assert CATALOG.read(payload(reported(1, -5), named), 0, {}) == (
        (Reading(metric="a", value=-5, at_ms=SENT_MS), Reading(metric="b", value=6, at_ms=SENT_MS)),
        [],
    )


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"int_value": 1}, Problem(FindingName.METRIC_UNNAMED, "a metric has neither a name nor an alias")),
        ({"name": "x", "int_value": 1}, Problem(FindingName.METRIC_UNKNOWN, "'x' was not in the birth")),
        ({"alias": 9, "int_value": 1}, Problem(FindingName.ALIAS_UNKNOWN, "alias 9 was not in the birth")),
        ({"alias": 1}, Problem(FindingName.VALUE_MISSING, "'a' has no value and is not null")),
        ({"alias": 1, "is_null": False}, Problem(FindingName.VALUE_MISSING, "'a' has no value and is not null")),
        ({"alias": 3, "int_value": 1}, Problem(FindingName.DATATYPE_MISSING, "'c' has no datatype")),
        ({"alias": 4, "int_value": 1}, Problem(FindingName.DATATYPE_UNKNOWN, "'d' is of the datatype 99")),
        (
            {"alias": 1, "string_value": "x"},
            Problem(FindingName.VALUE_INVALID, "'a': INT32 cannot be in string_value"),
        ),
    ],
)
def test_a_metric_that_cannot_be_read_is_a_problem_of_its_own(fields: dict[str, object], problem: Problem) -> None:
    assert CATALOG.read(by_hand(**fields), 0, {}) == ((), [problem])


def test_a_bad_metric_costs_no_other() -> None:
    readings, problems = CATALOG.read(payload(reported(9, 1), reported(1, 2)), 0, {})

    assert readings == (Reading(metric="a", value=2, at_ms=SENT_MS),)
    assert [problem.name for problem in problems] == [FindingName.ALIAS_UNKNOWN]


def test_null_flags_and_times_are_passed_on() -> None:
    message = Message()
    message.metrics.add(alias=1, is_null=True, is_historical=True)
    message.metrics.add(alias=1, timestamp=7, int_value=1, is_transient=True)

    readings, _ = CATALOG.read(decode(message.SerializeToString()), 42, {})

    assert readings == (
        Reading(metric="a", value=None, at_ms=42, historical=True),
        Reading(metric="a", value=1, at_ms=7, transient=True),
    )


@pytest.mark.spec("tck-id-payloads-alias-uniqueness")
def test_an_alias_that_a_birth_repeats_means_nothing_and_asks_for_no_rebirth() -> None:
    birth = payload(declared("a", Datatype.INT32, 1, alias=1), declared("b", Datatype.INT32, 2, alias=1))
    catalog, problems = declare(birth)
    repeated = Problem(FindingName.ALIAS_REPEATED, "alias 1 means all of ['a', 'b']")

    assert problems == [repeated]
    assert [reading.value for reading in catalog.read(birth, 0, {})[0]] == [1, 2]
    assert catalog.read(payload(reported(1, 5)), 0, {}) == ((), [repeated])


def test_a_metric_that_a_birth_does_not_name_asks_for_no_rebirth() -> None:
    message = Message(timestamp=SENT_MS)
    message.metrics.add(alias=5, datatype=Datatype.INT32, int_value=1)
    message.metrics.add(name="a", alias=1, datatype=Datatype.INT32, int_value=2)
    birth = decode(message.SerializeToString())
    catalog, problems = declare(birth)
    unnamed = Problem(FindingName.METRIC_UNNAMED, "the birth has no name for the alias 5")

    assert problems == []
    assert catalog.read(birth, 0, {}) == ((Reading(metric="a", value=2, at_ms=SENT_MS),), [unnamed])
    assert catalog.read(payload(reported(5, 3)), 0, {}) == ((), [unnamed])


def test_where_name_and_alias_contradict_the_name_counts() -> None:
    catalog, _ = declare(payload(declared("a", Datatype.INT32, 1, alias=1), declared("b", Datatype.INT32, 2, alias=2)))
    both = TypedMetric(name="a", alias=2, datatype=Datatype.INT32, value=7, at_ms=SENT_MS, declares=False)

    assert catalog.read(payload(both), 0, {}) == (
        (Reading(metric="a", value=7, at_ms=SENT_MS),),
        [Problem(FindingName.ALIAS_MISMATCH, "'a' comes with the alias 2, which is that of 'b'")],
    )
    assert catalog.read(payload(replace(both, alias=9)), 0, {})[1] == []


def test_a_problem_is_told_in_a_line_however_long_a_name_is() -> None:
    _, [problem] = CATALOG.read(by_hand(name="x" * 1_000_000, int_value=1), 0, {})

    assert problem.name is FindingName.METRIC_UNKNOWN
    assert len(problem.text) < 500


def test_a_metric_declared_twice_is_a_problem_but_bdseq_is_not() -> None:
    one, bd_seq = declared("a", Datatype.INT32, 1), declared("bdSeq", Datatype.INT64, 1)

    assert declare(payload(one, one, bd_seq, bd_seq))[1] == [
        Problem(FindingName.METRIC_REPEATED, "the birth declares 'a' 2 times")
    ]


def test_an_instance_of_an_unknown_template_is_passed_on_with_a_problem() -> None:
    message = Message(timestamp=SENT_MS)
    template = message.metrics.add(name="t", datatype=Datatype.TEMPLATE).template_value
    template.template_ref = "Missing"
    birth = decode(message.SerializeToString())

    readings, problems = declare(birth)[0].read(birth, 0, {})

    assert [reading.metric for reading in readings] == ["t"]
    assert problems == [
        Problem(FindingName.TEMPLATE_UNKNOWN, "'t' is a 'Missing', which the node never defined"),
    ]


@pytest.mark.spec("tck-id-payloads-template-definition-members")
def test_a_definition_is_found_with_and_without_its_prefix() -> None:
    message = Message(timestamp=SENT_MS)
    template = message.metrics.add(name="_types_/Motor", datatype=Datatype.TEMPLATE).template_value
    template.is_definition = True
    template.metrics.add(name="rpm", datatype=Datatype.INT32)

    members = {"rpm": Datatype.INT32}
    assert template_definitions(decode(message.SerializeToString())) == {"_types_/Motor": members, "Motor": members}
