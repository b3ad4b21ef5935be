"""Rule files become rules: read strictly, checked against the plant, compiled once per kind of equipment."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final, NamedTuple, TypeAlias

from ruleset.document import Node, read_document
from ruleset.equipment import Assets, Equipment, Role, Signal
from ruleset.form.alarm import Alarm
from ruleset.form.collect import Collect
from ruleset.form.count import Count
from ruleset.form.episode import Episode
from ruleset.form.moment import OnError
from ruleset.form.occurrence import Occurrence
from ruleset.form.posting import Posting
from ruleset.form.records import Form, rule_id
from ruleset.form.wait import Wait
from ruleset.grammar.form import READERS, Reader
from ruleset.grammar.scope import signature
from ruleset.grammar.selection import Wanted, events_exist, select, wanted_by
from ruleset.grammar.template import TEMPLATE_KEYS, RuleTemplate, Use, read_rule_template, read_use
from ruleset.grammar.track import read_track
from ruleset.problem import Problem, Problems
from ruleset.track.delta import Delta, Per
from ruleset.track.ending import Ending

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")
_FORMS_TEXT: Final = "`event`, `collect`, `episode` or `raise`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A rule at one equipment. `signals` are those that it reads there, also over time (`deltas`); `says` is a hash of
    what it does, equal for rules that differ but in their names."""

    rule: str
    version: str
    equipment: Equipment
    form: Form
    signals: frozenset[str]
    deltas: tuple[Delta, ...]
    reads_shift: bool
    on_error: OnError | None
    says: str

    @property
    def reads_time(self) -> bool:
        """Whether it reads what changes by time alone."""
        return self.reads_shift or bool(self.deltas)

    @property
    def track_id(self) -> str:
        """That of the record of what it follows over time."""
        return f"track/{self.rule}/{self.equipment.path}"

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
"""What is posted under a key without a rule's name: equipment, event (none for an episode) and action; or what a rule
says, without an action."""


_Compiled: TypeAlias = "tuple[Form, tuple[Delta, ...]]"


class Followed(NamedTuple):
    """A signal whose samples can change something, and the rules that read it in a condition. `is_tracked`: some follow
    it over time."""

    signal: Signal
    is_counted: bool
    is_tracked: bool
    conditions: tuple[Instance, ...]


def compile_rules(files: Mapping[str, str], assets: Assets) -> tuple[Rules | None, tuple[Problem, ...]]:
    """Compile rule files (name, as problems show it, to YAML text). None, with every problem, when any is wrong."""
    problems = Problems()
    rules: list[Rule] = []
    instances: list[Instance] = []
    posted_by: dict[_Fact, str] = {}
    places: dict[str, str] = {}
    nodes = [node for file, text in sorted(files.items()) for node in _entries(file, text, problems)]
    templates = _read_templates(nodes, assets)
    for node in nodes:
        if not _is_template(node) and (compiled := _read_rule(node, templates, assets, places)) is not None:
            _refuse_shared_facts(node, compiled[1], posted_by)
            rules.append(compiled[0])
            instances += compiled[1]
    if problems.all:
        return None, problems.all
    return Rules(rules=tuple(rules), instances=tuple(instances)), ()


def unused_templates(files: Mapping[str, str]) -> tuple[Problem, ...]:
    """What one may want to know of clean rule files: templates that no rule uses."""
    nodes = [node.mapping() for file, text in sorted(files.items()) for node in _entries(file, text, Problems())]
    used = {keys["use"].raw.value for keys in nodes if "use" in keys}
    heads = (keys["template"] for keys in nodes if "template" in keys)
    return tuple(
        Problem(
            file=head.file, line=head.line, column=head.column, text=f'no rule uses the template "{head.raw.value}"'
        )
        for head in heads
        if head.raw.value not in used
    )


def posted_at(rules: Rules, action: str) -> frozenset[str]:
    """The equipment of which an event or a stop can become this action."""
    return frozenset(path for each in rules.instances for path, _, posted in _facts(each) if posted == action)


def followed_signals(rules: Rules, assets: Assets) -> dict[tuple[str, str], Followed]:
    """By equipment and name, every signal that a rule reads, or counts, or that names the running order."""
    followed: dict[tuple[str, str], Followed] = {}
    instances: dict[str, list[Instance]] = defaultdict(list)
    for instance in rules.instances:
        instances[instance.equipment.path].append(instance)
    for path, equipment in assets.equipment.items():
        for signal in (each for each in equipment.signals.values() if isinstance(each, Signal)):
            readers = [each for each in instances[path] if signal.name in each.signals]
            conditions = tuple(each for each in readers if isinstance(each.form, Alarm | Episode | Ending))
            forms = (each.form for each in instances[path])
            is_counted = any(signal.name in form.measures.values() for form in forms if isinstance(form, Collect))
            if readers or is_counted or signal.role is Role.ORDER:
                is_tracked = any(delta.signal == signal.name for each in instances[path] for delta in each.deltas)
                followed[path, signal.name] = Followed(signal, is_counted, is_tracked, conditions)
    return followed


