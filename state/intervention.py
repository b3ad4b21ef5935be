"""What a person may do with outbox entries, and what each act would do. Pure: the outbox carries it out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from state.entry import Entry, EntryState
from state.ledger import Accepted


class Intervention(StrEnum):
    """The acts of people on entries."""

    REPLAY = "replay"
    """Send a dead entry again."""
    SKIP = "skip"
    """Never send an entry. Not for a claimed one: it may stand in Odoo already."""
    RELEASE = "release"
    """Let a held entry go."""
    CORRECT = "correct"
    """Send a dead entry with other values, which a person gives."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What an act does to one entry: the state that it gets, or None where the act changes nothing; and why.

    Where its destination was asked, that is the state in which it ends: delivered, where it stands there already.
    """

    key: str
    would: EntryState | None
    text: str


FROM: Final = {
    Intervention.REPLAY: frozenset({EntryState.DEAD}),
    Intervention.SKIP: frozenset({EntryState.PENDING, EntryState.HELD, EntryState.DEAD}),
    Intervention.RELEASE: frozenset({EntryState.HELD}),
    Intervention.CORRECT: frozenset({EntryState.DEAD}),
}
"""The states that an act takes entries from."""

TO: Final = {
    Intervention.REPLAY: EntryState.PENDING,
    Intervention.SKIP: EntryState.SKIPPED,
    Intervention.RELEASE: EntryState.PENDING,
    Intervention.CORRECT: EntryState.PENDING,
}
"""The state that an act brings entries to."""


UNKNOWN: Final = "no such entry; it may be done and forgotten, or a total that a later one took in"


def predict(act: Intervention, key: str, entry: Entry | None, done: Accepted | None) -> Prediction:
    """What the act would do to the entry of this key, which is live, done or unknown."""
    if entry is None:
        return Prediction(key, None, f"{done.state} already" if done else UNKNOWN)
    because = f"{entry.state}: {entry.reason}" if entry.reason else str(entry.state)
    if entry.state in FROM[act]:
        would = {EntryState.PENDING: "will be sent", EntryState.SKIPPED: "will never be sent"}[TO[act]]
        may_stand = ", and may stand at its destination already" if entry.uncertain else ""
        return Prediction(key, TO[act], f"{would}; was {because}{may_stand}")
    if entry.state is EntryState.CLAIMED:
        return Prediction(key, None, "is being sent and may stand at its destination already; wait for its outcome")
    return Prediction(key, None, f"only {' or '.join(sorted(FROM[act]))} entries; this one is {because}")
