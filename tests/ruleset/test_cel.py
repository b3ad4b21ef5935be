"""Expressions: one kind of number, unknown values that decide nothing, errors at their place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
from ruamel.yaml import YAML

from ruleset.cel import CelError, EvaluationFailed, Expression, Kind, Scope, as_cel, number_text, references
from ruleset.sample import Plain

SCOPE = Scope(
    {
        "temp": Kind.NUMBER,
        "state": Kind.TEXT,
        "running": Kind.BOOLEAN,
        "scrap.qty": Kind.NUMBER,
        "scrap.lot": Kind.TEXT,
        "finished.consumed": Kind.LIST,
        "codes.reason": Kind.TABLE,
    }
)
VALUES: dict[str, Plain] = {
    "temp": 71,
    "state": "RUN",
    "running": True,
    "scrap.qty": 4,
    "codes.reason": {"S01": "Short shot"},
    "finished.consumed": [{"product": "A", "qty": 2}, {"product": "B", "qty": 3.5}],
}


def compiled(text: str) -> Expression:
    expression = SCOPE.compile(text)
    assert isinstance(expression, Expression), expression
    return expression


def value(text: str, **changed: Plain) -> Plain | EvaluationFailed:
    values = {name: as_cel(each) for name, each in {**VALUES, **changed}.items()}
    return compiled(text).evaluate(values)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("temp > 70", True),
        ("temp > 70.5 && temp < 72", True),
        ("temp * 2 + 1", 143.0),
        ("temp > 80 ? 3 : 2", 2.0),
        ("-3 + temp", 68.0),
        ("temp in [70, 71]", True),
        ("size(finished.consumed) == 2", True),
        ("size(state) > 2 && temp > 70", True),
        ("finished.consumed[1].qty * 2", 7.0),
        ("finished.consumed.all(each, each.qty > 1)", True),
        ("finished.consumed.map(each, each.product)", ["A", "B"]),
        ("state in ['RUN', 'IDLE']", True),
        ("state.startsWith('R') && !running", False),
        ("'S01' in codes.reason", True),
        ("codes.reason['S01']", "Short shot"),
        ("'at ' + string(temp) + ' °C, 70 in text stays'", "at 71 °C, 70 in text stays"),
        ("string(running)", "true"),
        ("int(7.9)", 7.0),
        ("scrap . qty // a comment with 3\n > 3", True),
    ],
)
def test_expressions_mean_what_they_say(text: str, expected: Plain) -> None:
    assert value(text) == expected


def test_what_is_not_known_is_neither_true_nor_false_unless_it_does_not_matter() -> None:
    assert value("scrap.lot == 'L1'") == EvaluationFailed("scrap.lot is not known", missing="scrap.lot")
    assert value("scrap.lot == 'L1' || running") is True
    assert value("scrap.lot == 'L1' && !running") is False


def test_a_failed_look_up_is_a_failure_and_not_false() -> None:
    assert value("codes.reason['S99'] == 'x'") == EvaluationFailed('there is no "S99" in the table')
    assert value("finished.consumed[7].qty > 1") == EvaluationFailed("Index error: index=7 size=2")


EXAMPLES: Final = YAML(typ="safe", pure=True).load((Path(__file__).parent / "cel_examples.yaml").read_text())
KINDS: Final = {bool: Kind.BOOLEAN, int: Kind.NUMBER, str: Kind.TEXT, list: Kind.LIST, dict: Kind.TABLE}


@pytest.mark.parametrize("example", EXAMPLES["examples"], ids=lambda example: str(example["cel"]))
def test_the_table_of_examples_holds(example: dict[str, Plain]) -> None:
    given = EXAMPLES["given"]
    scope = Scope({"order": Kind.TEXT, **{name: KINDS[type(each)] for name, each in given.items()}})
    expression = scope.compile(str(example["cel"]))
    assert isinstance(expression, Expression), expression
    presence = {f"has.{name}": name in given for name in scope.kinds}
    answer = expression.evaluate({**{name: as_cel(each) for name, each in given.items()}, **presence})
    got = {"fails": answer.text} if isinstance(answer, EvaluationFailed) else {"is": answer}
    assert got == {key: each for key, each in example.items() if key != "cel"}


def test_every_documented_function_has_an_example() -> None:
    page = (Path(__file__).parents[2] / "docs" / "rules.md").read_text()
    table = page.partition("| function | gives |")[2].partition("\n\n")[0]
    documented = set(re.findall(r"\b([A-Za-z_]+)\(", table)) - {"share"}
    shown = {name for each in EXAMPLES["examples"] for name in re.findall(r"\b([A-Za-z_]+)\(", each["cel"])}
    assert documented == shown
    assert len(documented) > 10


def test_an_expression_that_would_loop_for_long_fails() -> None:
    pairs = SCOPE.compile("finished.consumed.all(a, finished.consumed.all(b, a.qty == b.qty))")
    assert isinstance(pairs, Expression), pairs
    many: list[Plain] = [{"product": "A", "qty": 1.0}] * 3000
    assert pairs.evaluate({"finished.consumed": many}) == EvaluationFailed("Iteration budget exceeded")


def test_an_expression_knows_its_kind_and_the_names_it_reads() -> None:
    expression = compiled("temp > 70 && 'state' == codes.reason[scrap.lot]")
    assert (expression.kind, expression.names) == (Kind.BOOLEAN, ("codes.reason", "scrap.lot", "temp"))
    assert compiled("codes.reason").kind is Kind.TABLE
    assert compiled("finished.consumed").kind is Kind.LIST


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("stat == 'RUN'", CelError('unknown name "stat"; did you mean "state"?', 0)),
        ("temp > 70 && stat == 'RUN'", CelError('unknown name "stat"; did you mean "state"?', 13)),
        ("70 < 71 && scrap.qtty > 3", CelError('unknown name "scrap.qtty"; did you mean "scrap.qty"?', 11)),
        ("temp >", CelError("not an expression: it ends too early", 5)),
        ("", CelError("not an expression: it ends too early", 0)),
        ("temp > 7 and running", CelError("not an expression: 'and' is not possible here", 9)),
        ("state > 70", CelError("> does not go with text and a number", 6)),
        ("running + 1", CelError("+ does not go with true or false and a number", 8)),
    ],
)
def test_an_error_says_what_and_where_in_the_authors_text(text: str, error: CelError) -> None:
    assert SCOPE.compile(text) == error


def test_references_are_found_before_anything_is_declared() -> None:
    text = "a.b.all(x, x.c > 2) && d in ['e'] && string(f) == g.h && i['j'] == 'k' && episode.share('l') > 1 // m"
    assert references(text) == {"a.b", "d", "f", "g.h", "i", "episode"}


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (3.0, "3"),
        (-0.5, "-0.5"),
        (7.3, "7.3"),
        (7.300000190734863, "7.3"),
        (123456.789, "123456.789"),
        (16777217.0, "16777217"),
        (1 / 3, "0.3333333333333333"),
        (float("inf"), "inf"),
    ],
)
def test_a_number_is_written_as_a_person_writes_it(number: float, text: str) -> None:
    assert number_text(number) == text
