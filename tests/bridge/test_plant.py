"""Every file of the plant folder, broken in many ways: each problem is found, located and said in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.commands.check import check
from bridge.errors import ConfigError
from bridge.plant import ACTIONS, Mode, OnFailure, SystemOfRecord, Workflow, load_plant

DEMO = Path(__file__).parents[2] / "bridge" / "demo" / "plant"

BRIDGE = """\
broker:
  host: 127.0.0.1
  port: 1883
odoo:
  database: prod
  user: bridge
  key: {env: KEY}
"""
CODES = """\
scrap_reason:
  S01: Short shot
fault_reason:
  E12: breakdown
units:
  pcs: Units
"""
ASSETS = """\
enterprise: acme
site: berlin
timezone: Europe/Berlin
company: 1
types:
  press:
    signals:
      state: {metric: State, type: text, role: state}
      good: {metric: Good, type: integer, role: counter, unit: pcs, rollover: 65536}
      scrap: {group: Scrap, number: Number, fields: {order: text, qty: {type: number, unit: pcs}, reason: text}}
equipment:
  hall/press-1:
    type: press
    source: {group: g, node: n, device: press-1}
"""
WORKFLOWS = """\
progress:
  actions: [production.progress]
  system_of_record: floor
  mode: near_real_time
  latency: 60s
  priority: 60
  on_failure: wait
  alert: production
  alert_after: 1h
"""
RULES = """\
- rule: scrap
  assets: "*"
  event: scrap
  order: scrap.order
  do: production.scrap
  with: {quantity: scrap.qty, reason: scrap.reason}
"""
FILES = {
    "bridge.yaml": BRIDGE,
    "codes.yaml": CODES,
    "assets.yaml": ASSETS,
    "workflows.yaml": WORKFLOWS,
    "rules/scrap.yaml": RULES,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A plant folder in which nothing is wrong."""
    (tmp_path / "rules").mkdir()
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def problems_of(folder: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_plant(folder)
    return [str(problem) for problem in caught.value.problems]


def test_the_demonstration_plant_is_clean() -> None:
    plant = load_plant(DEMO)

    assert plant.assets.path == "acme/berlin"
    assert plant.settings.edge_node is not None
    assert sorted(plant.rule_files) == ["rules/equipment.yaml", "rules/production.yaml"]
    assert {action for workflow in plant.workflows for action in workflow.actions} == ACTIONS


def test_the_matrix_is_read_and_an_action_finds_its_row(folder: Path) -> None:
    plant = load_plant(folder)

    assert plant.content.workflow_of("production.progress") == Workflow(
        name="progress",
        actions=("production.progress",),
        system_of_record=SystemOfRecord.FLOOR,
        mode=Mode.NEAR_REAL_TIME,
        latency_ms=60_000,
        priority=60,
        on_failure=OnFailure.WAIT,
        alert="production",
        alert_after_ms=3_600_000,
    )
    assert plant.content.workflow_of("quality.hold") is None


def test_the_matrix_may_be_absent_and_tests_of_rules_are_not_rules(folder: Path) -> None:
    (folder / "workflows.yaml").unlink()
    (folder / "rules" / "scrap_test.yaml").write_text("whatever: it is\n")

    plant = load_plant(folder)

    assert plant.workflows == ()
    assert list(plant.rule_files) == ["rules/scrap.yaml"]


def with_own_edge_node(folder: Path, path: str, source: str) -> None:
    """The folder whose bridge has the edge node g/node-2, and whose equipment has this path and source."""
    (folder / "bridge.yaml").write_text(f"edge_node: {{group: g, node: node-2}}\n{BRIDGE}")
    assets = ASSETS.replace("hall/press-1", path).replace("{group: g, node: n, device: press-1}", source)
    (folder / "assets.yaml").write_text(assets)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("hall/press-1", "{group: g, node: node-2}"),
        ("hall/press-{n:1..2}", "{group: g, node: node-2, device: 'press-{n}'}"),
        ("hall/press-{n:1..3}", "{group: g, node: 'node-{n}'}"),
    ],
)
def test_the_bridges_own_edge_node_cannot_be_a_source(folder: Path, path: str, source: str) -> None:
    with_own_edge_node(folder, path, source)

    assert problems_of(folder) == [
        "assets.yaml:14:13: g/node-2 is the bridge's own edge node (bridge.yaml:1:12), which only shows the orders; "
        "name the node that this equipment is on, or give edge_node a name of its own"
    ]


