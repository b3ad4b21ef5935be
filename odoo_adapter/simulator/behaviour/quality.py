"""Inspections of OCA's quality control, as seen on Odoo 17 and 18, and of Enterprise's, as it is documented."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from odoo_adapter.simulator.behaviour.note import as_html, message_post
from odoo_adapter.simulator.errors import user_error
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record
from odoo_adapter.simulator.records.schema import Behaviour, Call, Method, Row
from ruleset.sample import Plain

INSPECTIONS: Final = "qc.inspection"
CHECKS: Final = "quality.check"


def set_test(inspection: Record, test: Record) -> None:
    """The questions of the test, in place of those that there are."""
    database = inspection.database
    for line in inspection.links("inspection_lines"):
        database.unlink(line)
    inspection.write(test=test.id)
    for question in test.links("test_lines"):
        choices: list[Plain] = [choice.id for choice in question.links("ql_values")]
        limits: Row = {name: question.get(name) for name in ("name", "min_value", "max_value", "uom_id")}
        values: Row = {**limits, "question_type": question.get("type"), "possible_ql_values": [[6, 0, choices]]}
        database.create("qc.inspection.line", {**values, "inspection_id": inspection.id})


def to_do(inspection: Record) -> None:
    if inspection.maybe("test") is None:
        raise user_error("You must first set the test to perform.")
    inspection.write(state="ready")


def confirm(inspection: Record) -> None:
    """Well where all questions are answered well; else a supervisor decides."""
    for line in inspection.links("inspection_lines"):
        if line.text("question_type") == "qualitative" and line.maybe("qualitative_value") is None:
            raise user_error("You should provide an answer for all qualitative questions.")
        if line.text("question_type") != "qualitative" and line.maybe("uom_id") is None:
            raise user_error("You should provide a unit of measure for quantitative questions.")
    inspection.write(state="success" if inspection.flag("success") else "waiting")


def approve(inspection: Record) -> None:
    inspection.write(state="success" if inspection.flag("success") else "failed")


def cancel(inspection: Record) -> None:
    inspection.write(state="canceled")


def do_pass(check: Record) -> None:
    check.write(quality_state="pass")


def do_fail(check: Record) -> None:
    check.write(quality_state="fail")


def _is_well(line: Record) -> bool:
    if line.text("question_type") == "qualitative":
        answer = line.maybe("qualitative_value")
        return answer is not None and answer.flag("ok")
    return line.number("min_value") <= line.number("quantitative_value") <= line.number("max_value")


def _numbered(model: str, prefix: str) -> Callable[[Database, Row], None]:
    def prepare(database: Database, row: Row) -> None:
        row.setdefault("name", f"{prefix}{len(database.search(model, [])) + 1:06}")
        row.setdefault("company_id", database.company)
        if model == INSPECTIONS:
            row.setdefault("date", database.now())
            row.setdefault("user", database.user)
        elif isinstance(note := row.get("note"), str) and not note.startswith("<"):
            row["note"] = as_html(note)

    return prepare


def _each(act: Callable[[Record], None]) -> Method:
    def run(database: Database, records: list[Record], call: Call) -> Plain:
        for record in records:
            act(record)
        return None

    return Method(run=run)


def _create_test(database: Database, records: list[Record], call: Call) -> Plain:
    active = call.context.get("active_id")
    for choice in records:
        set_test(database.browse(INSPECTIONS, active if isinstance(active, int) else 0), choice.link("test"))
    return True


BEHAVIOURS: Final = {
    INSPECTIONS: Behaviour(
        computed={"success": lambda inspection: all(map(_is_well, inspection.links("inspection_lines")))},
        prepare=_numbered(INSPECTIONS, "QC-"),
        methods={
            "message_post": message_post,
            "action_todo": _each(to_do),
            "action_confirm": _each(confirm),
            "action_approve": _each(approve),
            "action_cancel": _each(cancel),
        },
    ),
    "qc.inspection.line": Behaviour(computed={"success": _is_well}),
    "qc.inspection.set.test": Behaviour(methods={"action_create_test": Method(run=_create_test)}),
    CHECKS: Behaviour(
        prepare=_numbered(CHECKS, "QC"),
        methods={"message_post": message_post, "do_pass": _each(do_pass), "do_fail": _each(do_fail)},
    ),
}
