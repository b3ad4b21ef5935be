"""The seven forms of a rule: the keys that each may and must have, and what reads it for one kind of equipment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from ruleset.document import Node
from ruleset.equipment import Assets, Equipment
from ruleset.form.moment import OnError
from ruleset.form.records import Form
from ruleset.grammar.collect import read_collect
from ruleset.grammar.condition import read_alarm, read_episode
from ruleset.grammar.event import read_count, read_occurrence, read_wait
from ruleset.grammar.track import read_ending


@dataclass(frozen=True, slots=True)
class Reader:
    """How one form is read: the keys that it may and must have besides `rule` and `assets`. One that may have `alert`
    has that or `do`."""

    allowed: frozenset[str]
    required: frozenset[str]
    read: Callable[[Mapping[str, Node], Equipment, Assets], Form | None]

    @property
    def on_error(self) -> tuple[OnError, ...]:
        """What may become of what the rule cannot decide: only of an occurrence there is something to keep."""
        return tuple(OnError) if "when" in self.allowed else (OnError.REMARK, OnError.ALERT)


_POSTING: Final = frozenset({"do", "with", "need", "order", "alert"})
_EVENT: Final = frozenset({"event", "when", "track", "on_error"})
_CONDITION: Final = _POSTING | {"stale", "track", "on_error"}

READERS: Final[Mapping[str, Reader]] = {
    "collect": Reader(
        frozenset({"collect", "post", "order", "do", "with"}),
        frozenset({"collect", "post", "order", "do", "with"}),
        read_collect,
    ),
    "episode": Reader(_CONDITION | {"episode", "micro", "classify", "at_open"}, frozenset(), read_episode),
    "raise": Reader(_CONDITION | {"raise", "clear", "once"}, frozenset(), read_alarm),
    "count": Reader(_EVENT | _POSTING | {"count", "once"}, frozenset({"event"}), read_count),
    "wait": Reader(_EVENT | {"wait", "do", "order"}, frozenset({"do", "event"}), read_wait),
    "at_end_of": Reader(_POSTING | {"at_end_of", "when", "track", "on_error"}, frozenset({"track"}), read_ending),
    "event": Reader(_EVENT | _POSTING | {"once"}, frozenset(), read_occurrence),
}
"""By the key that tells the form; the first that a rule has counts."""
