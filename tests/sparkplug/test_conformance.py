"""The page that lists which requirement is shown by which test."""

from __future__ import annotations

from tests.sparkplug.conformance import NOT_SHOWN, PAGE, PROFILES, marks, page, requirements


def test_every_mark_names_a_requirement_of_the_standard() -> None:
    assert set(marks()) <= {requirement["id"] for requirement in requirements()}


def test_every_requirement_is_shown_by_a_test_or_has_a_reason_why_not() -> None:
    ours = {requirement["id"] for requirement in requirements() if requirement["profile"] in PROFILES}

    assert ours - set(marks()) == set(NOT_SHOWN)


def test_the_page_is_what_the_marks_say() -> None:
    assert PAGE.read_text() == page(), "run: python -m tests.sparkplug.conformance"