@pytest.mark.parametrize("source", ["{group: other, node: node-2}", "{group: g, node: node-1}"])
def test_another_node_than_the_bridges_own_can_be_a_source(folder: Path, source: str) -> None:
    with_own_edge_node(folder, "hall/press-1", source)

    assert list(load_plant(folder).assets.equipment) == ["acme/berlin/hall/press-1"]


BROKEN_BRIDGE = [
    ("port: 1883", "prot: 1883", '3:3: unknown key "prot"; did you mean "port"?'),
    ("port: 1883", "port: 70000", "3:9: 70000 is too large: at most 65535"),
    ("port: 1883", "port: '1883'", '3:9: expected a whole number, found the text "1883"'),
    ("port: 1883", "version: 3", "3:12: MQTT version 3 is not possible; write 5, or 4 for MQTT 3.1.1"),
    ("port: 1883", "host: other", '3:3: key "host" stands twice, first in line 2'),
    ("port: 1883", "tls: yes", '3:8: expected true or false, found the text "yes"'),
    ("port: 1883", "cert_file: c.pem", "3:14: TLS files are given but tls is false; remove one of the two"),
    ("port: 1883", "port: 1883\nsparkplug: {declared_offline: ignore}", '4:31: "ignore" is not possible here'),
    ("port: 1883", "timeout: 10", "3:12: expected a duration such as 500ms, 30s, 5m, 8h or 1d, found 10"),
    ("port: 1883", "secret: hunter2", "3:11: a secret is never written here; name it as {file: PATH} or {env: NAME}"),
    ("host: 127.0.0.1", "host: ''", "2:9: host must not be empty"),
    ("  database: prod\n", "", '5:3: key "database" is missing here'),
    ("database: prod", "database: 5", '5:13: expected text, found 5; write "5" in quotes'),
    ("{env: KEY}", "KEY", "7:8: a secret is never written here; name it as {file: PATH} or {env: NAME}"),
    ("{env: KEY}", "{env: KEY, file: k}", "7:8: a secret is named by exactly one of file and env"),
    (
        "user: bridge",
        "user: bridge\n  url: odoo.local:8069",
        '7:8: "odoo.local:8069" must be a URL that begins with http:// or https://',
    ),
    ("odoo:", "redis: {lease: 6m}\nodoo:", "4:16: 6m is too long: at most 5m"),
    ("odoo:", "retry: {first: 1m, longest: 5s}\nodoo:", "4:29: the longest wait is shorter than the first one"),
    ("odoo:", "over_production: 5%\nodoo:", '4:18: expected a whole number, found the text "5%"'),
    (
        "odoo:",
        "sparkplug: {groups: [a/b]}\nodoo:",
        '4:22: "a/b" cannot be a Sparkplug group; write `groups: all` to follow every group',
    ),
    (
        "odoo:",
        "sparkplug: {groups: []}\nodoo:",
        "4:21: no group would be followed; name them, or write `groups: all`",
    ),
    (
        "odoo:",
        "edge_node: {group: g, node: 'n+'}\nodoo:",
        '4:29: "n+" cannot be a Sparkplug id: it must not hold "/", "+" or "#"',
    ),
    ("odoo:", "edge_node: {group: g}\nodoo:", '4:12: key "node" is missing here'),
    ("odoo:", "dashboard: {port: 80}\nodoo:", '4:1: unknown key "dashboard"; known here: '),
    ("broker:", "broker: [", "3:7: not valid YAML: while parsing a flow sequence that begins in line 1, "),
]
BROKEN_CODES = [
    ("S01: Short shot", "S01: 5", '2:8: expected text, found 5; write "5" in quotes'),
    ("S01: Short shot", "S01:", "2:6: expected text, found nothing"),
    ("S01: Short shot", "S01: ''", '2:8: code "S01" has no meaning; write the name that Odoo uses'),
    ("S01: Short shot", "1: Short shot", '2:3: expected text, found 1; write "1" in quotes'),
    ("S01: Short shot", "S01: a\n  S01: b", '3:3: key "S01" stands twice, first in line 2'),
    ("E12: breakdown", "E12: brakdown", '4:8: "brakdown" is no loss category; did you mean "breakdown"?'),
    ("scrap_reason:", "scrap-reason:", '1:1: table name "scrap-reason" must be lower case letters, digits and _'),
    ("  S01: Short shot", "  - S01", "2:3: expected a mapping, found a list"),
    ("scrap_reason:", "scrap_reason: x", "2:6: not valid YAML: mapping values are not allowed here"),
    (CODES, "", "1:1: expected code tables, such as `units: {pcs: Units}`"),
    (CODES, "- units\n", "1:1: expected code tables, such as `units: {pcs: Units}`"),
]
BROKEN_ASSETS = [
    ("company: 1", "company: 0", "4:10: 0 is too small: at least 1"),
    ("company: 1\n", "", '1:1: key "company" is missing here'),
    ("site: berlin", "site: ber/lin", '2:7: "ber/lin" must be one path level of letters, digits, "-", "_" and "."'),
    ("Europe/Berlin", "Europe/Munich", '3:11: unknown time zone "Europe/Munich"; write one such as Europe/Berlin'),
    ("type: text", "type: txt", '8:36: "txt" is not possible here; did you mean "text"?'),
    ("role: state", "role: status", '8:48: "status" is not possible here; did you mean "state"?'),
    ("metric: State", "metrik: State", '8:14: signal "state" must be exactly one of: metric, group (with number), '),
    ("      state:", "      State:", '8:7: signal name "State" must be lower case letters, digits and _'),
    ("      state:", "      shift:", '8:7: signal name "shift" is reserved: it means something else in rules'),
    ("unit: pcs", "unit: pieces", '9:64: unit "pieces" does not stand in the table units of codes.yaml'),
    ("rollover: 65536", "rollover: 0", "9:79: 0 is too small: at least 1"),
    (
        "type: integer, role: counter",
        "type: text, role: counter",
        '9:34: a counter counts: its type must be integer or number, not "text"',
    ),
    ("role: counter, unit", "unit", "9:64: only a counter rolls over; add `role: counter` or remove it"),
    ("metric: Good", "metric: State", '12:3: the metric "State" of g/n/press-1 feeds two signals: '),
    ("metric: Good", "metric: Scrap/qty", '12:3: the metric "Scrap/qty" of g/n/press-1 feeds two signals: '),
    ("number: Number, ", "", '10:14: key "number" is missing here'),
    ("qty: {type: number", "qty: {type: float", '10:79: "float" is not possible here'),
    ("reason: text", "id: text", '10:99: field "id" is part of every event; do not declare it'),
    ("reason: text", "Number: text", '10:99: field "Number" is the running number of the group already'),
    ("reason: text", "what: {list: {a: text}}", '10:105: field "what" is a list; only a document can carry one'),
    ("    type: press", "    type: pres", '13:11: unknown type "pres"; did you mean "press"?'),
    ("  hall/press-1:", "  hall/pre#ss:", '12:3: every level of the path "hall/pre#ss" must be letters, digits'),
    ("  hall/press-1:", "  order/press-1:", '12:3: the level "order" below the site is reserved for order releases'),
    (
        "  hall/press-1:",
        "  master/press-1:",
        '12:3: the level "master" below the site is reserved for master data of Odoo',
    ),
    ("  hall/press-1:", "  hall/press-{n:1-2}:", '12:3: "hall/press-{n:1-2}" holds a range that cannot be read'),
    ("  hall/press-1:", "  hall/press-{n:2..1}:", "12:3: the range 2..1 is empty; write the smaller number first"),
    ("device: press-1", 'device: "press-{n}"', '14:41: unknown placeholder "{n}"'),
    ("group: g", "group: g/h", '14:21: "g/h" cannot be a Sparkplug id: it must not be empty nor hold "/", "+" or "#"'),
    (
        "    source: {group: g, node: n, device: press-1}\n",
        "",
        '12:3: signal "state" comes over Sparkplug: add `source',
    ),
    ("metric: State", 'metric: "S{n}"', '12:3: the type\'s metric "S{n}" needs a range such as {n:1..9} in this path'),
    ("company: 1", "company: 1\nowner: x", '5:1: unknown key "owner"; known here: '),
    ("equipment:", "equipment: [", "13:9: not valid YAML: while parsing a flow sequence that begins in line 11, "),
]
BROKEN_WORKFLOWS = [
    ("actions: [production.progress]", "actions: [progress]", '2:13: "progress" is not possible here'),
    ("actions: [production.progress]", "actions: []", "2:12: a workflow needs at least one action"),
    ("actions: [production.progress]", "actions: production.progress", "2:12: expected a list, found the text"),
    ("mode: near_real_time", "mode: realtime", '4:9: "realtime" is not possible here; did you mean "real_time"?'),
    (
        "system_of_record: floor",
        "system_of_record: erp",
        '3:21: "erp" is not possible here; known here: floor, mes, odoo',
    ),
    ("latency: 60s", "latency: soon", "5:12: expected a duration such as 500ms, 30s, 5m, 8h or 1d"),
    ("priority: 60", "priority: high", '6:13: expected a whole number, found the text "high"'),
    ("priority: 60", "priority: 0", "6:13: 0 is too small: at least 1"),
    ("on_failure: wait", "on_failure: stop", '7:15: "stop" is not possible here; known here: go_on, wait'),
    ("  alert_after: 1h\n", "", "2:3: alert (who) and alert_after (how long) are needed together"),
    ("alert_after: 1h", "alert_after: 0s", "9:16: 0s is too short: at least 1s"),
    ("priority: 60", "prio: 60", '6:3: unknown key "prio"; did you mean "priority"?'),
    ("  latency: 60s\n", "", '2:3: key "latency" is missing here'),
    (
        WORKFLOWS,
        WORKFLOWS + WORKFLOWS.replace("progress:", "p:", 1),
        '11:13: the action "production.progress" belongs to',
    ),
    ("progress:", "progress: *x", "1:11: not valid YAML: found undefined alias 'x'"),
]
BROKEN = [
    *(("bridge.yaml", *each) for each in BROKEN_BRIDGE),
    *(("codes.yaml", *each) for each in BROKEN_CODES),
    *(("assets.yaml", *each) for each in BROKEN_ASSETS),
    *(("workflows.yaml", *each) for each in BROKEN_WORKFLOWS),
]


