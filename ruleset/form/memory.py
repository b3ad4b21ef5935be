"""What the engine remembers, as records: each is stored under its id, with its version, when it changed.

equipment/<path>        last values, running order and counters of one equipment
total/<path>|<order>    what an order made there (`OrderTotals`)
rule/<rule>/<path>      working memory of one rule at one equipment
track/<rule>/<path>     what one rule follows there over time (`ruleset.track`)
heard/<rule>            events that a `wait` may still need
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from ruleset.form.counter import Counter
from ruleset.form.moment import Known
from ruleset.sample import Source


class Origin(msgspec.Struct, frozen=True):
    """The message that something remembered came from."""

    topic: str
    seq: int | None = None

    @property
    def source(self) -> Source:
        return Source(topic=self.topic, seq=self.seq)


class EquipmentMemory(msgspec.Struct, omit_defaults=True, kw_only=True):
    """`known_ms` is up to when samples changed anything, never ahead of our clock; `own_ms` the same by the equipment's
    own clock, and `told` what changed then, each with what was before. The notes say what has been remarked already."""

    values: dict[str, Known] = {}
    known_ms: int = 0
    own_ms: int = 0
    told: dict[str, list[Known | None]] = {}
    stale: bool = False
    counters: dict[str, Counter] = {}
    orderless: bool = False
    history_noted: bool = False

    @property
    def told_until_ms(self) -> int:
        """Up to when samples changed anything. It is stored with what changed: what comes again after a crash is either
        not later, or changes nothing now either."""
        return max(self.known_ms, self.own_ms)

    def tell(self, signal: str, before: Known | None, value: Known | None, at_ms: int, now_ms: int) -> None:
        """A sample changed the value."""
        self.known_ms = max(self.known_ms, min(at_ms, now_ms))
        if at_ms > self.own_ms:
            self.own_ms, self.told = at_ms, {}
        if at_ms == self.own_ms:
            self.told.setdefault(signal, []).extend((before, value))

    def is_told(self, signal: str, value: Known | None, at_ms: int) -> bool:
        """Whether a stored sample was told before. Of the very last moment only a part may have arrived."""
        if at_ms == self.own_ms >= self.known_ms:
            return value in self.told.get(signal, ())
        return at_ms <= self.told_until_ms

    def born(self, at_ms: int) -> bool:
        """The equipment's clock shows this now. Whether it was set back since: how far ahead of ours it was before says
        nothing of what it stores from now on."""
        is_set_back = at_ms < self.own_ms
        if is_set_back:
            self.own_ms, self.told = 0, {}
        return is_set_back


class CollectMemory(msgspec.Struct, omit_defaults=True, kw_only=True, tag_field="form", tag="collect"):
    due_ms: int | None = None


class AlarmMemory(msgspec.Struct, omit_defaults=True, kw_only=True, tag_field="form", tag="alarm"):
    """`since_ms` (device time) and `due_ms` belong to the change under way: raising, or clearing when raised.

    `failed` tells that the condition could not be evaluated when it was last tried.
    """

    raised: bool = False
    since_ms: int | None = None
    due_ms: int | None = None
    origin: Origin | None = None
    posted_ms: int | None = None
    failed: bool = False


class EpisodeMemory(msgspec.Struct, omit_defaults=True, kw_only=True, tag_field="form", tag="episode"):
    """`started_ms` None: closed. `ended_ms` set: closed unless it opens again before `due_ms`.

    `told` is how often it was posted while it lasts, `tell_ms` when it is to be next, and `shift` the shift whose
    micro-stops are totalled. `failed` tells that a condition could not be evaluated when it was last tried.
    """

    started_ms: int | None = None
    ended_ms: int | None = None
    due_ms: int | None = None
    order: str | None = None
    texts: dict[str, str] = {}
    shares: dict[str, int] = {}
    state: str = ""
    state_ms: int = 0
    origin: Origin | None = None
    told: int = 0
    tell_ms: int | None = None
    micro_count: int = 0
    micro_ms: int = 0
    shift: str = ""
    failed: bool = False


class OccurrenceMemory(msgspec.Struct, omit_defaults=True, kw_only=True, tag_field="form", tag="event"):
    """The ids of events that were posted or told, and the time of the last of them."""

    told: list[str] = []
    fired_ms: int | None = None


class Counted(msgspec.Struct, frozen=True):
    """One event that a count remembers."""

    at_ms: int
    id: str


class CountMemory(msgspec.Struct, omit_defaults=True, kw_only=True, tag_field="form", tag="count"):
    """Events and the time of the last posting, by the values of `by` (joined as JSON)."""

    events: dict[str, list[Counted]] = {}
    fired_ms: dict[str, int] = {}
    latest_ms: int = 0


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """An event as a wait remembers it: its values under dotted names."""

    equipment: str
    id: str
    at_ms: int
    origin: Origin
    values: dict[str, Any]  # `Plain`; msgspec cannot resolve the recursive alias
    until_ms: int


class Waiting(msgspec.Struct, kw_only=True, omit_defaults=True):
    event: Happened
    timed_out: bool = False


class Decided(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event that waited, as it was told last; what decided it, as which action, and until when that is kept."""

    event: Happened
    by: Happened
    action: str
    until_ms: int


class WaitMemory(msgspec.Struct, omit_defaults=True, kw_only=True, tag_field="form", tag="wait"):
    """Events that wait, and by their ids those that were decided. Of some an earlier bridge kept only until when."""

    waiting: dict[str, Waiting] = {}
    decided: dict[str, Decided | int] = {}


class HeardMemory(msgspec.Struct, omit_defaults=True, kw_only=True):
    events: list[Happened] = []


class EndingMemory(msgspec.Struct, omit_defaults=True, kw_only=True, tag_field="form", tag="ending"):
    """The shift (`name@start`) or the order that is on, since when; `due_ms` is the shift's end."""

    period: str = ""
    started_ms: int = 0
    due_ms: int | None = None


RuleMemory: TypeAlias = (
    CollectMemory | AlarmMemory | EpisodeMemory | OccurrenceMemory | CountMemory | WaitMemory | EndingMemory
)
