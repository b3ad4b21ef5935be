"""`event` with `count`: so many occurrences within a sliding window of event time become one posting."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from ruleset.cel import EvaluationFailed, Expression
from ruleset.form.memory import Counted, CountMemory
from ruleset.form.moment import Moment
from ruleset.form.posting import Posting, Then, order_of, post, undecided
from ruleset.form.vocabulary import ACTIONS
from ruleset.output import EngineOutput, Remark, RemarkName
from ruleset.sample import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """`by` are field names of the event, dotted. `once_ms` None: after a posting the count begins anew; `while_open`:
    it goes on, and each further event posts too, for as long as there are enough."""

    event: str
    when: Expression | None
    by: tuple[str, ...]
    at_least: int
    within_ms: int
    once_ms: int | None
    posting: Then
    while_open: bool = False

    def new_memory(self) -> CountMemory:
        return CountMemory()

    def happened(self, memory: CountMemory, event: Event, moment: Moment) -> tuple[EngineOutput, ...]:
        """Take one event; the posting names the events that were counted."""
        answer = True if self.when is None else moment.holds(self.when)
        if isinstance(answer, EvaluationFailed):
            return (undecided(self.posting, moment, self._fact(moment, event), answer),)
        if not answer:
            return ()
        if event.at_ms < memory.latest_ms - self._kept_ms:
            text = f"rule {moment.rule}: {event.signal} {event.id} is too old to be counted"
            return (Remark(name=RemarkName.EVENT_LATE, equipment=event.equipment, text=text),)
        values = moment.bind(self.by)
        group = msgspec.json.encode([values.get(name) for name in self.by]).decode()
        events = memory.events.setdefault(group, [])
        if any(each.id == event.id for each in events):
            return ()
        insort(events, Counted(event.at_ms, event.id), key=lambda each: (each.at_ms, each.id))
        memory.latest_ms = max(memory.latest_ms, min(event.at_ms, moment.now_ms))
        window = self._window(events, event)
        self._forget(memory)
        fired_ms = memory.fired_ms.get(group)
        if window is None or (
            self.once_ms is not None and fired_ms is not None and abs(event.at_ms - fired_ms) < self.once_ms
        ):
            return ()
        if self.once_ms is None and not self.while_open:
            memory.events.pop(group, None)
        elif self.once_ms is not None:
            memory.fired_ms[group] = event.at_ms
        return (self._post(event, window, moment),)

    @property
    def _kept_ms(self) -> int:
        return max(self.within_ms, self.once_ms or 0)

    def _fact(self, moment: Moment, event: Event) -> str:
        return f"{moment.rule}:{event.id}"

    def _window(self, events: list[Counted], event: Event) -> list[Counted] | None:
        """The newest stretch of `within` that holds the event and enough others."""
        for last in range(len(events) - 1, -1, -1):
            window = [each for each in events[: last + 1] if each.at_ms >= events[last].at_ms - self.within_ms]
            if len(window) >= self.at_least and any(each.id == event.id for each in window):
                return window
        return None

    def _forget(self, memory: CountMemory) -> None:
        oldest_ms = memory.latest_ms - self._kept_ms
        for group, events in list(memory.events.items()):
            events[:] = [each for each in events if each.at_ms >= oldest_ms]
            if not events:
                del memory.events[group]
        memory.fired_ms = {group: at_ms for group, at_ms in memory.fired_ms.items() if at_ms >= oldest_ms}

    def _post(self, event: Event, window: list[Counted], moment: Moment) -> EngineOutput:
        moment.notes["counted"] = [(each.id, each.at_ms) for each in window]
        named = ", ".join(f"{each.id} ({_clock(each.at_ms)})" for each in window)
        moment = moment.with_extra({"counted": named})
        has_text = isinstance(self.posting, Posting) and "text" in ACTIONS[self.posting.action].parameters
        defaults = {"text": f"{event.signal}: {named}"} if has_text else None
        order = order_of(self.posting, moment)
        return post(self.posting, moment, self._fact(moment, event), order=order, defaults=defaults)


def _clock(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
