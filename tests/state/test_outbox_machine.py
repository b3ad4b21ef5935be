"""Whatever is offered, claimed, answered, done by people and crashed, in whatever order: each accepted fact is
delivered at most once, in the order of its lane, and never lost."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from state.entry import Entry, EntryState, Offer, decode
from state.lane import BLOCKS
from state.outbox import Outbox
from state.record import RecordId, Table
from state.retry import RetryPolicy

LANES = st.sampled_from(["mo-1", "mo-2"])
ACTIONS = st.sampled_from(["workorder.start", "workorder.finish", "production.scrap", "production.complete", "odd"])
POLICY = RetryPolicy(base_ms=10, cap_ms=100)


class Destination:
    """Applies each key once, as Odoo's inbox does, in the order in which it is asked."""

    def __init__(self) -> None:
        self.applied: dict[str, Entry] = {}

    def apply(self, entry: Entry) -> None:
        first = self.applied.setdefault(entry.key, entry)
        assert first.content_hash == entry.content_hash, "a key was sent with other content than before"


class OutboxMachine(RuleBasedStateMachine):
    """The outbox, its committed records, the destination, and what the test knows of both."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox = Outbox(POLICY)
        self.records: dict[RecordId, bytes] = {}
        self.odoo = Destination()
        self.now_ms = 0
        self.count = 0
        self.upto = 0
        self.accepted: set[str] = set()
        self.committed: set[str] = set()
        self.flying: list[Entry] = []
        self.ever_stopped: set[str] = set()
        self.crashed = False

    @rule(lane=LANES, action=ACTIONS, stop=st.sampled_from(["", "", "", "hold", "dead"]))
    def offer(self, lane: str, action: str, stop: str) -> None:
        self.count += 1
        self._offer(f"key-{self.count}", lane, action, b"1", stop)

    @rule(lane=LANES, step=st.integers(-1, 3), hold=st.booleans())
    def offer_a_total(self, lane: str, step: int, hold: bool) -> None:
        self.upto += step
        key = f"{lane}:{self.upto}"
        offer = self.outbox.offer(
            key=key,
            lane=lane,
            action="production.progress",
            destination="odoo",
            body=b"total",
            now_ms=self.now_ms,
            stream=lane,
            upto=Decimal(self.upto),
            hold="held" if hold else None,
        )
        if hold:
            self.ever_stopped.add(key)
        if offer is Offer.ACCEPTED:
            self._taken_in()
            self.accepted.add(key)
        self._commit()

    @precondition(lambda self: self.accepted)
    @rule(data=st.data(), body=st.sampled_from([b"1", b"2", b"3"]), stop=st.sampled_from(["", "hold", "dead"]))
    def offer_again(self, data: st.DataObject, body: bytes, stop: str) -> None:
        known = sorted(key for key in self.accepted if key.startswith("key-"))
        if known:
            key = data.draw(st.sampled_from(known))
            entry = self.outbox.entry(key)
            lane, action = (entry.lane, entry.action) if entry else ("mo-1", "odd")
            self._offer(key, lane, action, body, stop)

    @rule(limit=st.integers(1, 4), wait=st.booleans())
    def claim(self, limit: int, wait: bool) -> None:
        self.now_ms += 200 if wait else 0
        before = self.outbox.entries()
        in_flight = {entry.key for entry in self.flying}
        busy = {entry.lane for entry in self.flying}
        batch = self.outbox.claim("odoo", now_ms=self.now_ms, limit=limit)
        assert not in_flight & {entry.key for entry in batch}, "claimed twice at once"
        assert not busy & {entry.lane for entry in batch}, "a lane was sent in two batches at once"
        assert len(batch) <= limit
        for entry in batch:
            self._check_turn(entry, batch, before)
        self._commit()
        self.flying += batch

    @precondition(lambda self: self.flying)
    @rule(outcomes=st.lists(st.sampled_from(["applied", "declined"]), min_size=4, max_size=4))
    def answer_a_lane(self, outcomes: list[str]) -> None:
        lane = self.flying[0].lane
        batch = [entry for entry in self.flying if entry.lane == lane]
        self.flying = [entry for entry in self.flying if entry.lane != lane]
        declined = False
        for entry, outcome in zip(batch, outcomes, strict=False):
            if declined:
                self.outbox.passed(entry.key, self.now_ms)
            elif outcome == "applied" or entry.key in self.odoo.applied:
                self._apply(entry)
                self.outbox.applied(entry.key, b"{}", self.now_ms)
            else:
                declined = True
                self.ever_stopped.add(entry.key)
                self.outbox.declined(entry.key, "no_stock", "none", self.now_ms)
        for entry in batch[len(outcomes) :]:
            self.outbox.passed(entry.key, self.now_ms)
        self._commit()

    @precondition(lambda self: self.flying)
    @rule(written=st.integers(0, 4), uncertain=st.booleans())
    def lose_the_answer(self, written: int, uncertain: bool) -> None:
        if uncertain:
            for entry in self.flying[:written]:
                self._apply(entry)
        keys = [entry.key for entry in self.flying]
        self.outbox.postponed(keys, "no answer", self.now_ms, uncertain=uncertain)
        self.flying = []
        self._commit()

    @rule(written=st.integers(0, 4))
    def crash(self, written: int) -> None:
        for entry in self.flying[:written]:
            self._apply(entry)
        self.flying = []
        self._offer("never committed", "mo-1", "odd", b"1", "", commit=False)
        self.accepted.discard("never committed")
        self.outbox = Outbox(POLICY)
        self.outbox.restore({record: value for record, value in self.records.items() if record.table is not Table.DONE})

    @rule(by_ms=st.integers(0, 50))
    def let_time_pass(self, by_ms: int) -> None:
        self.now_ms += by_ms

    @precondition(lambda self: self.accepted)
    @rule(act=st.sampled_from(["replay", "skip", "release"]), data=st.data())
    def act(self, act: str, data: st.DataObject) -> None:
        keys = data.draw(st.lists(st.sampled_from(sorted(self.accepted)), max_size=3))
        before = self.outbox.entries()
        foreseen = self.outbox.act(act, keys, by="ann", reason="r", now_ms=self.now_ms, dry_run=True)
        assert self.outbox.entries() == before
        assert self.outbox.act(act, keys, by="ann", reason="r", now_ms=self.now_ms) == foreseen
        self._commit()

    @invariant()
    def each_accepted_key_is_in_exactly_one_state(self) -> None:
        live = {record.id for record in self.records if record.table is Table.ENTRY}
        done = {record.id for record in self.records if record.table is Table.DONE}
        assert not live & done
        assert live | done == self.accepted
        assert live == {entry.key for entry in self.outbox.entries()}

    @invariant()
    def what_is_delivered_stands_at_the_destination_and_nothing_else_is_skipped_there(self) -> None:
        for record, value in self.records.items():
            if record.table is Table.DONE:
                entry = decode(value)
                assert (entry.state is EntryState.DELIVERED) == (entry.key in self.odoo.applied)

    @invariant()
    def what_may_be_written_stays_claimed(self) -> None:
        for entry in self.outbox.entries():
            assert entry.state is EntryState.CLAIMED or entry.key not in self.odoo.applied

    @invariant()
    def a_restored_outbox_is_the_same(self) -> None:
        twin = Outbox(POLICY)
        twin.restore(self.records)
        assert twin.entries() == self.outbox.entries()
        assert twin.depth() == self.outbox.depth()
        if not self.flying:
            assert twin.next_due_ms == self.outbox.next_due_ms

    @invariant()
    def nothing_is_stuck(self) -> None:
        """What nothing keeps back is sent in the end: all that is left waits for a person."""
        twin = Outbox(POLICY)
        twin.restore(self.records)
        now_ms = self.now_ms
        for _ in range(200):
            due_ms = twin.next_due_ms
            if due_ms is None:
                break
            now_ms = max(now_ms, due_ms)
            for entry in twin.claim("odoo", now_ms=now_ms, limit=10):
                twin.applied(entry.key, b"{}", now_ms)
        for entry in twin.entries():
            held_back = (
                entry.state in (EntryState.HELD, EntryState.DEAD) or twin.waiting.waits_for(entry.key) is not None
            )
            assert held_back, entry

    def _offer(self, key: str, lane: str, action: str, body: bytes, stop: str, commit: bool = True) -> None:
        offer = self.outbox.offer(
            key=key,
            lane=lane,
            action=action,
            destination="odoo",
            body=body,
            now_ms=self.now_ms,
            hold="held" if stop == "hold" else None,
            dead="dead" if stop == "dead" else None,
        )
        if stop:
            self.ever_stopped.add(key)
        if offer is Offer.ACCEPTED:
            self.accepted.add(key)
        if commit:
            self._commit()

    def _apply(self, entry: Entry) -> None:
        """At the destination, check the order of the lane: only what was stopped, and does not block, is overtaken."""
        if entry.key not in self.odoo.applied:
            for later in self.odoo.applied.values():
                if later.lane == entry.lane and later.number > entry.number:
                    assert self._may_overtake(later, entry), (later, entry)
        self.odoo.apply(entry)

    def _may_overtake(self, later: Entry, earlier: Entry) -> bool:
        """Whether the earlier one may have been stopped without blocking: held, dead, or kept back by such a one."""
        blocked = BLOCKS.get(earlier.action)
        if blocked is None or later.action in blocked:
            return False
        return earlier.key in self.ever_stopped or any(
            action not in BLOCKS or earlier.action in BLOCKS[action] for action in self._stopped_actions()
        )

    def _stopped_actions(self) -> set[str]:
        tables = (Table.ENTRY, Table.DONE)
        return {
            decode(value).action
            for record, value in self.records.items()
            if record.table in tables and record.id in self.ever_stopped
        }

    def _check_turn(self, entry: Entry, batch: tuple[Entry, ...], before: tuple[Entry, ...]) -> None:
        """It is this entry's turn: what is to be sent again came first, and nothing stopped keeps it back."""
        lane = [one for one in before if one.lane == entry.lane]
        was = next(one for one in lane if one.key == entry.key)
        if was.state is EntryState.CLAIMED:
            return
        sent_before = [one.key for one in batch[: batch.index(entry)]]
        stopped = [one for one in lane if one.state in (EntryState.HELD, EntryState.DEAD)]
        assert all(one.key in sent_before for one in lane if one.state is EntryState.CLAIMED)
        for one in stopped:
            assert one.number > was.number or (one.action in BLOCKS and was.action not in BLOCKS[one.action])

    def _taken_in(self) -> None:
        """A total that waited is gone with the next one of its stream: that one holds it, and it was never sent."""
        live = {entry.key for entry in self.outbox.entries()}
        done = {record.id for record in self.records if record.table is Table.DONE}
        gone = self.accepted - live - done
        assert len(gone) <= 1
        assert not gone & self.odoo.applied.keys()
        self.accepted -= gone

    def _commit(self) -> None:
        for record in self.outbox.take_changed():
            value = self.outbox.snapshot(record)
            if value is None:
                self.records.pop(record, None)
            else:
                self.records[record] = value


TestOutboxMachine = OutboxMachine.TestCase
TestOutboxMachine.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
