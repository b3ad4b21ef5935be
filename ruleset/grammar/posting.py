"""`do`, `with`, `need` and `order` of a rule, read against the vocabulary of actions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from ruleset.cel import EvaluationFailed, Expression, Kind
from ruleset.codes import LOSSES, OWN_LOSSES, UNITS
from ruleset.document import Node
from ruleset.equipment import Assets, Equipment
from ruleset.form.posting import Need, Posting, Then
from ruleset.form.vocabulary import ACTIONS, PROGRESS, Action, Lacking, Want, converted
from ruleset.grammar.expression import read_condition, read_expression, read_template
from ruleset.grammar.scope import Names, units
from ruleset.problem import suggest
from ruleset.unit import Factor
from ruleset.unit import factor as factor_between

RUNNING: Final = "running"
WHILE_OPEN: Final = "while_open"


def read_then(
    keys: Mapping[str, Node], names: Names, equipment: Equipment, assets: Assets, reads: frozenset[str]
) -> Then | None:
    """Read what a rule does: `do`, or the text of its `alert`."""
    if "do" in keys:
        return read_posting(keys["do"], keys, names, equipment, assets, reads)
    for key in sorted(keys.keys() & {"with", "need", "order"}):
        keys[key].problem(f"`{key}` belongs to `do`; an alert is a text only")
    return read_template(keys["alert"], names)


def read_posting(
    do: Node,
    keys: Mapping[str, Node],
    names: Names,
    equipment: Equipment,
    assets: Assets,
    reads: frozenset[str] = frozenset(),
) -> Posting | None:
    """Read what is to be posted; `keys` hold `with`, `need` and `order`. `reads` are names that conditions read."""
    name = _read_action(do)
    if name is None:
        return None
    action = ACTIONS[name]
    order = _read_order(keys["order"], names) if "order" in keys else None
    if action.needs_order and "order" not in keys:
        do.problem(f"{name} belongs to an order: add `order: running`, or an expression that names it")
    values = _read_values(do, keys.get("with"), name, action, names)
    if "loss" in values:
        check_loss(keys["with"].mapping()["loss"], values["loss"], assets)
    unit, factor = _unit(keys.get("with"), values, equipment, assets) if action.has_unit else (None, None)
    needs = _read_needs(keys["need"], names) if "need" in keys else ()
    _check_equipment(do, name, action, equipment, assets)
    read = frozenset().union(*(each.names for each in values.values()), *(each.that.names for each in needs))
    read = read.union(order.names if isinstance(order, Expression) else ())
    return Posting(
        action=name,
        order=order,
        values=values,
        unit=unit,
        factor=factor,
        needs=needs,
        reads=read | reads,
    )


def _read_action(do: Node) -> str | None:
    name = do.text()
    if name is None or name in ACTIONS:
        return name
    if name == PROGRESS:
        do.problem(f"{PROGRESS} posts a counter's total: it needs `collect` and `post`")
    else:
        do.problem(f'unknown action "{name}"{suggest(name, [*ACTIONS, PROGRESS])}')
    return None


def _read_order(node: Node, names: Names) -> Expression | str | None:
    if node.is_text and node.raw.value == RUNNING:
        return RUNNING
    return read_expression(node, names, (Kind.TEXT,), "an order")


def _read_values(do: Node, given: Node | None, name: str, action: Action, names: Names) -> dict[str, Expression]:
    parameters = action.parameters
    allowed = {*parameters, "unit"} if action.has_unit else set(parameters)
    entries = given.mapping(allowed=allowed) if given is not None else {}
    for missing in sorted(key for key, each in parameters.items() if each.required and key not in entries):
        (given or do).problem(f'{name} needs "{missing}" under `with`')
    values: dict[str, Expression] = {}
    for key, node in entries.items():
        if key != "unit":
            expression = read_expression(node, names, (parameters[key].want.kind,), f'"{key}"')
            if expression is not None:
                values[key] = expression
                _check_constant(node, expression, parameters[key].want)
    return values


def _check_constant(node: Node, value: Expression, want: Want) -> None:
    """What is written there outright must be possible there."""
    answer = None if value.names else value.evaluate({})
    found = answer if isinstance(answer, EvaluationFailed) else converted(want, answer)
    if isinstance(found, Lacking):
        node.problem(found.reason)
    elif isinstance(found, EvaluationFailed):
        node.problem(found.text)


def check_loss(node: Node, loss: Expression, assets: Assets) -> None:
    """A loss that is written outright, or is a table's meaning, must be one that Odoo has a reason for."""
    known = LOSSES | assets.codes.get(OWN_LOSSES, {}).keys()
    answer = None if loss.names else loss.evaluate({})
    if isinstance(answer, str) and answer not in known:
        node.problem(f'"{answer}" is no loss category{suggest(answer, known)}')
    table = re.fullmatch(r"\s*codes\.(\w+)\[.*\]\s*", loss.text)
    wrong = [each for each in assets.codes.get(table[1], {}).values() if each not in known] if table else []
    if table is not None and wrong:
        node.problem(f'codes.{table[1]} has "{wrong[0]}", which is no loss category{suggest(wrong[0], known)}')


