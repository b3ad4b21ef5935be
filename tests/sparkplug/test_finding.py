"""The closed list of findings, and how they are told without flooding the log."""

from __future__ import annotations

from sparkplug.fact import Finding
from sparkplug.finding import REQUIREMENT_OF, SAMPLE_BYTES, FindingName, Findings, Problem, Tally
from tests.sparkplug.conformance import requirements
from tests.sparkplug.situation import NODE

GAP = Problem(FindingName.SEQ_GAP, "seq 1 never came")
WINDOW_MS = 60_000


def told(problem: Problem, times: int) -> Finding:
    return Finding(node=NODE, name=problem.name.value, text=problem.text, times=times)


def test_each_finding_but_those_of_our_own_limits_names_the_requirement_that_it_is_about() -> None:
    assert set(FindingName) - set(REQUIREMENT_OF) == {FindingName.TOO_MANY_NODES, FindingName.TOO_MANY_DEVICES}
    assert set(REQUIREMENT_OF.values()) <= {requirement["id"] for requirement in requirements()}


def test_a_flood_is_told_once_per_window_and_then_with_its_count() -> None:
    findings = Findings(WINDOW_MS)

    flood = [one for at_ms in range(0, WINDOW_MS, 6) for one in findings.note(NODE, [GAP], b"", at_ms)]

    assert flood == [told(GAP, 1)]
    assert findings.note(NODE, [GAP], b"", WINDOW_MS) == [told(GAP, 10_000)]
    assert findings.note(NODE, [GAP], b"", 2 * WINDOW_MS) == [told(GAP, 1)]


def test_each_kind_is_told_for_itself() -> None:
    missing = Problem(FindingName.SEQ_MISSING, "NDATA without seq")

    assert Findings(WINDOW_MS).note(NODE, [GAP, missing, GAP], b"", 0) == [told(GAP, 1), told(missing, 1)]


def test_one_bounded_sample_is_kept_of_each_kind() -> None:
    findings = Findings(WINDOW_MS)
    findings.note(NODE, [GAP], b"a" * 10_000, 5)
    findings.note(NODE, [GAP], b"b" * 10_000, 7)

    assert findings.tallies == {
        "seq-gap": Tally(count=2, first_ms=5, last_ms=7, told_ms=5, untold=1, text=GAP.text, sample=b"a" * SAMPLE_BYTES)
    }


def test_a_clock_that_was_set_back_does_not_silence_the_findings() -> None:
    findings = Findings(WINDOW_MS)
    findings.note(NODE, [GAP], b"", 1_000_000)

    assert findings.note(NODE, [GAP], b"", 0) == [told(GAP, 1)]
