"""CEL, the expressions of rules, behind a small interface: compile once against declared names, evaluate often.

`Scope` declares names with their kinds; dotted names (`scrap.qty`) are declared whole, so that a misspelt field is
found when the rule is read. There is one kind of number: integer literals become doubles and values are passed as
doubles, so that `temp > 70` and `size(items) > 2` mean what they say. Expressions are checked and run by Google's
`cel-expr-python`.

A value that is not known is not passed. CEL's `&&` and `||` decide without it where they can; where they cannot, the
result is an `EvaluationFailed` that names it in `missing`. It is never taken for true or false.
"""

from __future__ import annotations

import math
import re
import struct
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from cel_expr_python import cel

from ruleset.problem import suggest
from ruleset.sample import Plain

LARGEST: Final = 10**300
"""Beyond it a whole number of a document may not even be a double."""


class Kind(StrEnum):
    """What an expression or a name holds, in the words of the rule author."""

    BOOLEAN = "true or false"
    NUMBER = "a number"
    TEXT = "text"
    LIST = "a list"
    TABLE = "a code table"
    ANY = "any value"


@dataclass(frozen=True, slots=True)
class CelError:
    """Why a text is no expression; `offset` counts characters of the text from 0."""

    text: str
    offset: int


@dataclass(frozen=True, slots=True)
class EvaluationFailed:
    """An expression gave no value. `missing` names the declared name whose value is not known, where that is why."""

    text: str
    missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A checked expression. `names` are the declared names that it reads, in the order of the alphabet: what is told of
    them has the same order in every process."""

    text: str
    kind: Kind
    names: tuple[str, ...]
    program: Any

    def evaluate(self, values: Mapping[str, Plain]) -> Plain | EvaluationFailed:
        """Evaluate over the values of `names`. Numbers must be floats, as `as_cel` makes them."""
        try:
            result = self.program.eval(data=values)
            value = result.plain_value()
            if value is True or value is False:  # what conditions give; asking for the type takes a quarter of it
                return bool(value)
            return _failure(str(value)) if result.type() == cel.Type.ERROR else _plain(value)
        except (RuntimeError, ValueError, TypeError) as error:
            return _failure(str(error))


_TYPES: Final = {
    Kind.BOOLEAN: cel.Type.BOOL,
    Kind.NUMBER: cel.Type.DOUBLE,
    Kind.TEXT: cel.Type.STRING,
    Kind.LIST: cel.Type.List(cel.Type.Map(cel.Type.STRING, cel.Type.DYN)),
    Kind.TABLE: cel.Type.Map(cel.Type.STRING, cel.Type.STRING),
    Kind.ANY: cel.Type.DYN,
}
_KINDS: Final = {"BOOL": Kind.BOOLEAN, "DOUBLE": Kind.NUMBER, "INT": Kind.NUMBER, "STRING": Kind.TEXT}
_OWN_FUNCTIONS: Final = {"size": "size_", "string": "string_", "int": "int_"}
_MACROS: Final = frozenset({"map", "filter", "all", "exists", "exists_one"})
_WORDS: Final = frozenset({"true", "false", "null", "in"})

TOKEN: Final = re.compile(
    r"""(?P<skip>\s+|//[^\n]*)
      | (?P<text>[rRbB]{0,2}(?:'''.*?'''|\"\"\".*?\"\"\"|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"))
      | (?P<number>0x[0-9a-fA-F]+u?|\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+)
      | (?P<whole>\d+u?)
      | (?P<name>[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*)
      | (?P<mark>.)""",
    re.VERBOSE | re.DOTALL,
)


class Scope:
    """The names that an expression may read, each with its kind."""

    __slots__ = ("_env", "kinds")

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self.kinds = dict(kinds)
        variables = {name: _TYPES[kind] for name, kind in self.kinds.items()}
        variables |= {f"has.{name}": cel.Type.BOOL for name in self.kinds}
        variables["episode.shares"] = cel.Type.Map(cel.Type.STRING, cel.Type.DOUBLE)
        self._env = cel.NewEnv(variables=variables, functions=_FUNCTIONS)

    def compile(self, text: str) -> Expression | CelError:
        """Check a text against the scope; the error has the offset in `text`."""
        rewritten = _Rewritten(text, self.kinds)
        try:
            program = self._env.compile(rewritten.text)
        except RuntimeError as error:
            return self._explain(str(error), text, rewritten)
        kind = _KINDS.get(program.return_type().name(), Kind.ANY)
        if program.return_type().name().startswith("LIST"):
            kind = Kind.LIST
        elif program.return_type().name().startswith("MAP"):
            kind = Kind.TABLE
        return Expression(text=text, kind=kind, names=rewritten.names, program=program)

    def _explain(self, message: str, text: str, rewritten: _Rewritten) -> CelError:
        """CEL's own message in our words, at the place in the author's text."""
        match = re.search(r"<input>:(\d+):(\d+): (.*?)(?:\n \||\s*\[INVALID|\Z)", message, re.DOTALL)
        if match is None:
            return CelError(message, 0)
        lines = rewritten.text.split("\n")
        start = sum(len(line) + 1 for line in lines[: int(match[1]) - 1]) + int(match[2]) - 1
        offset = min(rewritten.original(start), max(len(text) - 1, 0))
        reason = match[3].strip()
        if undeclared := re.match(r"undeclared reference to '([^']+)'", reason):
            offset, name = _name_at(text, offset, undeclared[1])
            if name in _OWN_FUNCTIONS.values():
                name = name[:-1]
            return CelError(f'unknown name "{name}"{suggest(name, self.kinds.keys())}', offset)
        if overload := re.match(r"found no matching overload for '([^']+)' applied to '\((.*)\)'", reason):
            operator = overload[1].strip("_").replace("_", " ").strip() or overload[1]
            return CelError(f"{operator} does not go with {_said_types(overload[2])}", offset)
        return CelError(_short_syntax(reason), offset)


class _Rewritten:
    """The author's text as CEL gets it, with the way back from its offsets, and the declared names it reads."""

    __slots__ = ("_new", "_old", "names", "text")

    def __init__(self, text: str, kinds: Mapping[str, Kind]) -> None:
        tokens = [match for match in TOKEN.finditer(text) if match.lastgroup != "skip"]
        self._old: list[int] = [0]
        self._new: list[int] = [0]
        parts: list[str] = []
        done = length = 0
        names: set[str] = set()
        for position, token in enumerate(tokens):
            replaced = _replacement(tokens, position, names, kinds)
            if replaced is None:
                continue
            word, end = replaced
            parts += [text[done : token.start()], word]
            length += token.start() - done + len(word)
            done = end
            self._old.append(end)
            self._new.append(length)
        parts.append(text[done:])
        self.text = "".join(parts)
        self.names = tuple(sorted(names))

    def original(self, offset: int) -> int:
        index = bisect_right(self._new, offset) - 1
        moved = self._old[index] + offset - self._new[index]
        following = self._old[index + 1] if index + 1 < len(self._old) else None
        return moved if following is None else min(moved, following - 1)


def _replacement(
    tokens: list[re.Match[str]], position: int, names: set[str], kinds: Mapping[str, Kind]
) -> tuple[str, int] | None:
    """What takes the place of a token, and where the replaced part ends; notes the names on the way."""
    token = tokens[position]
    before = tokens[position - 1].group() if position else ""
    after = tokens[position + 1].group() if position + 1 < len(tokens) else ""
    if token.lastgroup == "whole" and not _is_index(tokens, position):
        return token.group() + ".0", token.end()
    if token.lastgroup != "name":
        return None
    word = re.sub(r"\s", "", token.group())
    if word == "episode.share" and after == "(":
        names.add("episode.shares")
        return "share_of_(episode.shares, ", tokens[position + 1].end()
    if word == "has" and after == "(" and position + 3 < len(tokens) and tokens[position + 3].group() == ")":
        name = re.sub(r"\s", "", tokens[position + 2].group())
        if name in kinds:
            names.add(f"has.{name}")
            return f"has.{name}", tokens[position + 3].end()
    if before != ".":
        prefix = _declared(word, kinds)
        if prefix is not None and not (before == "(" and position >= 2 and tokens[position - 2].group() == "has"):
            names.add(prefix)
    last = word.rsplit(".", 1)[-1]
    if after == "(" and last in _OWN_FUNCTIONS:
        return token.group() + "_", token.end()
    return None


def _is_index(tokens: list[re.Match[str]], position: int) -> bool:
    """Whether a whole number picks a member of a list: `items[0]`, not `[0]`."""
    if position < 2 or position + 1 >= len(tokens):
        return False
    opened, closed = tokens[position - 1].group() == "[", tokens[position + 1].group() == "]"
    holder = tokens[position - 2]
    return opened and closed and ((holder.lastgroup == "name" and holder.group() != "in") or holder.group() in ")]")


def _declared(word: str, kinds: Mapping[str, Kind]) -> str | None:
    parts = word.split(".")
    for length in range(len(parts), 0, -1):
        if (name := ".".join(parts[:length])) in kinds:
            return name
    return None


def references(text: str) -> frozenset[str]:
    """The dotted names that a text refers to (`scrap.qty`, `state`), before anything is declared."""
    tokens = [match for match in TOKEN.finditer(text) if match.lastgroup != "skip"]
    found: set[str] = set()
    bound: set[str] = set()
    for position, token in enumerate(tokens):
        if token.lastgroup != "name" or (position and tokens[position - 1].group() == "."):
            continue
        name = re.sub(r"\s", "", token.group())
        called = position + 1 < len(tokens) and tokens[position + 1].group() == "("
        if called:
            name, _, method = name.rpartition(".")
            if method in _MACROS and position + 2 < len(tokens):
                bound.add(tokens[position + 2].group())
        if name and name not in _WORDS:
            found.add(name)
    return frozenset(name for name in found if name.split(".", maxsplit=1)[0] not in bound)


def as_cel(value: Plain) -> Plain:
    """A value as expressions see it: whole numbers as doubles, also inside lists and mappings."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        return value
    if isinstance(value, int):
        return float(value) if abs(value) < LARGEST else math.inf
    if isinstance(value, list):
        return [as_cel(each) for each in value]
    return {name: as_cel(each) for name, each in value.items()}


def number_text(number: float) -> str:
    """A number as a person writes it: 3, 7.3; a 32-bit float is not spelled out to 17 digits."""
    if number == int(number) if abs(number) < 1e15 else False:
        return str(int(number))
    try:
        short = struct.unpack("f", struct.pack("f", number))[0] == number
    except OverflowError:
        short = False
    for digits in range(6, 10) if short else ():
        text = f"{number:.{digits}g}"
        if struct.unpack("f", struct.pack("f", float(text)))[0] == number:
            return text
    return repr(number)


def _name_at(text: str, offset: int, undeclared: str) -> tuple[int, str]:
    """The whole dotted name around an offset; CEL points at its last dot."""
    for match in re.finditer(r"[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*", text):
        if match.start() <= offset <= match.end() and undeclared.split(".", maxsplit=1)[0] in match.group():
            return match.start(), re.sub(r"\s", "", match.group())
    return offset, undeclared


def _said_types(types: str) -> str:
    words = {"double": "a number", "string": "text", "bool": "true or false", "int": "a number", "null_type": "null"}
    parts = [part.strip() for part in re.split(r",\s*(?![^()]*\))", types)]
    return " and ".join(words.get(part, "a list" if part.startswith("list") else part) for part in parts)


def _short_syntax(reason: str) -> str:
    match = re.match(r"Syntax error: (?:mismatched|extraneous) input '(.*?)' expecting", reason)
    if match is None:
        return reason.replace("Syntax error: ", "not an expression: ")
    if match[1] == "<EOF>":
        return "not an expression: it ends too early"
    return f"not an expression: {match[1]!r} is not possible here"


def _failure(message: str) -> EvaluationFailed:
    if unknown := re.search(r'No value with name "([^"]+)" found', message):
        name = unknown[1].removeprefix("has.")
        return EvaluationFailed(f"{name} is not known", missing=name)
    if key := re.search(r'Key not found in map : "?(.*?)"?(?: \[|$)', message):
        return EvaluationFailed(f'there is no "{key[1]}" in the table')
    return EvaluationFailed(re.sub(r"^[A-Z_]+: | \[[A-Z_]+\]$", "", message))


def _plain(value: Any) -> Plain:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    return str(value)


def _string(value: bool | float | str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(value) if isinstance(value, float) else str(value)


def _function(
    name: str, result: cel.Type, parameters: list[cel.Type], implementation: Any, *, member: bool = False
) -> Any:
    mark = "_".join(str(each.name()).lower().replace("<", "").replace(">", "").replace(", ", "") for each in parameters)
    return cel.Overload(
        f"{name}{'of_' if member else ''}{mark}",
        return_type=result,
        parameters=parameters,
        is_member=member,
        impl=implementation,
    )


def _declare(name: str, result: cel.Type, choices: list[cel.Type], implementation: Any) -> cel.FunctionDecl:
    plain = [_function(name, result, [choice], implementation) for choice in choices]
    members = [_function(name, result, [choice], implementation, member=True) for choice in choices]
    return cel.FunctionDecl(name, plain + members if name == "size_" else plain)


_T: Final = cel.Type
_FUNCTIONS: Final = [
    _declare("size_", _T.DOUBLE, [_T.STRING, _T.List(_T.DYN)], lambda value: float(len(value))),
    _declare("string_", _T.STRING, [_T.DOUBLE, _T.STRING, _T.BOOL], _string),
    _declare("int_", _T.DOUBLE, [_T.DOUBLE, _T.STRING], lambda value: float(int(float(value)))),
    cel.FunctionDecl(
        "share_of_",
        [
            cel.Overload(
                "share_of_map_string",
                return_type=_T.DOUBLE,
                parameters=[_T.Map(_T.STRING, _T.DOUBLE), _T.STRING],
                impl=lambda shares, state: float(shares.get(state, 0.0)),
            )
        ],
    ),
]
