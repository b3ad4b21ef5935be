"""Expressions and texts of a rule file: compiled, with every error at its place in the file."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from ruamel.yaml.nodes import ScalarNode

from ruleset.cel import CelError, Expression, Kind, Scope, references
from ruleset.document import Node
from ruleset.form.moment import Template
from ruleset.problem import Problem

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")


def read_expression(node: Node, scope: Scope, kinds: Collection[Kind], what: str) -> Expression | None:
    """Compile the text of a node; None, and a problem, where it is wrong. `what` begins a sentence about its kind."""
    text = node.scalar()
    return None if text is None else _compiled(node, text, 0, scope, kinds, what)


def read_condition(node: Node, scope: Scope) -> Expression | None:
    return read_expression(node, scope, (Kind.BOOLEAN,), "a condition")


def read_template(node: Node, scope: Scope) -> Template | None:
    """A text with `{expression}` in it."""
    text = node.text()
    if text is None:
        return None
    parts: list[str | Expression] = []
    done = 0
    for match in _PLACEHOLDER.finditer(text):
        expression = _compiled(node, match[1], match.start(1), scope, tuple(Kind), "this")
        if expression is None:
            return None
        parts += [text[done : match.start()], expression]
        done = match.end()
    return Template((*parts, text[done:]))


def references_of(node: Node, *, template: bool = False) -> frozenset[str]:
    """The dotted names that the expression of a node, or the placeholders of a text, refer to."""
    if node.is_mapping or node.is_sequence or node.is_null:
        return frozenset()
    text = str(node.raw.value)
    if not template:
        return references(text)
    return frozenset().union(*(references(match[1]) for match in _PLACEHOLDER.finditer(text)))


def problem_within(node: Node, offset: int, text: str) -> None:
    """Record a problem at a character of a node's text; at the node itself where the text spans lines."""
    raw = node.raw
    line, column = node.line, node.column
    if isinstance(raw, ScalarNode) and raw.start_mark.line == raw.end_mark.line:
        column += offset + _quoting(str(raw.value), raw.style, offset)
    node.problems.add(Problem(file=node.file, line=line, column=column, text=text))


def _quoting(value: str, style: str | None, offset: int) -> int:
    """How many characters more stand in the file before an offset of the value."""
    if style == "'":
        return 1 + value[:offset].count("'")
    if style == '"':
        return 1 + sum(value[:offset].count(each) for each in _escaped())
    return 0


def _escaped() -> Iterator[str]:
    yield from ('"', "\\", "\n", "\t")


def _compiled(
    node: Node, text: str, offset: int, scope: Scope, kinds: Collection[Kind], what: str
) -> Expression | None:
    compiled = scope.compile(text)
    if isinstance(compiled, CelError):
        problem_within(node, offset + compiled.offset, compiled.text)
        return None
    if compiled.kind is not Kind.ANY and compiled.kind not in kinds:
        wanted = " or ".join(kind.value for kind in kinds if kind is not Kind.ANY)
        problem_within(node, offset, f"{what} must be {wanted}; this is {compiled.kind}")
        return None
    return compiled
