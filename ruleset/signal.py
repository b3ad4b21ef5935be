"""The signals of an equipment type as `assets.yaml` writes them: a metric, or events in one of their forms."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from ruleset.document import Node
from ruleset.equipment import (
    AnySignal,
    DataSetBinding,
    DocumentBinding,
    EventField,
    EventSignal,
    Field,
    GroupBinding,
    MetricBinding,
    OrderBinding,
    ReleaseBinding,
    ReleasedAs,
    Role,
    Signal,
    TemplateBinding,
    ValueType,
    WithoutOrder,
)
from ruleset.problem import suggest

_CEL: Final = """true false null in as break const continue else for function if import let loop package namespace
return var void while int uint double bool string bytes list map type"""
_RULES: Final = "asset codes shift episode started ended loss timed_out counted now"
CEL_WORDS: Final = frozenset(_CEL.split())
RULE_WORDS: Final = frozenset(_RULES.split())
ENVELOPE: Final = frozenset({"id", "at"})
"""What every event carries by itself, in a document and in a row of a DataSet."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_LEVEL: Final = re.compile(r"[\w.-]+")
_TYPES: Final = tuple(ValueType)
_VALUE_KEYS: Final = frozenset({"metric", "type", "role", "unit", "rollover", "deadband", "without_order"})
_NUMERIC: Final = (ValueType.INTEGER, ValueType.NUMBER)
_FORMS: Final = ("metric", "group", "dataset", "template", "document", "started_by", "released")
_EVENT_FIELD: Final = re.compile(r"([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*)")


def read_signal(name: str, key: Node, node: Node, units: Collection[str] | None) -> AnySignal | None:
    """Read one signal, None where it cannot be understood. `units` None means that the units are not known."""
    if not _NAME.fullmatch(name):
        key.problem(f'signal name "{name}" must be lower case letters, digits and _, starting with a letter')
    elif name in CEL_WORDS or name in RULE_WORDS:
        key.problem(f'signal name "{name}" is reserved: it means something else in rules')
    forms = [form for form in _FORMS if node.is_mapping and form in node.mapping()]
    if len(forms) != 1:
        node.problem(
            f'signal "{name}" must be exactly one of: metric, group (with number), dataset, template, '
            "document, started_by, released" + (f"; it is {' and '.join(forms)}" if forms else "")
        )
        return None
    if forms == ["started_by"]:
        return _read_order(name, node)
    if forms == ["released"]:
        return _read_released(name, node)
    return _read_value(name, node, units) if forms == ["metric"] else _read_event(name, forms[0], node, units)


def check_orders(signals: Mapping[str, AnySignal], keys: Mapping[str, Node]) -> None:
    """What begins or ends an order must be a text field of an event beside it."""
    events = [each for each in signals.values() if isinstance(each, EventSignal)]
    known = {f"{each.name}.{field.name}" for each in events for field in each.fields if field.type is ValueType.TEXT}
    for signal in signals.values():
        if isinstance(signal, Signal) and isinstance(signal.binding, OrderBinding):
            entry = keys[signal.name].mapping()
            for node in (entry[word] for word in ("started_by", "ended_by") if word in entry):
                if (text := str(node.raw.value)) not in known:
                    node.problem(f'"{text}" is no text field of an event of this type{suggest(text, known)}')


def is_level(text: str) -> bool:
    """Whether `text` can be one level of an equipment path or the last level of a document's topic."""
    return _LEVEL.fullmatch(text) is not None


def metrics_of(signal: AnySignal) -> tuple[str, ...]:
    """The names of the Sparkplug metrics that feed the signal; none for a document."""
    match signal:
        case Signal(binding=MetricBinding(metric)):
            return (metric,)
        case Signal():
            return ()
        case EventSignal(binding=GroupBinding(group=group, number=number), fields=fields):
            return tuple(f"{group}/{name}" for name in (number, *(field.name for field in fields)))
        case EventSignal(binding=DataSetBinding(metric) | TemplateBinding(metric)):
            return (metric,)
        case EventSignal():
            return ()


def _read_value(name: str, node: Node, units: Collection[str] | None) -> Signal | None:
    keys = node.mapping(allowed=_VALUE_KEYS, required={"metric", "type"})
    metric = _metric(keys.get("metric"))
    kind = _type(keys.get("type"))
    word = keys["role"].choice([role.value for role in Role]) if "role" in keys else Role.VALUE.value
    rollover = keys["rollover"].integer(at_least=1) if "rollover" in keys else None
    unit = _unit(keys.get("unit"), kind, units)
    if metric is None or kind is None or word is None:
        return None
    role = Role(word)
    if role is Role.COUNTER and kind not in _NUMERIC:
        keys["type"].problem(f'a counter counts: its type must be integer or number, not "{kind}"')
    if role is Role.ORDER and kind is not ValueType.TEXT:
        keys["type"].problem(f'the role "order" names an order: its type must be text, not "{kind}"')
    if role is Role.STATE and kind not in (ValueType.TEXT, ValueType.INTEGER):
        keys["type"].problem(f'a state is a text or an integer, not "{kind}"')
    if "rollover" in keys and role is not Role.COUNTER:
        keys["rollover"].problem("only a counter rolls over; add `role: counter` or remove it")
    deadband = keys["deadband"].number(at_least=0) if "deadband" in keys else None
    if "deadband" in keys and (kind not in _NUMERIC or role is not Role.VALUE):
        keys["deadband"].problem("only a number that is no counter has a deadband; every count counts")
    if "without_order" in keys and role is not Role.ORDER:
        keys["without_order"].problem("only the signal that names the running order says this; add `role: order`")
    return Signal(
        name=name,
        type=kind,
        role=role,
        binding=MetricBinding(metric),
        unit=unit,
        rollover=rollover,
        deadband=deadband,
        without_order=_without_order(keys),
    )


