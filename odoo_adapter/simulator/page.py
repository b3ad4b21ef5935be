"""The simulator's page: what an Odoo user would look for after a run, in one place. It says what it is."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from odoo_adapter.inbox.install import MODEL as INBOX
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record
from odoo_adapter.simulator.records.value import answered
from ruleset.sample import Plain

MOST: Final = 100
_SECTIONS: Final[tuple[tuple[str, str, list[Plain], tuple[str, ...]], ...]] = (
    (
        "Manufacturing orders",
        "mrp.production",
        [],
        ("name", "product_id", "product_qty", "qty_producing", "state", "lot_producing_ids", "location_dest_id"),
    ),
    ("Work orders", "mrp.workorder", [], ("production_id", "name", "workcenter_id", "state", "date_start", "duration")),
    (
        "Stock",
        "stock.quant",
        [["location_id.usage", "=", "internal"]],
        ("product_id", "lot_id", "location_id", "quantity", "reserved_quantity"),
    ),
    ("Scrap", "stock.scrap", [], ("name", "production_id", "product_id", "scrap_qty", "lot_id", "state", "origin")),
    (
        "Time records",
        "mrp.workcenter.productivity",
        [],
        ("workcenter_id", "workorder_id", "loss_id", "date_start", "date_end", "description"),
    ),
    (
        "Maintenance requests",
        "maintenance.request",
        [],
        ("name", "equipment_id", "maintenance_type", "priority", "request_date", "stage_id"),
    ),
    (
        "Bridge transactions",
        INBOX,
        [["x_kind", "not in", ["@guard", "@upto"]]],
        ("x_name", "x_kind", "x_state", "x_order_id", "x_message", "x_by", "x_done_at"),
    ),
)
_STYLE: Final = (
    "body{font:14px system-ui,sans-serif;margin:1.5rem;color-scheme:light dark}table{border-collapse:collapse}"
    "th,td{text-align:left;padding:.2rem .6rem;border-bottom:1px solid #8886}th{font-weight:600}"
    ".what{background:#fc06;padding:.6rem;border-radius:.3rem}section{overflow-x:auto}"
)


def page(database: Database, version: str) -> str:
    """The page as HTML, newest records first, at most a hundred of each kind."""
    parts = "".join(_section(database, *one) for one in _SECTIONS)
    return (
        '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Odoo simulator</title>'
        f"<style>{_STYLE}</style><h1>This is a simulator</h1>"
        f'<p class="what">It answers like Odoo {escape(version)} as far as the UNS bridge asks. It is not Odoo and '
        "keeps no books. It is for demonstrations and tests.</p>"
        f"{parts}</html>"
    )


def _section(database: Database, title: str, model: str, domain: list[Plain], fields: Sequence[str]) -> str:
    found = sorted(database.search(model, domain), key=lambda record: -record.id)
    heads = "".join(f"<th>{escape(database.models[model].fields[name].label)}</th>" for name in fields)
    rows = "".join(_row(record, fields) for record in found[:MOST])
    shown = f"{len(found)}" if len(found) <= MOST else f"{MOST} of {len(found)}"
    return f"<section><h2>{escape(title)} ({shown})</h2><table><tr>{heads}</tr>{rows}</table></section>"


def _row(record: Record, fields: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<td>{escape(_text(record, name))}</td>" for name in fields) + "</tr>"


def _text(record: Record, name: str) -> str:
    match answered(record, name):
        case False | None:
            return ""
        case [int(), str(shown)]:
            return shown
        case list():
            return ", ".join(one.text("name") for one in record.links(name))
        case value:
            return str(value)