class Heard(NamedTuple):
    """Which rules an event may concern: it is theirs (waits last), a `wait` of any equipment awaits it, or a condition
    lasts without it."""

    by_event: dict[tuple[str, str], list[Instance]]
    by_awaited: dict[str, list[Instance]]
    by_missed: dict[tuple[str, str], list[Instance]]


def heard_events(rules: Rules) -> Heard:
    """By equipment and event; what is awaited by the event alone."""
    heard = Heard(defaultdict(list), defaultdict(list), defaultdict(list))
    for instance in rules.instances:
        path = instance.equipment.path
        match instance.form:
            case Occurrence() | Count() | Wait() as form:
                heard.by_event[path, form.event].append(instance)
                if isinstance(form, Wait):
                    heard.by_awaited[form.awaited].append(instance)
            case Alarm() as alarm:
                for name in alarm.without:
                    heard.by_missed[path, name].append(instance)
            case Episode() | Collect() | Ending():
                pass
    for instances in heard.by_event.values():
        instances.sort(key=lambda each: isinstance(each.form, Wait))
    return heard


def _entries(file: str, text: str, problems: Problems) -> list[Node]:
    root = read_document(file, text, problems)
    return [] if root is None or root.is_null else root.items()


def _is_template(node: Node) -> bool:
    return node.is_mapping and "template" in node.mapping()


def _read_templates(nodes: Sequence[Node], assets: Assets) -> dict[str, RuleTemplate | None]:
    """By name; None for one whose head is wrong. The body of one that no rule uses is looked at, too."""
    templates: dict[str, RuleTemplate | None] = {}
    places: dict[str, str] = {}
    for node in nodes:
        if not _is_template(node):
            continue
        _read_form(node, TEMPLATE_KEYS)
        key = node.mapping()["template"]
        if (name := _read_name(key, places, "template")) is not None:
            templates[name] = read_rule_template(node, assets)
    return templates


@dataclass(frozen=True, slots=True)
class _Body:
    """What a rule does, written with it or in a template: its keys, and what stands for parameters where."""

    node: Node
    own_keys: frozenset[str]
    use: Use | None

    def at(self, equipment: Equipment | None) -> Node:
        """As it is for an equipment; None: without what is overridden for some."""
        if self.use is None:
            return self.node
        return self.use.template.body(self.use.arguments_at(equipment) if equipment else self.use.arguments)

    def variant(self, equipment: Equipment) -> Hashable:
        """Equal for equipment at which parameters have the same values."""
        arguments = self.use.arguments_at(equipment) if self.use is not None else {}
        return tuple(sorted((name, each.literal, str(each.raw.value)) for name, each in arguments.items()))


def _read_body(node: Node, templates: Mapping[str, RuleTemplate | None], assets: Assets) -> _Body | None:
    if not node.is_mapping:
        node.problem("expected a rule: a mapping that begins with `rule: <name>`")
        return None
    if "use" not in node.mapping():
        return _Body(node, frozenset({"rule", "assets"}), None)
    use = read_use(node, templates, assets)
    return _Body(use.template.node, TEMPLATE_KEYS, use) if use is not None else None


def _read_form(body: Node, own_keys: frozenset[str]) -> tuple[str, dict[str, Node]] | None:
    """The key that tells the form, and the keys with what the form must have; None, and problems, without."""
    form = next((each for each in READERS if each in body.mapping()), None)
    if form is None:
        body.problem(f"this rule has no form: it needs one of {_FORMS_TEXT}")
        return None
    reader = READERS[form]
    keys = body.mapping(allowed=reader.allowed | reader.required | own_keys, required=reader.required)
    if "alert" in reader.allowed and ("do" in keys) == ("alert" in keys):
        body.problem("a rule either posts or alerts: give it `do` or `alert`")
        return None
    return (form, keys) if reader.required <= keys.keys() else None


