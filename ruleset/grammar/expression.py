"""Expressions and texts of a rule file: compiled, with every error at its place in the file."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from ruamel.yaml.nodes import ScalarNode

from ruleset.cel import TOKEN, CelError, Expression, Kind, references
from ruleset.document import Argument, Node
from ruleset.form.moment import Template
from ruleset.grammar.check import check_names, constant, contradiction
from ruleset.grammar.scope import Names
from ruleset.problem import Problem, suggest

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_NO_SHIFTS: Final = 'unknown name "shift.'
_PROSE: Final = re.compile(r"[^\W\d][\w -]*")
"""What was meant as a text, where one is expected and this is no expression."""
_PARAMETER: Final = re.compile(r"param\s*\.\s*([A-Za-z_]\w*)")


class _Filled(NamedTuple):
    """An expression whose parameters are filled in, with the way back from its offsets; `unknown` is the first
    parameter that is none, with its offset."""

    text: str
    moved: tuple[tuple[int, int, int], ...]
    unknown: tuple[str, int] | None

    def original(self, offset: int) -> int:
        """Of an offset in `text`; what was filled in is all at its parameter's first character."""
        before = 0
        for start, end, shift in self.moved:
            if offset < start:
                break
            if offset < end:
                return start + before
            before = shift
        return offset + before


def read_expression(node: Node, names: Names, kinds: Collection[Kind], what: str) -> Expression | None:
    """Compile the text of a node; None, and a problem, where it is wrong. `what` begins a sentence about its kind."""
    text = node.scalar()
    return None if text is None else _compiled(node, text, 0, names, kinds, what)


def read_condition(node: Node, names: Names, *, may_always_be: bool = True) -> Expression | None:
    """Compile a condition. One that is never true is a problem, and where nothing would end it one that always is."""
    condition = read_expression(node, names, (Kind.BOOLEAN,), "a condition")
    if condition is None:
        return None
    answer = constant(condition)
    if answer is False:
        node.problem("this is never true")
    elif answer is True and not may_always_be:
        node.problem("this is always true")
    elif (why := contradiction(condition.text)) is not None:
        node.problem(why)
    return condition


def check_reachable(lines: Iterable[tuple[Node, Expression]]) -> None:
    """Of lines whose first that holds decides: one after a line that always holds, or like an earlier one, never
    does."""
    seen: dict[str, str] = {}
    always: str | None = None
    for node, condition in lines:
        text = " ".join(condition.text.split())
        if always is not None:
            node.problem(f"never reached: the condition at {always} is always true")
        elif text in seen:
            node.problem(f"never reached: it stands at {seen[text]} already")
        seen.setdefault(text, node.place)
        if constant(condition) is True:
            always = always or node.place


def read_template(node: Node, names: Names) -> Template | None:
    """A text with `{expression}` in it."""
    text = node.text()
    if text is None:
        return None
    parts: list[str | Expression] = []
    done = 0
    for match in _PLACEHOLDER.finditer(text):
        expression = _compiled(node, match[1], match.start(1), names, tuple(Kind), "this")
        if expression is None:
            return None
        parts += [text[done : match.start()], expression]
        done = match.end()
    return Template((*parts, text[done:]))


def names_of(expression: Expression | None) -> frozenset[str]:
    return frozenset(expression.names) if expression is not None else frozenset()


def references_of(node: Node, *, template: bool = False) -> frozenset[str]:
    """The dotted names that the expression of a node, or the placeholders of a text, refer to."""
    if node.is_mapping or node.is_sequence or node.is_null:
        return frozenset()
    text = str(node.raw.value)
    parts = [match[1] for match in _PLACEHOLDER.finditer(text)] if template else [text]
    return frozenset().union(*(references(_filled(part, node.arguments).text) for part in parts))


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


def _filled(text: str, arguments: Mapping[str, Argument] | None) -> _Filled:
    """The text with every `param.<name>` outside quotes replaced by its value."""
    if arguments is None:
        return _Filled(text, (), None)
    parts: list[str] = []
    moved: list[tuple[int, int, int]] = []
    unknown: tuple[str, int] | None = None
    done = length = 0
    for token in TOKEN.finditer(text):
        match = _PARAMETER.match(token.group()) if token.lastgroup == "name" else None
        if match is None or text[: token.start()].rstrip().endswith("."):
            continue
        if match[1] not in arguments:
            unknown = unknown or (match[1], token.start())
            continue
        literal = arguments[match[1]].literal
        parts += [text[done : token.start()], literal]
        start = length + token.start() - done
        done, length = token.start() + match.end(), start + len(literal)
        moved.append((start, length, done - length))
    return _Filled("".join((*parts, text[done:])), tuple(moved), unknown)


def _compiled(
    node: Node, text: str, offset: int, names: Names, kinds: Collection[Kind], what: str
) -> Expression | None:
    filled = _filled(text, node.arguments)
    if filled.unknown is not None:
        name, at = filled.unknown
        problem_within(node, offset + at, f'unknown parameter "{name}"{suggest(name, (node.arguments or {}).keys())}')
        return None
    compiled = names.scope.compile(filled.text)
    if isinstance(compiled, CelError):
        reason = compiled.text
        if reason.startswith(_NO_SHIFTS):
            reason = reason.partition(";")[0] + "; there are none here: say in assets.yaml when shifts are"
        if tuple(kinds) == (Kind.TEXT,) and _PROSE.fullmatch(text) and "did you mean" not in reason:
            reason += f"; a text is written \"'{text}'\""
        problem_within(node, offset + filled.original(compiled.offset), reason)
        return None
    given = {f"param.{name}": each for name, each in (node.arguments or {}).items()}
    units = {name: unit for name, each in given.items() if (unit := each.unit or names.units.get(each.literal))}
    for at, sentence in check_names(text, replace(names, units={**names.units, **units})):
        problem_within(node, offset + at, sentence)
    if compiled.kind is not Kind.ANY and compiled.kind not in kinds:
        wanted = " or ".join(kind.value for kind in kinds if kind is not Kind.ANY)
        problem_within(node, offset, f"{what} must be {wanted}; this is {compiled.kind}")
        return None
    return compiled
