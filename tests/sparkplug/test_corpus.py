"""A corpus of payloads: captured from four publisher programs, and made by hand to be wrong or odd.

`corpus/index.json` says what each file is, what its publisher meant, and what a host should make of it.
"""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import pytest

from sparkplug.fact import (
    DataRead,
    DataSet,
    Finding,
    Output,
    PublishState,
    Reading,
    Reconnect,
    RequestRebirth,
    Template,
    Value,
)
from sparkplug.host import HostApplication
from tests.sparkplug.situation import SENT_MS

CORPUS = Path(__file__).parent / "corpus"
INDEX: dict[str, Any] = json.loads((CORPUS / "index.json").read_text())
FILES: dict[str, dict[str, Any]] = {entry["file"]: entry for entry in INDEX["files"]}


def host() -> HostApplication:
    """The host `hostA`, connected at 1 ms."""
    application = HostApplication("hostA")
    application.connected(1, will_ms=1)
    return application


def receive(application: HostApplication, file: str, now_ms: int = SENT_MS) -> tuple[Output, ...]:
    entry = FILES[file]
    return application.receive(entry["topic"], (CORPUS / file).read_bytes(), retain=entry["retain"], now_ms=now_ms)


def after_births(file: str) -> tuple[Output, ...]:
    """What a hand-made message does after the good birth of its node."""
    application = host()
    if "NBIRTH" not in file:
        receive(application, "hostile-ok-nbirth.bin")
    return receive(application, file)


def values(outputs: tuple[Output, ...]) -> dict[str, Value]:
    return {
        reading.metric: reading.value
        for output in outputs
        if isinstance(output, DataRead)
        for reading in output.readings
    }


def findings(outputs: tuple[Output, ...]) -> list[str]:
    return [output.name for output in outputs if isinstance(output, Finding)]


# Captured: whole sessions of real publishers


@pytest.mark.parametrize(
    ("publisher", "expected"),
    [
        ("tahujs", []),
        ("aiospb", ["host-id-shared"]),
        ("pysparkplug", ["birth-rebirth-missing", "alias-shared", "death-bdseq-mismatch"]),
        ("spbwrapper", ["birth-rebirth-missing", "seq-missing", "death-bdseq-mismatch"]),
    ],
)
def test_a_session_of_a_real_publisher_is_followed(publisher: str, expected: list[str]) -> None:
    application = host()
    files = [file for file, entry in FILES.items() if entry["publisher"] == publisher]
    outputs = [output for file in files for output in receive(application, file, FILES[file]["t"])]

    assert findings(tuple(outputs)) == expected
    assert not [output for output in outputs if isinstance(output, RequestRebirth)]


def meant(metric: dict[str, Any]) -> Value:
    """The value that the publisher program was given, as we represent it."""
    value = metric["value"]
    match metric["type"], value:
        case "DateTime", _:
            return 0  # the program turned the text it was given into 0
        case "Float", "NaN":
            return math.nan
        case "Double", "Infinity":
            return math.inf
        case "Float", float():
            single: float = struct.unpack("<f", struct.pack("<f", value))[0]
            return single
        case "DataSet", {"columns": columns, "rows": rows}:
            return DataSet(columns=tuple(columns), rows=tuple(tuple(row) for row in rows))
        case "Template", {"metrics": members}:
            return Template(
                ref=value.get("templateRef"),
                is_definition=value["isDefinition"],
                members={member["name"]: member["value"] for member in members},
            )
        case _, {"long": digits}:
            return int(digits)
        case _, {"bytes": digits}:
            return bytes.fromhex(digits)
        case _:
            plain: Value = value
            return plain


@pytest.mark.parametrize(
    ("kind", "file"),
    [("NBIRTH", "tahujs-001-NBIRTH.bin"), ("DBIRTH", "tahujs-002-DBIRTH.bin")],
)
def test_every_value_of_a_birth_is_what_its_publisher_meant(kind: str, file: str) -> None:
    application = host()
    if kind == "DBIRTH":
        receive(application, "tahujs-001-NBIRTH.bin")
    read = values(receive(application, file))
    publication = next(entry for entry in INDEX["intended"]["tahujs"] if entry["kind"] == kind)

    for metric in publication["payload"]["metrics"]:
        expected = meant(metric)
        if isinstance(expected, float) and math.isnan(expected):
            actual = read[metric["name"]]
            assert isinstance(actual, float)
            assert math.isnan(actual)
        else:
            assert read[metric["name"]] == expected, metric["name"]


