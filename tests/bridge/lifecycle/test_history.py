"""Whatever people try, in whatever order: what is live was approved by a second person."""

from __future__ import annotations

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from bridge.lifecycle.history import History, Standing, Step, fold, objection
from bridge.lifecycle.people import Person, Role
from state.audit import Line

VERSIONS = ("aaa", "bbb", "ccc")
PEOPLE = [
    Person("anna", frozenset({Role.AUTHOR}), ""),
    Person("ben", frozenset({Role.AUTHOR, Role.APPROVER}), ""),
    Person("clara", frozenset(Role), ""),
    Person("olga", frozenset({Role.OPERATOR}), ""),
]
ATTEMPTS = st.lists(
    st.tuples(st.sampled_from(list(Step)), st.sampled_from(VERSIONS), st.sampled_from(PEOPLE)), max_size=60
)


def taken(attempts: list[tuple[Step, str, Person]]) -> list[Line]:
    """The lines of a log in which each step stands that nothing was to be said against."""
    lines: list[Line] = []
    for number, (step, version, who) in zip(count(1), attempts, strict=False):
        if objection(fold(lines), step, version, who) is None:
            fields = {"version": version, "reason": "as agreed"}
            lines.append(Line(number=number, at_ms=number, kind=step, by=who.name, fields=fields, hash=f"{number:064}"))
    return lines


def approvers(lines: list[Line], version: str) -> set[tuple[str, str]]:
    """Who proposed a version and who then approved it."""
    found, author = set(), ""
    for line in lines:
        if line.fields["version"] == version and line.kind == Step.PROPOSE:
            author = line.by
        elif line.fields["version"] == version and line.kind == Step.APPROVE:
            found.add((author, line.by))
    return found


@given(attempts=ATTEMPTS)
def test_whatever_was_ever_live_was_approved_by_somebody_else_than_its_author(
    attempts: list[tuple[Step, str, Person]],
) -> None:
    lines = taken(attempts)
    for until in range(len(lines) + 1):
        history = fold(lines[:until])
        for version in history.lives:
            pairs = approvers(lines[:until], version)
            assert pairs
            assert all(author != approver for author, approver in pairs)
            assert history.versions[version].decided_by != history.versions[version].author


@given(attempts=ATTEMPTS)
def test_one_version_at_most_is_live_and_what_is_in_shadow_is_another(
    attempts: list[tuple[Step, str, Person]],
) -> None:
    lines = taken(attempts)
    for until in range(len(lines) + 1):
        history = fold(lines[:until])
        live = [each.version for each in history.versions.values() if each.standing is Standing.LIVE]
        assert live == ([] if history.live is None else [history.live])
        assert history.shadow is None or history.versions[history.shadow].standing not in (
            Standing.LIVE,
            Standing.REJECTED,
        )


@given(attempts=ATTEMPTS)
def test_a_rollback_brings_back_what_was_live_before_and_needs_nobody_new(
    attempts: list[tuple[Step, str, Person]],
) -> None:
    history = fold(taken(attempts))
    operator = PEOPLE[-1]
    if history.live is None:
        return
    fields = {"version": history.live, "reason": "x"}
    line = Line(number=99, at_ms=99, kind=Step.ROLL_BACK, by=operator.name, fields=fields, hash=f"{99:064}")
    refused = objection(history, Step.ROLL_BACK, history.live, operator)
    assert (refused is None) is (history.before_live is not None)
    if refused is None:
        after = fold([*taken(attempts), line])
        assert (after.live, after.lives) == (history.before_live, history.lives[:-1])


def test_nothing_is_live_of_an_empty_log() -> None:
    assert fold([]) == History()
