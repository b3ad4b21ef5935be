"""What one version of the rules would have posted and another would not: for backtests, and for a version in shadow.

Two postings are the same fact when their keys are; of a quantity only its last total counts, because when it was posted
on the way changes nothing. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import msgspec

from ruleset.output import Alert, EngineOutput, Post, Remark, Unmet
from ruleset.transaction import Progress, Transaction, action

_NOT_CONTENT: Final = frozenset({"do", "key", "provenance", "equipment", "order"})


class Change(StrEnum):
    """How a fact differs between two versions."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What a version made of one fact. `action` is `alert` for what only alerts; `refused` says why it was not posted.

    `content` is the transaction without what names the fact, as JSON has it.
    """

    fact: str
    action: str
    equipment: str
    order: str | None
    rule: str
    version: str
    at_ms: int
    content: Mapping[str, Any]
    refused: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Differing:
    """One fact of which two versions made different things; None: that version made nothing of it.

    `fields` are the names of what differs where both made something.
    """

    change: Change
    before: Decided | None
    after: Decided | None
    fields: tuple[str, ...] = ()

    @property
    def either(self) -> Decided:
        """The newer of the two, to name the fact by."""
        found = self.after or self.before
        assert found is not None
        return found


@dataclass(slots=True)
class Tally:
    """What one version decided. `postings` counts transactions, of which several may be totals of one quantity."""

    facts: dict[str, Decided] = field(default_factory=dict)
    postings: int = 0

    def take(self, outputs: Iterable[EngineOutput]) -> None:
        """Add what the engine gave. What is decided again replaces what was decided before."""
        for output in outputs:
            decided = _decided(output)
            if decided is not None:
                self.facts[decided.fact] = decided
            self.postings += isinstance(output, Post)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """All facts that differ, in the order of their times, and how many are the same."""

    differing: tuple[Differing, ...]
    same: int

    def count(self, change: Change) -> int:
        """How many facts differ so."""
        return sum(each.change is change for each in self.differing)

    def by_rule(self) -> Mapping[tuple[str, Change], int]:
        """How many facts differ so, by the rule that decided them."""
        return Counter((each.either.rule, each.change) for each in self.differing)

    def by_order(self) -> Mapping[tuple[str, Change], int]:
        """The same by order; "" for facts of no order."""
        return Counter((each.either.order or "", each.change) for each in self.differing)


def difference(before: Tally, after: Tally) -> Difference:
    """What differs between two versions that saw the same."""
    differing: list[Differing] = []
    for fact in before.facts.keys() | after.facts.keys():
        old, new = before.facts.get(fact), after.facts.get(fact)
        if old is None or new is None:
            change = Change.ADDED if old is None else Change.REMOVED
            differing.append(Differing(change=change, before=old, after=new))
        elif fields := _differing_fields(old, new):
            differing.append(Differing(change=Change.CHANGED, before=old, after=new, fields=fields))
    differing.sort(key=lambda each: (each.either.at_ms, each.either.fact))
    same = len(before.facts.keys() | after.facts.keys()) - len(differing)
    return Difference(differing=tuple(differing), same=same)


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


def _decided(output: EngineOutput) -> Decided | None:
    match output:
        case Post(transaction=transaction):
            return _posted(transaction)
        case Unmet():
            return Decided(
                fact=output.key,
                action=output.action,
                equipment=output.equipment,
                order=output.order,
                rule=output.rule,
                version=output.provenance.version,
                at_ms=output.at_ms,
                content=dict(output.fields),
                refused=output.reason,
            )
        case Alert():
            return Decided(
                fact=f"alert/{output.rule}/{output.equipment}/{output.at_ms}",
                action="alert",
                equipment=output.equipment,
                order=None,
                rule=output.rule,
                version="",
                at_ms=output.at_ms,
                content={"text": output.text},
            )
        case Remark():
            return None


def _posted(transaction: Transaction) -> Decided:
    content = msgspec.to_builtins(transaction)
    is_total = isinstance(transaction, Progress)
    left_out = _NOT_CONTENT | ({"at_ms", "stream"} if is_total else set())
    return Decided(
        fact=f"total/{transaction.stream}" if isinstance(transaction, Progress) else transaction.key,
        action=action(transaction),
        equipment=transaction.equipment,
        order=transaction.order,
        rule=transaction.provenance.rule,
        version=transaction.provenance.version,
        at_ms=transaction.at_ms,
        content={name: value for name, value in content.items() if name not in left_out},
    )
