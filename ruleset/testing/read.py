"""`rules/*_test.yaml`: a list of tests. Text in, tests out, with every problem at its place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ruleset.document import Node, read_document
from ruleset.equipment import Assets
from ruleset.problem import Problems, suggest
from ruleset.rules import Rules
from ruleset.testing.case import SECTIONS, RuleTest
from ruleset.testing.expectation import read_expected
from ruleset.testing.floor import Floor, read_floor
from ruleset.testing.moment import read_offset, read_start

AFTER_MS: Final = 300_000
"""So long a test goes on after the last thing that it gives: gaps, windows and settling end in it."""

_KEYS: Final = frozenset(
    {"test", "rule", "rules", "asset", "start", "every", "given", "events", "at", "until", *SECTIONS}
)


@dataclass(frozen=True, slots=True)
class _Known:
    """The plant that is tested: its equipment, and where its rules are at work."""

    assets: Assets
    rules: Mapping[str, frozenset[str]]


def read_tests(files: Mapping[str, str], rules: Rules, assets: Assets, problems: Problems) -> tuple[RuleTest, ...]:
    """Read test files (name, as problems show it, to YAML text). A test in which something is wrong is left out."""
    at_work: dict[str, set[str]] = defaultdict(set)
    for each in rules.instances:
        at_work[each.rule].add(each.equipment.path)
    known = _Known(assets, {name: frozenset(paths) for name, paths in at_work.items()})
    places: dict[str, str] = {}
    tests: list[RuleTest] = []
    for file, text in sorted(files.items()):
        root = read_document(file, text, problems)
        if root is None or root.is_null:
            continue
        if root.is_mapping:
            root.problem("expected a list of tests: each begins with `- test: <what must be so>`")
            continue
        read = [_read_test(node, known, places) for node in root.items()]
        tests += [each for each in read if each is not None]
    return tuple(tests)


def _read_test(node: Node, known: _Known, places: dict[str, str]) -> RuleTest | None:
    before = len(node.problems)
    keys = node.mapping(allowed=_KEYS, required={"test"})
    if not keys:
        return None
    name = _read_name(keys["test"], places) if "test" in keys else None
    floor = read_floor(keys, known.assets)
    rules = _read_rules(node, keys, known, floor)
    start_ms = read_start(keys.get("start"), known.assets.timezone)
    until_ms = read_offset(keys["until"]) if "until" in keys else floor.last_ms + AFTER_MS
    if until_ms is not None and until_ms < floor.last_ms:
        keys["until"].problem("the test ends before the last thing that it gives")
    if not keys.keys() & set(SECTIONS):
        node.problem("this test expects nothing: write `expect: []` where nothing must be posted")
    expected = read_expected(keys, floor.names(), rules)
    if len(node.problems) > before or name is None or start_ms is None or until_ms is None:
        return None
    return RuleTest(
        name=name,
        file=node.file,
        line=node.line,
        rules=rules,
        equipment=tuple(floor.equipment),
        start_ms=start_ms,
        until_ms=until_ms,
        said=tuple(floor.said),
        happened=tuple(floor.happened),
        acts=tuple(floor.acts),
        expected=expected,
    )


def _read_name(node: Node, places: dict[str, str]) -> str | None:
    name = node.text()
    if name is not None and not name.strip():
        node.problem("a test needs a name: a sentence that says what must be so")
    elif name is not None and name in places:
        node.problem(f"this test stands twice, first at {places[name]}")
    elif name is not None:
        places[name] = node.place
    return name


def _read_rules(node: Node, keys: Mapping[str, Node], known: _Known, floor: Floor) -> frozenset[str]:
    """The rules at work: `rule: downtime`, `rules: [progress, complete]` or `rules: all`."""
    if ("rule" in keys) == ("rules" in keys):
        node.problem("say which rule is tested: `rule: <name>`, `rules: [<name>, ...]` or `rules: all`")
        return frozenset()
    own = keys.get("rules") or keys["rule"]
    if "rules" in keys and own.is_text and own.text() == "all":
        return frozenset(known.rules)
    found: set[str] = set()
    for each in own.items() if "rules" in keys else [own]:
        name = each.text()
        if name is None:
            continue
        if name not in known.rules:
            each.problem(f'unknown rule "{name}"{suggest(name, known.rules.keys())}')
        elif floor.equipment and not known.rules[name] & floor.equipment.keys():
            site = f"{known.assets.path}/"
            places = sorted(path.removeprefix(site) for path in known.rules[name])
            where = ", ".join(places[:3]) + (" and others" if len(places) > 3 else "")
            each.problem(f'the rule "{name}" is at work at {where}, and none of it takes part in this test')
        else:
            found.add(name)
    return frozenset(found)
