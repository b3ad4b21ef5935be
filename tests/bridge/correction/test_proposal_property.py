"""Whatever a fact's contents are and in whatever order they come, whatever is answered, lost, crashed and decided by
people: nothing is posted twice, and what stands in Odoo with what is proposed is one of the contents that were told."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from bridge.core.input import Acted, ActKind, Setback
from bridge.core.job import unmet_reason
from bridge.correction.gist import content_of, read_gist
from bridge.correction.retraction import follow_up_of_retraction
from odoo_adapter.odoo import Applied, Declined, Held
from ruleset.transaction import Complete, Correct, IdempotencyKey, Scrap, decode
from state.entry import Entry, EntryState, hash_of
from state.record import RecordId, Table
from tests.bridge.core.test_posting import RECEIPT, Desk
from tests.bridge.correction.test_proposal import completed, scrapped
from tests.bridge.correction.test_retraction import retraction

FACTS = ("complete", "scrap")
LONG_MS = 1_000_000


def told(fact: str, quantity: int, lot: str) -> Complete | Scrap:
    if fact == "scrap":
        return replace(scrapped(quantity), key=IdempotencyKey(fact), lot=lot)
    return replace(completed(quantity, lot), key=IdempotencyKey(fact))


class Proposals(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.records: dict[RecordId, bytes] = {}
        self.odoo: dict[str, Entry] = {}
        self.flying: list[Entry] = []
        self.quantities: dict[str, Decimal] = {}
        self.now_ms = 0

    @rule(fact=st.sampled_from(FACTS), quantity=st.integers(1, 4), lot=st.sampled_from(["L1", "L1", "L1", "L2"]))
    def tell(self, fact: str, quantity: int, lot: str) -> None:
        one = told(fact, quantity, lot)
        self.quantities[hash_of(content_of(one, order_ran=False))] = one.quantity
        before = self.open()
        self.desk.postings.post(one, self.now_ms)
        again = self.desk.postings.post(one, self.now_ms)
        assert again == (), "the same content proposed a second time"
        self.counts(fact, hash_of(content_of(one, order_ran=False)))
        assert {key for key, entry in before.items() if entry.state is EntryState.CLAIMED} <= self.open().keys()
        self.commit()

    @rule(fact=st.sampled_from(FACTS))
    def retract(self, fact: str) -> None:
        """The source takes it back: it was nothing."""
        one = retraction(fact)
        self.quantities[follow_up_of_retraction(one, 0, priority=0).content_hash] = Decimal(0)
        before, done = self.open(), self.desk.outbox.accepted(fact)
        self.desk.postings.retract(one, self.now_ms)
        after = self.open()
        assert done or {entry.fact for entry in before.values()} == {entry.fact for entry in after.values()}
        assert {key for key, entry in before.items() if entry.state is EntryState.CLAIMED} <= after.keys()
        again = [notice.name for notice in self.desk.postings.retract(one, self.now_ms)]
        assert again in ([], ["entry.retracted_skipped"]), "a retraction proposed a second time"
        self.commit()

    @rule()
    def claim(self) -> None:
        self.now_ms += LONG_MS
        self.flying += self.desk.outbox.claim("odoo", now_ms=self.now_ms, limit=10)
        self.commit()

    @rule(release=st.booleans())
    def deliver(self, release: bool) -> None:
        """All goes well: what may go stands in Odoo, with what a person lets go."""
        while self.flying:
            self.answer("applied")
        held = tuple(entry.key for entry in self.open().values() if entry.state is EntryState.HELD)
        if release:
            self.act(ActKind.RELEASE, *held)
        self.claim()
        while self.flying:
            self.answer("applied")

    @precondition(lambda self: self.flying)
    @rule(outcome=st.sampled_from(["applied", "declined", "held"]))
    def answer(self, outcome: str) -> None:
        entry = self.flying.pop(0)
        if outcome == "held":
            self.desk.postings.resolve(Held(key=entry.key, reason="unclear"), self.now_ms)
        elif outcome == "declined" and entry.key not in self.odoo:
            self.desk.postings.resolve(Declined(key=entry.key, code="no_stock", reason="none"), self.now_ms)
        else:
            self.apply(entry)
            self.desk.postings.resolve(Applied(key=entry.key, receipt=RECEIPT), self.now_ms)
        self.commit()

    @precondition(lambda self: self.flying)
    @rule(applied=st.booleans(), uncertain=st.booleans())
    def lose_the_answer(self, applied: bool, uncertain: bool) -> None:
        entry = self.flying.pop(0)
        if applied and uncertain:
            self.apply(entry)
        setback = Setback(keys=(entry.key,), reason="no answer", uncertain=uncertain)
        self.desk.postings.postpone(setback, self.now_ms)
        self.commit()

    @rule(applied=st.booleans())
    def crash(self, applied: bool) -> None:
        for entry in self.flying if applied else ():
            self.apply(entry)
        self.flying = []
        self.desk.outbox.restore(self.records)

    @precondition(lambda self: self.open())
    @rule(kind=st.sampled_from(ActKind), data=st.data())
    def decide(self, kind: ActKind, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.open())))
        if kind in (ActKind.REPLAY, ActKind.CORRECT) and unmet_reason(self.open()[key].body) is not None:
            return  # the commands do not send it: there is nothing to send
        self.act(kind, key)

    @invariant()
    def what_stands_is_what_the_ledger_says(self) -> None:
        for fact in FACTS:
            done = self.desk.outbox.accepted(fact)
            gist = read_gist(done.gist) if done else None
            if done and gist and not self.is_unclear(fact):
                assert self.stands(fact) == Decimal(gist.values["quantity"]) == self.quantities[done.content_hash]

    @invariant()
    def what_stands_with_what_is_proposed_is_what_was_told(self) -> None:
        for entry in self.open().values():
            if entry.amends and entry.state is EntryState.HELD and not self.is_unclear(entry.amends):
                assert self.stands(entry.amends) + quantity_of(entry) == self.quantities[entry.content_hash]

    @invariant()
    def a_fact_has_one_open_entry(self) -> None:
        facts = [entry.fact for entry in self.open().values()]
        assert len(facts) == len(set(facts))

    def counts(self, fact: str, content: str) -> None:
        """What was told last stands, or is proposed, or waits for an outcome, or was refused."""
        done = self.desk.outbox.accepted(fact)
        entry = next((one for one in self.open().values() if one.fact == fact), None)
        last = (entry.follow_up or entry).content_hash if entry else done and done.content_hash
        assert content == last or (done and content in done.refused), "what was told last counts for nothing"

    def stands(self, fact: str) -> Decimal:
        """What Odoo has of a fact, with its corrections."""
        return sum((quantity_of(entry) for entry in self.odoo.values() if entry.fact == fact), Decimal(0))

    def is_unclear(self, fact: str) -> bool:
        """Whether an attempt of the fact, or of its correction, may stand or not."""
        return any(entry.fact == fact and (entry.uncertain or entry in self.flying) for entry in self.open().values())

    def open(self) -> Mapping[str, Entry]:
        return {entry.key: entry for entry in self.desk.outbox.entries()}

    def apply(self, entry: Entry) -> None:
        first = self.odoo.setdefault(entry.key, entry)
        assert first.body == entry.body, "a key was sent with other content than before"

    def act(self, kind: ActKind, *keys: str) -> None:
        self.desk.postings.act(Acted(id="1", kind=kind, keys=keys, by="ana", reason="looked"), self.now_ms)
        self.commit()

    def commit(self) -> None:
        for record in self.desk.outbox.take_changed():
            value = self.desk.outbox.snapshot(record)
            if value is None:
                self.records.pop(record, None)
            elif record.table is not Table.DONE:
                self.records[record] = value


def quantity_of(entry: Entry) -> Decimal:
    one = decode(entry.body)
    assert isinstance(one, Complete | Scrap | Correct)
    return one.quantity


TestProposals = Proposals.TestCase
TestProposals.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
