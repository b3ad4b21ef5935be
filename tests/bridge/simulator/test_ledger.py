"""The ledger: facts are numbered per order or equipment, and read back as they were written."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.simulator.ledger import ExpectedOutcome, Fact, FactKind, Ledger, LedgerError, read_ledger


def test_facts_are_read_back_as_they_were_added(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(7, path)
    ledger.add(FactKind.RELEASE, "release:mo-1", at_ms=5, order="mo-1", values={"quantity": "20"})
    ledger.add(FactKind.SCRAP, "scrap:1", at_ms=6, order="mo-1", equipment="a/b", outcome=ExpectedOutcome.DEAD)

    assert read_ledger(path) == (7, ledger.facts)
    ledger.close()


def test_facts_are_numbered_per_order_and_where_there_is_none_per_equipment() -> None:
    ledger = Ledger(7)
    ledger.add(FactKind.START, "1", at_ms=1, order="mo-1", equipment="a")
    ledger.add(FactKind.DOWNTIME, "2", at_ms=2, equipment="a")
    ledger.append(Fact(kind=FactKind.FINISH, id="3", at_ms=3, order="mo-1", equipment="a"))

    assert [fact.sequence for fact in ledger.facts] == [1, 1, 2]


def test_a_fact_happens_once() -> None:
    ledger = Ledger(7)
    ledger.add(FactKind.START, "1", at_ms=1)

    with pytest.raises(ValueError, match="in the ledger already"):
        ledger.add(FactKind.START, "1", at_ms=1)


@pytest.mark.parametrize("text", ["", "{}", '{"ledger": 2, "seed": 1}', '{"ledger": 1, "seed": 1}\n{"kind": "start"}'])
def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text(text)

    with pytest.raises(LedgerError):
        read_ledger(path)
