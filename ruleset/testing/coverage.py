"""What of the rules no test reached: postings, alerts, lines of `classify` and `do`, conditions that were never both.

The forms of the rules are rebuilt around watched expressions; the engine knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from ruleset.cel import Expression
from ruleset.document import Node, read_document
from ruleset.form.alarm import Alarm
from ruleset.form.collect import Collect
from ruleset.form.count import Count
from ruleset.form.episode import Episode
from ruleset.form.occurrence import Occurrence
from ruleset.form.posting import Posting, Then
from ruleset.form.records import Form
from ruleset.form.wait import Wait
from ruleset.output import Alert, Post
from ruleset.problem import Problem, Problems
from ruleset.rules import Instance, Rules
from ruleset.testing.run import Came
from ruleset.track.ending import Ending
from ruleset.transaction import action

Path: TypeAlias = "tuple[str | int, ...]"
"""Where something stands in its rule: `("classify", 0, "when")`."""

_ALERT: Final = "alert"
_WAYS: Final = {True: "was never true", False: "was never false"}


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that a test may reach: a condition that is true, or false, or (`way` None) a posting or an alert."""

    rule: str
    path: Path
    way: bool | None


@dataclass(slots=True)
class Coverage:
    """Gathers over all tests. `points` is what there is, in the order of the rules."""

    points: dict[Point, None] = field(default_factory=dict)
    reached: set[Point] = field(default_factory=set)

    def watch(self, rules: Rules) -> Rules:
        """The same rules, watched."""
        watched = {id(each.form): _Watcher(self, each).form(each.form) for each in rules.instances}
        return replace(rules, instances=tuple(replace(each, form=watched[id(each.form)]) for each in rules.instances))

    def note(self, came: Iterable[Came]) -> None:
        """Take the postings and alerts of a test."""
        for each in came:
            match each.output:
                case Post(transaction=one):
                    self.reached.add(Point(one.provenance.rule, (action(one),), None))
                case Alert(rule=rule):
                    self.reached.add(Point(rule, (_ALERT,), None))
                case _:
                    pass

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return sum(each in self.reached for each in self.points) / len(self.points) if self.points else 1.0

    def unreached(self, rules: Rules, files: Mapping[str, str]) -> tuple[Problem, ...]:
        """A sentence for each that no test reached, at its place in the rule file."""
        bodies = _bodies(rules, files)
        found: list[Problem] = []
        for point in self.points:
            if point not in self.reached:
                node = _node(bodies[point.rule], point.path)
                text = f"rule {point.rule}: {_said(point, node)}"
                found.append(Problem(file=node.file, line=node.line, column=node.column, text=text))
        return tuple(sorted(found))


class _Watcher:
    """Makes the watched form of one rule."""

    def __init__(self, coverage: Coverage, instance: Instance) -> None:
        self._coverage = coverage
        self._rule = instance.rule

    def form(self, form: Form) -> Form:
        match form:
            case Occurrence() | Count():
                when = self._both(form.when, "when") if form.when is not None else None
                return replace(form, when=when, posting=self._posting(form.posting))
            case Wait():
                branches = tuple(
                    replace(
                        each,
                        when=self._true(each.when, "do", index, "when"),
                        then=self._needs(each.then, "do", index) if isinstance(each.then, Posting) else each.then,
                    )
                    for index, each in enumerate(form.branches)
                )
                when = self._both(form.when, "when") if form.when is not None else None
                return replace(form, when=when, match=self._both(form.match, "wait", "match"), branches=branches)
            case Alarm():
                clear = self._both(form.clear, "clear", "when") if form.clear is not None else None
                return replace(
                    form, when=self._both(form.when, "raise", "when"), clear=clear, posting=self._posting(form.posting)
                )
            case Episode():
                return self._episode(form)
            case Ending():
                when = self._both(form.when, "when") if form.when is not None else None
                return replace(form, when=when, posting=self._posting(form.posting))
            case Collect():
                self._expect(("production.progress",), None)
                enough = self._both(form.enough, "post", "or") if form.enough is not None else None
                return replace(form, enough=enough)

    def _episode(self, form: Episode) -> Episode:
        classes = tuple(
            replace(each, when=self._true(each.when, "classify", index, "when"))
            for index, each in enumerate(form.classes)
        )
        at_open = None
        if form.at_open is not None:
            self._expect((form.at_open.action,), None)
            at_open = self._needs(form.at_open, "at_open")
        return replace(
            form,
            open=self._both(form.open, "episode", "open"),
            close=self._both(form.close, "episode", "close") if form.close is not None else None,
            classes=classes,
            posting=self._posting(form.posting),
            at_open=at_open,
        )

    def _posting(self, posting: Then) -> Then:
        self._expect((posting.action if isinstance(posting, Posting) else _ALERT,), None)
        return self._needs(posting) if isinstance(posting, Posting) else posting

    def _needs(self, posting: Posting, *within: str | int) -> Posting:
        needs = tuple(
            replace(each, that=self._both(each.that, *within, "need", index, "that"))
            for index, each in enumerate(posting.needs)
        )
        return replace(posting, needs=needs)

    def _both(self, condition: Expression, *path: str | int) -> Expression:
        self._expect(path, False)
        return self._true(condition, *path)

    def _true(self, condition: Expression, *path: str | int) -> Expression:
        self._expect(path, True)
        return replace(condition, program=_Program(condition.program, self._coverage, self._rule, path))

    def _expect(self, path: Path, way: bool | None) -> None:
        self._coverage.points.setdefault(Point(self._rule, path, way))


class _Program:
    """A compiled expression that notes what it answers."""

    __slots__ = ("_coverage", "_path", "_program", "_rule")

    def __init__(self, program: Any, coverage: Coverage, rule: str, path: Path) -> None:
        self._program, self._coverage, self._rule, self._path = program, coverage, rule, path

    def eval(self, *, data: Any) -> Any:
        result = self._program.eval(data=data)
        value = result.plain_value()
        if value is True or value is False:
            self._coverage.reached.add(Point(self._rule, self._path, bool(value)))
        return result


def _bodies(rules: Rules, files: Mapping[str, str]) -> dict[str, Node]:
    """What each rule does, where it is written: with the rule, or in the template that it uses."""
    roots = {name: read_document(name, text, Problems()) for name, text in files.items()}
    entries = [node for root in roots.values() if root is not None and not root.is_null for node in root.items()]
    templates = {node.mapping()["template"].text(): node for node in entries if "template" in node.mapping()}
    bodies: dict[str, Node] = {}
    for rule in rules.rules:
        node = next(each for each in entries if (each.file, each.line) == (rule.file, rule.line))
        used = node.mapping().get("use")
        bodies[rule.name] = node if used is None else templates[used.text()]
    return bodies


def _node(body: Node, path: Path) -> Node:
    """Where a point stands; a posting at the `do` (or `at_open`) that names its action."""
    if len(path) == 1 and (doing := next((each for each in _dos(body) if each.raw.value == path[0]), None)):
        return doing
    node = body
    for step in path:
        node = node.items()[step] if isinstance(step, int) else node.mapping()[step]
    return node


def _dos(rule: Node) -> Iterator[Node]:
    keys = rule.mapping()
    if "do" in keys:
        yield keys["do"]
    if "at_open" in keys:
        yield keys["at_open"].mapping()["do"]


def _said(point: Point, node: Node) -> str:
    if point.way is not None:
        return f"{node.raw.value} {_WAYS[point.way]}"
    return "nobody was ever told" if point.path == (_ALERT,) else f"{point.path[0]} was never posted"