@pytest.mark.parametrize(("file", "right", "wrong", "said"), BROKEN)
def test_what_is_wrong_in_a_file_is_located_and_said(
    folder: Path, capsys: pytest.CaptureFixture[str], file: str, right: str, wrong: str, said: str
) -> None:
    assert right in FILES[file]
    (folder / file).write_text(FILES[file].replace(right, wrong, 1))

    found = problems_of(folder)

    assert [each for each in found if each.startswith(f"{file}:{said}")], found
    assert check(folder, json_output=False) == 2
    assert f"{file}:{said}" in capsys.readouterr().out


def test_two_states_in_one_type_are_a_problem(folder: Path) -> None:
    (folder / "assets.yaml").write_text(ASSETS.replace("role: counter, unit: pcs, rollover: 65536", "role: state"))

    assert problems_of(folder) == ['assets.yaml:9:7: the role "state" is taken by the signal "state" already']


def test_units_that_are_used_need_their_table(folder: Path) -> None:
    (folder / "codes.yaml").write_text("scrap_reason: {S01: Short shot}\n")

    assert problems_of(folder) == [
        'assets.yaml:9:64: unit "pcs" does not stand in the table units of codes.yaml',
        'assets.yaml:10:93: unit "pcs" does not stand in the table units of codes.yaml',
    ]


