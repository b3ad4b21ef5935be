"""What one version of the rules would have posted and another would not: for backtests, and for a version in shadow.

Two postings are the same fact when their keys are; of a quantity only its last total counts, because when it was posted
on the way changes nothing. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

import msgspec

from ruleset.output import Alert, EngineOutput, Post, Remark, Retraction, Unmet
from ruleset.trace.trace import Trace
from ruleset.transaction import Progress, Transaction, action

AGREED_KEPT: Final = 2_000
"""Of how many facts that both decided alike it is known how, for those that are decided again."""
TOTAL: Final = "total/"
"""How the name of a fact that grows begins: a quantity of an order."""
ALERT: Final = "alert"
"""What stands for an action where a rule only alerts."""
_NOT_CONTENT: Final = frozenset({"do", "key", "provenance", "equipment", "order"})


class Change(StrEnum):
    """How a fact differs between two versions."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


Reason: TypeAlias = "Trace | str"
"""Why a version made what it did of a fact, or nothing of it: what the rule saw; a sentence where it saw nothing."""


class Decided(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a version made of one fact. `action` is `ALERT` for what only alerts; `refused` says why it was not posted.

    `content` is the transaction without what names the fact, as JSON has it.
    """

    fact: str
    action: str
    equipment: str
    order: str | None
    rule: str
    version: str
    at_ms: int
    content: dict[str, Any]
    refused: str | None = None


class Made(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a version decided, and why."""

    decided: Decided
    why: Trace

    @property
    def is_posting(self) -> bool:
        return self.decided.action != ALERT and self.decided.refused is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Differing:
    """One fact of which two versions made different things; None: that version made nothing of it.

    `fields` are the names of what differs where both made something. `why_before` and `why_after` say why they made
    that, or nothing, where the comparison keeps reasons.
    """

    change: Change
    before: Decided | None
    after: Decided | None
    fields: tuple[str, ...] = ()
    why_before: Reason | None = None
    why_after: Reason | None = None

    @property
    def either(self) -> Decided:
        """The newer of the two, to name the fact by."""
        found = self.after or self.before
        assert found is not None
        return found


class Sides(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What the two versions made of one fact so far."""

    before: Decided | None = None
    after: Decided | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """All facts that differ, in the order of their times; on how many the two agree; and how often each posted."""

    differing: tuple[Differing, ...]
    agreed: int
    postings_before: int
    postings_after: int

    def count(self, change: Change) -> int:
        """How many facts differ so."""
        return sum(each.change is change for each in self.differing)

    def by_rule(self) -> Mapping[tuple[str, Change], int]:
        """How many facts differ so, by the rule that decided them."""
        return Counter((each.either.rule, each.change) for each in self.differing)

    def by_order(self) -> Mapping[tuple[str, Change], int]:
        """The same by order; "" for facts of no order."""
        return Counter((each.either.order or "", each.change) for each in self.differing)


class Why(msgspec.Struct):
    """Why the two versions decided what they did of one fact."""

    before: Reason | None = None
    after: Reason | None = None


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Why a version made nothing of a fact of which the other made something by this rule, then."""

    fact: str
    rule: str
    equipment: str
    at_ms: int
    decided_ms: int


class Answer(msgspec.Struct, frozen=True):
    """To a `Question`."""

    fact: str
    reason: Reason


class Counts(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a comparison has counted: facts that both versions decided alike, transactions of each, and how often the
    version after failed over what it saw."""

    agreed: int = 0
    postings_before: int = 0
    postings_after: int = 0
    defects: int = 0


class Comparison:
    """Two versions that see the same, `before` and `after`. What both decided alike is counted and forgotten, but for
    totals, which grow: those of an order are kept until it is closed.

    `changed` has the facts that changed since somebody emptied it. Of so many facts, `most_reasons`, it keeps why.
    """

    __slots__ = ("_agreed", "_most_reasons", "_why", "changed", "counts", "facts")

    def __init__(self, most_reasons: int = 0) -> None:
        self.facts: dict[str, Sides] = {}
        self.counts = Counts()
        self.changed: set[str] = set()
        self._most_reasons = most_reasons
        self._why: dict[str, Why] = {}
        self._agreed: dict[str, Decided] = {}

    def before(self, made: Iterable[Made]) -> None:
        """What the version before decided. What is decided again replaces what was."""
        for each in made:
            self.counts.postings_before += each.is_posting
            self._sides(each.decided.fact).before = each.decided
            if (why := self._why_of(each.decided.fact)) is not None:
                why.before = each.why
            self._settle(each.decided.fact)

    def after(self, made: Iterable[Made]) -> None:
        """What the version after decided."""
        for each in made:
            self.counts.postings_after += each.is_posting
            self._sides(each.decided.fact).after = each.decided
            if (why := self._why_of(each.decided.fact)) is not None:
                why.after = each.why
            self._settle(each.decided.fact)

    def order_closed(self, order: str) -> None:
        """An order's totals do not grow any more."""
        prefix = f"{TOTAL}{order}/"
        for fact in [each for each in self.facts if each.startswith(prefix)]:
            self._settle(fact, is_final=True)

    def difference(self) -> Difference:
        """What differs by now. What the one has decided and the other will yet, differs until it does."""
        found = [each for fact, sides in self.facts.items() if (each := _differing(sides, self._why.get(fact)))]
        differing = sorted(found, key=lambda each: (each.either.at_ms, each.either.fact))
        return Difference(
            differing=tuple(differing),
            agreed=self.counts.agreed + len(self.facts) - len(differing),
            postings_before=self.counts.postings_before,
            postings_after=self.counts.postings_after,
        )

    def open_questions(self) -> tuple[list[Question], list[Question]]:
        """What the version before, and the one after, should say of the facts that changed; these count as taken."""
        asked: tuple[list[Question], list[Question]] = ([], [])
        for fact in self.changed & self._why.keys() & self.facts.keys():
            sides, why = self.facts[fact], self._why[fact]
            if sides.before is None and sides.after is not None:
                asked[0].append(_question(sides.after, why.after))
            elif sides.after is None and sides.before is not None:
                asked[1].append(_question(sides.before, why.before))
        self.changed.clear()
        return asked

    def answered(self, before: Iterable[Answer], after: Iterable[Answer]) -> None:
        """What the two said to questions. What a version has made meanwhile speaks for itself."""
        for each in before:
            if (sides := self.facts.get(each.fact)) is not None and sides.before is None:
                self._why[each.fact].before = each.reason
        for each in after:
            if (sides := self.facts.get(each.fact)) is not None and sides.after is None:
                self._why[each.fact].after = each.reason

    def _why_of(self, fact: str) -> Why | None:
        if len(self._why) < self._most_reasons:
            return self._why.setdefault(fact, Why())
        return self._why.get(fact)

    def _settle(self, fact: str, *, is_final: bool = False) -> None:
        self.changed.add(fact)
        if (is_final or not fact.startswith(TOTAL)) and _differing(self.facts[fact]) is None:
            agreed = self.facts.pop(fact).after
            assert agreed is not None
            self._why.pop(fact, None)
            self.counts.agreed += 1
            self._agreed[fact] = agreed
            if len(self._agreed) > AGREED_KEPT:
                del self._agreed[next(iter(self._agreed))]

    def _sides(self, fact: str) -> Sides:
        """What was made of a fact so far. One that is told again may be decided twice by the one before the other."""
        if fact not in self.facts:
            agreed = self._agreed.pop(fact, None)
            self.counts.agreed -= agreed is not None
            self.facts[fact] = Sides(before=agreed, after=agreed)
        return self.facts[fact]


def _question(decided: Decided, why: Reason | None) -> Question:
    assert isinstance(why, Trace)  # what was made has a trace
    return Question(
        fact=decided.fact,
        rule=decided.rule,
        equipment=decided.equipment,
        at_ms=decided.at_ms,
        decided_ms=why.decided_ms,
    )


def _differing(sides: Sides, why: Why | None = None) -> Differing | None:
    old, new = sides.before, sides.after
    fields: tuple[str, ...] = ()
    if old is None or new is None:
        change = Change.ADDED if old is None else Change.REMOVED
    elif fields := _differing_fields(old, new):
        change = Change.CHANGED
    else:
        return None
    told = why or Why()
    return Differing(change=change, before=old, after=new, fields=fields, why_before=told.before, why_after=told.after)


def _differing_fields(old: Decided, new: Decided) -> tuple[str, ...]:
    """Names of fields with other values; the rule that decided is none, its words are not what is posted."""
    names = [
        name
        for name in sorted(old.content.keys() | new.content.keys())
        if old.content.get(name) != new.content.get(name)
    ]
    if (old.action, old.order) != (new.action, new.order):
        names.append("order" if old.action == new.action else "action")
    if old.refused != new.refused:
        names.append("refused")
    return tuple(names)


def made_of(outputs: Iterable[EngineOutput]) -> Iterator[Made]:
    """What the rules decided, as it is compared; a remark decides nothing, nor does what is not wanted."""
    for output in outputs:
        match output:
            case Post(transaction=transaction):
                yield Made(decided=_posted(transaction), why=output.trace)
            case Unmet():
                yield Made(decided=_unmet(output), why=output.trace)
            case Alert():
                yield Made(decided=_alert(output), why=output.trace)
            case Retraction() | Remark():
                pass


def _unmet(unmet: Unmet) -> Decided:
    return Decided(
        fact=unmet.key,
        action=unmet.action,
        equipment=unmet.equipment,
        order=unmet.order,
        rule=unmet.rule,
        version=unmet.provenance.version,
        at_ms=unmet.at_ms,
        content=dict(unmet.fields),
        refused=unmet.reason,
    )


def _alert(alert: Alert) -> Decided:
    return Decided(
        fact=f"{ALERT}/{alert.rule}/{alert.equipment}/{alert.at_ms}",
        action=ALERT,
        equipment=alert.equipment,
        order=None,
        rule=alert.rule,
        version="",
        at_ms=alert.at_ms,
        content={"text": alert.text},
    )


def _posted(transaction: Transaction) -> Decided:
    content = msgspec.to_builtins(transaction)
    is_total = isinstance(transaction, Progress)
    left_out = _NOT_CONTENT | ({"at_ms", "stream"} if is_total else set())
    return Decided(
        fact=f"{TOTAL}{transaction.stream}" if isinstance(transaction, Progress) else transaction.key,
        action=action(transaction),
        equipment=transaction.equipment,
        order=transaction.order,
        rule=transaction.provenance.rule,
        version=transaction.provenance.version,
        at_ms=transaction.at_ms,
        content={name: value for name, value in content.items() if name not in left_out},
    )
