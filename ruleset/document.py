"""YAML whose every value knows its file, line and column, read strictly.

`read_document` takes text and gives the root `Node`. A node's reading methods say what is expected there. What
is found instead becomes a `Problem` in the collector, the method returns None (or nothing to iterate over), and
reading goes on, so that one run tells everything that is wrong with a file. Anchors, aliases and merges work.

YAML 1.2: `yes`, `on` and `12:30` are texts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from typing import Final, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from ruleset.problem import Problem, Problems, suggest

RawNode: TypeAlias = "ScalarNode | SequenceNode | MappingNode"

DURATION_UNITS_MS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION: Final = re.compile(r"(\d+)(ms|s|m|h|d)")
_PARAMETER: Final = re.compile(r"param\.([a-z][a-z0-9_]*)")
_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
_FORBIDDEN: Final = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CORE: Final = "tag:yaml.org,2002:"
_TAGS: Final = frozenset({"str", "int", "float", "bool", "null", "map", "seq", "merge", "timestamp"})


@dataclass(frozen=True, slots=True)
class Argument:
    """What stands for `param.<name>`: `raw` where a value of the file stands, `literal` in an expression; a number
    perhaps with its unit."""

    raw: ScalarNode
    literal: str
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One value of a document. `placeholders` replace `{name}` in every text of the node and below; `arguments` stand
    for the values that are `param.<name>` there."""

    file: str
    raw: RawNode
    problems: Problems
    placeholders: Mapping[str, str] | None = None
    arguments: Mapping[str, Argument] | None = None

    @property
    def line(self) -> int:
        return int(self.raw.start_mark.line) + 1

    @property
    def column(self) -> int:
        return int(self.raw.start_mark.column) + 1

    @property
    def place(self) -> str:
        """`file:line:column`."""
        return f"{self.file}:{self.line}:{self.column}"

    @property
    def is_null(self) -> bool:
        return isinstance(self.raw, ScalarNode) and _kind(self.raw) == "null"

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.raw, MappingNode)

    @property
    def is_sequence(self) -> bool:
        return isinstance(self.raw, SequenceNode)

    @property
    def is_text(self) -> bool:
        return isinstance(self.raw, ScalarNode) and _kind(self.raw) == "str"

    def problem(self, text: str) -> None:
        """Record a problem at this node."""
        self.problems.add(Problem(file=self.file, line=self.line, column=self.column, text=text))

    def with_placeholders(self, placeholders: Mapping[str, str]) -> Node:
        """The same node with `{name}` replaced in its texts; an unknown name is then a problem."""
        return replace(self, placeholders=placeholders)

    def mapping(self, *, allowed: Collection[str] | None = None, required: Collection[str] = ()) -> dict[str, Node]:
        """The values by key, merges applied; {} where this is no mapping.

        `allowed` None means any key. Unknown, missing, doubled and non-text keys are problems.
        """
        return {key: value for key, _, value in self.entries(allowed=allowed, required=required)}

    def entries(
        self, *, allowed: Collection[str] | None = None, required: Collection[str] = ()
    ) -> list[tuple[str, Node, Node]]:
        """As `mapping`, but also with the node of each key: (key, key node, value node)."""
        if not isinstance(self.raw, MappingNode):
            self.problem(f"expected a mapping, found {self._what()}")
            return []
        found: dict[str, tuple[Node, Node]] = {}
        for key_node, value_node in self._pairs():
            key = key_node.text()
            if key is None:
                continue
            if allowed is not None and key not in allowed:
                key_node.problem(f'unknown key "{key}"{suggest(key, sorted({*allowed, *required}))}')
            else:
                found.setdefault(key, (key_node, value_node))
        for key in sorted(set(required) - set(found)):
            self.problem(f'key "{key}" is missing here')
        return [(key, key_node, value_node) for key, (key_node, value_node) in found.items()]

    def items(self) -> list[Node]:
        """The members of a sequence; [] where this is none."""
        if not isinstance(self.raw, SequenceNode):
            self.problem(f"expected a list, found {self._what()}")
            return []
        return [self._child(each) for each in self.raw.value]

    def text(self) -> str | None:
        """A text. Numbers and booleans are not taken for one: they must be quoted."""
        given = self._given()
        if not isinstance(given.raw, ScalarNode) or _kind(given.raw) != "str":
            hint = (
                f'; write "{given.raw.value}" in quotes'
                if isinstance(given.raw, ScalarNode) and not given.is_null
                else ""
            )
            given.problem(f"expected text, found {given._what()}{hint}")
            return None
        return self._filled(str(given.raw.value))

    def scalar(self) -> str | None:
        """Any single value as it is written (`true`, `0.5`, `cycle > 3`), for expressions."""
        if not isinstance(self.raw, ScalarNode) or self.is_null:
            self.problem(f"expected a single value, found {self._what()}")
            return None
        return self._filled(str(self.raw.value))

    def choice(self, known: Collection[str]) -> str | None:
        """A text that is one of `known`."""
        word = self.text()
        if word is None or word in known:
            return word
        self.problem(f'"{word}" is not possible here{suggest(word, known)}')
        return None

    def integer(self, *, at_least: int | None = None, at_most: int | None = None) -> int | None:
        """A whole number within its bounds, both included."""
        given = self._given()
        if not isinstance(given.raw, ScalarNode) or _kind(given.raw) != "int":
            given.problem(f"expected a whole number, found {given._what()}")
            return None
        number = int(_parse_number(str(given.raw.value)))
        return number if given._within(number, at_least, at_most) else None

    def number(self, *, at_least: float | None = None, at_most: float | None = None) -> float | None:
        """A finite number within its bounds, both included."""
        given = self._given()
        number = float(_parse_number(str(given.raw.value))) if _kind(given.raw) in ("int", "float") else float("nan")
        if not isfinite(number):
            given.problem(f"expected a number, found {given._what()}")
            return None
        return number if given._within(number, at_least, at_most) else None

    def boolean(self) -> bool | None:
        given = self._given()
        if _kind(given.raw) != "bool":
            given.problem(f"expected true or false, found {given._what()}")
            return None
        return str(given.raw.value).lower() == "true"

    def duration(self, *, at_least_ms: int = 0, at_most_ms: int | None = None) -> int | None:
        """A length of time such as `500ms`, `30s`, `5m`, `8h` or `1d`, in milliseconds."""
        given = self._given()
        match = _DURATION.fullmatch(str(given.raw.value)) if isinstance(given.raw, ScalarNode) else None
        if match is None:
            given.problem(f"expected a duration such as 500ms, 30s, 5m, 8h or 1d, found {given._what()}")
            return None
        length_ms = int(match[1]) * DURATION_UNITS_MS[match[2]]
        if length_ms < at_least_ms:
            given.problem(f"{match[0]} is too short: at least {format_duration(at_least_ms)}")
            return None
        if at_most_ms is not None and length_ms > at_most_ms:
            given.problem(f"{match[0]} is too long: at most {format_duration(at_most_ms)}")
            return None
        return length_ms

    def _given(self) -> Node:
        """What stands for this value where it is a parameter of a template, at the same place; else itself."""
        if self.arguments is None or (match := _PARAMETER.fullmatch(str(self.raw.value))) is None:
            return self
        argument = self.arguments.get(match[1])
        if argument is None:
            self.problem(f'unknown parameter "{match[1]}"{suggest(match[1], self.arguments.keys())}')
            return replace(self, problems=Problems())  # what else is wrong with it follows from that
        given = ScalarNode(argument.raw.tag, argument.raw.value, self.raw.start_mark, self.raw.end_mark)
        return replace(self, raw=given)

    def _within(self, number: float, at_least: float | None, at_most: float | None) -> bool:
        if at_least is not None and number < at_least:
            self.problem(f"{self.raw.value} is too small: at least {at_least}")
            return False
        if at_most is not None and number > at_most:
            self.problem(f"{self.raw.value} is too large: at most {at_most}")
            return False
        return True

    def _child(self, raw: RawNode) -> Node:
        return replace(self, raw=raw)

    def _pairs(self) -> Iterator[tuple[Node, Node]]:
        """Own keys first, then merged ones, the first merged mapping winning."""
        merged: list[Node] = []
        for key, value in self.raw.value:
            if _kind(key) == "merge":
                merged += [self._child(each) for each in (value.value if isinstance(value, SequenceNode) else [value])]
            else:
                yield self._child(key), self._child(value)
        for each in merged:
            if isinstance(each.raw, MappingNode):
                yield from each._pairs()
            else:
                each.problem(f"expected a mapping to merge, found {each._what()}")

    def _filled(self, text: str) -> str | None:
        placeholders = self.placeholders
        if placeholders is None:
            return text
        unknown = [name for name in _PLACEHOLDER.findall(text) if name not in placeholders]
        if unknown:
            self.problem(f'unknown placeholder "{{{unknown[0]}}}"{suggest(unknown[0], placeholders.keys())}')
            return None
        return _PLACEHOLDER.sub(lambda match: placeholders[match[1]], text)

    def _what(self) -> str:
        if isinstance(self.raw, MappingNode):
            return "a mapping"
        if isinstance(self.raw, SequenceNode):
            return "a list"
        names = {"null": "nothing", "str": f'the text "{self.raw.value}"', "timestamp": f"the date {self.raw.value}"}
        return names.get(_kind(self.raw), str(self.raw.value))