def test_an_equipment_that_stands_twice_through_a_range_is_a_problem(folder: Path) -> None:
    second = '  hall/press-{n:1..2}:\n    type: press\n    source: {group: g, node: m, device: "p{n}"}\n'
    (folder / "assets.yaml").write_text(ASSETS + second)

    assert problems_of(folder) == ['assets.yaml:15:3: equipment "hall/press-1" stands twice, first in line 12']


def test_problems_of_all_files_come_at_once(folder: Path) -> None:
    (folder / "bridge.yaml").write_text(BRIDGE.replace("port: 1883", "port: 0"))
    (folder / "codes.yaml").write_text(CODES.replace("breakdown", "broken"))
    (folder / "assets.yaml").write_text(ASSETS.replace("company: 1", "company: one").replace("role: state", "role: x"))
    (folder / "workflows.yaml").write_text(WORKFLOWS.replace("60s", "60"))
    (folder / "rules" / "scrap.yaml").write_text("- rule: [\n")

    places = [problem.split(": ")[0] for problem in problems_of(folder)]

    assert places == [
        "assets.yaml:4:10",
        "assets.yaml:8:48",
        "bridge.yaml:3:9",
        "codes.yaml:4:8",
        "rules/scrap.yaml:2:1",
        "workflows.yaml:5:12",
    ]


