"""The templates of the pack: what each needs of a plant, and its files as they are for a plant that takes it.

The pack is a plant folder of its own, so that its rules and tests are read and run as those of any plant. What a
template needs is what its rule reads there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from bridge.plant import RULES_FOLDER, Plant, load_plant
from bridge.rule_tests.folder import load_tests
from ruleset.document import read_document
from ruleset.equipment import AnySignal, Assets, Equipment, EventSignal, Role, ValueType
from ruleset.form.collect import Collect
from ruleset.form.vocabulary import ACTIONS
from ruleset.form.wait import Wait
from ruleset.grammar.selection import event_signal
from ruleset.grammar.template import Parameter, ParameterType, read_rule_template
from ruleset.problem import Problems
from ruleset.rules import Instance
from ruleset.testing.case import RuleTest

FOLDER: Final = Path(__file__).parent / "plant"
TOGETHER: Final = "together"
"""Tests of several templates side by side; they belong to none."""
_ACTION: Final = re.compile(r"\b(?:do|post): ([a-z]+\.[a-z_]+)")
_ANYTHING: Final = {
    ValueType.TEXT: "x",
    ValueType.BOOLEAN: "true",
    ValueType.INTEGER: "1",
    ValueType.NUMBER: "1",
    None: "[]",
}
_TABLE: Final = re.compile(r"\bcodes\.(?!yaml)([a-z][a-z0-9_]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Of the equipment `signals`, and `entries` beside them; of any equipment `awaited`; `tables` of codes.yaml."""

    signals: tuple[AnySignal, ...]
    awaited: tuple[EventSignal, ...]
    entries: tuple[str, ...]
    tables: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        for signal in self.signals:
            yield f"{signal.name}: {_told(signal)}"
        for signal in self.awaited:
            yield f"{signal.name}: {_told(signal)}, of any equipment"
        for entry in self.entries:
            yield f"{entry} of the equipment in assets.yaml"
        for table in self.tables:
            yield f"table {table} in codes.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """One file of the pack: one or two templates, a rule that uses each, and their tests."""

    name: str
    about: str
    text: str
    tests: str
    parameters: tuple[Parameter, ...]
    needs: Needs

    @property
    def signals(self) -> Mapping[str, str]:
        """Parameters that name a signal, each with the name that it has unless a rule says another."""
        return {
            each.name: each.default.literal
            for each in self.parameters
            if each.type is ParameterType.SIGNAL and each.default is not None
        }


@cache
def own_plant() -> Plant:
    return load_plant(FOLDER)


@cache
def own_tests() -> tuple[RuleTest, ...]:
    return load_tests(own_plant())


@cache
def pack() -> Mapping[str, Ready]:
    """Everything that is ready, by name."""
    files = {Path(name).stem: text for name, text in own_plant().rule_files.items()}
    return {name: _read(name, text) for name, text in sorted(files.items())}


def _read(name: str, text: str) -> Ready:
    of = own_plant()
    rules = {each.name for each in of.rules.rules if Path(each.file).stem == name}
    instances = [next(each for each in of.rules.instances if each.rule == rule) for rule in sorted(rules)]
    return Ready(
        name=name,
        about=text.partition("\n")[0].removeprefix("# "),
        text=text,
        tests=(FOLDER / RULES_FOLDER / f"{name}_test.yaml").read_text("utf-8"),
        parameters=tuple(_parameters(text, of)),
        needs=_needs(text, instances, of),
    )


def _parameters(text: str, of: Plant) -> Iterator[Parameter]:
    root = read_document("", text, Problems())
    for node in root.items() if root is not None else ():
        template = read_rule_template(node, of.assets) if "template" in node.mapping() else None
        yield from template.parameters.values() if template is not None else ()


def _needs(text: str, instances: list[Instance], of: Plant) -> Needs:
    signals = {signal.name: signal for each in instances for signal in _read_by(each)}
    forms = [each.form for each in instances]
    awaited = [event_signal(of.assets, form.awaited) for form in forms if isinstance(form, Wait)]
    entries = {ACTIONS[name].from_equipment for name in _ACTION.findall(text) if name in ACTIONS}
    return Needs(
        signals=tuple(signals.values()),
        awaited=tuple(each for each in awaited if each is not None),
        entries=tuple(sorted(each for each in entries if each is not None)),
        tables=tuple(sorted(set(_TABLE.findall(text)))),
    )


def _read_by(instance: Instance) -> Iterator[AnySignal]:
    known = instance.equipment.signals
    names = {*instance.signals, getattr(instance.form, "event", "")}
    if isinstance(instance.form, Collect):
        order = instance.equipment.order_signal
        names |= {order.name if order is not None else "", *instance.form.measures.values()}
    yield from (known[name] for name in known if name in names)


def _told(signal: AnySignal) -> str:
    if isinstance(signal, EventSignal):
        fields = (
            f"{each.name} ({each.type or 'list'}{' with a unit' if each.unit else ''}"
            f"{', optional' if each.optional else ''})"
            for each in signal.fields
        )
        return f"an event with {', '.join(fields)}"
    role = f" with the role {signal.role}" if signal.role is not Role.VALUE else ""
    return f"{signal.type}{role}{', in a unit' if signal.unit and signal.role is Role.COUNTER else ''}"


def fitted(ready: Ready, assets: str, signals: Mapping[str, str]) -> str:
    """The rule file for other equipment, and with other signals for some parameters."""
    given = ", ".join(f"{name}: {signal}" for name, signal in signals.items())
    own = f"  assets: {json.dumps(assets)}\n" + (f"  parameters: {{{given}}}\n" if given else "")
    return ready.text.replace('  assets: "*"\n', own)


def fitted_tests(ready: Ready, signals: Mapping[str, str], assets: Assets, at_work: Iterable[Instance]) -> str:
    """The tests in the words of a plant: its equipment, its signals, and the first codes of its tables."""
    words = {own: signals.get(name, own) for name, own in ready.signals.items()}
    tests = ready.tests
    for theirs, ours in _equipment(ready, words, assets, at_work):
        tests = _with_fields(tests, theirs, ours)
        words |= {_relative(theirs, own_plant().assets): _relative(ours, assets), theirs.name: ours.name}
    for table in ready.needs.tables:
        theirs_, ours_ = own_plant().assets.codes[table], assets.codes.get(table, {})
        for (code, meaning), (own_code, own_meaning) in zip(theirs_.items(), ours_.items(), strict=False):
            words |= {code: _quoted(own_code), meaning: _quoted(own_meaning)}
    pattern = "|".join(re.escape(each) for each in sorted(words, key=len, reverse=True))
    return re.sub(rf"(?<![\w/-])(?:{pattern})(?![\w/-])", lambda match: words[match[0]], tests)


def _equipment(
    ready: Ready, words: Mapping[str, str], assets: Assets, at_work: Iterable[Instance]
) -> Iterator[tuple[Equipment, Equipment]]:
    """Of the equipment that the tests name each with that of the plant which can say the same, if there is one; where
    a rule is at work goes first."""
    tests = [each for each in own_tests() if each.file == f"{RULES_FOLDER}/{ready.name}_test.yaml"]
    first = [each.equipment for each in at_work]
    for path in {path: None for test in tests for path in test.equipment}:
        said = {name for test in tests for each in test.said if each.equipment == path for name in each.values}
        said |= {each.signal for test in tests for each in test.happened if each.equipment == path}
        needed = {words.get(name, name) for name in said}
        fitting = (each for each in (*first, *assets.equipment.values()) if needed <= each.signals.keys())
        if (found := next(fitting, None)) is not None:
            yield own_plant().assets.equipment[path], found


def _with_fields(tests: str, theirs: Equipment, ours: Equipment) -> str:
    """Events of the tests with what they must have here, too."""
    for signal in ours.signals.values():
        known = theirs.signals.get(signal.name)
        if not isinstance(signal, EventSignal) or not isinstance(known, EventSignal):
            continue
        names = {each.name for each in known.fields}
        added = [
            f"{each.name}: {_ANYTHING[each.type]}"
            for each in signal.fields
            if not each.optional and each.name not in names
        ]
        more = "".join(f"{each}, " for each in added)
        tests = re.sub(rf"(\b{signal.name}: (?:&\w+ )?{{)(?!<<)", rf"\g<1>{more}", tests)
    return tests


def _relative(equipment: Equipment, assets: Assets) -> str:
    return equipment.path.removeprefix(f"{assets.path}/")


def _quoted(word: str) -> str:
    return word if re.fullmatch(r"[A-Za-z][\w -]*", word) else json.dumps(word, ensure_ascii=False)
