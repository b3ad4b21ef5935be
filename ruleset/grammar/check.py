"""What is wrong with an expression although it can be evaluated: keys that a code table lacks, units that do not go
together, and conditions that are never, or always, true."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import combinations
from math import inf
from typing import Final, NamedTuple, TypeAlias

from ruleset.cel import TOKEN, Expression
from ruleset.grammar.scope import Names
from ruleset.problem import suggest
from ruleset.unit import Factor, factor

Found: TypeAlias = "tuple[int, str]"
"""An offset in the expression's text, and a sentence."""


class _Token(NamedTuple):
    word: str
    kind: str
    offset: int


_COMPARES: Final = {"<", "<=", ">", ">=", "==", "!="}
_TURNED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}
_LOOSER: Final = {"", "(", ")", ",", "?", ":", "&&", "||", "[", "]", "{", "}"} | _COMPARES
"""What may stand beside a comparison's operand, or a sum's, without being part of it."""
_PAIRS: Final = frozenset({"<=", ">=", "==", "!=", "&&", "||"})


def check_names(text: str, names: Names) -> Iterator[Found]:
    """Look through an expression for keys that a code table does not have, and for units that do not go together."""
    tokens = [_Token("", "edge", 0), *_tokens(text), *3 * [_Token("", "edge", len(text))]]
    sums = _LOOSER | {"+", "-"}
    for before, token, after, second, third in zip(
        tokens, tokens[1:], tokens[2:], tokens[3:], tokens[4:], strict=False
    ):
        if after.word == "[" and third.word == "]":
            yield from _missing(second, token.word, names.codes)
        if after.word == "in":
            yield from _missing(token, second.word, names.codes)
        if after.word in _COMPARES | {"+", "-"} and before.word in sums and third.word in sums:
            yield from _mixed(token, second, names)


def _mixed(left: _Token, right: _Token, names: Names) -> Iterator[Found]:
    one, other = names.units.get(left.word), names.units.get(right.word)
    if one is None or other is None or one == other:
        return
    mine, its = names.measures.get(one), names.measures.get(other)
    ratio = factor(mine, its) if mine is not None and its is not None else None
    if ratio != Factor(Decimal(1), Decimal(1)):
        what = f"{left.word} is in {one} and {right.word} in {other}"
        yield left.offset, f"{what}, which {'do not go together' if ratio is None else 'rules do not convert'}"


def _missing(token: _Token, name: str, codes: Mapping[str, Mapping[str, str]]) -> Iterator[Found]:
    table = codes.get(name.removeprefix("codes.")) if name.startswith("codes.") else None
    key = token.word[1:-1]
    if table is not None and token.kind == "text" and key not in table and "\\" not in key:
        yield token.offset, f'{name} has no "{key}"{suggest(key, table)}'


def constant(expression: Expression) -> bool | None:
    """The answer of a condition that reads nothing; None where it reads something."""
    if expression.names:
        return None
    answer = expression.evaluate({})
    return answer if isinstance(answer, bool) else None


class _Part(NamedTuple):
    """One comparison of a name with numbers or texts that stand there."""

    name: str
    operator: str
    words: tuple[str, ...]
    is_text: bool
    said: str

    def excludes(self, other: _Part) -> bool:
        """Whether both cannot be true of one value."""
        if self.name != other.name or self.is_text != other.is_text:
            return False
        if self.is_text:
            return not set(self.words) & set(other.words)
        low, high = max(self._low(), other._low()), min(self._high(), other._high())
        return low[0] > high[0] or (low[0] == high[0] and (low[1] == 1 or high[1] == -1))

    def _low(self) -> tuple[float, int]:
        """The least that the value may be, and 1 where it is only more than that."""
        return (float(self.words[0]), int(self.operator == ">")) if self.operator in (">", ">=", "==") else (-inf, 0)

    def _high(self) -> tuple[float, int]:
        """The most that the value may be, and -1 where it is only less than that."""
        return (float(self.words[0]), -int(self.operator == "<")) if self.operator in ("<", "<=", "==") else (inf, 0)


def contradiction(text: str) -> str | None:
    """Why a condition can never be true: two of its parts, joined by `&&`, exclude each other."""
    parts = [found for each in _conjuncts(_tokens(text)) if (found := _comparison(each)) is not None]
    for one, other in combinations(parts, 2):
        if one.excludes(other):
            return f"this is never true: `{one.said}` and `{other.said}` exclude each other"
    return None


def _comparison(part: list[_Token]) -> _Part | None:
    """A part that is just a name, an operator and numbers or texts."""
    words, kinds = [each.word for each in part], [each.kind for each in part]
    said = " ".join(words)
    if len(part) > 3 and kinds[0] == "name" and words[1:3] == ["in", "["] and words[-1] == "]":
        members = part[3:-1]
        if all(each.kind == "text" or each.word == "," for each in members):
            return _Part(words[0], "in", tuple(each.word[1:-1] for each in members if each.kind == "text"), True, said)
    if len(part) != 3 or words[1] not in _TURNED:
        return None
    if kinds[0] == "name" and kinds[2] in ("number", "whole"):
        return _Part(words[0], words[1], (words[2],), False, said)
    if kinds[2] == "name" and kinds[0] in ("number", "whole"):
        return _Part(words[2], _TURNED[words[1]], (words[0],), False, said)
    if kinds[0] == "name" and kinds[2] == "text" and words[1] == "==":
        return _Part(words[0], "==", (words[2][1:-1],), True, said)
    return None


def _conjuncts(tokens: list[_Token]) -> list[list[_Token]]:
    """The parts that `&&` joins; none where anything else joins some of them."""
    parts: list[list[_Token]] = [[]]
    depth = 0
    for token in tokens:
        word = token.word
        depth += (word in "([{") - (word in ")]}") if len(word) == 1 else 0
        if depth == 0 and word in ("||", "?"):
            return []
        if depth == 0 and word == "&&":
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _tokens(text: str) -> list[_Token]:
    """Operators of two characters are one token."""
    found: list[_Token] = []
    for match in TOKEN.finditer(text):
        kind, word = str(match.lastgroup), match.group()
        if kind == "skip":
            continue
        if kind == "mark" and found and found[-1].word + word in _PAIRS and found[-1].offset == match.start() - 1:
            found[-1] = _Token(found[-1].word + word, kind, found[-1].offset)
        else:
            found.append(_Token(re.sub(r"\s", "", word) if kind == "name" else word, kind, match.start()))
    return found
