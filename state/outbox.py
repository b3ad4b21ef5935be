"""The outbox: what must happen once at Odoo or at the broker, in order per lane. Called by the core and by nobody else.

Pure: it takes the time as an argument and answers; its caller commits what `take_changed` names, and only then sends
what `claim` gave. After a crash an outbox restored from the last commit sends claimed entries again, unchanged, before
anything else of their lanes; the destination recognises their keys. docs/delivery.md is its description for operators.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from state.entry import Entry, EntryState, FollowUp, Offer, first_note, hash_of
from state.flight import Flight
from state.intervention import Intervention, Prediction, predict
from state.lane import ENDS_ORDER, joined_by, lane_of, overtaken, ready
from state.ledger import Accepted, Ledger
from state.record import RecordId
from state.retry import Circuit, RetryPolicy
from state.waiting.change import claimed, ended, first_entry, is_out, let_go, replaced, started, taking_in, unwritten
from state.waiting.entries import Waiting

DEFAULT_PRIORITY: Final = 50
NOWHERE: Final[Mapping[str, int]] = MappingProxyType({})


class Outbox:
    """The outbox of one site.

    `look_after_ms` names destinations that remember no keys: how long after a claim an attempt may still be carried
    out there. Until then its entry is not sent again, not even by another process after a crash.
    """

    def __init__(self, policy: RetryPolicy = RetryPolicy(), look_after_ms: Mapping[str, int] = NOWHERE) -> None:
        self._policy = policy
        self._look_after_ms = look_after_ms
        self._ledger = Ledger()
        self._flight = Flight()

    # What the core does.

    def started(self, now_ms: int) -> None:
        """This process begins. What is to wait waits from now on no longer than an earlier one meant it to, and what
        that one was sending as long as if it had been claimed now: its clock may have been another."""
        self._ledger.met_again(self._look_after_ms, self._policy, now_ms)

    def offer(
        self,
        *,
        key: str,
        lane: str,
        action: str,
        destination: str,
        body: bytes,
        now_ms: int,
        priority: int = DEFAULT_PRIORITY,
        hold: str | None = None,
        dead: str | None = None,
        stream: str | None = None,
        upto: Decimal | None = None,
        content: bytes | None = None,
    ) -> Offer:
        """`take`, in words of its own. `hold` and `dead` are reasons not to send it until a person releases or replays
        it. A total comes with its `stream` and `upto`. `content` is what makes two offers of a key the same where that
        is less than `body`, which may hold how the fact was learnt."""
        told = FollowUp(
            body=body,
            content_hash=hash_of(body if content is None else content),
            at_ms=now_ms,
            lane=lane,
            priority=priority,
            stream=stream,
            upto=upto,
            hold=hold,
            dead=dead,
        )
        return self.take(key, told, action=action, destination=destination)

    def take(self, key: str, told: FollowUp, *, action: str, destination: str) -> Offer:
        """Take in what is told of a fact, once. Raises `ValueError` for a hold that is dead too, or half a total."""
        stream, upto = told.stream, told.upto
        if (told.hold is not None and told.dead is not None) or (stream is None) != (upto is None):
            raise ValueError(f"entry {key!r}: either hold or dead; stream and upto together")
        if (known := self.entry(key)) is not None:
            return self._offer_again(known, told)
        if (done := self._ledger.accepted(key)) is not None:
            return self._told_again(key, done, told)
        if stream is not None and upto is not None:
            if (total := self._ledger.total(stream)) is not None and upto <= total.upto:
                return Offer.DUPLICATE
            self._ledger.advance(stream, upto, told.at_ms)
        number = self._ledger.next_number()
        entry = first_entry(told, key=key, number=number, action=action, destination=destination)
        if (joined := joined_by(entry, self.waiting.lane(lane_of(entry), latest_first=True))) is not None:
            self._ledger.take_place(joined, taking_in(entry, joined))
            return Offer.ACCEPTED
        behind = overtaken(entry, self.waiting.lane(lane_of(entry)))
        self._admit(entry, told.at_ms, first_note(entry))
        for one in behind:
            self._ledger.put(started(one, self._ledger.next_number()))
        return Offer.ACCEPTED

    def correction_key(self, fact: str) -> str:
        """The key of a done fact's correction: of the open one, which another replaces or follows, else of the next."""
        return self._ledger.correction_key(fact)

    def propose(self, fact: str, proposal: FollowUp, *, destination: str) -> Offer:
        """Take in the correction of a fact that is done and came with other content."""
        key, action = self.correction_key(fact), proposal.action or ""
        if (known := self.entry(key)) is not None:
            return self._offer_again(known, proposal)
        number = self._ledger.next_number()
        entry = first_entry(proposal, key=key, number=number, action=action, destination=destination, amends=fact)
        self._admit(entry, proposal.at_ms, f"proposed as {entry.state}: {entry.reason}")
        return Offer.ACCEPTED

    def claim(self, destination: str, *, now_ms: int, limit: int) -> tuple[Entry, ...]:
        """The next entries to send, in order: each lane's by number, lanes by priority and age, sometimes by age alone.
        Commit before sending. A lane of which something is in flight gives nothing."""
        circuit = self._ledger.circuit(destination)
        room = circuit.room(limit, self._flight.count(destination), now_ms)
        batch: list[Entry] = []
        if room <= 0:
            return ()
        ranked = sorted(self.waiting.standings(destination))
        if circuit.failures:
            # A probe takes what was tried longest ago, so that one entry that always fails cannot close the circuit.
            ranked.sort(key=lambda one: one[0].due_ms)
        elif self._ledger.is_turn_of_age(destination):
            ranked.sort(key=lambda one: one[0].number)
        for stands, lane in ranked:
            if len(batch) >= room:
                self._ledger.count_full(destination)
                break
            if stands.due_ms <= now_ms and not self._flight.is_busy(lane):
                sendable = ready(self.waiting.lane(lane), now_ms).entries
                batch += [self._claimed(entry, now_ms) for entry in sendable[: room - len(batch)]]
        return tuple(batch)

    def applied(self, key: str, receipt: bytes, now_ms: int) -> FollowUp | None:
        """The entry stands at its destination. Returns other content that came meanwhile: propose a correction."""
        entry = self._landed(key)
        self._answered(entry)
        self._finish(replace(entry, receipt=receipt, follow_up=None), EntryState.DELIVERED, "", now_ms, "delivered")
        return entry.follow_up

    def declined(self, key: str, code: str, reason: str, now_ms: int) -> None:
        """The destination changed nothing and will not: a dead letter, unless other content came meanwhile.

        Where no keys are remembered, that is said of this attempt only: an earlier one may have left its total there.
        """
        entry = self._landed(key)
        self._answered(entry)
        text = f"{code}: {reason}" if code else reason
        may_stand = entry.uncertain and entry.by_calls and entry.stream is not None
        dead = replace(entry, state=EntryState.DEAD, reason=text, uncertain=may_stand, not_before_ms=0)
        self._return(dead, now_ms, f"declined: {text}")

    def held(self, key: str, reason: str, now_ms: int) -> None:
        """The destination has something else than was expected: a person decides. The attempt changed nothing.

        Whether an earlier, uncertain one did is as unknown as before: so its content stays as it is.
        """
        entry = self._landed(key)
        self._answered(entry)
        held = replace(entry, state=EntryState.HELD, reason=reason, not_before_ms=0, goes_on=True)
        self._return(held, now_ms, f"held: {reason}")

    def passed(self, key: str, now_ms: int) -> None:
        """The entry was not tried, because an earlier one of its lane was declined."""
        entry = self._landed(key)
        self._answered(entry)
        self._return(unwritten(replace(entry, attempts=entry.attempts - 1, not_before_ms=0)), now_ms, "passed over")

    def postponed(
        self,
        keys: Iterable[str],
        reason: str,
        now_ms: int,
        retry_after_ms: int | None = None,
        uncertain: bool = False,
    ) -> None:
        """A whole batch had no outcome. Surely not written ones are pending again; others stay claimed, to be resent.

        The destination is left alone for a while, not less than `retry_after_ms`, and then asked with one entry.
        """
        entries = [self._landed(key) for key in keys]
        for destination in dict.fromkeys(entry.destination for entry in entries):
            circuit = self._ledger.circuit(destination)
            self._ledger.set_circuit(destination, circuit.failed(destination, self._policy, now_ms, retry_after_ms))
        for entry in entries:
            pause_ms = max(self._policy.delay_ms(entry.attempts, entry.key), retry_after_ms or 0)
            due_ms = max(now_ms + pause_ms, entry.not_before_ms if uncertain else 0)
            waiting = replace(entry, reason=reason, not_before_ms=due_ms)
            back = replace(waiting, uncertain=True) if uncertain else unwritten(waiting)
            self._return(back, now_ms, f"postponed: {reason}")

    def forget_before(self, at_ms: int) -> None:
        """Forget keys, totals and done entries last touched before this moment, some at a time; call it often. What
        is not done stays."""
        self._ledger.forget_before(at_ms)

    # What people do.

    def act(
        self, act: str, keys: Iterable[str], *, by: str, reason: str, now_ms: int, dry_run: bool = False
    ) -> tuple[Prediction, ...]:
        """Replay, skip or release entries, or only say what that would do. The answer is the same.

        Raises `ValueError` for another word than those three.
        """
        intervention = Intervention(act)
        predictions = tuple(
            predict(intervention, key, self.entry(key), self._ledger.accepted(key)) for key in dict.fromkeys(keys)
        )
        for prediction in predictions:
            entry = self.entry(prediction.key)
            if dry_run or prediction.would is None or entry is None:
                continue
            what = f"{intervention}: {reason}"
            if prediction.would is EntryState.SKIPPED:
                self._finish(entry, EntryState.SKIPPED, reason, now_ms, what, by)
            else:
                released_by = by if intervention is Intervention.RELEASE else entry.released_by
                self._admit(let_go(entry, released_by), now_ms, what, by)
        return predictions

    def decide_anew(self, key: str, told: FollowUp, *, by: str, what: str) -> None:
        """A person had the fact of a dead or held entry decided again: it has this content now, and is as that says.

        Raises `ValueError` for one in another state, or that may stand at its destination with the content it has.
        """
        entry = self.entry(key)
        if entry is None or entry.state not in (EntryState.DEAD, EntryState.HELD) or entry.uncertain:
            raise ValueError(f"entry {key!r}: it is neither dead nor held, or may stand as it is")
        self._replace(entry, told, what, by)

    # What the store keeps.

    def take_changed(self) -> frozenset[RecordId]:
        """The records that changed since the last call. `snapshot` answers for them until the next call."""
        return self._ledger.take_changed()

    def snapshot(self, record: RecordId) -> bytes | None:
        """A changed record's value now; None: it is gone."""
        return self._ledger.snapshot(record)

    def restore(self, records: Mapping[RecordId, bytes]) -> None:
        """Begin with what an earlier outbox had committed; records of others are passed over. Nothing is in flight."""
        self._ledger = Ledger()
        self._ledger.restore(records)
        self._flight = Flight()

    # What lists show.

    @property
    def waiting(self) -> Waiting:
        """The entries that are not done, to be asked only."""
        return self._ledger.waiting

    def entries(self, state: EntryState | None = None) -> tuple[Entry, ...]:
        """The entries that are not done, oldest first."""
        return self.waiting.by_number(state)

    def entry(self, key: str) -> Entry | None:
        """The entry of this key, while it is not done."""
        return self.waiting.entries.get(key)

    def accepted(self, key: str) -> Accepted | None:
        """What is remembered of a key whose entry is done; None for one that is unknown, forgotten or a total's."""
        return self._ledger.accepted(key)

    def depth(self) -> dict[EntryState, int]:
        """How many entries that are not done are in each state."""
        return self.waiting.depth()

    def done_keys(self) -> Iterator[str]:
        """Keys of entries that are delivered or skipped, the latest first; the store has the entries. Read at once."""
        return self._ledger.done_keys()

    def circuit(self, destination: str) -> Circuit:
        """Whether a destination is left alone for a while."""
        return self._ledger.circuit(destination)

    def stream_totals(self, prefix: str) -> dict[str, Decimal]:
        """The last total accepted of each stream that begins so."""
        return {stream: total.upto for stream, total in self._ledger.totals(prefix)}

    @property
    def next_due_ms(self) -> int | None:
        """The earliest moment at which `claim` gives something, perhaps past; None while only outcomes or acts help."""
        return min(self._dues(), default=None)

    def due_after(self, now_ms: int) -> int | None:
        """The earliest such moment of a destination that has nothing to claim yet, whatever others have."""
        return min((due_ms for due_ms in self._dues() if due_ms > now_ms), default=None)

    def _dues(self) -> Iterator[int]:
        for destination in self.waiting.destinations():
            circuit = self._ledger.circuit(destination)
            is_probing = circuit.failures > 0 and self._flight.count(destination) > 0
            earliest_ms = None if is_probing else self.waiting.earliest_ms(destination, self._flight.is_busy)
            if earliest_ms is not None:
                yield max(earliest_ms, circuit.open_until_ms)

    # How it is done.

    def _told_again(self, fact: str, done: Accepted, told: FollowUp) -> Offer:
        """A fact that is done is told again, and the latest telling counts: it may be what stands, what is proposed, or
        what people refused since that stands."""
        proposal, is_what_stands = self.entry(self.correction_key(fact)), told.content_hash == done.content_hash
        if proposal is not None and (
            told.content_hash == proposal.content_hash or (is_what_stands and is_out(proposal))
        ):
            return self._offer_again(proposal, told)
        if not is_what_stands:
            return Offer.DUPLICATE if told.content_hash in done.refused else Offer.CONTRADICTED
        if proposal is None:
            return Offer.DUPLICATE
        self._withdraw(proposal, told.at_ms)
        return Offer.WITHDRAWN

    def _withdraw(self, proposal: Entry, now_ms: int) -> None:
        """What stands was told again: the correction of it is wanted no more."""
        self._ledger.withdraw(ended(proposal, EntryState.SKIPPED, "told again as it stands", now_ms, "withdrawn"))

    def _offer_again(self, entry: Entry, update: FollowUp) -> Offer:
        if update.content_hash == entry.content_hash:
            if entry.follow_up is not None:
                self._ledger.put(replace(entry, follow_up=None))
            return Offer.DUPLICATE
        if is_out(entry):
            self._ledger.put(replace(entry, follow_up=update, changed_ms=update.at_ms))
            return Offer.WAITING
        self._replace(entry, update)
        return Offer.REPLACED

    def _replace(self, entry: Entry, update: FollowUp, what: str = "replaced", by: str = "") -> None:
        """Give an entry of which surely nothing was written other content."""
        if update.stream is not None and update.upto is not None:
            self._ledger.advance(update.stream, update.upto, update.at_ms)
        number = entry.number if update.lane == entry.lane else self._ledger.next_number()
        changed = replaced(entry, update, number)
        self._admit(changed, update.at_ms, f"{what}; was {entry.state} with content {entry.content_hash}", by)

    def _return(self, entry: Entry, now_ms: int, what: str) -> None:
        """Write an entry that came back without being delivered. Other content that waited takes its place now."""
        self._write(entry, now_ms, what)
        written = self.waiting.entries[entry.key]
        if written.follow_up is None or is_out(written):
            return
        stands = self.accepted(written.amends)
        if stands is not None and stands.content_hash == written.follow_up.content_hash:
            self._withdraw(written, now_ms)
        else:
            self._replace(written, written.follow_up)

    def _write(self, entry: Entry, now_ms: int, what: str, by: str = "") -> None:
        self._ledger.put(replace(entry, changed_ms=now_ms, history=entry.noted(now_ms, what, by)))

    def _admit(self, entry: Entry, now_ms: int, what: str, by: str = "") -> None:
        """Write an entry that is new, other or let go; one that ends its order makes totals superfluous."""
        self._write(entry, now_ms, what, by)
        if entry.state is EntryState.PENDING and entry.action in ENDS_ORDER:
            for held in tuple(self.waiting.lane(lane_of(entry))):
                if held.state is EntryState.HELD and held.stream is not None:
                    self._finish(
                        held, EntryState.SKIPPED, f"superseded by completion {entry.key}", now_ms, "superseded"
                    )

    def _finish(self, entry: Entry, state: EntryState, reason: str, now_ms: int, what: str, by: str = "") -> None:
        self._ledger.finish(ended(entry, state, reason, now_ms, what, by))

    def _claimed(self, entry: Entry, now_ms: int) -> Entry:
        sent = claimed(entry, now_ms, self._look_after_ms.get(entry.destination, 0))
        self._ledger.put(sent)
        self._flight.take_off(sent)
        return sent

    def _landed(self, key: str) -> Entry:
        """The claimed entry of an outcome, not in flight any more."""
        entry = self.entry(key)
        if entry is None or entry.state is not EntryState.CLAIMED:
            raise ValueError(f"an outcome for {key!r}, which is not claimed")
        self._flight.land(key)
        return entry

    def _answered(self, entry: Entry) -> None:
        circuit = self._ledger.circuit(entry.destination)
        self._ledger.set_circuit(entry.destination, circuit.answered(self._flight.count(entry.destination)))
