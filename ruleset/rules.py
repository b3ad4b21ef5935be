"""Rule files become rules: read strictly, checked against the plant, compiled once per kind of equipment."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final, NamedTuple, TypeAlias

from ruleset.document import Node, read_document
from ruleset.equipment import Assets, Equipment, Role, Signal
from ruleset.form.alarm import Alarm
from ruleset.form.collect import Collect
from ruleset.form.episode import Episode
from ruleset.form.occurrence import Occurrence
from ruleset.form.records import Form, rule_id
from ruleset.grammar.expression import references_of
from ruleset.grammar.form import READERS, Reader
from ruleset.grammar.scope import RESERVED, signature
from ruleset.grammar.selection import Wanted, check_event, select
from ruleset.problem import Problem, Problems

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")
_FORMS_TEXT: Final = "`event`, `collect`, `episode` or `raise`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A rule at one equipment. `signals` are the value signals that it reads there."""

    rule: str
    version: str
    equipment: Equipment
    form: Form
    signals: frozenset[str]

    @property
    def id(self) -> str:
        """That of its working memory's record."""
        return rule_id(self.rule, self.equipment.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule for lists: where it stands, its form (the key that tells it), and the equipment it is for."""

    name: str
    version: str
    form: str
    file: str
    line: int
    equipment: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All rules of a plant, in the order of the files' names and of the rules in them."""

    rules: tuple[Rule, ...]
    instances: tuple[Instance, ...]


_Fact: TypeAlias = "tuple[str, str, str]"
"""What is posted under a key without a rule's name: equipment, event (none for an episode) and action."""


class Followed(NamedTuple):
    """A signal whose samples can change something, and the rules that read it in a condition."""

    signal: Signal
    is_counted: bool
    conditions: tuple[Instance, ...]


def compile_rules(files: Mapping[str, str], assets: Assets) -> tuple[Rules | None, tuple[Problem, ...]]:
    """Compile rule files (name, as problems show it, to YAML text). None, with every problem, when any is wrong."""
    problems = Problems()
    rules: list[Rule] = []
    instances: list[Instance] = []
    posted_by: dict[_Fact, str] = {}
    places: dict[str, str] = {}
    for file, text in sorted(files.items()):
        root = read_document(file, text, problems)
        if root is None or root.is_null:
            continue
        for node in root.items():
            compiled = _read_rule(node, assets, places)
            if compiled is not None:
                _refuse_shared_facts(node, compiled[1], posted_by)
                rules.append(compiled[0])
                instances += compiled[1]
    if problems.all:
        return None, problems.all
    return Rules(rules=tuple(rules), instances=tuple(instances)), ()


def followed_signals(rules: Rules, assets: Assets) -> dict[tuple[str, str], Followed]:
    """By equipment and name, every signal that a rule reads, or counts, or that names the running order."""
    followed: dict[tuple[str, str], Followed] = {}
    instances: dict[str, list[Instance]] = defaultdict(list)
    for instance in rules.instances:
        instances[instance.equipment.path].append(instance)
    for path, equipment in assets.equipment.items():
        for signal in (each for each in equipment.signals.values() if isinstance(each, Signal)):
            readers = [each for each in instances[path] if signal.name in each.signals]
            conditions = tuple(each for each in readers if isinstance(each.form, Alarm | Episode))
            forms = (each.form for each in instances[path])
            is_counted = any(signal.name in form.measures.values() for form in forms if isinstance(form, Collect))
            if readers or is_counted or signal.role is Role.ORDER:
                followed[path, signal.name] = Followed(signal, is_counted, conditions)
    return followed


def _read_rule(node: Node, assets: Assets, places: dict[str, str]) -> tuple[Rule, list[Instance]] | None:
    if not node.is_mapping:
        node.problem("expected a rule: a mapping that begins with `rule: <name>`")
        return None
    form = next((each for each in READERS if each in node.mapping()), None)
    if form is None:
        node.problem(f"this rule has no form: it needs one of {_FORMS_TEXT}")
        return None
    reader = READERS[form]
    before = len(node.problems)
    required = {"rule", "assets", *reader.required}
    keys = node.mapping(allowed=reader.allowed | required, required=required)
    name = _read_name(keys["rule"], places) if "rule" in keys else None
    if not required <= keys.keys() or name is None or not _events_exist(keys, assets):
        return None
    wanted = _wanted(keys)
    chosen = select(keys["assets"], assets, wanted)
    forms = _compile_forms(node, reader, chosen, assets)
    if len(node.problems) > before:
        return None
    version = _version(node)
    instances = [
        Instance(
            rule=name, version=version, equipment=each, form=compiled, signals=wanted.signals & each.signals.keys()
        )
        for each in chosen
        if (compiled := forms[signature(each)]) is not None
    ]
    paths = tuple(each.path for each in chosen)
    return Rule(name=name, version=version, form=form, file=node.file, line=node.line, equipment=paths), instances


def _refuse_shared_facts(node: Node, added: list[Instance], posted_by: dict[_Fact, str]) -> None:
    """Two rules that post one fact would replace each other's posting: its key names the fact, not the rule."""
    for each in added:
        for fact in _facts(each):
            if (rule := posted_by.setdefault(fact, each.rule)) != each.rule:
                path, event, action = fact
                what = f"each {event}" if event else "each stop"
                node.problem(
                    f'{what} at {path} is one {action}, which the rule "{rule}" posts '
                    "already; join the two rules, or let them choose different equipment"
                )
                return


def _facts(instance: Instance) -> list[_Fact]:
    path = instance.equipment.path
    match instance.form:
        case Occurrence() as form:
            return [(path, form.event, form.posting.action)]
        case Episode() as form:
            posts = (each for each in (form.at_open, form.posting) if each is not None)
            return [(path, "", posting.action) for posting in posts]
        case _:
            return []


def _compile_forms(
    node: Node, reader: Reader, chosen: list[Equipment], assets: Assets
) -> dict[tuple[object, ...], Form | None]:
    """The form for each kind of equipment. Of what is wrong at one place the most helpful sentence is kept."""
    forms: dict[tuple[object, ...], Form | None] = {}
    found: dict[tuple[int, int], Problem] = {}
    for each in chosen:
        if (key := signature(each)) in forms:
            continue
        own = replace(node, problems=Problems())
        forms[key] = reader.read(own.mapping(), each, assets)
        for problem in own.problems.all:
            place = (problem.line, problem.column)
            if place not in found or ("did you mean" in problem.text and "did you mean" not in found[place].text):
                found[place] = problem
    node.problems.extend(found.values())
    return forms


def _read_name(node: Node, places: dict[str, str]) -> str | None:
    name = node.text()
    if name is None:
        return None
    if not _NAME.fullmatch(name):
        node.problem(f'rule name "{name}" must be lower case letters, digits, "-" and "_"')
        return None
    if name in places:
        node.problem(f'rule "{name}" stands twice, first at {places[name]}')
        return None
    places[name] = node.place
    return name


def _events_exist(keys: Mapping[str, Node], assets: Assets) -> bool:
    found = True
    if "event" in keys:
        name = keys["event"].text()
        found = name is not None and check_event(keys["event"], assets, name)
    wait = keys.get("wait")
    awaited = wait.mapping().get("for") if wait is not None and wait.is_mapping else None
    if awaited is not None:
        name = awaited.text()
        found = name is not None and check_event(awaited, assets, name) and found
    return found


def _wanted(keys: Mapping[str, Node]) -> Wanted:
    """The signals that the rule names anywhere."""
    names: set[str] = set()
    for key in keys.keys() - {"rule", "assets", "event", "do", "stale", "once", "micro"}:
        names |= _named(keys[key], key)
    if "do" in keys and keys["do"].is_sequence:
        names |= _named(keys["do"], "branches")
    own = keys["event"].raw.value if "event" in keys else None
    measures = set(keys["collect"].mapping()) if "collect" in keys and keys["collect"].is_mapping else set()
    signals = {_signal_of(each) for each in names}
    wait = keys.get("wait")
    awaited = wait.mapping().get("for") if wait is not None and wait.is_mapping else None
    events = {str(own)} | ({str(awaited.raw.value)} if awaited is not None else set())
    running = "order" in keys and keys["order"].raw.value == "running"
    signals -= {"", "running", *RESERVED, *measures, *events}
    return Wanted(signals=frozenset(signals), event=str(own) if own is not None else None, order=running)


def _named(node: Node, key: str) -> set[str]:
    """References of every expression below a node; texts that are none of their own are skipped by their key."""
    if node.is_mapping:
        skipped = {"do", "for", "at_most", "at_least", "within", "every", "merge_gaps", "unit", "post"}
        skipped = skipped if key != "collect" else set()
        return {name for own, each in node.mapping().items() if own not in skipped for name in _named(each, own)}
    if node.is_sequence:
        return {name for each in node.items() for name in _named(each, key)} - (
            {"order"} if key == "and_when_changes" else set()
        )
    return set(references_of(node, template=key in ("else", "alert")))


def _signal_of(reference: str) -> str:
    """`scrap` of `scrap.qty`, `fault` of `episode.fault`."""
    parts = reference.split(".")
    return parts[1] if parts[0] == "episode" and len(parts) > 1 else parts[0]


def _version(node: Node) -> str:
    """A short hash of what the rule says; comments, order of keys and layout do not count."""
    return sha256(json.dumps(_content(node), sort_keys=True).encode()).hexdigest()[:12]


def _content(node: Node) -> object:
    if node.is_mapping:
        return {key: _content(each) for key, each in node.mapping().items()}
    if node.is_sequence:
        return [_content(each) for each in node.items()]
    return None if node.is_null else str(node.raw.value)
