"""The published examples are valid, the schemas refuse what they must, and the demonstration plant takes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from bridge.core.order import Acknowledgement
from bridge.translate import Translator
from ruleset.assets import read_assets
from ruleset.codes import read_codes
from ruleset.equipment import Assets
from ruleset.problem import Problems
from ruleset.sample import Event
from sparkplug.fact import DataRead, DataSet, Origin, Reading

ROOT = Path(__file__).parents[2]
CONTRACT = ROOT / "docs" / "contract"
DEMO = ROOT / "bridge" / "demo" / "plant"
SCHEMAS = {
    path.name.removesuffix(".schema.json"): json.loads(path.read_text()) for path in CONTRACT.glob("*.schema.json")
}
EXAMPLES = sorted((CONTRACT / "examples").glob("*.json"))
RECEIVED_MS = 1_795_500_000_000


def validator(name: str) -> Draft202012Validator:
    registry: Registry[Any] = Registry().with_resources(
        (schema["$id"], Resource.from_contents(schema)) for schema in SCHEMAS.values()
    )
    return Draft202012Validator(SCHEMAS[name], registry=registry, format_checker=FormatChecker())


def example(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((CONTRACT / "examples" / f"{name}.json").read_text())
    return document


def demo_assets() -> Assets:
    problems = Problems()
    codes = read_codes("codes.yaml", (DEMO / "codes.yaml").read_text(), problems)
    assets = read_assets("assets.yaml", (DEMO / "assets.yaml").read_text(), codes, problems)
    assert assets is not None, problems.all
    return assets


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_schema_is_a_valid_schema(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_valid(path: Path) -> None:
    errors = [error.message for error in validator(path.stem.split(".")[0]).iter_errors(json.loads(path.read_text()))]

    assert errors == []


def test_every_schema_but_the_envelope_has_an_example() -> None:
    assert {path.stem.split(".")[0] for path in EXAMPLES} == set(SCHEMAS) - {"event-envelope"}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("work_started", {"id": ""}),
        ("work_started", {"at": 0}),
        ("work_started", {"order": "WH/MO/00042"}),
        ("finished", {"qty": "100"}),
        ("finished", {"consumed": [{"product": "CARTON", "qty": 1}]}),
        ("scrap", {"confirmed": 1}),
        ("disposition", {"status": "accepted"}),
        ("quality", {"result": "FAIL"}),
        ("order-release", {"quantity": 100}),
        ("order-release", {"version": 0}),
        ("order-acknowledgement", {"status": "refused"}),
    ],
)
def test_a_document_that_breaks_the_contract_is_invalid(name: str, change: dict[str, Any]) -> None:
    assert not validator(name).is_valid({**example(name), **change})


@pytest.mark.parametrize(
    ("name", "equipment"),
    [
        ("work_started", "acme/berlin/machining/press-1"),
        ("work_finished", "acme/berlin/machining/press-1"),
        ("finished", "acme/berlin/packaging/line-1"),
        ("quality", "acme/berlin/quality/station-1"),
    ],
)
def test_the_demonstration_plant_takes_the_example_documents(name: str, equipment: str) -> None:
    payload = json.dumps(example(name)).encode()

    (event,) = Translator(demo_assets()).document(f"uns/v1/{equipment}/{name}", payload, RECEIVED_MS)

    assert isinstance(event, Event)
    assert (event.equipment, event.signal, event.id) == (equipment, name, example(name)["id"])
    assert event.fields["order"] == "mo-42"


def test_the_scrap_example_is_the_same_event_as_a_group_of_metrics() -> None:
    document = example("scrap")
    fields = {key: value for key, value in document.items() if key not in ("id", "at")}
    origin = Origin("acme-berlin", "machining", "press-1")
    readings = [Reading(metric="Scrap/Number", value=17, at_ms=document["at"])]
    readings += [Reading(metric=f"Scrap/{name}", value=value, at_ms=document["at"]) for name, value in fields.items()]
    read = DataRead(origin=origin, readings=tuple(readings), at_ms=document["at"], seq=4)

    *_, event = Translator(demo_assets()).fact(read)

    assert isinstance(event, Event)
    assert (event.id, event.at_ms, event.fields) == ("17", document["at"], {**fields, "qty": 2.0})


def test_the_disposition_example_is_the_same_event_as_a_row_of_a_dataset() -> None:
    document = example("disposition")
    dataset = DataSet(columns=tuple(document), rows=(tuple(document.values()),))
    reading = Reading(metric="Dispositions", value=dataset, at_ms=1)
    read = DataRead(origin=Origin("acme-berlin", "quality", None), readings=(reading,), at_ms=1, seq=4)

    (event,) = Translator(demo_assets()).fact(read)

    assert isinstance(event, Event)
    assert (event.id, event.fields) == (
        "disposition-mo-42",
        {"order": "mo-42", "lot": "L-2026-0042", "status": "accept"},
    )


@pytest.mark.parametrize("name", ["order-acknowledgement", "order-acknowledgement.refused"])
def test_the_order_book_reads_the_example_acknowledgements(name: str) -> None:
    answer = msgspec.convert(example(name), Acknowledgement)

    assert (answer.order, answer.status) == ("mo-42", example(name)["status"])