def test_flags_and_quality_of_a_birth_are_read() -> None:
    [_, birth] = receive(host(), "tahujs-001-NBIRTH.bin")
    assert isinstance(birth, DataRead)
    readings = {reading.metric: reading for reading in birth.readings}

    assert readings["hist"] == Reading(metric="hist", value=7, at_ms=1_699_999_999_000, historical=True)
    assert readings["trans"] == Reading(metric="trans", value=8, at_ms=SENT_MS, transient=True)
    assert readings["props"] == Reading(metric="props", value=3, at_ms=SENT_MS, quality=192)


def test_negative_integers_masked_to_their_width_are_read() -> None:
    read = values(receive(host(), "pysparkplug-001-NBIRTH.bin"))

    assert {name: read[name] for name in ("i8", "i16", "i32", "i64", "u64", "ba", "sa", "nul", "dta")} == {
        "i8": -5,
        "i16": -300,
        "i32": -70_000,
        "i64": -9_007_199_254_740_993,
        "u64": 18_446_744_073_709_551_615,
        "ba": (False, False, True, True, False, True, False, False, True, True, False, True),
        "sa": ("ABC", "hello"),
        "nul": None,
        "dta": (1_256_102_875_335,),
    }


# Made by hand: what is read


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("hostile-ok-nbirth.bin", {"a": 1}),
        ("hostile-ok-dbirth.bin", {"x": 5}),
        ("hostile-nbirth-bdseq-twice.bin", {"bdSeq": 0, "a": 1}),
        ("hostile-alias-0.bin", {"a": 1}),
        ("hostile-neg-int16-signext32.bin", {"neg": -300}),
        ("hostile-int32-in-long-signext64.bin", {"neg": -5}),
        ("hostile-uint32-in-long.bin", {"u": 4_294_967_295}),
        ("hostile-uint32-in-int.bin", {"u": 4_294_967_295}),
        ("hostile-uint64-max.bin", {"u": 18_446_744_073_709_551_615}),
        ("hostile-string-array-empty.bin", {"sa": ()}),
        ("hostile-comp-deflate.bin", {"a": 9}),
    ],
)
def test_odd_but_sound_payloads_are_read_without_a_finding(file: str, expected: dict[str, Value]) -> None:
    outputs = after_births(file)

    assert findings(outputs) == []
    assert values(outputs).items() >= expected.items()


def test_a_null_cell_and_a_negative_cell_of_a_data_set_are_read() -> None:
    null, negative = (values(after_births(f"hostile-ds-{kind}.bin"))["ds"] for kind in ("null-cell", "neg"))

    assert isinstance(null, DataSet)
    assert isinstance(negative, DataSet)
    assert None in null.rows[0]
    assert -1 in negative.rows[0]


# Made by hand: what is found, and what it costs


