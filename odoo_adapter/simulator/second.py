"""A second company in the simulated database, as an administrator and the inbox's installer make it for its bridge."""

from __future__ import annotations

from odoo_adapter.inbox.install import MODULE
from odoo_adapter.seed import HOLD_LOCATION
from odoo_adapter.simulator.company import ADMINISTRATOR, refer, reference
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record
from odoo_adapter.simulator.records.schema import Row


def furnish_second(database: Database, name: str, login: str) -> Record:
    """Make a company with a warehouse of its own, which the administrator may work in too, and the user of its bridge.
    Returns that user."""
    database.user = ADMINISTRATOR
    with database.savepoint():
        company = database.create("res.company", {"name": name})
        for_all = database.browse("res.users", ADMINISTRATOR)
        for_all.write(company_ids=[[4, company.id]])
        _places(database, company)
        partner = database.create("res.partner", {"name": name, "email": f"{login}@example.com"})
        group = reference(database, f"{MODULE}.group_bridge")
        assert group is not None
        user: Row = {"name": f"UNS Bridge {name}", "login": login, "email": partner.get("email")}
        user |= {"partner_id": partner.id, "company_id": company.id, "company_ids": [[6, 0, [company.id]]]}
        return database.create("res.users", {**user, "active": True, "group_ids": [[4, group.id]]})


def _places(database: Database, company: Record) -> None:
    """The company's warehouse with what it needs to make goods, and where those on hold go."""
    own: Row = {"company_id": company.id}
    view = database.create("stock.location", {"name": f"WH{company.id}", "usage": "view", **own})
    inside: Row = {"location_id": view.id, "usage": "internal", **own}
    shelf = database.create("stock.location", {"name": "Stock", **inside})
    for name, usage in (("Inventory adjustment", "inventory"), ("Production", "production")):
        database.create("stock.location", {"name": name, "usage": usage, **own})
    hold = database.create("stock.location", {"name": HOLD_LOCATION, **inside})
    refer(database, MODULE, f"location_hold_{company.id}", hold)
    places: Row = {"view_location_id": view.id, "lot_stock_id": shelf.id, **own}
    warehouse = database.create("stock.warehouse", {"name": company.get("name"), "code": f"WH{company.id}", **places})
    from_to: Row = {"default_location_src_id": shelf.id, "default_location_dest_id": shelf.id, **own}
    for name, code in (("Internal Transfers", "internal"), ("Manufacturing", "mrp_operation")):
        kind: Row = {"name": name, "code": code, "sequence_code": code[:3].upper(), "warehouse_id": warehouse.id}
        database.create("stock.picking.type", {**kind, **from_to})