def read_document(file: str, text: str, problems: Problems) -> Node | None:
    """Read one YAML document; None where it cannot be read at all. An empty file is a node that `is_null`.

    `file` is the name that problems show, relative to the plant folder.
    """
    yaml = YAML(typ="rt", pure=True)
    yaml.composer.warn_double_anchors = False
    try:
        raw = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        reason = _reason(error, line)
        problems.add(Problem(file=file, line=line, column=column, text=f"not valid YAML: {reason}"))
        return None
    except ReaderError:
        line, column = _locate_forbidden(text)
        problems.add(
            Problem(file=file, line=line, column=column, text="not valid YAML: a character that is not allowed")
        )
        return None
    except (YAMLError, ValueError) as error:
        problems.add(Problem(file=file, line=1, column=1, text=f"not valid YAML: {error}"))
        return None
    except RecursionError:
        problems.add(Problem(file=file, line=1, column=1, text="nested too deeply to be read"))
        return None
    if raw is None:
        mark = StringMark(file, 0, 0, 0, None, 0)
        raw = ScalarNode(f"{_CORE}null", "", start_mark=mark, end_mark=mark)
    root = Node(file=file, raw=raw, problems=problems)
    return root if _is_sound(root) else None


def _reason(error: MarkedYAMLError, line: int) -> str:
    context = str(error.context or "")
    if context.startswith("while") and error.context_mark and error.context_mark.line + 1 != line:
        context += f" that begins in line {error.context_mark.line + 1}"
    return ", ".join(part for part in (context, str(error.problem or "")) if part)