@pytest.mark.parametrize(
    ("file", "expected", "kept"),
    [
        ("hostile-dup-alias-node.bin", ["alias-repeated"], {"a", "b"}),
        ("hostile-dup-alias-device.bin", ["alias-shared"], {"x"}),
        ("hostile-dt-zero.bin", ["datatype-unknown"], {"a"}),
        ("hostile-dt-99.bin", ["datatype-unknown"], {"a"}),
        ("hostile-dt-missing-birth.bin", ["datatype-missing"], {"a"}),
        ("hostile-dt-mismatch-field.bin", ["value-invalid"], set()),
        ("hostile-dt-mismatch-long.bin", ["value-invalid"], set()),
        ("hostile-null-false-novalue.bin", ["value-missing"], set()),
        ("hostile-bool-array-short.bin", ["value-invalid"], {"a"}),
        ("hostile-ds-numcols-wrong.bin", ["value-invalid"], {"a"}),
        ("hostile-ds-ragged.bin", ["value-invalid"], {"a"}),
        ("hostile-ds-types-short.bin", ["value-invalid"], {"a"}),
        ("hostile-ds-cell-type.bin", ["value-invalid"], {"a"}),
        ("hostile-props-count.bin", ["properties-invalid"], {"a", "pr"}),
        ("hostile-tmpl-unknown-ref.bin", ["template-unknown"], {"a", "t"}),
        ("hostile-tmpl-deep-30.bin", ["template-unknown"], {"a", "t"}),
        ("hostile-no-payload-ts.bin", ["timestamp-missing"], {"a"}),
        ("hostile-ts-max.bin", ["timestamp-invalid"], {"a"}),
        ("hostile-empty.bin", ["timestamp-missing", "seq-missing"], set()),
        ("hostile-ndeath-no-bdseq.bin", ["death-bdseq-missing"], set()),
    ],
)
def test_what_is_wrong_costs_only_itself(file: str, expected: list[str], kept: set[str]) -> None:
    outputs = after_births(file)

    assert findings(outputs) == expected
    assert set(values(outputs)) - {"bdSeq", "Node Control/Rebirth"} == kept
    assert not [output for output in outputs if isinstance(output, RequestRebirth)]


@pytest.mark.parametrize(
    "file",
    [
        "hostile-truncated.bin",
        "hostile-garbage.bin",
        "hostile-json.bin",
        "hostile-props-deep-60.bin",
        "hostile-tmpl-deep-5000.bin",
        "hostile-comp-unknown.bin",
        "hostile-comp-bomb.bin",
        "hostile-comp-nested.bin",
    ],
)
def test_what_cannot_be_read_is_refused_as_a_whole(file: str) -> None:
    assert findings(after_births(file)) == ["payload-unreadable"]


@pytest.mark.parametrize("kind", ["short", "ddata-nodev", "type", "lower", "empty"])
def test_an_odd_topic_is_a_finding(kind: str) -> None:
    assert findings(receive(host(), f"hostile-topic-{kind}.bin")) == ["topic-invalid"]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("hostile-unknown-alias.bin", "alias-unknown"),
        ("hostile-unknown-name.bin", "metric-unknown"),
        ("hostile-dbirth-before-nbirth.bin", "node-unborn"),
        ("hostile-topic-group-STATE.bin", "node-unborn"),
    ],
)
def test_what_a_birth_can_mend_asks_for_one(file: str, name: str) -> None:
    finding, request = after_births(file)

    assert findings((finding,)) == [name]
    assert isinstance(request, RequestRebirth)


@pytest.mark.parametrize("kind", ["on", "float", "extra", "bom"])
def test_an_online_of_the_past_under_our_id_needs_no_answer(kind: str) -> None:
    assert receive(host(), f"hostile-state-{kind}.bin") == ()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("legacy-online", ["state-unreadable"]),
        ("strbool", ["state-unreadable"]),
        ("nots", ["state-unreadable"]),
    ],
)
def test_rubbish_under_our_id_is_answered(kind: str, expected: list[str]) -> None:
    outputs = receive(host(), f"hostile-state-{kind}.bin")

    assert findings(outputs) == expected
    assert outputs[-1] == PublishState(at_ms=1)


def test_an_offline_under_our_id_is_answered() -> None:
    application = HostApplication("hostA")
    application.connected(SENT_MS, will_ms=SENT_MS)

    assert receive(application, "hostile-state-off.bin") == (PublishState(at_ms=SENT_MS),)


def test_an_offline_under_our_id_that_is_later_than_our_will_is_outlived() -> None:
    (answer,) = receive(host(), "hostile-state-off.bin")

    assert isinstance(answer, Reconnect)
    assert answer.after_ms == SENT_MS


def test_state_on_other_topics_is_not_ours() -> None:
    assert receive(host(), "hostile-state-v2-topic.bin") == ()
    assert findings(receive(host(), "hostile-state-group-topic.bin")) == ["topic-invalid"]
