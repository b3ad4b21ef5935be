"""The entries that are not done, and what is asked of them at each step: none of it costs a look at all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import takewhile

from state.entry import Entry, EntryState
from state.lane import LaneId, Standing, lane_of, standing, standing_with, stopper_of
from state.waiting.earliest import Earliest


class Waiting:
    """Entries by key, by lane in order of number, by state, and by age: of what is sent without a person since it was
    accepted, of what is held or dead since that was last written."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._lanes: dict[LaneId, dict[str, None]] = {}
        self._states: dict[EntryState, Earliest[str]] = {state: Earliest() for state in EntryState}
        self._standings: dict[LaneId, Standing] = {}
        self._unranked: set[LaneId] = set()
        self._dues: dict[str, Earliest[LaneId]] = {}

    @property
    def entries(self) -> Mapping[str, Entry]:
        """All of them, by key."""
        return self._entries

    def put(self, entry: Entry) -> None:
        """Write one. A new number puts it at the end of its lane."""
        before, lane = self._entries.get(entry.key), lane_of(entry)
        if before is not None:
            self._unranked |= {lane_of(before), lane}
            if before.state is not entry.state:
                self._states[before.state].drop(entry.key)
            if before.number != entry.number:
                self._leave(before)
        elif lane in self._standings:
            self._standings[lane] = standing_with(self._standings[lane], entry)
        else:
            self._unranked.add(lane)
        self._entries[entry.key] = entry
        self._lanes.setdefault(lane, {})[entry.key] = None
        self._states[entry.state].put(entry.key, _since_ms(entry))

    def drop(self, key: str) -> Entry:
        """Take one out: it is done, or another has its place."""
        entry = self._entries[key]
        self._leave(entry)
        self._states[entry.state].drop(key)
        self._unranked.add(lane_of(entry))
        return entry

    def take_place(self, of: Entry, entry: Entry) -> None:
        """Write a new entry, which has the number of one of its lane, where that one was."""
        lane = self._lanes[lane_of(of)]
        behind = list(takewhile(lambda key: key != of.key, reversed(lane)))
        self.drop(of.key)
        self.put(entry)
        for key in reversed(behind):
            lane[key] = lane.pop(key)

    def lane(self, lane: LaneId, *, latest_first: bool = False) -> Iterator[Entry]:
        """The entries of a lane, in order of number or the other way round."""
        keys = self._lanes.get(lane, {})
        return (self._entries[key] for key in (reversed(keys) if latest_first else keys))

    def by_number(self, state: EntryState | None = None) -> tuple[Entry, ...]:
        """All entries, or those of a state, in order of number."""
        found = self._entries.values() if state is None else map(self._entries.__getitem__, self._states[state])
        return tuple(sorted(found, key=lambda entry: entry.number))

    def depth(self) -> dict[EntryState, int]:
        """How many entries are in each state of which there are any."""
        return {state: len(those) for state, those in self._states.items() if those}

    def oldest(self, state: EntryState) -> Entry | None:
        """The entry of this state that is there for longest."""
        first = self._states[state].first()
        return None if first is None else self._entries[first[1]]

    @property
    def oldest_pending_ms(self) -> int | None:
        """When the oldest entry that is pending or claimed was accepted."""
        oldest = (self.oldest(state) for state in (EntryState.PENDING, EntryState.CLAIMED))
        return min((one.created_ms for one in oldest if one is not None), default=None)

    def waits_for(self, key: str) -> Entry | None:
        """The entry that keeps this pending one back by the blocking table."""
        entry = self._entries.get(key)
        return None if entry is None else stopper_of(self.lane(lane_of(entry)), key)

    def standings(self, destination: str) -> list[tuple[Standing, LaneId]]:
        """The lanes of which something may be sent sooner or later without a person, in no order."""
        self._rank()
        return [(stands, lane) for lane, stands in self._standings.items() if lane.destination == destination]

    def destinations(self) -> tuple[str, ...]:
        """Where entries ever went."""
        self._rank()
        return tuple(self._dues)

    def earliest_ms(self, destination: str, is_busy: Callable[[LaneId], bool]) -> int | None:
        """When the first lane that is not busy may be sent from. A busy one is asked again when it changes."""
        self._rank()
        dues = self._dues.get(destination)
        while dues is not None and (first := dues.first()) is not None:
            due_ms, lane = first
            if not is_busy(lane):
                return due_ms
            dues.drop(lane)
        return None

    def _rank(self) -> None:
        """Let the lanes that changed take their places."""
        for lane in self._unranked:
            stands = standing(self.lane(lane))
            dues = self._dues.setdefault(lane.destination, Earliest())
            if stands is None:
                self._standings.pop(lane, None)
                dues.drop(lane)
            else:
                self._standings[lane] = stands
                dues.put(lane, stands.due_ms)
        self._unranked.clear()

    def _leave(self, entry: Entry) -> None:
        """Take an entry out of its place."""
        del self._entries[entry.key]
        lane = self._lanes[lane_of(entry)]
        del lane[entry.key]
        if not lane:
            del self._lanes[lane_of(entry)]


def _since_ms(entry: Entry) -> int:
    return entry.created_ms if entry.state in (EntryState.PENDING, EntryState.CLAIMED) else entry.changed_ms
