"""What the bridge shows the floor of an inspection that is asked for is what the contract promises."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
from jsonschema import Draft202012Validator, FormatChecker

from bridge.core.input import Destination
from bridge.core.posting import REQUEST_ACTION, Publishing
from ruleset.transaction import IdempotencyKey, OrderRef, Provenance, QualityRequest, QualityResult
from tests.bridge.core.test_posting import Desk

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/contract/quality-request.schema.json").read_text())
PRESS = "acme/berlin/machining/press-1"
CAUSE = Provenance(rule="first-piece", version="v1", topic="t")


def request(id: str = "1", *, lot: str | None = "H-42") -> QualityRequest:
    return QualityRequest(
        key=IdempotencyKey(f"request:{id}"),
        equipment=PRESS,
        at_ms=1_795_400_000_000,
        provenance=CAUSE,
        order=OrderRef("mo-42"),
        inspection="First piece",
        lot=lot,
        text="Measure the bore",
        due_ms=1_795_486_400_000,
    )


def result(inspection: str = "First piece") -> QualityResult:
    return QualityResult(
        key=IdempotencyKey(f"result:{inspection}"),
        equipment="acme/berlin/quality/station-1",
        at_ms=1_795_403_600_000,
        provenance=CAUSE,
        order=OrderRef("mo-42"),
        status="pass",
        lot="H-42",
        inspection=inspection,
    )


def published(desk: Desk) -> list[Publishing]:
    entries = [entry for entry in desk.outbox.entries() if entry.action == REQUEST_ACTION]
    assert {entry.destination for entry in entries} <= {Destination.BROKER}
    return [msgspec.json.decode(entry.body, type=Publishing) for entry in entries]


def test_a_request_is_published_as_promised_and_its_result_takes_it_away() -> None:
    desk = Desk()
    desk.postings.post(request(), 1)
    desk.postings.post(result(), 2)
    shown, gone = published(desk)
    assert shown.document is not None
    validator = Draft202012Validator(SCHEMA, format_checker=FormatChecker())
    assert [error.message for error in validator.iter_errors(shown.document)] == []
    assert shown.topic == f"uns/v1/acme/berlin/quality/request/{shown.document['id']}"
    assert (gone.topic, gone.document) == (shown.topic, None)


def test_a_request_that_comes_again_is_published_once() -> None:
    desk = Desk()
    desk.postings.post(request(), 1)
    desk.postings.post(request(), 2)
    assert len(published(desk)) == 1


def test_another_lot_is_another_inspection_and_a_result_without_one_takes_nothing_away() -> None:
    desk = Desk()
    desk.postings.post(request("1"), 1)
    desk.postings.post(request("2", lot="H-43"), 1)
    desk.postings.post(result(""), 2)
    first, second = published(desk)
    assert first.topic != second.topic