def _read_rule(
    node: Node, templates: Mapping[str, RuleTemplate | None], assets: Assets, places: dict[str, str]
) -> tuple[Rule, list[Instance]] | None:
    before = len(node.problems)
    body = _read_body(node, templates, assets)
    head = node.mapping(required={"rule", "assets"}) if body is not None else {}
    read = _read_form(body.at(None), body.own_keys) if body is not None else None
    name = _read_name(head["rule"], places) if "rule" in head else None
    if body is None or read is None or name is None or "assets" not in head or not events_exist(read[1], assets):
        return None
    form, keys = read
    policy = keys["on_error"].choice(READERS[form].on_error) if "on_error" in keys else None
    wanted = wanted_by(keys)
    chosen = select(head["assets"], assets, wanted)
    forms = _compile_forms(body, READERS[form], chosen, assets)
    if len(node.problems) > before:
        return None
    version = _version(node, body)
    said = {key: _content(each) for key, each in keys.items() if key not in body.own_keys}
    instances = [
        Instance(
            rule=name,
            version=version,
            equipment=each,
            form=compiled[0],
            signals=(wanted.signals | _order_of(each, wanted)) & each.signals.keys(),
            deltas=compiled[1],
            reads_shift=wanted.shift or any(delta.per is Per.SHIFT for delta in compiled[1]),
            on_error=OnError(policy) if policy is not None else None,
            says=_hash([said, str(body.variant(each))]),
        )
        for each in chosen
        if (compiled := forms[signature(each), body.variant(each)]) is not None
    ]
    paths = tuple(each.path for each in chosen)
    return Rule(name=name, version=version, form=form, file=node.file, line=node.line, equipment=paths), instances


def _order_of(equipment: Equipment, wanted: Wanted) -> frozenset[str]:
    """The signal that names the running order, where a rule is about orders."""
    signal = equipment.order_signal if wanted.per_order else None
    return frozenset({signal.name}) if signal is not None else frozenset()


def _refuse_shared_facts(node: Node, added: list[Instance], posted_by: dict[_Fact, str]) -> None:
    """Two rules that post one fact would replace each other's posting: its key names the fact, not the rule. Two that
    say the same would tell people everything twice."""
    for each in added:
        for fact in (*_facts(each), (each.equipment.path, each.says, "")):
            if (rule := posted_by.setdefault(fact, each.rule)) != each.rule:
                path, event, action = fact
                if not action:
                    node.problem(f'at {path} the rule "{rule}" says the same already; remove one of the two')
                    return
                what = f"each {event}" if event else "each stop"
                node.problem(
                    f'{what} at {path} is one {action}, which the rule "{rule}" posts '
                    "already; join the two rules, or let them choose different equipment"
                )
                return


def _facts(instance: Instance) -> list[_Fact]:
    path = instance.equipment.path
    match instance.form:
        case Occurrence(posting=Posting() as posting) as form:
            return [(path, form.event, posting.action)]
        case Episode() as form:
            posts = (each for each in (form.at_open, form.posting) if isinstance(each, Posting))
            return [(path, "", posting.action) for posting in posts]
        case Wait() as form:
            posts = (each.then for each in form.branches if isinstance(each.then, Posting))
            return [(path, form.event, posting.action) for posting in posts]
        case _:
            return []


def _compile_forms(
    body: _Body, reader: Reader, chosen: list[Equipment], assets: Assets
) -> dict[tuple[Hashable, Hashable], _Compiled | None]:
    """The form for each kind of equipment. Of what is wrong at one place the most helpful sentence is kept."""
    forms: dict[tuple[Hashable, Hashable], _Compiled | None] = {}
    found: dict[tuple[int, int], Problem] = {}
    for each in chosen:
        if (key := (signature(each), body.variant(each))) in forms:
            continue
        own = replace(body.at(each), problems=Problems())
        keys = own.mapping()
        form, deltas = reader.read(keys, each, assets), read_track(keys, each)
        forms[key] = (form, deltas) if form is not None else None
        for problem in own.problems.all:
            place = (problem.line, problem.column)
            if place not in found or ("did you mean" in problem.text and "did you mean" not in found[place].text):
                found[place] = problem
    body.node.problems.extend(found.values())
    return forms


def _read_name(node: Node, places: dict[str, str], what: str = "rule") -> str | None:
    name = node.text()
    if name is None:
        return None
    if not _NAME.fullmatch(name):
        node.problem(f'{what} name "{name}" must be lower case letters, digits, "-" and "_"')
        return None
    if name in places:
        node.problem(f'{what} "{name}" stands twice, first at {places[name]}')
        return None
    places[name] = node.place
    return name


def _version(node: Node, body: _Body) -> str:
    """A short hash of what the rule says, and its template; comments, order of keys and layout do not count."""
    said = _content(node) if body.use is None else [_content(node), _content(body.node)]
    return _hash(said)


def _hash(content: object) -> str:
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def _content(node: Node) -> object:
    if node.is_mapping:
        return {key: _content(each) for key, each in node.mapping().items()}
    if node.is_sequence:
        return [_content(each) for each in node.items()]
    return None if node.is_null else str(node.raw.value)
