"""`episode`: from the moment it opens until it closed for good; one record per episode, with its loss.

With `at_open` it is posted also while it lasts, once it is too long for a micro-stop; blocked capacity again and again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ruleset.cel import EvaluationFailed, Expression
from ruleset.document import format_duration
from ruleset.form.memory import EpisodeMemory, Origin
from ruleset.form.moment import Moment
from ruleset.form.posting import Posting, Then, cannot_post, order_of, post
from ruleset.output import EngineOutput, Remark, RemarkName
from ruleset.sample import Plain
from ruleset.transaction import OrderRef

UNCLASSIFIED: Final = "unclassified"
EXTENDS: Final = "capacity.block"
EXTEND_MS: Final = 12 * 3_600_000
"""So often a block is posted anew while it lasts: by itself it ends after a day."""


@dataclass(frozen=True, slots=True)
class Class:
    """One line of `classify`: the first whose condition is true gives the loss."""

    when: Expression
    loss: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """`close` None: it closes when `open` is false. `at_open` is posted while it lasts. `texts` are the signals whose
    last value `episode.<signal>` has."""

    open: Expression
    close: Expression | None
    merge_ms: int
    micro_ms: int
    classes: tuple[Class, ...]
    texts: tuple[str, ...]
    state: str | None
    fires_when_stale: bool
    posting: Then
    at_open: Posting | None = None

    def new_memory(self) -> EpisodeMemory:
        return EpisodeMemory()

    def hasten(self, memory: EpisodeMemory, now_ms: int) -> None:
        """Wait no longer than what begins now: the clock stood ahead when the wait began."""
        if memory.tell_ms is not None:
            memory.tell_ms = min(memory.tell_ms, now_ms + (EXTEND_MS if memory.told else self.micro_ms))
        if memory.due_ms is not None:
            ends_ms = now_ms + self.merge_ms
            memory.due_ms = memory.tell_ms if memory.ended_ms is None else min(memory.due_ms, ends_ms)

    def condition(self, memory: EpisodeMemory) -> Expression:
        """What ended it, or keeps it open."""
        return self.close if memory.ended_ms is not None and self.close is not None else self.open

    def changed(self, memory: EpisodeMemory, moment: Moment) -> tuple[EngineOutput, ...]:
        """Take new values of the equipment's signals."""
        outputs: tuple[EngineOutput, ...] = ()
        if memory.ended_ms is not None and moment.at_ms - memory.ended_ms > self.merge_ms:
            outputs = self._finish(memory, moment)  # by the device's clock the gap is over, before our timer
        opens = moment.holds(self.open)
        closes = self._closes(opens, moment)
        failed = self._failed(memory, moment, opens, closes)
        if memory.started_ms is None:
            if opens is True:
                self._begin(memory, moment)
                if self.at_open is not None and not self.micro_ms:
                    outputs = (*outputs, *self._tell(self.at_open, memory, moment))
            return (*outputs, *failed)
        self._watch(memory, moment)
        if memory.ended_ms is None and closes is True:
            memory.ended_ms = max(moment.since_ms(self.close or self.open), memory.started_ms)
            memory.due_ms = moment.now_ms + self.merge_ms
            if self.merge_ms == 0:
                return (*outputs, *failed, *self._finish(memory, moment))
        elif memory.ended_ms is not None and opens is True:
            memory.ended_ms, memory.due_ms = None, memory.tell_ms
        return (*outputs, *failed)

    def due(self, memory: EpisodeMemory, moment: Moment) -> tuple[EngineOutput, ...]:
        """It did not open again in time: it is over. Or it lasts so long that it is to be told."""
        if memory.ended_ms is not None:
            return self._finish(memory, moment)
        if memory.started_ms is None or self.at_open is None:
            return ()
        self._watch(memory, moment)
        return self._tell(self.at_open, memory, moment)

    def _closes(self, opens: bool | EvaluationFailed, moment: Moment) -> bool | EvaluationFailed:
        if self.close is not None:
            return moment.holds(self.close)
        return opens if isinstance(opens, EvaluationFailed) else not opens

    def _failed(
        self,
        memory: EpisodeMemory,
        moment: Moment,
        opens: bool | EvaluationFailed,
        closes: bool | EvaluationFailed,
    ) -> tuple[EngineOutput, ...]:
        """The remark about a condition that cannot be evaluated, once until it can be again."""
        for condition, answer in ((self.open, opens), (self.close or self.open, closes)):
            if isinstance(answer, EvaluationFailed) and not answer.missing:
                had_failed, memory.failed = memory.failed, True
                return () if had_failed else (moment.failed(condition, answer),)
        if isinstance(opens, bool) and isinstance(closes, bool):
            memory.failed = False
        return ()

    def _begin(self, memory: EpisodeMemory, moment: Moment) -> None:
        memory.started_ms = moment.since_ms(self.open)
        memory.ended_ms, memory.told = None, 0
        memory.tell_ms = memory.due_ms = moment.now_ms + self.micro_ms if self.at_open is not None else None
        order = order_of(self.posting, moment)
        memory.order = None if isinstance(order, EvaluationFailed) else order
        memory.texts, memory.shares = {}, {}
        memory.state, memory.state_ms = self._state(moment), memory.started_ms
        memory.origin = Origin(moment.source.topic, moment.source.seq)
        self._watch(memory, moment)

    def _watch(self, memory: EpisodeMemory, moment: Moment) -> None:
        """Note the texts and how long each state lasted, up to now."""
        if memory.ended_ms is None:
            for name in self.texts:
                if text := str(moment.known.get(name, "")):
                    memory.texts[name] = text
        lasted_ms = max(0, moment.at_ms - memory.state_ms)
        if memory.state and lasted_ms:
            memory.shares[memory.state] = memory.shares.get(memory.state, 0) + lasted_ms
        memory.state, memory.state_ms = self._state(moment), max(moment.at_ms, memory.state_ms)

    def _state(self, moment: Moment) -> str:
        return str(moment.known.get(self.state, "")) if self.state is not None else ""

    def _tell(self, posting: Posting, memory: EpisodeMemory, moment: Moment) -> tuple[EngineOutput, ...]:
        """Post that it lasts. What it is classified as now may turn out otherwise when it is over."""
        started_ms, origin = memory.started_ms, memory.origin
        memory.tell_ms = memory.due_ms = moment.now_ms + EXTEND_MS if posting.action == EXTENDS else None
        if started_ms is None or origin is None:
            return ()
        fact = f"{started_ms}:{memory.told}" if memory.told else str(started_ms)
        at_ms = max(moment.at_ms, started_ms)
        moment.notes["started_ms"] = started_ms
        values = self._values(memory, started_ms, at_ms)
        then, remarks, _ = self.classified(moment.of(origin.source, at_ms).with_extra({"loss": UNCLASSIFIED} | values))
        memory.told += 1
        order = OrderRef(memory.order) if memory.order is not None else None
        return (*remarks, post(posting, then, fact, order=order))

    def _finish(self, memory: EpisodeMemory, moment: Moment) -> tuple[EngineOutput, ...]:
        started_ms, ended_ms, origin = memory.started_ms, memory.ended_ms, memory.origin
        told, memory.told = memory.told, 0
        memory.started_ms = memory.ended_ms = memory.due_ms = memory.tell_ms = None
        if started_ms is None or ended_ms is None or origin is None:
            return ()
        moment.notes.update(started_ms=started_ms, ended_ms=ended_ms)
        if ended_ms - started_ms < self.micro_ms and not told:
            is_stop = isinstance(self.posting, Posting) and self.posting.action.startswith("downtime.")  # else another
            # rule totals it
            return (self._micro(memory, moment, started_ms, ended_ms),) if is_stop else ()
        then = moment.of(origin.source, ended_ms).with_extra(self._values(memory, started_ms, ended_ms))
        return self._post(memory, then, str(started_ms))

    def _post(self, memory: EpisodeMemory, moment: Moment, fact: str) -> tuple[EngineOutput, ...]:
        moment, remarks, fits = self.classified(moment)
        if self.classes and not fits:
            return (*remarks, cannot_post(self.posting, moment, fact, "no line of classify fits"))
        order = OrderRef(memory.order) if memory.order is not None else None
        return (*remarks, post(self.posting, moment, fact, order=order))

    def classified(self, moment: Moment) -> tuple[Moment, list[EngineOutput], bool]:
        """The moment with its loss, what could not be evaluated, and whether a line of `classify` fits."""
        remarks: list[EngineOutput] = []
        for each in self.classes:
            answer = moment.holds(each.when)
            if answer is True:
                loss = moment.evaluate(each.loss)
                if not isinstance(loss, EvaluationFailed):
                    return moment.with_extra({"loss": loss}), remarks, True
                answer = loss
            if isinstance(answer, EvaluationFailed) and not answer.missing:
                remarks.append(moment.failed(each.when, answer))
        return moment, remarks, False

    def _values(self, memory: EpisodeMemory, started_ms: int, ended_ms: int) -> dict[str, Plain]:
        total_ms = sum(memory.shares.values()) or 1
        shares: dict[str, Plain] = {state: lasted / total_ms for state, lasted in memory.shares.items()}
        texts: dict[str, Plain] = {f"episode.{name}": memory.texts.get(name, "") for name in self.texts}
        return {"started": float(started_ms), "ended": float(ended_ms), "episode.shares": shares, **texts}

    def _micro(self, memory: EpisodeMemory, moment: Moment, started_ms: int, ended_ms: int) -> Remark:
        """Total it: per shift where the equipment has a calendar, by the shift in which it began."""
        lasted_ms, calendar = ended_ms - started_ms, moment.equipment.shifts
        shift = calendar.at(started_ms) if calendar is not None else None
        name = f"{shift.shift}@{shift.started_ms}" if shift is not None else ""
        if name != memory.shift:
            memory.shift, memory.micro_count, memory.micro_ms = name, 0, 0
        memory.micro_count += 1
        memory.micro_ms += lasted_ms
        within = f" in the shift {shift.shift}" if shift is not None else ""
        total = f"{memory.micro_count} so far{within}, {format_duration(memory.micro_ms)} in all"
        text = f"rule {moment.rule}: {format_duration(lasted_ms)}; {total}"
        return Remark(name=RemarkName.MICRO_STOP, equipment=moment.equipment.path, text=text)
