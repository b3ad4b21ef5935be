from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.translate import Complaint, ComplaintName, Translator
from ruleset.assets import read_assets
from ruleset.codes import read_codes
from ruleset.problem import Problems
from ruleset.sample import Event, Plain, Source

DEMO = Path(__file__).parents[2] / "bridge" / "demo" / "plant"
PRESS = "acme/berlin/machining/press-1"
LINE = "acme/berlin/packaging/line-1"
AT_MS = 1_795_421_000_000


def translator() -> Translator:
    problems = Problems()
    codes = read_codes("codes.yaml", (DEMO / "codes.yaml").read_text(), problems)
    assets = read_assets("assets.yaml", (DEMO / "assets.yaml").read_text(), codes, problems)
    assert assets is not None, problems.all
    return Translator(assets)


def complaints(outputs: tuple[object, ...]) -> list[tuple[ComplaintName, str]]:
    return [(each.name, each.text) for each in outputs if isinstance(each, Complaint)]


def document(name: str = "work_started", equipment: str = PRESS, /, **fields: Plain) -> tuple[str, bytes]:
    whole = {"id": "e1", "at": "2026-11-23T10:00:00+01:00", "order": "mo-1", "work_order": "wo-2", **fields}
    return f"uns/v1/{equipment}/{name}", json.dumps(whole).encode()


def test_a_document_is_an_event_and_sent_again_the_same_event() -> None:
    machine = translator()
    topic, payload = document(operator="Ada")

    event = Event(
        equipment=PRESS,
        signal="work_started",
        id="e1",
        fields={"order": "mo-1", "work_order": "wo-2"},
        at_ms=1_795_424_400_000,
        source=Source(topic=topic),
    )
    assert machine.document(topic, payload, AT_MS) == (event,)
    assert machine.document(topic, payload, AT_MS + 1) == (event,)
    assert machine.take_changed() == frozenset()


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"id": None}, "event without id: id is missing"),
        ({"id": 5}, "event without id: id: expected a text, found a number"),
        ({"id": "a\nb"}, "event without id: id: expected a short, printable text"),
        ({"at": None}, "event e1: at is missing"),
        ({"at": "2026-11-23T10:00:00"}, "event e1: at: expected ISO 8601 with a zone, or milliseconds, found "),
        ({"at": 1.5}, "event e1: at: expected ISO 8601 with a zone, or milliseconds, found the number 1.5"),
        (
            {"at": "9999-12-31T23:59:59-12:00"},
            'event e1: at: expected ISO 8601 with a zone, or milliseconds, found the text "9999-12-31T23:59:59-12:00"',
        ),
        ({"order": 42}, "event e1: order: expected text, found the integer 42"),
        ({"order": None, "work_order": True}, "event e1: order is missing; work_order: expected text, found true"),
    ],
)
def test_a_wrong_document_names_every_field(fields: dict[str, Plain], text: str) -> None:
    ((name, said),) = complaints(translator().document(*document(**fields), AT_MS))

    assert name is ComplaintName.INVALID_EVENT
    assert said.startswith(text)


def test_a_list_in_a_document_is_read_member_by_member() -> None:
    machine = translator()
    consumed: list[Plain] = [{"product": "A", "qty": 2, "unit": "kg", "extra": 1}]
    topic, payload = document("finished", LINE, lot="L1", qty=10, consumed=consumed)
    (event,) = machine.document(topic, payload, AT_MS)
    assert isinstance(event, Event)
    assert event.fields["consumed"] == [{"product": "A", "lot": None, "qty": 2.0, "unit": "kg"}]

    wrong: list[Plain] = [{"product": "A", "qty": "2", "unit": "kg"}, 5, {}]
    topic, payload = document("finished", LINE, lot="L1", qty=10, consumed=wrong)
    ((_, text),) = complaints(machine.document(topic, payload, AT_MS))
    assert text == (
        'event e1: consumed[0].qty: expected number, found the text "2"; consumed[1]: expected an object, found '
        "the integer 5; consumed[2].product is missing; consumed[2].qty is missing; consumed[2].unit is missing"
    )


@pytest.mark.parametrize("payload", [b"", b"{", b"\xff\xfe", b'{"a": NaN}', b"[" * 100_000, b"5", b"[]", b"null"])
def test_what_is_no_json_object_is_a_complaint(payload: bytes) -> None:
    topic, _ = document()
    ((name, _),) = complaints(translator().document(topic, payload, AT_MS))

    assert name is ComplaintName.UNREADABLE


def test_an_unknown_topic_is_a_complaint_that_says_what_there_is() -> None:
    machine = translator()
    payload = document()[1]

    assert machine.document(f"uns/v1/{PRESS}/work_begun", payload, AT_MS) == (
        Complaint(
            equipment=PRESS,
            signal="work_begun",
            name=ComplaintName.UNKNOWN_TOPIC,
            text=f'{PRESS} has no document "work_begun"; it has work_started, work_finished',
        ),
    )
    ((_, text),) = complaints(machine.document("uns/v1/acme/berlin/nowhere/finished", payload, AT_MS))
    assert text == 'no equipment of assets.yaml has the path "acme/berlin/nowhere"'


def test_our_own_order_releases_give_nothing() -> None:
    assert translator().document("uns/v1/acme/berlin/order/mo-1", b"{}", AT_MS) == ()


READER: Final = translator()
"""One for all payloads: a plant folder takes longer to read than a payload."""


@given(st.binary(max_size=80))
def test_no_payload_makes_the_translator_raise(payload: bytes) -> None:
    (output,) = READER.document(document()[0], payload, AT_MS)

    assert isinstance(output, Complaint)
