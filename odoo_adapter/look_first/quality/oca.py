"""Inspections of OCA's quality control, with the questions of the test that has their name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from odoo_adapter.errors import Refused
from odoo_adapter.look_first.attempt import Attempt
from odoo_adapter.look_first.note import leave_note, stands
from odoo_adapter.look_first.quality.document import Document, about, inspector, is_like
from odoo_adapter.look_first.steps import Row

MODEL: Final = "qc.inspection"
_LINES: Final = "qc.inspection.line"
_SET_TEST: Final = "qc.inspection.set.test"
_QUIET: Final = {"tracking_disable": True, "mail_create_nosubscribe": True, "mail_create_nolog": True}


async def ask(one: Attempt, document: Document) -> None:
    """The inspection, its questions, and that it is ready: each once."""
    steps = one.steps
    tests = await steps.search("qc.test", [["name", "=", one.text("name")], steps.ours()], ["id"])
    if len(tests) > 1:
        raise Refused("ambiguous", f"the quality control test {one.text('name')}")
    row = {
        "object_id": await _object(one, document),
        "date": f"{one.text('due')} 00:00:00",
        "user/.id": str(await inspector(one)),
        "internal_notes": "\n".join(x for x in (about(one), one.text("text"), f"{one.key}{one.cause}") if x),
    }
    (id,) = await steps.load(MODEL, one.key, [row], _QUIET)
    for stands_now in await steps.read(MODEL, [id] if tests else [], ["state", "inspection_lines"]):
        if stands_now["state"] != "draft":
            continue  # somebody began with it
        if not stands_now["inspection_lines"]:
            (choice,) = await steps.load(_SET_TEST, f"{one.key}/test", [{"test/.id": str(tests[0]["id"])}])
            await steps.act(_SET_TEST, "action_create_test", [choice], context={"active_id": id})
        await steps.act(MODEL, "action_todo", [id])


async def made(one: Attempt, document: Document) -> int:
    """The inspection of this key, 0 where there is none."""
    rows = await one.steps.search(MODEL, [*_of_it(one)], ["internal_notes"])
    signed = f"\n{one.key}{one.cause}"
    return next((row["id"] for row in rows if row["internal_notes"].endswith(signed)), 0)


async def end(one: Attempt, document: Document) -> int:
    """Decide those that are open; how many they were. The note comes first: what is decided is not found again."""
    rows = await one.steps.search(MODEL, [*_of_it(one), ["state", "in", ["draft", "ready"]]], ["name", "state"])
    for row in rows:
        answers = await _answers(one, row) if one.text("outcome") else {}
        if not await stands(one, row["id"], MODEL):
            await leave_note(one.steps, row["id"], f"{one.text('text')} [{one.key}]", MODEL)
        if one.text("outcome"):
            await _decide(one, row, answers)
    return len(rows) if one.text("outcome") else 0


def _of_it(one: Attempt) -> list[list[object]]:
    """The bridge's own inspections by this name of this document."""
    return [["create_uid", "=", one.steps.user], ["internal_notes", "=like", f"{is_like(about(one))}\n%"]]


async def _object(one: Attempt, document: Document) -> str:
    """Of what the installed parts let an inspection be: the document, or its product; "" of equipment."""
    if not document.product:
        return ""
    if document.model in await one.steps.choices(MODEL, "object_id"):
        return f"{document.model},{document.id}"
    return f"product.product,{document.product}"


async def _answers(one: Attempt, inspection: Row) -> dict[int, dict[str, Any]]:
    """What to write to each question that the result answers. Raises `Refused` for a value that answers none."""
    given = one.p.get("values")
    values: Mapping[str, Any] = given if isinstance(given, dict) else {}
    lines = await _questions(one, inspection) if values else []
    if lines and (unknown := sorted(values.keys() - {line["name"] for line in lines})):
        asked = ", ".join(line["name"] for line in lines)
        raise Refused("question", f"{inspection['name']} does not ask for {', '.join(unknown)}, but for {asked}")
    return {
        line["id"]: await _answer(one, inspection, line, str(values[line["name"]]))
        for line in lines
        if line["name"] in values
    }


async def _answer(one: Attempt, inspection: Row, line: Row, value: str) -> dict[str, Any]:
    of = f"{line['name']} of {inspection['name']}"
    if line["question_type"] != "qualitative":
        try:
            return {"quantitative_value": float(value)}
        except ValueError as error:
            raise Refused("question", f"{of} is answered by a number, not by {value}") from error
    choices = await one.steps.read("qc.test.question.value", line["possible_ql_values"], ["name"])
    if not (fits := [choice["id"] for choice in choices if choice["name"] == value]):
        known = " or ".join(choice["name"] for choice in choices)
        raise Refused("question", f"{of} is answered by {known}, not by {value}")
    return {"qualitative_value": fits[0]}


async def _decide(one: Attempt, inspection: Row, answers: Mapping[int, Mapping[str, Any]]) -> None:
    """Where the values answer all, the module's own buttons decide. A pass that they contradict waits for a person."""
    steps, ids = one.steps, [inspection["id"]]
    for line, answer in answers.items():
        await steps.write(_LINES, [line], answer)
    lines = await _questions(one, inspection) if answers else []
    wrong = any(line["id"] in answers and not line["success"] for line in lines)
    whole = all(line["id"] in answers and (line["question_type"] == "qualitative" or line["uom_id"]) for line in lines)
    passed = one.text("outcome") == "pass"
    if lines and whole and (passed or wrong):
        await steps.act(MODEL, "action_confirm" if passed else "action_approve", ids)
        return
    await steps.write(MODEL, ids, {"state": "failed" if not passed else "waiting" if wrong else "success"})


async def _questions(one: Attempt, inspection: Row) -> list[Row]:
    fields = ["name", "question_type", "possible_ql_values", "uom_id", "success"]
    return await one.steps.search(_LINES, [["inspection_id", "=", inspection["id"]]], fields)
