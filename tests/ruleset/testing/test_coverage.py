"""Coverage: what of the rules no test reached is said at its place in the rule file."""

from __future__ import annotations

from bridge.plant import Plant
from bridge.rule_tests.folder import run_test
from ruleset.testing.coverage import Coverage
from tests.ruleset.testing.tried import DEMO, OWN, SCENARIOS, plant, with_rules, written

RULES = """\
- template: hot
  parameters: {limit: {type: number}}
  raise: {when: "temperature > param.limit && door_open"}
  do: maintenance.request
  with: {title: "'Hot'"}
- rule: warm
  use: hot
  assets: "pressing/*"
  parameters: {limit: 40}
- rule: broken
  assets: "pressing/*"
  episode: {open: "state == 'FAULT'"}
  micro: 10m
  at_open: {do: capacity.block, with: {start: started, loss: "'breakdown'"}}
  do: capacity.unblock
  need:
    - {that: "fault != ''", else: no fault}
  with: {start: started, end: ended}
- rule: stop
  assets: "pressing/*"
  episode: {open: "state == 'STOPPED'"}
  classify:
    - {when: "episode.fault == 'W03'", loss: "'setup'"}
    - {when: "true", loss: "'unclassified'"}
  do: downtime.record
  with: {start: started, end: ended, loss: loss}
- rule: doors
  assets: "pressing/*"
  raise: {when: door_open}
  alert: a door is open
"""


def left(test: str, of: Plant) -> tuple[float, list[str]]:
    """The share that a test reaches, and what it leaves."""
    coverage = Coverage()
    coverage.note(run_test(written(test, of), of, coverage.watch(of.rules)).came)
    return round(coverage.share, 3), [str(each) for each in coverage.unreached(of.rules, of.rule_files)]


def test_what_no_test_reached_is_said_at_its_place_also_in_a_template() -> None:
    text = """\
- test: t
  rules: [warm, stop, doors]
  asset: pressing/press-1
  every: 1m
  given: {state: "STOPPED RUN", temperature: "50 30", door_open: false}
  expect: [{do: downtime.record}]
"""
    assert left(text, with_rules(RULES, OWN)) == (
        0.353,
        [
            "rules/x.yaml:3:17: rule warm: temperature > param.limit && door_open was never true",
            "rules/x.yaml:4:7: rule warm: maintenance.request was never posted",
            "rules/x.yaml:12:19: rule broken: state == 'FAULT' was never false",
            "rules/x.yaml:12:19: rule broken: state == 'FAULT' was never true",
            "rules/x.yaml:14:17: rule broken: capacity.block was never posted",
            "rules/x.yaml:15:7: rule broken: capacity.unblock was never posted",
            "rules/x.yaml:17:14: rule broken: fault != '' was never false",
            "rules/x.yaml:17:14: rule broken: fault != '' was never true",
            "rules/x.yaml:23:14: rule stop: episode.fault == 'W03' was never true",
            "rules/x.yaml:29:17: rule doors: door_open was never true",
            "rules/x.yaml:30:10: rule doors: nobody was ever told",
        ],
    )


def test_watching_changes_nothing_of_what_comes() -> None:
    text = """\
- test: t
  rules: all
  asset: pressing/press-1
  every: 1m
  given: {state: "STOPPED RUN FAULT x12 RUN", temperature: "50", door_open: true, fault: E12}
  at: {5m: restart}
  expect: []
"""
    of = with_rules(RULES, OWN)
    test = written(text, of)

    assert run_test(test, of, Coverage().watch(of.rules)) == run_test(test, of, of.rules)


def test_a_plant_without_branches_left_is_wholly_reached() -> None:
    for folder in (DEMO, SCENARIOS, OWN):
        coverage = Coverage()
        coverage.watch(plant(folder).rules)
        coverage.reached.update(coverage.points)

        assert coverage.points
        assert coverage.share == 1.0
        assert coverage.unreached(plant(folder).rules, plant(folder).rule_files) == ()