@pytest.mark.parametrize("name", ["bridge.yaml", "assets.yaml", "codes.yaml"])
def test_a_file_that_is_missing_is_a_problem_with_its_mend(folder: Path, name: str) -> None:
    (folder / name).unlink()

    assert f"{name}: the file is missing; docs/plant.md shows what must be in it" in problems_of(folder)


def test_a_plant_without_rules_is_a_problem(folder: Path) -> None:
    (folder / "rules" / "scrap.yaml").unlink()

    assert problems_of(folder) == ["rules: there is no rule file; add one, such as rules/production.yaml"]


def test_a_file_that_nobody_reads_is_a_problem(folder: Path) -> None:
    (folder / "workflow.yaml").write_text(WORKFLOWS)
    (folder / "rules" / "press.yml").write_text(RULES)

    assert problems_of(folder) == [
        'rules/press.yml: this file is not read; rename it to "press.yaml"',
        'workflow.yaml: this file is not read; did you mean "workflows.yaml"?',
    ]


def test_a_file_that_is_not_utf_8_is_located(folder: Path) -> None:
    (folder / "codes.yaml").write_bytes("units:\n  pcs: Stück\n".encode("latin-1"))

    assert problems_of(folder) == ["codes.yaml:2:10: not UTF-8; save the file as UTF-8"]


def test_a_folder_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path / "plant")

    assert problem.startswith(f"{tmp_path / 'plant'}: there is no such folder; name the plant folder")


@pytest.mark.parametrize("action", ["production.complete", "production.progress"])
def test_what_becomes_of_a_rest_is_said_with_the_completion(action: str, folder: Path) -> None:
    matrix = folder / "workflows.yaml"
    text = matrix.read_text().replace("[production.progress]", f"[{action}]")
    matrix.write_text(text.replace(f"  actions: [{action}]\n", f"  actions: [{action}]\n  short: backorder\n"))
    if action == "production.complete":
        row = load_plant(folder).content.workflow_of(action)
        assert row is not None
        assert row.short == "backorder"
    else:
        (problem,) = problems_of(folder)
        assert problem.endswith("short belongs to the workflow of production.complete")
