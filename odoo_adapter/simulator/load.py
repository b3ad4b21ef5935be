"""`load`: rows of text with external ids become records, all of them or none; what is there already is left or updated.

As in Odoo, a row that does not fit is no fault: the answer has no ids, and says why.
"""

from __future__ import annotations

from typing import Final

from odoo_adapter.simulator.company import refer, reference
from odoo_adapter.simulator.errors import Fault
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.records.record import Record
from odoo_adapter.simulator.records.schema import Call, Method, Row
from ruleset.sample import Plain

_BY_ID: Final = "/.id"
_BY_NAME: Final = "/id"


def _run(database: Database, records: list[Record], call: Call) -> Plain:
    fields, data = call.arguments["fields"], call.arguments["data"]
    names = [str(name) for name in fields] if isinstance(fields, list) else []
    ids: list[Plain] = []
    try:
        with database.savepoint():
            for row in data if isinstance(data, list) else []:
                values = dict(zip(names, row if isinstance(row, list) else [], strict=True))
                ids.append(_one(database, call, values))
    except Fault as fault:
        return {"ids": False, "messages": [{"type": "error", "message": fault.message}], "nextrow": 0}
    return {"ids": ids, "messages": [], "nextrow": 0}


def _one(database: Database, call: Call, row: Row) -> int:
    module, _, name = str(row.pop("id")).partition(".")
    values = dict(_value(database, call.model, field, value) for field, value in row.items())
    for known in database.find("ir.model.data", "name", name):
        if known.text("module") == module and database.exists(call.model, known.integer("res_id")):
            record = database.browse(call.model, known.integer("res_id"))
            if not known.flag("noupdate"):
                database.write(record, values)
            return record.id
    record = database.create(call.model, values)
    refer(database, module, name, record)
    return record.id


def _value(database: Database, model: str, field: str, value: Plain) -> tuple[str, Plain]:
    """A cell's text as a record takes it: links by database ids, or by external ones."""
    if field.endswith(_BY_NAME):
        linked = reference(database, str(value))
        return field.removesuffix(_BY_NAME), linked.id if linked is not None else None
    name, by_id, _ = field.partition(_BY_ID)
    if not by_id:
        return name, value
    ids: list[Plain] = [int(id) for id in str(value).split(",")]
    return name, [[6, 0, ids]] if database.models[model].fields[name].type == "many2many" else ids[0]


load: Final = Method(run=_run, parameters=("fields", "data"), required=("fields", "data"), on_model=True)
