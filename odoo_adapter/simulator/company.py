"""A fresh database: what Odoo 19 and the inbox's installer have put there before anybody works with it."""

from __future__ import annotations

from typing import Final

from odoo_adapter.inbox.action import ACTIONS, inbox_hash
from odoo_adapter.inbox.install import MODEL, MODULE
from odoo_adapter.simulator.behaviour import (
    maintenance,
    manufacturing,
    note,
    picking,
    product,
    quality,
    scrap,
    settings,
    stock,
    unbuild,
    workorder,
)
from odoo_adapter.simulator.records.database import COMPANY, Database
from odoo_adapter.simulator.records.record import Record
from odoo_adapter.simulator.records.schema import Behaviour, Row

ADMINISTRATOR: Final = 2
"""The id of the first person in every Odoo database."""

INTEGRATION: Final = 5
"""The id of the bridge's own user."""

BEHAVIOURS: Final[dict[str, Behaviour]] = {
    **product.BEHAVIOURS,
    **stock.BEHAVIOURS,
    **scrap.BEHAVIOURS,
    **manufacturing.BEHAVIOURS,
    **unbuild.BEHAVIOURS,
    **workorder.BEHAVIOURS,
    **maintenance.BEHAVIOURS,
    **note.BEHAVIOURS,
    **picking.BEHAVIOURS,
    **quality.BEHAVIOURS,
    **settings.BEHAVIOURS,
}

_LOSSES: Final = (
    ("block_reason0", "Material Availability", "availability", True, 1),
    ("block_reason1", "Equipment Failure", "availability", True, 2),
    ("block_reason2", "Setup and Adjustments", "availability", True, 3),
    ("block_reason4", "Reduced Speed", "performance", False, 5),
    ("block_reason5", "Process Defect", "quality", True, 6),
    ("block_reason6", "Reduced Yield", "quality", True, 7),
    ("block_reason7", "Fully Productive Time", "productive", False, 0),
)
_UNITS: Final = (
    (1, "Units", 1.0, ""),
    (2, "Pack of 6", 6.0, "Units"),
    (4, "Hours", 1.0, ""),
    (5, "Days", 8.0, "Hours"),
    (6, "Minutes", 0.0166667, "Hours"),
    (7, "mm", 1.0, ""),
    (8, "cm", 10.0, "mm"),
    (9, "m", 100.0, "cm"),
    (11, "m²", 1.0, ""),
    (12, "ml", 1.0, ""),
    (13, "L", 1000.0, "ml"),
    (15, "g", 1.0, ""),
    (16, "kg", 1000.0, "g"),
    (17, "Ton", 1000.0, "kg"),
)
"""Id, name, factor and unit that it is a multiple of, as in a fresh Odoo 19."""
_USERS: Final = (
    ("OdooBot", "__system__"),
    ("Administrator", "admin"),
    ("Public user", "public"),
    ("Portal User Template", "portaltemplate"),
    ("UNS Bridge", "uns-bridge"),
)
"""In the order of their ids."""
_STAGES: Final = (
    ("New Request", 1, False),
    ("In Progress", 2, False),
    ("Repaired", 3, True),
    ("Scrap", 4, True),
)


def furnish(database: Database) -> None:
    """Fill an empty database with the company, its places, units, reasons and users, and with the installed inbox."""
    database.user = ADMINISTRATOR
    with database.savepoint():
        database.create("res.company", {"name": "My Company"})
        database.create("resource.calendar", {"name": "Standard 40 hours/week", "tz": "UTC"})
        _users(database)
        _units(database)
        _places(database)
        _reasons(database)
        _models(database)
        if quality.CHECKS in database.models:
            database.create("quality.alert.team", {"name": "Main Quality Team"})
            database.create("quality.point.test_type", {"name": "Pass - Fail", "technical_name": "passfail"})
        _install_inbox(database)


def refer(database: Database, module: str, name: str, record: Record) -> None:
    """Give a record its external id."""
    database.create(
        "ir.model.data",
        {"module": module, "name": name, "model": record.model, "res_id": record.id, "noupdate": True},
    )


def reference(database: Database, external_id: str) -> Record | None:
    """The record of `module.name`, if it is there."""
    module, _, name = external_id.partition(".")
    for row in database.find("ir.model.data", "name", name):
        if row.text("module") == module and database.exists(row.text("model"), row.integer("res_id")):
            return database.browse(row.text("model"), row.integer("res_id"))
    return None


def _users(database: Database) -> None:
    for name, login in _USERS:
        partner = database.create("res.partner", {"name": name, "email": f"{login.strip('_')}@example.com"})
        database.create(
            "res.users",
            {
                "name": name,
                "login": login,
                "email": partner.get("email"),
                "company_id": COMPANY,
                "company_ids": [[6, 0, [COMPANY]]],
                "partner_id": partner.id,
                "active": login in ("admin", "uns-bridge"),
            },
        )


