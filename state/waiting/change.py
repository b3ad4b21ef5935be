"""How an entry becomes another: taken in, replaced, claimed, let go, ended. Pure functions."""

from __future__ import annotations

from msgspec.structs import replace

from state.entry import Entry, EntryState, FollowUp
from state.lane import waits_for_start


def first_state(hold: str | None, dead: str | None) -> tuple[EntryState, str]:
    """The state of a fact that was just taken in, and its reason."""
    if dead is not None:
        return EntryState.DEAD, dead
    if hold is not None:
        return EntryState.HELD, hold
    return EntryState.PENDING, ""


def first_entry(offered: FollowUp, *, key: str, number: int, action: str, destination: str, amends: str = "") -> Entry:
    """The entry of a fact that was just taken in, or of a correction that was just proposed."""
    state, reason = first_state(offered.hold, offered.dead)
    return Entry(
        key=key,
        number=number,
        lane=offered.lane,
        action=action,
        destination=destination,
        priority=offered.priority,
        body=offered.body,
        content_hash=offered.content_hash,
        state=state,
        created_ms=offered.at_ms,
        changed_ms=offered.at_ms,
        reason=reason,
        not_before_ms=offered.not_before_ms if state is EntryState.PENDING else 0,
        stream=offered.stream,
        upto=offered.upto,
        gist=offered.gist,
        amends=amends,
    )


def replaced(entry: Entry, update: FollowUp, number: int) -> Entry:
    """An entry of which surely nothing was written, with other content."""
    state, reason = first_state(update.hold, update.dead)
    return replace(
        entry,
        number=number,
        lane=update.lane,
        action=update.action or entry.action,
        priority=update.priority,
        body=update.body,
        content_hash=update.content_hash,
        gist=update.gist,
        stream=update.stream,
        upto=update.upto,
        state=state,
        reason=reason,
        released_by="",
        goes_on=False,
        attempts=0,
        not_before_ms=0,
        follow_up=None,
    )


def unwritten(entry: Entry) -> Entry:
    """A claimed entry of which this attempt surely wrote nothing: pending again, unless an earlier one may have.

    One that a person let go on from what stands does so at the next attempt: nothing has changed what stands.
    """
    return entry if entry.uncertain and not entry.goes_on else replace(entry, state=EntryState.PENDING)


def taking_in(total: Entry, before: Entry) -> Entry:
    """A new total that is sent instead of the one before it of its stream: it has that one's place, age and wait."""
    history = replace(total, history=before.history).noted(total.created_ms, "took in the total before it")
    return replace(
        total,
        number=before.number,
        created_ms=before.created_ms,
        not_before_ms=before.not_before_ms,
        history=history,
    )


def started(entry: Entry, number: int) -> Entry:
    """An entry that goes behind the start of its order, and waits for it no more."""
    return replace(entry, number=number, not_before_ms=0 if waits_for_start(entry) else entry.not_before_ms)


def let_go(entry: Entry, released_by: str) -> Entry:
    """An entry that a person lets go on, as if it came now."""
    return replace(entry, state=EntryState.PENDING, reason="", attempts=0, not_before_ms=0, released_by=released_by)


def ended(entry: Entry, state: EntryState, reason: str, now_ms: int, what: str, by: str = "") -> Entry:
    """An entry that is delivered or skipped now."""
    history = entry.noted(now_ms, what, by)
    return replace(entry, state=state, reason=reason, changed_ms=now_ms, not_before_ms=0, history=history)


def claimed(entry: Entry, now_ms: int, look_after_ms: int) -> Entry:
    """An entry that is sent now; where keys are not remembered it is looked for so long after, before it is sent again.

    One that was claimed may have been carried out, and what a person let go on from is not what stands any more.
    """
    again = entry.state is EntryState.CLAIMED
    return replace(
        entry,
        state=EntryState.CLAIMED,
        uncertain=entry.uncertain or again,
        goes_on=entry.goes_on and not again,
        by_calls=entry.by_calls or look_after_ms > 0,
        not_before_ms=now_ms + look_after_ms if look_after_ms else entry.not_before_ms,
        attempts=entry.attempts + 1,
        changed_ms=now_ms,
    )


def met_again(entry: Entry, now_ms: int, look_after_ms: int) -> Entry:
    """An entry as a process that begins now has to take it: its pauses are by the clock of the one that wrote them.

    It is written before now, whatever that clock said: what it pauses until is no further from now than it was from
    then. Where keys are not remembered, what was sent may be carried out as long from now on as if it had been now.
    """
    if entry.state is EntryState.CLAIMED and look_after_ms:
        return replace(entry, not_before_ms=now_ms + look_after_ms)
    ahead_ms = entry.changed_ms - now_ms
    if ahead_ms <= 0 or entry.not_before_ms <= now_ms:
        return entry
    return replace(entry, changed_ms=now_ms, not_before_ms=entry.not_before_ms - ahead_ms)


def is_out(entry: Entry) -> bool:
    """Whether an attempt of it may have been carried out, so that its content has to stay."""
    return entry.state is EntryState.CLAIMED or entry.uncertain
