"""What was expected against what came: exactly these, in this order. Of each only the named fields count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final

from ruleset.testing.case import Expected, Shown
from ruleset.trace.trace import Trace


@dataclass(frozen=True, slots=True)
class Got:
    """One thing that came, as a test would name it. `trace` is why, where a rule decided it."""

    values: Mapping[str, Shown]
    trace: Trace | None = field(default=None, compare=False)


class Wrong(StrEnum):
    """How what came differs from what was expected."""

    MISSING = "missing"
    EXTRA = "not expected"
    OTHER = "different"
    MOVED = "out of order"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """`expected` None: EXTRA. `got` None: MISSING. OTHER and MOVED have both."""

    wrong: Wrong
    expected: Expected | None = None
    got: Got | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """Those in which the two differ."""
        if self.expected is None or self.got is None:
            return ()
        got = self.got.values
        return tuple(name for name, value in self.expected.values.items() if not fits(value, got.get(name)))


def fits(expected: Shown, got: Shown) -> bool:
    """Whether a value is as expected; of members of lists only what is named counts."""
    match expected, got:
        case Mapping(), Mapping():
            return all(fits(value, got.get(name)) for name, value in expected.items())
        case tuple(), tuple():
            return len(expected) == len(got) and all(map(fits, expected, got))
        case (Decimal() | int(), Decimal() | int()):
            return Decimal(expected) == Decimal(got)
        case _:
            return expected == got


def compare(expected: Sequence[Expected], came: Sequence[Got]) -> tuple[Difference, ...]:
    """The differences, in the order of what was expected, what came besides at its place."""
    found = list(_differences(expected, came))
    return tuple(_with_moves(found))


def _differences(expected: Sequence[Expected], came: Sequence[Got]) -> Iterator[Difference]:
    done_expected = done_came = 0
    for at_expected, at_came in (*_common(expected, came), (len(expected), len(came))):
        yield from _pair(expected[done_expected:at_expected], came[done_came:at_came])
        done_expected, done_came = at_expected + 1, at_came + 1


def _common(expected: Sequence[Expected], came: Sequence[Got]) -> list[tuple[int, int]]:
    """The longest sequence of pairs that fit, in order."""
    fitting = [[fits(each.values, got.values) for got in came] for each in expected]
    longest = [[0] * (len(came) + 1) for _ in range(len(expected) + 1)]
    for row in range(len(expected) - 1, -1, -1):
        for column in range(len(came) - 1, -1, -1):
            here = 1 + longest[row + 1][column + 1] if fitting[row][column] else 0
            longest[row][column] = max(here, longest[row + 1][column], longest[row][column + 1])
    pairs: list[tuple[int, int]] = []
    row = column = 0
    while row < len(expected) and column < len(came):
        if fitting[row][column] and longest[row][column] == 1 + longest[row + 1][column + 1]:
            pairs.append((row, column))
            row, column = row + 1, column + 1
        elif longest[row + 1][column] >= longest[row][column + 1]:
            row += 1
        else:
            column += 1
    return pairs


def _pair(expected: Sequence[Expected], came: Sequence[Got]) -> Iterator[Difference]:
    """Between two that fit: what is of one kind is taken for the same thing with other fields."""
    left = list(came)
    for each in expected:
        differences = [Difference(wrong=Wrong.OTHER, expected=each, got=got) for got in left]
        alike = [one for one in differences if not _KIND.intersection(one.fields)]
        if alike:
            nearest = min(alike, key=lambda one: len(one.fields))
            left = [got for got in left if got is not nearest.got]
            yield nearest
        else:
            yield Difference(wrong=Wrong.MISSING, expected=each)
    yield from (Difference(wrong=Wrong.EXTRA, got=got) for got in left)


_KIND: Final = frozenset({"do", "remark", "asset"})


def _with_moves(found: list[Difference]) -> Iterator[Difference]:
    """What is missing at its place and came at another is said once."""
    extra = [each for each in found if each.wrong is Wrong.EXTRA]
    for each in found:
        if each.wrong is Wrong.MISSING and each.expected is not None:
            values = each.expected.values
            moved = next((one for one in extra if one.got is not None and fits(values, one.got.values)), None)
            if moved is not None:
                extra.remove(moved)
                yield Difference(wrong=Wrong.MOVED, expected=each.expected, got=moved.got)
                continue
        if each.wrong is not Wrong.EXTRA:
            yield each
    yield from extra
