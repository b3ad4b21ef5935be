from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ruleset.document import Node, format_duration, read_document
from ruleset.problem import Problem, Problems, suggest


def read(text: str) -> tuple[Node, Problems]:
    problems = Problems()
    node = read_document("f.yaml", text, problems)
    assert node is not None, problems.all
    return node, problems


def said(problems: Problems) -> list[str]:
    return [str(problem) for problem in problems.all]


def test_a_problem_shows_its_place_before_its_text() -> None:
    problem = Problem(file="rules/press.yaml", line=14, column=9, text='unknown signal "cylce"; did you mean "cycle"?')

    assert str(problem) == 'rules/press.yaml:14:9: unknown signal "cylce"; did you mean "cycle"?'
    assert str(Problem(file="codes.yaml", text="the file is missing")) == "codes.yaml: the file is missing"


def test_a_suggestion_is_the_closest_word_or_a_short_choice() -> None:
    assert suggest("cylce", ["cycle", "state"]) == '; did you mean "cycle"?'
    assert suggest("STATE", ["cycle", "state"]) == '; did you mean "state"?'
    assert suggest("xyz", ["cycle", "state"]) == "; known here: cycle, state"
    assert suggest("xyz", []) == ""


def test_values_are_read_as_they_are_meant() -> None:
    node, problems = read("{t: yes, q: 'true', i: 0x10, n: 1_000, f: 2.5e1, b: true, d: 90s, l: [1, 2], e: null}")
    keys = node.mapping()

    assert (keys["t"].text(), keys["q"].text()) == ("yes", "true")
    assert (keys["i"].integer(), keys["n"].integer()) == (16, 1000)
    assert (keys["f"].number(), keys["i"].number()) == (25.0, 16.0)
    assert keys["b"].boolean() is True
    assert keys["d"].duration() == 90_000
    assert [each.integer() for each in keys["l"].items()] == [1, 2]
    assert keys["e"].is_null
    assert keys["b"].scalar() == "true"
    assert said(problems) == []


def test_a_text_over_several_lines_is_one_and_a_quoted_character_stays() -> None:
    node, problems = read('folded: >-\n  a &&\n  b\nquoted: "\\a"\n')

    assert {key: each.text() for key, each in node.mapping().items()} == {"folded": "a && b", "quoted": "\a"}
    assert said(problems) == []


@pytest.mark.parametrize(
    ("written", "length_ms"), [("500ms", 500), ("30s", 30_000), ("5m", 300_000), ("8h", 28_800_000), ("1d", 86_400_000)]
)
def test_durations_are_milliseconds_and_back(written: str, length_ms: int) -> None:
    node, _ = read(f"d: {written}")

    assert node.mapping()["d"].duration() == length_ms
    assert format_duration(length_ms) == written


def test_all_problems_are_found_and_not_only_the_first() -> None:
    node, problems = read("text: 5\nnumber: x\nextra: 1\nflag: yes\nwait: 30\nbig: 99\nlist: {}\n")
    keys = node.mapping(allowed={"text", "number", "flag", "wait", "big", "list"}, required={"name"})
    keys["text"].text()
    keys["number"].number()
    keys["flag"].boolean()
    keys["wait"].duration()
    keys["big"].integer(at_most=10)
    keys["list"].items()

    assert said(problems) == [
        'f.yaml:1:1: key "name" is missing here',
        'f.yaml:1:7: expected text, found 5; write "5" in quotes',
        'f.yaml:2:9: expected a number, found the text "x"',
        'f.yaml:3:1: unknown key "extra"; did you mean "text"?',
        'f.yaml:4:7: expected true or false, found the text "yes"',
        "f.yaml:5:7: expected a duration such as 500ms, 30s, 5m, 8h or 1d, found 30",
        "f.yaml:6:6: 99 is too large: at most 10",
        "f.yaml:7:7: expected a list, found a mapping",
    ]


def test_anchors_aliases_and_merges_work_and_own_keys_win() -> None:
    node, problems = read("a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc: {<<: [*a, *b], x: 9}\nd: *a\n")
    keys = node.mapping()

    assert {name: each.integer() for name, each in keys["c"].mapping().items()} == {"x": 9, "y": 2, "z": 4}
    assert keys["d"].mapping()["y"].integer() == 2
    assert said(problems) == []


def test_a_problem_in_an_anchored_part_is_told_once() -> None:
    node, problems = read("a: &a {x: one}\nb: *a\nc: *a\n")
    for each in node.mapping().values():
        each.mapping()["x"].integer()

    assert said(problems) == ['f.yaml:1:11: expected a whole number, found the text "one"']


def test_placeholders_are_filled_in_every_text_below() -> None:
    node, problems = read('a: {b: "press-{n}"}\nc: "{m}"\n')
    keys = node.with_placeholders({"n": "7"}).mapping()

    assert keys["a"].mapping()["b"].text() == "press-7"
    assert keys["c"].text() is None
    assert said(problems) == ['f.yaml:2:4: unknown placeholder "{m}"; known here: n']


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: 2\na: 3\n", 'f.yaml:3:1: key "a" stands twice, first in line 1'),
        (
            "a: [1\nb: 2\n",
            "f.yaml:2:2: not valid YAML: while parsing a flow sequence that begins in line 1, expected ',' or ']'",
        ),
        ("a: *b\n", "f.yaml:1:4: not valid YAML: found undefined alias 'b'"),
        ("a: b: c\n", "f.yaml:1:5: not valid YAML: mapping values are not allowed here"),
        ("a: 1\n---\nb: 1\n", "f.yaml:2:1: not valid YAML: expected a single document in the stream, "),
        ("a: b\nb: x\x07\n", "f.yaml:2:5: not valid YAML: a character that is not allowed"),
        ("a: !!python/name:os.system x\n", 'f.yaml:1:4: tag "tag:yaml.org,2002:python/name:os.system" is not known'),
        ("a: &a [*a]\n", "f.yaml:1:4: this anchor is used inside the value that it names"),
        ("[" * 5000, "f.yaml:1:1: nested too deeply to be read"),
        ("", "f.yaml:1:1: expected a mapping, found nothing"),
        ("- a\n", "f.yaml:1:1: expected a mapping, found a list"),
        ("1: x\n", 'f.yaml:1:1: expected text, found 1; write "1" in quotes'),
        ("<<: 5\na: 1\n", "f.yaml:1:5: expected a mapping to merge, found 5"),
    ],
)
def test_what_cannot_be_read_is_a_located_problem(text: str, problem: str) -> None:
    problems = Problems()
    node = read_document("f.yaml", text, problems)
    if node is not None:
        node.mapping()

    assert len(problems) == 1
    assert str(problems.all[0]).startswith(problem)


@given(st.text(alphabet="ab:-[]{}&*!|>'\"#%@,?<\n\t 1.0x\x00\ud800~", max_size=60))
def test_no_text_makes_the_reader_raise(text: str) -> None:
    problems = Problems()
    node = read_document("f.yaml", text, problems)

    assert node is not None or len(problems) > 0
    if node is not None:
        for reading in (node.mapping, node.items, node.text, node.integer, node.number, node.boolean, node.duration):
            reading()