def _read_order(name: str, node: Node) -> Signal | None:
    """The running order, as events tell it."""
    keys = node.mapping(allowed={"started_by", "ended_by", "without_order"}, required={"started_by"})
    said = {word: _event_field(keys[word]) for word in ("started_by", "ended_by") if word in keys}
    started_by = said.get("started_by")
    if started_by is None:
        return None
    binding = OrderBinding(started_by, said.get("ended_by"))
    return _order(name, binding, keys)


def _read_released(name: str, node: Node) -> Signal | None:
    """The running order, as Odoo's order releases tell it."""
    keys = node.mapping(allowed={"released", "without_order"})
    word = keys["released"].choice(tuple(ReleasedAs))
    return None if word is None else _order(name, ReleaseBinding(ReleasedAs(word)), keys)


def _order(name: str, binding: OrderBinding | ReleaseBinding, keys: Mapping[str, Node]) -> Signal:
    without = _without_order(keys)
    return Signal(name=name, type=ValueType.TEXT, role=Role.ORDER, binding=binding, without_order=without)


def _event_field(node: Node) -> EventField | None:
    text = node.text()
    match = _EVENT_FIELD.fullmatch(text or "")
    if text is not None and match is None:
        node.problem(f'"{text}" must be an event and one of its fields, such as work_started.order')
    return EventField(match[1], match[2]) if match is not None else None


def _without_order(keys: Mapping[str, Node]) -> WithoutOrder:
    word = keys["without_order"].choice(tuple(WithoutOrder)) if "without_order" in keys else None
    return WithoutOrder(word or WithoutOrder.REMARK)


def _read_event(name: str, form: str, node: Node, units: Collection[str] | None) -> EventSignal | None:
    own = {form, "number"} if form == "group" else {form}
    keys = node.mapping(allowed=own | {"fields"}, required=own | {"fields"})
    binding = _event_binding(form, keys)
    fields: list[Field] = []
    for field_name, key, value in keys["fields"].entries() if "fields" in keys else ():
        if form == "group" and "number" in keys and field_name == keys["number"].raw.value:
            key.problem(f'field "{field_name}" is the running number of the group already')
            continue
        field = _read_field(field_name, key, value, units, lists=form == "document")
        if field is not None:
            fields.append(field)
    return None if binding is None else EventSignal(name=name, binding=binding, fields=tuple(fields))


def _event_binding(
    form: str, keys: dict[str, Node]
) -> GroupBinding | DataSetBinding | TemplateBinding | DocumentBinding | None:
    word = _metric(keys.get(form))
    if form == "group":
        number = _metric(keys.get("number"))
        return None if word is None or number is None else GroupBinding(group=word, number=number)
    if word is None:
        return None
    if form == "dataset":
        return DataSetBinding(word)
    if form == "template":
        return TemplateBinding(word)
    if not is_level(word):
        keys[form].problem(f'"{word}" must be one topic level of letters, digits, "-", "_" and "."')
        return None
    return DocumentBinding(word)


def _read_field(name: str, key: Node, node: Node, units: Collection[str] | None, *, lists: bool) -> Field | None:
    if not _NAME.fullmatch(name):
        key.problem(f'field name "{name}" must be lower case letters, digits and _, starting with a letter')
    elif name in CEL_WORDS:
        key.problem(f'field name "{name}" is reserved: it means something else in rules')
    elif name in ENVELOPE:
        key.problem(f'field "{name}" is part of every event; do not declare it')
    if not node.is_mapping:
        kind = _type(node)
        return None if kind is None else Field(name=name, type=kind)
    if "list" in node.mapping():
        return _read_list(name, node, units, lists=lists)
    keys = node.mapping(allowed={"type", "unit", "optional"}, required={"type"})
    kind = _type(keys.get("type"))
    optional = keys["optional"].boolean() if "optional" in keys else False
    unit = _unit(keys.get("unit"), kind, units)
    return None if kind is None else Field(name=name, type=kind, unit=unit, optional=bool(optional))


def _read_list(name: str, node: Node, units: Collection[str] | None, *, lists: bool) -> Field | None:
    if not lists:
        node.problem(f'field "{name}" is a list; only a document can carry one')
        return None
    keys = node.mapping(allowed={"list", "optional"})
    optional = keys["optional"].boolean() if "optional" in keys else False
    members = [_read_field(member, key, value, units, lists=False) for member, key, value in keys["list"].entries()]
    if not members and keys["list"].is_mapping:
        keys["list"].problem("a list needs the fields of its members")
    items = tuple(member for member in members if member is not None)
    return Field(name=name, type=None, optional=bool(optional), items=items)


def _metric(node: Node | None) -> str | None:
    word = node.text() if node is not None else None
    if node is not None and word is not None and (not word or word != word.strip("/ ")):
        node.problem("a name must not be empty nor begin or end with a space or a slash")
        return None
    return word


def _type(node: Node | None) -> ValueType | None:
    word = node.choice(_TYPES) if node is not None else None
    return None if word is None else ValueType(word)


def _unit(node: Node | None, kind: ValueType | None, units: Collection[str] | None) -> str | None:
    if node is None:
        return None
    unit = node.text()
    if unit is not None and units is not None and unit not in units:
        node.problem(f'unit "{unit}" does not stand in the table units of codes.yaml{suggest(unit, units)}')
    if kind is not None and kind not in _NUMERIC:
        node.problem(f"only a number has a unit, this is {kind}")
    return unit