def _units(database: Database) -> None:
    made: dict[str, Record] = {}
    for id, name, factor, of in _UNITS:
        above = made[of].id if of else None
        values: Row = {"name": name, "relative_factor": factor, "relative_uom_id": above, "active": name != "cm"}
        made[name] = database.create("uom.uom", values, id=id)


def _places(database: Database) -> None:
    """Locations, the warehouse and its kinds of operation, with the ids that they have in a fresh Odoo 19."""
    view = database.create("stock.location", {"name": "WH", "usage": "view", "company_id": COMPANY}, id=4)
    inside: Row = {"location_id": view.id, "usage": "internal", "company_id": COMPANY}
    shelf = database.create("stock.location", {"name": "Stock", **inside}, id=5)
    for id, name, usage in ((11, "Inventory adjustment", "inventory"), (12, "Production", "production")):
        database.create("stock.location", {"name": name, "usage": usage, "company_id": COMPANY}, id=id)
    hold = database.create("stock.location", {"name": "Quality Hold", **inside}, id=15)
    refer(database, MODULE, f"location_hold_{COMPANY}", hold)
    places: Row = {"view_location_id": view.id, "lot_stock_id": shelf.id}
    warehouse = database.create("stock.warehouse", {"name": "My Company", "code": "WH", **places})
    for id, name, code in ((7, "Internal Transfers", "internal"), (11, "Manufacturing", "mrp_operation")):
        values: Row = {"name": name, "code": code, "sequence_code": code[:3].upper(), "warehouse_id": warehouse.id}
        from_to: Row = {"default_location_src_id": shelf.id, "default_location_dest_id": shelf.id}
        kind = database.create("stock.picking.type", {**values, **from_to}, id=id)
        if code == "internal":
            warehouse.write(int_type_id=kind.id)


def _reasons(database: Database) -> None:
    kinds = {}
    for kind in ("availability", "performance", "quality", "productive"):
        kinds[kind] = database.create("mrp.workcenter.productivity.loss.type", {"loss_type": kind})
        refer(database, "mrp", f"category_{kind}", kinds[kind])
    for external_id, name, kind, manual, sequence in _LOSSES:
        values: Row = {"name": name, "loss_id": kinds[kind].id, "manual": manual, "sequence": sequence}
        refer(database, "mrp", external_id, database.create("mrp.workcenter.productivity.loss", values))
    other: Row = {"name": "Unclassified", "loss_id": kinds["availability"].id, "manual": True, "sequence": 9}
    refer(database, MODULE, "loss_unclassified", database.create("mrp.workcenter.productivity.loss", other))
    for name, sequence, done in _STAGES:
        database.create("maintenance.stage", {"name": name, "sequence": sequence, "done": done, "fold": done})
    database.create("maintenance.team", {"name": "Internal Maintenance"})
    database.create("maintenance.equipment.category", {"name": "Machines"})


def _models(database: Database) -> None:
    """All models. Those whose records have inspections in people's lists come first, with the external ids by which
    users know them who may not read models."""
    inspected = {"mrp.production": "mrp", "stock.lot": "stock", "maintenance.equipment": "maintenance"}
    for name in dict.fromkeys((*inspected, *sorted(database.models))):
        model = database.create("ir.model", {"name": database.models[name].title, "model": name})
        if name in inspected:
            refer(database, inspected[name], f"model_{name.replace('.', '_')}", model)
    refer(database, "mail", "mail_activity_data_todo", database.create("mail.activity.type", {"name": "To-Do"}))


def _install_inbox(database: Database) -> None:
    """Where a real server has the actions' texts, the simulator has `protocol.py`, which does what those texts say."""
    for addon, name in (("base", "group_system"), ("mrp", "group_mrp_manager")):
        refer(database, addon, name, database.create("res.groups", {"name": name, "user_ids": [[4, ADMINISTRATOR]]}))
    refer(database, "mrp", "menu_mrp_root", database.create("ir.ui.menu", {"name": "Manufacturing"}))
    group = database.create("res.groups", {"name": "UNS bridge", "user_ids": [[4, INTEGRATION]]})
    refer(database, MODULE, "group_bridge", group)
    (model,) = database.find("ir.model", "model", MODEL)
    refer(database, MODULE, "model_tx", model)
    for one in ACTIONS:
        action = database.create("ir.actions.server", {"name": "UNS bridge inbox (simulated)", "model_id": model.id})
        refer(database, MODULE, one.name, action)
        database.create(MODEL, {"x_name": one.marker, "x_kind": "@guard", "x_state": "done", "x_res_id": action.id})
    mark_inbox(database)


def mark_inbox(database: Database) -> None:
    """Say in the marker rows that the inbox is that of the bridge's version that runs now."""
    for action in ACTIONS:
        marker = database.find(MODEL, "x_name", action.marker)[0]
        marker.write(x_res_model="ir.actions.server", x_hash=inbox_hash())