def read_once(node: Node) -> int | None:
    """`while_open` is None; else a duration."""
    text = node.scalar() or ""
    if text == WHILE_OPEN:
        return None
    if not text[:1].isdigit() and not text.startswith("param."):
        node.problem(f'expected {WHILE_OPEN} or a duration such as 24h, found "{text}"')
        return None
    return node.duration()


def read_unit(
    given: Node | None, quantities: Mapping[str, Node], name: str, equipment: Equipment, assets: Assets
) -> tuple[str | None, Factor | None]:
    """The unit that `with` says, else the one of the signal or field `name` that the quantity is; and the factor to it
    from the signal's own unit, where that is another."""
    entries = given.mapping() if given is not None and given.is_mapping else {}
    own = units(equipment).get(name)
    node = entries.get("unit") or quantities.get(name)
    unit = entries["unit"].text() if "unit" in entries else own
    if node is None:
        return unit, None
    known = assets.codes.get(UNITS, {})
    if unit is None:
        if "unit" not in entries:
            node.problem("this quantity has no unit: give its signal one in assets.yaml, or add `unit` here")
    elif unit not in known:
        if "unit" in entries:
            node.problem(f'unknown unit "{unit}"{suggest(unit, known)}')
    elif not known[unit]:
        node.problem(f'"{unit}" is only measured: codes.yaml names no unit of Odoo for it{_other(unit, assets)}')
    elif own is not None and own != unit:
        return unit, _factor(node, own, unit, assets)
    return unit, None


def _other(unit: str, assets: Assets) -> str:
    """The unit that could be posted instead."""
    mine, known = assets.measures.get(unit), assets.codes.get(UNITS, {})
    fitting = [
        name
        for name, one in assets.measures.items()
        if mine is not None and known.get(name) and factor_between(mine, one)
    ]
    return f"; add `unit: {fitting[0]}` here" if fitting else ""


def _factor(node: Node, own: str, unit: str, assets: Assets) -> Factor | None:
    """From the signal's unit to the posted one. One to one needs none."""
    measured, posted = assets.measures.get(own), assets.measures.get(unit)
    if measured is None or posted is None:
        return None
    found = factor_between(measured, posted)
    if found is None:
        node.problem(
            f'"{own}" ({measured.kind}) does not convert to "{unit}" ({posted.kind}); write the quantity as a '
            f"calculation with what one of them is, such as `net / 0.4`, or say it in a table own_units of codes.yaml"
        )
    return None if found == Factor(Decimal(1), Decimal(1)) else found


def _unit(
    given: Node | None, values: Mapping[str, Expression], equipment: Equipment, assets: Assets
) -> tuple[str | None, Factor | None]:
    if given is None or "quantity" not in values:
        return None, None
    name = values["quantity"].text.strip()
    return read_unit(given, {name: given.mapping()["quantity"]}, name, equipment, assets)


def _read_needs(node: Node, names: Names) -> tuple[Need, ...]:
    needs: list[Need] = []
    for each in node.items():
        keys = each.mapping(allowed={"that", "else"}, required={"that", "else"})
        that = read_condition(keys["that"], names) if "that" in keys else None
        otherwise = read_template(keys["else"], names) if "else" in keys else None
        if that is not None and otherwise is not None:
            needs.append(Need(that, otherwise))
    return tuple(needs)


def _check_equipment(do: Node, name: str, action: Action, equipment: Equipment, assets: Assets) -> None:
    if action.from_equipment is not None and not getattr(equipment, action.from_equipment):
        relative = equipment.path.removeprefix(assets.path + "/")
        do.problem(f"{relative} has no {action.from_equipment} in assets.yaml, which {name} needs")
