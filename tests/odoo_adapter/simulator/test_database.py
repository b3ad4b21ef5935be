"""The simulator's record engine: what a failed call did is gone, links follow, searches mean what Odoo's mean."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odoo_adapter.simulator.company import BEHAVIOURS, furnish
from odoo_adapter.simulator.errors import Fault
from odoo_adapter.simulator.model import MODELS
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record
from ruleset.sample import Plain

NOW_MS = 1_795_400_000_999


def furnished() -> Database:
    database = Database(MODELS, BEHAVIOURS, lambda: NOW_MS)
    furnish(database)
    return database


def equipped() -> tuple[Database, list[Record]]:
    """Four pieces of equipment: A and B made by us, C archived, D without a model."""
    database = furnished()
    rows: list[dict[str, Plain]] = [
        {"name": "A", "serial_no": "S-1", "model": "press"},
        {"name": "B", "serial_no": "S-2", "model": "Press big"},
        {"name": "C", "serial_no": "S-3", "model": "saw", "active": False},
        {"name": "D"},
    ]
    return database, [database.create("maintenance.equipment", row) for row in rows]


@pytest.mark.parametrize(
    ("domain", "names"),
    [
        ([], "ABD"),
        ([["serial_no", "=", "S-1"]], "A"),
        ([["serial_no", "!=", "S-1"]], "BD"),
        ([["serial_no", "in", ["S-1", "S-3"]]], "A"),
        ([["serial_no", "in", ["S-1", "S-3"]], ["active", "in", [True, False]]], "AC"),
        ([["serial_no", "not in", ["S-1"]]], "BD"),
        ([["model", "=", False]], "D"),
        ([["model", "!=", False]], "AB"),
        ([["model", "like", "ress"]], "AB"),
        ([["model", "like", "Press"]], "B"),
        ([["model", "ilike", "press"]], "AB"),
        ([["model", "=ilike", "press%"]], "AB"),
        ([["model", "=like", "press"]], "A"),
        ([["model", "not ilike", "big"]], "AD"),
        (["|", ["name", "=", "A"], ["name", "=", "D"]], "AD"),
        (["!", ["name", "=", "A"]], "BD"),
        (["!", "|", ["name", "=", "A"], ["name", "=", "B"]], "D"),
        (["&", ["name", ">", "A"], ["name", "<=", "B"]], "B"),
        ([["name", ">=", "B"]], "BD"),
        ([["maintenance_team_id.name", "=", "Internal Maintenance"], ["name", "<", "B"]], "A"),
        ([["maintenance_team_id", "ilike", "internal"]], "ABD"),
        ([["create_date", ">=", "2026-11-23 02:13:20"]], "ABD"),
        ([["create_date", ">", "2026-11-23 02:13:20"]], ""),
    ],
)
def test_a_domain_finds(domain: Plain, names: str) -> None:
    database, _ = equipped()
    assert "".join(record.text("name") for record in database.search("maintenance.equipment", domain)) == names


def test_the_order_puts_empty_values_last() -> None:
    database, _ = equipped()
    for order, names in (("serial_no, id", "ABD"), ("serial_no desc", "DBA"), ("id desc", "DBA")):
        found = database.search("maintenance.equipment", [], order=order)
        assert "".join(record.text("name") for record in found) == names


def test_a_location_lies_within_those_above_it() -> None:
    database = furnished()
    found = database.search("stock.location", [["id", "child_of", 4]])
    assert [record.text("complete_name") for record in found] == ["WH", "WH/Quality Hold", "WH/Stock"]


@pytest.mark.parametrize("domain", [[["nope", "=", 1]], [["name", "==", "A"]], ["|", ["name", "=", "A"]], "name"])
def test_a_wrong_domain_is_a_fault(domain: Plain) -> None:
    with pytest.raises(Fault) as caught:
        furnished().search("maintenance.equipment", domain)
    assert (caught.value.status, caught.value.name) == (500, "builtins.ValueError")


def test_moments_are_naive_utc_in_whole_seconds() -> None:
    database, records = equipped()
    assert records[0].text("create_date") == "2026-11-23 02:13:20"
    assert database.now() == "2026-11-23 02:13:20"


def test_links_to_a_deleted_record_become_empty() -> None:
    database, records = equipped()
    request = database.create("maintenance.request", {"name": "Vibration", "equipment_id": records[0].id})
    assert records[0].integer("maintenance_count") == 1
    database.unlink(records[0])
    assert request.get("equipment_id") is None


COMMANDS = st.lists(
    st.one_of(
        st.tuples(st.just("create"), st.integers(0, 9)),
        st.tuples(st.just("write"), st.integers(0, 3)),
        st.tuples(st.just("link"), st.integers(0, 3)),
        st.tuples(st.just("unlink"), st.integers(0, 3)),
    ),
    max_size=12,
)


@settings(max_examples=40)
@given(COMMANDS)
def test_whatever_an_ended_savepoint_did_is_taken_back(commands: list[tuple[str, int]]) -> None:
    database, records = equipped()
    before = copy.deepcopy(database.dump()[0])
    with pytest.raises(ZeroDivisionError):
        fail_after(database, records, commands)
    assert database.dump()[0] == before
    assert [record.id for record in database.find("maintenance.equipment", "serial_no", "S-1")] == [records[0].id]
    assert records[0].links("maintenance_ids") == []


def fail_after(database: Database, records: list[Record], commands: list[tuple[str, int]]) -> None:
    with database.savepoint():
        for command, number in commands:
            carry_out(database, records, command, number)
        raise ZeroDivisionError


def carry_out(database: Database, records: list[Record], command: str, number: int) -> None:
    match command:
        case "create":
            database.create("maintenance.equipment", {"name": f"new {number}", "serial_no": None})
        case "write" if database.exists(records[number].model, records[number].id):
            records[number].write(serial_no=None, name="changed")
        case "link" if database.exists(records[number].model, records[number].id):
            records[number].write(maintenance_ids=[[0, 0, {"name": "Vibration"}]])
        case "unlink" if database.exists(records[number].model, records[number].id):
            database.unlink(records[number])
