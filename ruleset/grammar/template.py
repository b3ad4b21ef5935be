"""Templates: a rule for a class of equipment, written once, with parameters that each use and each equipment may set.

In the body `param.<name>` is a constant: in expressions its value, and alone where a number, a duration or a name
stands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, TypeAlias

from ruamel.yaml.nodes import ScalarNode

from ruleset.codes import UNITS
from ruleset.document import Argument, Node
from ruleset.equipment import Assets, Equipment
from ruleset.grammar.selection import matching
from ruleset.problem import suggest

Arguments: TypeAlias = Mapping[str, Argument]

TEMPLATE_KEYS: Final = frozenset({"template", "parameters"})
"""What a template has beside the body that is a rule's."""
USE_KEYS: Final = frozenset({"rule", "use", "assets", "parameters", "override"})
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


class ParameterType(StrEnum):
    """What a parameter's value is."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"
    DURATION = "duration"
    SIGNAL = "signal"
    """The name of a signal; each use says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """`default` None: each use must give it."""

    name: str
    type: ParameterType
    unit: str | None
    default: Argument | None


@dataclass(frozen=True, slots=True)
class RuleTemplate:
    node: Node
    parameters: Mapping[str, Parameter]

    def body(self, arguments: Arguments) -> Node:
        return replace(self.node, arguments=arguments)


def read_rule_template(node: Node, assets: Assets) -> RuleTemplate | None:
    """Read the head of a template; its body is read with each use. None where the head is wrong."""
    before = len(node.problems)
    keys = node.mapping()
    parameters: dict[str, Parameter] = {}
    for word, key, each in keys["parameters"].entries() if "parameters" in keys else ():
        if not _NAME.fullmatch(word):
            key.problem(f'parameter name "{word}" must be lower case letters, digits and _, starting with a letter')
        parameter = _read_parameter(word, each, assets)
        if parameter is not None:
            parameters[word] = parameter
    return RuleTemplate(node, parameters) if len(node.problems) == before else None


def _read_parameter(name: str, node: Node, assets: Assets) -> Parameter | None:
    keys = node.mapping(allowed={"type", "unit", "default"}, required={"type"})
    word = keys["type"].choice(tuple(ParameterType)) if "type" in keys else None
    if word is None:
        return None
    kind = ParameterType(word)
    unit = keys["unit"].text() if "unit" in keys else None
    known = assets.codes.get(UNITS, {})
    if unit is not None and kind is not ParameterType.NUMBER:
        keys["unit"].problem(f"only a number has a unit, this is {kind}")
    elif unit is not None and unit not in known:
        keys["unit"].problem(f'unit "{unit}" does not stand in the table units of codes.yaml{suggest(unit, known)}')
    default = _read_argument(keys["default"], kind, unit) if "default" in keys else None
    return Parameter(name=name, type=kind, unit=unit, default=default)


@dataclass(frozen=True, slots=True)
class Use:
    """A template with the arguments that a rule gives it: for all its equipment, and for some of it others."""

    template: RuleTemplate
    arguments: Arguments
    overrides: tuple[tuple[frozenset[str], Arguments], ...]

    def arguments_at(self, equipment: Equipment) -> Arguments:
        """A later line of `override` goes before an earlier one."""
        found = dict(self.arguments)
        for paths, arguments in self.overrides:
            if equipment.path in paths:
                found |= arguments
        return found


def read_use(node: Node, templates: Mapping[str, RuleTemplate | None], assets: Assets) -> Use | None:
    """Read a rule that uses a template; None where it, or the template (which is None then), is wrong."""
    before = len(node.problems)
    keys = node.mapping(allowed=USE_KEYS, required={"rule", "use", "assets"})
    name = keys["use"].text() if "use" in keys else None
    if name is None:
        return None
    if name not in templates:
        keys["use"].problem(f'unknown template "{name}"{suggest(name, templates)}')
    if (template := templates.get(name)) is None:
        return None
    given = _read_arguments(keys["parameters"], template.parameters, assets) if "parameters" in keys else {}
    defaults = {name: each.default for name, each in template.parameters.items() if each.default is not None}
    arguments = {**defaults, **given}
    for parameter in template.parameters.values():
        if parameter.name not in arguments:
            unit = f" in {parameter.unit}" if parameter.unit else ""
            node.problem(f'template "{name}" needs the parameter "{parameter.name}", a {parameter.type}{unit}')
    fixed = {name for name, each in template.parameters.items() if each.type is ParameterType.SIGNAL}
    overrides: list[tuple[frozenset[str], Arguments]] = []
    for line in keys["override"].items() if "override" in keys else ():
        overrides += _read_override(line, keys.get("assets"), template.parameters, fixed, assets)
    return Use(template, arguments, tuple(overrides)) if len(node.problems) == before else None


def _read_override(
    line: Node, chosen: Node | None, parameters: Mapping[str, Parameter], fixed: Collection[str], assets: Assets
) -> list[tuple[frozenset[str], Arguments]]:
    required = {"assets", "parameters"}
    keys = line.mapping(allowed=required, required=required)
    if not required <= keys.keys() or chosen is None:
        return []
    for name, key, _ in keys["parameters"].entries():
        if name in fixed:
            key.problem(f'"{name}" names a signal, which is the same for all equipment of a rule; write a second rule')
    paths = frozenset(each.path for each in matching(keys["assets"], assets))
    all_paths = {each.path for each in matching(chosen, assets)}
    if paths and not paths & all_paths:
        keys["assets"].problem("this rule is for none of that equipment, so there is nothing to override")
    return [(paths, _read_arguments(keys["parameters"], parameters, assets))]


def _read_arguments(node: Node, parameters: Mapping[str, Parameter], assets: Assets) -> Arguments:
    found: dict[str, Argument] = {}
    signals = {name for each in assets.equipment.values() for name in each.signals}
    for name, key, value in node.entries():
        if name not in parameters:
            key.problem(f'the template has no parameter "{name}"{suggest(name, parameters)}')
        elif (argument := _read_argument(value, parameters[name].type, parameters[name].unit)) is not None:
            if parameters[name].type is ParameterType.SIGNAL and argument.literal not in signals:
                value.problem(f'unknown signal "{argument.literal}"{suggest(argument.literal, signals)}')
            found[name] = argument
    return found


def _read_argument(node: Node, kind: ParameterType, unit: str | None) -> Argument | None:
    literal = _literal(node, kind)
    return Argument(node.raw, literal, unit) if literal is not None and isinstance(node.raw, ScalarNode) else None


def _literal(node: Node, kind: ParameterType) -> str | None:
    """The value as an expression writes it; a duration is its milliseconds there."""
    match kind:
        case ParameterType.NUMBER:
            number = node.number()
            return None if number is None else f"({number!r})" if number < 0 else repr(number)
        case ParameterType.DURATION:
            length_ms = node.duration()
            return None if length_ms is None else str(length_ms)
        case ParameterType.BOOLEAN:
            answer = node.boolean()
            return None if answer is None else str(answer).lower()
        case ParameterType.TEXT:
            text = node.text()
            return None if text is None else json.dumps(text, ensure_ascii=False)
        case ParameterType.SIGNAL:
            return node.text()