def format_duration(length_ms: int) -> str:
    """The shortest way to write it: 90000 is `90s`, 3600000 is `1h`."""
    for unit, factor in reversed(DURATION_UNITS_MS.items()):
        if length_ms >= factor and length_ms % factor == 0:
            return f"{length_ms // factor}{unit}"
    return "0s"


def _is_sound(root: Node) -> bool:
    """Find what is wrong whoever reads it: doubled keys, foreign tags, an alias inside what it names."""
    sound = True
    done: set[int] = set()

    def visit(node: Node, above: tuple[int, ...]) -> None:
        nonlocal sound
        if id(node.raw) in above:
            node.problem("this anchor is used inside the value that it names")
            sound = False
            return
        if id(node.raw) in done:
            return
        if _kind(node.raw) not in _TAGS:
            node.problem(f'tag "{node.raw.tag}" is not known')
            sound = False
        inside = (*above, id(node.raw))
        if isinstance(node.raw, ScalarNode) and node.raw.style == ">":
            node.raw.value = node.raw.value.replace("\a", "")  # the reader's marks of where it was folded
        elif isinstance(node.raw, MappingNode):
            _find_doubled_keys(node)
            for key, value in node.raw.value:
                if isinstance(value, ScalarNode) and not value.value and _kind(value) == "null":
                    value.start_mark = key.end_mark  # else it is where the next key begins
                visit(node._child(key), inside)
                visit(node._child(value), inside)
        elif isinstance(node.raw, SequenceNode):
            for each in node.raw.value:
                visit(node._child(each), inside)
        done.add(id(node.raw))

    visit(root, ())
    return sound


def _find_doubled_keys(node: Node) -> None:
    first: dict[str, int] = {}
    for key, _ in node.raw.value:
        if isinstance(key, ScalarNode) and _kind(key) != "merge":
            child = node._child(key)
            if key.value in first:
                child.problem(f'key "{key.value}" stands twice, first in line {first[key.value]}')
            first.setdefault(key.value, child.line)


def _kind(raw: RawNode) -> str:
    return str(raw.tag).removeprefix(_CORE)


def _parse_number(written: str) -> int | float:
    plain = written.replace("_", "")
    for base in (10, 0):
        try:
            return int(plain, base)
        except ValueError:
            continue
    try:
        return float(plain.replace(".inf", "inf").replace(".nan", "nan").replace(".NaN", "nan"))
    except ValueError:
        return float("nan")


def _locate_forbidden(text: str) -> tuple[int, int]:
    match = _FORBIDDEN.search(text)
    offset = match.start() if match else 0
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
