"""Series: each element of the notation, and what is said about one that is none."""

from __future__ import annotations

import pytest

from ruleset.document import read_document
from ruleset.equipment import MetricBinding, Role, Signal, ValueType
from ruleset.problem import Problems
from ruleset.testing.series import Silence, Tick, changes, read_series

_ = Silence.SILENT


def series_of(text: str, kind: ValueType) -> tuple[tuple[Tick, ...] | None, list[str]]:
    """The series, and the problems, of a YAML text that stands in line 1, from column 4 on."""
    problems = Problems()
    root = read_document("f", f"s: {text}", problems)
    assert root is not None
    signal = Signal(name="speed", type=kind, role=Role.VALUE, binding=MetricBinding("Speed"))
    return read_series(root.mapping()["s"], signal), [str(each) for each in problems.all]


@pytest.mark.parametrize(
    ("kind", "text", "ticks"),
    [
        (ValueType.TEXT, "RUN x3 STOPPED", ("RUN", "RUN", "RUN", "STOPPED")),
        (ValueType.TEXT, "_ x2 RUN _ ?", (_, _, "RUN", _, None)),
        (ValueType.TEXT, "\"'' x2 'two words' 'x2' '_' 'it''s'\"", ("", "", "two words", "x2", "_", "it's")),
        (ValueType.TEXT, "'\"two words\" 0..5 7'", ("two words", "0..5", "7")),
        (ValueType.INTEGER, "0..10/5 7", (0, 5, 10, 7)),
        (ValueType.INTEGER, "3..1 x2", (3, 2, 1, 3, 2, 1)),
        (ValueType.INTEGER, "-1..1", (-1, 0, 1)),
        (ValueType.INTEGER, "5", (5,)),
        (ValueType.INTEGER, "0..7/3", (0, 3, 6)),
        (ValueType.NUMBER, "0..0.3/0.1 7 -1.5", (0.0, 0.1, 0.2, 0.3, 7.0, -1.5)),
        (ValueType.BOOLEAN, "true false x2", (True, False, False)),
    ],
)
def test_a_series_is_one_value_a_tick(kind: ValueType, text: str, ticks: tuple[Tick, ...]) -> None:
    assert series_of(text, kind) == (ticks, [])


@pytest.mark.parametrize(
    ("kind", "text", "problem"),
    [
        (ValueType.INTEGER, "1 2.5", "f:1:6: 2.5 is no whole number, which speed is"),
        (ValueType.INTEGER, "0..1/0.5", "f:1:4: 0..1/0.5 leaves the whole numbers"),
        (ValueType.NUMBER, "1 fast", "f:1:6: fast is no number, which speed is"),
        (ValueType.BOOLEAN, "yes", "f:1:4: yes is neither true nor false, which speed is"),
        (
            ValueType.TEXT,
            "x3 RUN",
            "f:1:4: x3: there is nothing before it to be repeated; a text that looks like this stands in quotes",
        ),
        (ValueType.TEXT, "RUN x0", "f:1:8: x0: 0 times is never; a text that looks like this stands in quotes"),
        (
            ValueType.TEXT,
            "RUN x2 x2",
            "f:1:11: x2: there is nothing before it to be repeated; a text that looks like this stands in quotes",
        ),
        (ValueType.TEXT, "RUN x100001", "f:1:8: more than 100000 ticks; let `every` be longer"),
        (ValueType.NUMBER, "0..5/0", "f:1:4: 0..5/0 has no end, or more than 100000 ticks"),
        (ValueType.NUMBER, "0..9999999", "f:1:4: 0..9999999 has no end, or more than 100000 ticks"),
        (ValueType.TEXT, "RUN 'two", "f:1:8: 'two has a quote that does not end, or text behind one that does"),
        (
            ValueType.TEXT,
            '""',
            "f:1:4: a series needs a value; the empty text is '' in it, and nothing said at a tick is _",
        ),
        (ValueType.TEXT, "[RUN]", "f:1:4: expected a single value, found a list"),
    ],
)
def test_what_is_no_series_is_said_at_its_place(kind: ValueType, text: str, problem: str) -> None:
    assert series_of(text, kind) == (None, [problem])


def test_a_node_tells_what_changed_and_nothing_twice() -> None:
    assert list(changes(("RUN", "RUN", _, "RUN", "STOP", None, None, "STOP"))) == [
        (0, "RUN"),
        (4, "STOP"),
        (5, None),
        (7, "STOP"),
    ]
    assert list(changes((_, 1, True, 1))) == [(1, 1), (2, True), (3, 1)]
