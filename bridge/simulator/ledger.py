"""The ledger: what really happened in the simulated plant, fact by fact, as JSON lines and in memory.

The first line of the file is `{"ledger": 1, "seed": N}`; every other line is one fact:

    {"kind", "id", "at_ms", "order", "equipment", "sequence", "outcome", "values"}

`sequence` counts the facts of an order (of an equipment where there is no order) from 1. Quantities in `values`
are decimal strings, times are UTC milliseconds. What `values` holds by kind:

    release          quantity
    acknowledgement  version, status, reason
    start, finish    work_order
    progress         quantity, the order's final count at this equipment
    scrap            quantity, reason, lot
    downtime         started_ms, ended_ms, loss
    maintenance      title, the start of the request's title
    disposition      lot, status
    completion       quantity, lot, status, consumed: [{product, lot, quantity}]
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TextIO

from ruleset.sample import Plain

LEDGER_VERSION: Final = 1


class FactKind(StrEnum):
    """What can happen that Odoo, or the namespace, must show."""

    RELEASE = "release"
    ACKNOWLEDGEMENT = "acknowledgement"
    START = "start"
    FINISH = "finish"
    PROGRESS = "progress"
    SCRAP = "scrap"
    DOWNTIME = "downtime"
    MAINTENANCE = "maintenance"
    DISPOSITION = "disposition"
    COMPLETION = "completion"


class ExpectedOutcome(StrEnum):
    """What must become of a fact. All but `posted` are kept from Odoo on purpose."""

    POSTED = "posted"
    HELD = "held"
    """It waits: for a disposition that never comes, or for a person."""
    DEAD = "dead"
    """A dead letter: the rules cannot translate it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that happened. `id` is unique in the ledger."""

    kind: FactKind
    id: str
    at_ms: int
    order: str | None = None
    equipment: str | None = None
    sequence: int = 0
    outcome: ExpectedOutcome = ExpectedOutcome.POSTED
    values: Mapping[str, Plain] = field(default_factory=dict)


class LedgerError(Exception):
    """A file is no ledger, or one that this version cannot read."""


class Ledger:
    """Appends facts as they happen. With a path, every fact is in the file when `add` returns."""

    def __init__(self, seed: int, path: Path | None = None) -> None:
        self._seed = seed
        self._facts: list[Fact] = []
        self._ids: set[str] = set()
        self._sequences: Counter[str] = Counter()
        self._file: TextIO | None = path.open("w", encoding="utf-8") if path else None
        self._write({"ledger": LEDGER_VERSION, "seed": seed})

    @property
    def seed(self) -> int:
        return self._seed

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Everything so far, in the order in which it happened."""
        return tuple(self._facts)

    def add(
        self,
        kind: FactKind,
        id: str,
        *,
        at_ms: int,
        order: str | None = None,
        equipment: str | None = None,
        outcome: ExpectedOutcome = ExpectedOutcome.POSTED,
        values: Mapping[str, Plain] | None = None,
    ) -> Fact:
        """Append a fact; its sequence is given here. Raises `ValueError` for an id that is taken."""
        return self.append(
            Fact(
                kind=kind,
                id=id,
                at_ms=at_ms,
                order=order,
                equipment=equipment,
                outcome=outcome,
                values=dict(values or {}),
            )
        )

    def append(self, fact: Fact) -> Fact:
        """Append a fact as it is, but for its sequence. Raises `ValueError` for an id that is taken."""
        if fact.id in self._ids:
            raise ValueError(f"fact {fact.id} is in the ledger already")
        source = fact.order or fact.equipment or ""
        self._sequences[source] += 1
        numbered = replace(fact, sequence=self._sequences[source])
        self._ids.add(fact.id)
        self._facts.append(numbered)
        self._write(asdict(numbered))
        return numbered

    def close(self) -> None:
        """Close the file. The facts stay in memory."""
        if self._file:
            self._file.close()
            self._file = None

    def _write(self, line: Mapping[str, Plain]) -> None:
        if self._file:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()


def read_ledger(path: Path) -> tuple[int, tuple[Fact, ...]]:
    """The seed and the facts of a ledger file. Raises `LedgerError` for anything else."""
    try:
        head, *lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        if head["ledger"] != LEDGER_VERSION:
            raise LedgerError(f"{path}: a ledger of version {head['ledger']}, this reads {LEDGER_VERSION}")
        return int(head["seed"]), tuple(_fact(line) for line in lines)
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerError(f"{path}: not a ledger: {error}") from error


def _fact(line: dict[str, Any]) -> Fact:
    return Fact(**{**line, "kind": FactKind(line["kind"]), "outcome": ExpectedOutcome(line["outcome"])})
