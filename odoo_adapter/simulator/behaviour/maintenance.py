"""Maintenance: equipment known by its serial number, and requests about it."""

from __future__ import annotations

from typing import Final

from odoo_adapter.simulator.behaviour.note import as_html, message_post
from odoo_adapter.simulator.errors import user_error, validation_error
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record
from odoo_adapter.simulator.records.schema import Behaviour, Row, related
from ruleset.sample import Plain


def _prepare_request(database: Database, row: Row) -> None:
    """A request takes team and technician from its equipment, and begins in the first stage."""
    user = database.browse("res.users", database.user)
    if not user.text("email"):
        raise user_error("Unable to send message, please configure the sender's email address.")
    if isinstance(text := row.get("description"), str) and not text.startswith("<"):
        row["description"] = as_html(text)
    first = database.search("maintenance.stage", [])[0]
    row.setdefault("stage_id", first.id)
    row.setdefault("request_date", database.now()[:10])
    equipment_id = row.get("equipment_id")
    if isinstance(equipment_id, int) and database.exists("maintenance.equipment", equipment_id):
        equipment = database.browse("maintenance.equipment", equipment_id)
        row.setdefault("maintenance_team_id", equipment.get("maintenance_team_id"))
        row.setdefault("user_id", equipment.get("technician_user_id"))
    if not row.get("maintenance_team_id"):
        row["maintenance_team_id"] = database.search("maintenance.team", [])[0].id


def _request_written(request: Record, names: frozenset[str]) -> None:
    if "stage_id" in names:
        done = request.link("stage_id").flag("done")
        if done != (request.get("close_date") is not None):
            request.write(close_date=request.database.now()[:10] if done else None)


def _prepare_equipment(database: Database, row: Row) -> None:
    row.setdefault("effective_date", database.now()[:10])
    row.setdefault("company_id", database.company)
    row.setdefault("maintenance_team_id", database.search("maintenance.team", [])[0].id)


def _serial_is_unique(equipment: Record) -> None:
    serial = equipment.get("serial_no")
    if serial is not None and len(equipment.database.find("maintenance.equipment", "serial_no", serial)) > 1:
        raise validation_error("Another asset already exists with this serial number!")


def _equipment_written(equipment: Record, names: frozenset[str]) -> None:
    if "serial_no" in names:
        _serial_is_unique(equipment)


def _equipment_name(equipment: Record) -> Plain:
    serial = equipment.text("serial_no")
    return f"{equipment.text('name')}/{serial}" if serial else equipment.text("name")


def _requests(equipment: Record) -> Plain:
    return len(equipment.links("maintenance_ids"))


def _open_requests(equipment: Record) -> Plain:
    return sum(
        not request.flag("done") and not request.flag("archive") for request in equipment.links("maintenance_ids")
    )


BEHAVIOURS: Final = {
    "maintenance.request": Behaviour(
        computed={"done": related("stage_id.done"), "category_id": related("equipment_id.category_id")},
        prepare=_prepare_request,
        written=_request_written,
        methods={"message_post": message_post},
    ),
    "maintenance.equipment": Behaviour(
        computed={
            "display_name": _equipment_name,
            "maintenance_count": _requests,
            "maintenance_open_count": _open_requests,
        },
        prepare=_prepare_equipment,
        created=_serial_is_unique,
        written=_equipment_written,
        methods={"message_post": message_post},
    ),
}
