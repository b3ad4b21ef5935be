"""assets.yaml, codes.yaml and workflows.yaml."""

from __future__ import annotations

from typing import Final

from bridge.plant import ACTIONS, Mode, OnFailure, SystemOfRecord
from ruleset.codes import FAULT_REASON, LOSSES, OWN_LOSSES, OWN_UNITS, UNITS
from ruleset.equipment import ReleasedAs, Role, ValueType, WithoutOrder
from ruleset.shift.read import DAYS
from tests.schema.piece import (
    DRAFT,
    Schema,
    choice,
    described,
    duration,
    mapping,
    one_or_some,
    some,
    table,
    text,
)

_NAME: Final = "^[a-z][a-z0-9_]*$"
_DAY: Final = {"type": "string", "pattern": f"^({'|'.join(DAYS)})(-({'|'.join(DAYS)}))?$"}
_CLOCK: Final = {"type": "string", "pattern": r"^([01]?\d|2[0-3]):[0-5]\d$"}
_UNIT: Final = text("A unit of the table `units` of codes.yaml.")
_TYPE: Final = choice(ValueType, "What it holds.")


def _fields(*, lists: bool) -> Schema:
    plain = mapping(
        {"type": _TYPE, "unit": _UNIT, "optional": {"type": "boolean", "description": "It may be missing."}}, {"type"}
    )
    choices = [choice(ValueType), plain]
    if lists:
        members = {"list": _fields(lists=False), "optional": {"type": "boolean"}}
        choices.append(mapping(members, {"list"}, "A list of objects with these fields."))
    return table({"anyOf": choices}, "The event's fields; `id` and `at` belong to every event.", names=_NAME)


_WITHOUT_ORDER: Final = choice(WithoutOrder, "What becomes of what happens while no order runs.")
_STARTED: Final = mapping(
    {
        "started_by": text("The event and its field that name an order that begins, such as work_started.order."),
        "ended_by": text("The event and its field that name an order that ends."),
        "without_order": _WITHOUT_ORDER,
    },
    {"started_by"},
    "The running order, as events tell it.",
)
_RELEASED: Final = mapping(
    {
        "released": choice(ReleasedAs, "What makes an order that is released to the work center the one that runs."),
        "without_order": _WITHOUT_ORDER,
    },
    {"released"},
    "The running order, as Odoo's order releases tell it.",
)
_VALUE: Final = mapping(
    {
        "metric": text("The Sparkplug metric that feeds it."),
        "type": _TYPE,
        "role": choice(Role, "What it is beyond its value."),
        "unit": _UNIT,
        "rollover": {"type": "integer", "minimum": 1, "description": "The number after which a counter starts at 0."},
        "without_order": _WITHOUT_ORDER,
        "deadband": {"type": "number", "minimum": 0, "description": "What differs by less changes nothing."},
    },
    {"metric", "type"},
    "A value.",
)
_GROUP: Final = mapping(
    {
        "group": text("The group of metrics."),
        "number": text("The metric in it that is the running number."),
        "fields": _fields(lists=False),
    },
    {"group", "number", "fields"},
    "An event as a group of metrics with a running number.",
)
_DATASET: Final = mapping(
    {"dataset": text("The DataSet metric with the last rows."), "fields": _fields(lists=False)},
    {"dataset", "fields"},
    "An event as a row of a DataSet.",
)
_TEMPLATE: Final = mapping(
    {"template": text("The metric that is an instance of a Sparkplug template."), "fields": _fields(lists=False)},
    {"template", "fields"},
    "An event as an instance of a template.",
)
_DOCUMENT: Final = mapping(
    {"document": text("The last level of its topic."), "fields": _fields(lists=True)},
    {"document", "fields"},
    "An event as a JSON document.",
)
_SIGNALS: Final = table(
    {"anyOf": [_VALUE, _GROUP, _DATASET, _TEMPLATE, _DOCUMENT, _STARTED, _RELEASED]},
    "By the names that rules say.",
    names=_NAME,
)
_EQUIPMENT: Final = mapping(
    {
        "type": text("One of `types`."),
        "source": mapping(
            {"group": text(), "node": text(), "device": text()},
            {"group", "node"},
            "The Sparkplug edge node, and device, whose metrics feed it.",
        ),
        "work_center": text("The code of the work center in Odoo."),
        "serial_number": text("The serial number of the equipment in Odoo's maintenance."),
        "signals": _SIGNALS,
    },
    {"type"},
)
_SHIFT: Final = mapping(
    {
        "name": text(),
        "days": one_or_some(_DAY, "The days on which it begins, such as mon-fri."),
        "from": described(_CLOCK, "By the clock on the wall, in quotes."),
        "to": described(_CLOCK, "By the clock on the wall, in quotes."),
        "areas": some(text(), "The areas that have only the shifts that name them."),
    },
    {"name", "days", "from", "to"},
)


def assets() -> Schema:
    properties = {
        "enterprise": text("The first level of every equipment path."),
        "site": text("The second level."),
        "timezone": text("That of the shifts, such as Europe/Berlin."),
        "company": {"type": "integer", "minimum": 1, "description": "The company's id in Odoo."},
        "types": table(mapping({"signals": _SIGNALS}, {"signals"}), "Kinds of equipment, with their signals."),
        "equipment": table(_EQUIPMENT, "By path below the site; a range {n:1..100} is one entry per number."),
        "shifts": some(_SHIFT, "The calendar of the site."),
    }
    return _whole(mapping(properties, properties.keys() - {"shifts"}), "Equipment of a plant")


def codes() -> Schema:
    losses = sorted(LOSSES)
    properties = {
        UNITS: table(text(), "The floor's unit: Odoo's unit of measure, empty where it is only measured."),
        OWN_UNITS: table(text(), "What a unit is that only this plant knows, such as `bag: 25 kg`."),
        FAULT_REASON: table(
            {"anyOf": [choice(losses), {"type": "string"}]}, f"A fault code: {', '.join(losses)}, or one of `losses`."
        ),
        OWN_LOSSES: table(text(), "The plant's own loss categories, each with the name of its reason in Odoo."),
    }
    schema = {
        "type": "object",
        "properties": properties,
        "additionalProperties": table(text(), "What the floor says: what Odoo calls it."),
        "propertyNames": {"pattern": _NAME},
    }
    return _whole(schema, "Code tables of a plant")


def workflows() -> Schema:
    properties = {
        "actions": some(choice(sorted(ACTIONS)), "What belongs to this workflow."),
        "system_of_record": choice(SystemOfRecord, "Whose word counts where two systems differ."),
        "mode": choice(Mode, "How soon it must reach the other side."),
        "latency": duration("The target, from the floor to Odoo."),
        "priority": {"type": "integer", "minimum": 1, "maximum": 99, "description": "Lower numbers go first."},
        "on_failure": choice(OnFailure, "What a dead letter does to the later entries of its lane."),
        "alert": text("Who is told when it is late; with `alert_after`."),
        "alert_after": duration("How late."),
        "short": choice(["close", "backorder"], "What becomes of a rest where less is completed than ordered."),
    }
    needed = properties.keys() - {"alert", "alert_after", "short"}
    row = mapping(properties, needed)
    row["dependencies"] = {"alert": ["alert_after"], "alert_after": ["alert"]}
    return _whole(table(row, "By a name of your own."), "The synchronisation matrix of a plant")


def _whole(schema: Schema, title: str) -> Schema:
    return {"$schema": DRAFT, "title": title, **schema}
