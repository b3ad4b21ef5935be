"""`event` with `wait`: what an event leads to is decided by another event, which may come before it or much later.

Nothing is emitted until it is decided. After `at_most` an alert goes out and the wait stays open: only the other
event (or a person, in the console) ends it. The other event may come from any equipment of the site.
"""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from ruleset.cel import EvaluationFailed, Expression
from ruleset.document import format_duration
from ruleset.form.memory import Decided, Happened, HeardMemory, Origin, Waiting, WaitMemory
from ruleset.form.moment import Moment, Template
from ruleset.form.posting import Posting, can_retract, cannot_post, order_of, post, retraction, undecided
from ruleset.output import Alert, EngineOutput, Post, Unmet
from ruleset.sample import Event, Plain
from ruleset.transaction import action


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One line of `do`: the first whose condition is true decides. It posts, or it alerts."""

    when: Expression
    then: Posting | Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    event: str
    awaited: str
    when: Expression | None
    match: Expression
    at_most_ms: int
    branches: tuple[Branch, ...]

    def new_memory(self) -> WaitMemory:
        return WaitMemory()

    def happened(
        self, memory: WaitMemory, heard: HeardMemory, event: Event, values: dict[str, Plain], moment: Moment
    ) -> tuple[EngineOutput, ...]:
        """Take the event that waits. What it waits for may have come before: the newest that matches decides."""
        answer = True if self.when is None else moment.holds(self.when)
        if isinstance(answer, EvaluationFailed):
            posting = next((each.then for each in self.branches if isinstance(each.then, Posting)), None)
            if posting is None:
                return (moment.failed(self.when or self.match, answer),)
            return (undecided(posting, moment, event.id, answer, event=self.event),)
        before = memory.waiting.get(event.id)
        if (decided := memory.decided.get(event.id)) is not None:
            return self._told_again(memory, decided, self._remember(event, values, moment.now_ms), answer, moment)
        if before is not None and before.event.values == values:
            return ()
        if not answer:
            memory.waiting.pop(event.id, None)
            return ()
        waiting = Waiting(event=self._remember(event, values, moment.now_ms))
        if before is not None:  # corrected while it waits: the latest counts, and waits no longer for it
            until_ms = before.event.until_ms
            waiting = Waiting(event=replace(waiting.event, until_ms=until_ms), timed_out=before.timed_out)
        memory.waiting[event.id] = waiting
        outputs: tuple[EngineOutput, ...] = ()
        for other in reversed([each for each in heard.events if each.until_ms > moment.now_ms]):
            outputs += self._resolve(memory, waiting, other, moment)
            if event.id in memory.decided:
                break
        return outputs

    def awaited_happened(self, memory: WaitMemory, other: Happened, moment: Moment) -> tuple[EngineOutput, ...]:
        """Take the event that was waited for, at whichever equipment; decides every wait that it matches."""
        outputs: tuple[EngineOutput, ...] = ()
        for waiting in list(memory.waiting.values()):
            outputs += self._resolve(memory, waiting, other, moment)
        return outputs

    def hear(self, heard: HeardMemory, event: Event, values: dict[str, Plain], now_ms: int) -> Happened:
        """Remember an awaited event for as long as what waits for it may come later."""
        happened = self._remember(event, values, now_ms)
        kept = [each for each in heard.events if each.until_ms > now_ms]
        heard.events = [each for each in kept if (each.equipment, each.id) != (event.equipment, event.id)]
        heard.events.append(happened)
        return happened

    def hasten(self, memory: WaitMemory, now_ms: int) -> None:
        """Wait no longer than what begins now: the clock stood ahead when the wait began."""
        longest_ms = now_ms + self.at_most_ms
        for waiting in memory.waiting.values():
            waiting.event = replace(waiting.event, until_ms=min(waiting.event.until_ms, longest_ms))

    def next_due_ms(self, memory: WaitMemory) -> int | None:
        times = [each.event.until_ms for each in memory.waiting.values() if not each.timed_out]
        return min([*times, *map(_until_ms, memory.decided.values())], default=None)

    def due(self, memory: WaitMemory, moment: Moment) -> tuple[EngineOutput, ...]:
        """Time is over for some: alert, and stay open."""
        outputs: list[EngineOutput] = []
        for waiting in memory.waiting.values():
            if waiting.timed_out or waiting.event.until_ms > moment.now_ms:
                continue
            waiting.timed_out = True
            then = moment.apart().of(waiting.event.origin.source, waiting.event.until_ms)
            then.notes["event_ms"] = waiting.event.at_ms
            then = then.with_extra({**waiting.event.values, "timed_out": True})
            outputs += self._decide(then, waiting, timed_out=True) or (self._overdue(waiting, then),)
        memory.decided = {id: each for id, each in memory.decided.items() if _until_ms(each) > moment.now_ms}
        return tuple(outputs)

    def _overdue(self, waiting: Waiting, moment: Moment) -> Alert:
        text = (
            f"rule {moment.rule}: {self.event} {waiting.event.id} still waits for {self.awaited} "
            f"after {format_duration(self.at_most_ms)}"
        )
        return moment.alert(text)

    def _remember(self, event: Event, values: dict[str, Plain], now_ms: int) -> Happened:
        return Happened(
            equipment=event.equipment,
            id=event.id,
            at_ms=event.at_ms,
            origin=Origin(event.source.topic, event.source.seq),
            values=values,
            until_ms=now_ms + self.at_most_ms,
        )

    def _resolve(
        self, memory: WaitMemory, waiting: Waiting, other: Happened, moment: Moment
    ) -> tuple[EngineOutput, ...]:
        later = max(waiting.event.at_ms, other.at_ms)
        then = moment.apart().of(waiting.event.origin.source, later)
        then.notes["event_ms"] = waiting.event.at_ms
        then.notes["decided_by"] = {
            "event": self.awaited,
            "id": other.id,
            "equipment": other.equipment,
            "at_ms": other.at_ms,
            "topic": other.origin.topic,
            "seq": other.origin.seq,
        }
        then = then.with_extra({**waiting.event.values, **other.values, "timed_out": False})
        answer = then.holds(self.match)
        if isinstance(answer, EvaluationFailed):
            return () if answer.missing else (then.failed(self.match, answer),)
        if not answer:
            moment.seen.append(then.seen[-1])  # for the look
        outputs = self._decide(then, waiting, timed_out=False) if answer else ()
        if (decision := _decision(outputs)) is not None:
            del memory.waiting[waiting.event.id]
            until_ms = moment.now_ms + self.at_most_ms
            decided = Decided(event=waiting.event, by=other, action=decision, until_ms=until_ms)
            memory.decided[waiting.event.id] = decided
        return outputs

    def _told_again(
        self, memory: WaitMemory, decided: Decided | int, event: Happened, answer: bool, moment: Moment
    ) -> tuple[EngineOutput, ...]:
        """An event that was decided comes again. Other content is decided by what decided it then, and leads to the
        same key: so it replaces what was not sent yet, and contradicts what was. What it cannot lead to is unmet."""
        if isinstance(decided, int) or decided.event.values == event.values:
            return ()
        memory.decided[event.id] = replace(decided, event=event)
        then = moment.of(event.origin.source, max(event.at_ms, decided.by.at_ms))
        then = then.with_extra({**event.values, **decided.by.values, "timed_out": False})
        outputs = self._decide(then, Waiting(event=event), timed_out=False) if answer else ()
        if (decision := _decision(outputs)) == decided.action:
            return outputs
        for branch in self.branches:
            if isinstance(branch.then, Posting) and branch.then.action == decided.action:
                if self.when is not None and not answer and can_retract(self.when, self.event):
                    return (retraction(branch.then, then, event.id, self.when, event=self.event),)
                reason = f"it was decided as {decided.action}, and would be {decision or 'nothing'} as it is told now"
                return (cannot_post(branch.then, then, event.id, reason, event=self.event),)
        return (moment.failed(self.match, EvaluationFailed(f"no line of do has {decided.action} any more")),)

    def _decide(self, moment: Moment, waiting: Waiting, *, timed_out: bool) -> tuple[EngineOutput, ...]:
        """What the first fitting branch answers. Time alone never posts."""
        for branch in self.branches:
            answer = moment.holds(branch.when)
            if isinstance(answer, EvaluationFailed) and not answer.missing:
                return (moment.failed(branch.when, answer),)
            if answer is not True:
                continue
            if isinstance(branch.then, Template):
                return (moment.alert(branch.then.fill(moment)),)
            if not timed_out:
                order = order_of(branch.then, moment)
                return (post(branch.then, moment, waiting.event.id, order=order, event=self.event),)
        return ()


def _decision(outputs: tuple[EngineOutput, ...]) -> str | None:
    """The action that was decided, whether it can be posted or not; None: an alert decides nothing."""
    for output in outputs:
        if isinstance(output, Post):
            return action(output.transaction)
        if isinstance(output, Unmet):
            return output.action
    return None


def _until_ms(decided: Decided | int) -> int:
    return decided if isinstance(decided, int) else decided.until_ms
