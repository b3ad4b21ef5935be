"""The rule engine: observations in, outputs out, in the order in which they must happen.

The core calls it with what `bridge.translate` made of messages, and with timers. It is deterministic and does
nothing by itself: time comes as `now_ms`, working memory goes out as records (`take_changed`, `snapshot`) and comes
back by `restore`. Only rules whose signals changed are evaluated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Final

from ruleset.equipment import Assets, EventSignal, MetricBinding, Role
from ruleset.form.alarm import Alarm
from ruleset.form.collect import Collect
from ruleset.form.count import Count
from ruleset.form.episode import Episode
from ruleset.form.memory import (
    AlarmMemory,
    CountMemory,
    EndingMemory,
    EpisodeMemory,
    OccurrenceMemory,
    RuleMemory,
    WaitMemory,
)
from ruleset.form.moment import Moment, event_values
from ruleset.form.occurrence import Occurrence
from ruleset.form.production import Production
from ruleset.form.records import Records, equipment_id, heard_id
from ruleset.form.wait import Wait
from ruleset.output import EngineOutput, Remark, RemarkName
from ruleset.rules import Instance, Rules, followed_signals, heard_events
from ruleset.sample import CutShort, Event, Fresh, Observation, Plain, Sample, Source, Stale, Unheard, finite
from ruleset.trace.defect import told
from ruleset.trace.look import Looks
from ruleset.trace.outline import outlines
from ruleset.trace.telling import Telling
from ruleset.track.ending import Ending
from ruleset.track.order import OrderEvents
from ruleset.track.tracking import Tracking, tracking_rule

_TIMER: Final = Source(topic="")


@dataclass(slots=True)
class _Touched:
    """A rule whose signals were told anew, by which message, until when; and when those that changed did."""

    instance: Instance
    source: Source
    at_ms: int
    changed_ms: dict[str, int]


class Engine:
    """All rules of a site at work. What happened during an outage must be given in its order: `Settler` does that."""

    def __init__(self, rules: Rules, assets: Assets) -> None:
        self._assets = assets
        self._unconfirmed: frozenset[str] = frozenset()
        self._instances = {each.id: each for each in rules.instances}
        self._records = Records({id: each.form for id, each in self._instances.items()})
        collects = {id: each.form for id, each in self._instances.items() if isinstance(each.form, Collect)}
        self.looks = Looks()
        self._outlines = outlines(each.form for each in rules.instances)
        self._telling = Telling()
        self._production = Production(collects, assets, self._records, self._present, self.looks)
        self._heard = heard_events(rules)
        self._tracking = Tracking(rules.instances, self._records, self._production.running)
        self._orders = OrderEvents(assets, self._production.running)
        self._followed = followed_signals(rules, assets)

    def observe_all(self, observations: Sequence[Observation], now_ms: int) -> tuple[EngineOutput, ...]:
        """Take all observations of one message: conditions see them together. `due` should have been called before."""
        outputs: list[EngineOutput] = []
        touched: dict[str, _Touched] = {}
        self._production.begin_message()
        self._telling.begin_message()
        for observation in self._orders.told(observations):
            match observation:
                case Sample() if observation.historical:
                    outputs += self._late(observation)
                case Sample():
                    outputs += self._sample(observation, now_ms, touched)
                case Event():
                    outputs += self._evaluate(touched, now_ms)
                    outputs += self._event(observation, now_ms)
                case Stale():
                    outputs += self._evaluate(touched, now_ms)
                    self._set_stale(observation.equipment, stale=True)
                case Fresh():
                    self._set_stale(observation.equipment, stale=False)
                    self._confirm(observation.equipment)
                case Unheard():
                    self._confirm(observation.equipment)
                case CutShort(equipment=equipment, text=text):
                    outputs.append(Remark(name=RemarkName.SETTLED_EARLY, equipment=equipment, text=text))
        outputs += self._evaluate(touched, now_ms)
        return tuple(outputs)

    def due(self, now_ms: int) -> tuple[EngineOutput, ...]:
        """Run every timer that is due, the earliest first."""
        outputs: list[EngineOutput] = []
        while timer := self._records.timers.take(now_ms, self._waits):
            due_ms, id = timer
            outputs += self._run_timer(id, due_ms, now_ms)
        return tuple(outputs)

    @property
    def next_due_ms(self) -> int | None:
        """When `due` has something to do next; None while nothing waits on time."""
        return self._records.timers.next_ms(self._waits)

    def started(self, now_ms: int) -> tuple[EngineOutput, ...]:
        """After the records were restored: timers of conditions wait until their equipment is `Fresh` or `Unheard`.
        Alerts about events that wait in a rule that is gone."""
        self._unconfirmed = frozenset(path for path, each in self._assets.equipment.items() if each.node is not None)
        return self._records.started(now_ms)

    def follows(self, equipment: str, signal: str) -> bool:
        """Whether samples of this signal can change anything."""
        return (equipment, signal) in self._followed

    def known_ms(self, equipment: str) -> int:
        """Up to when samples of this equipment changed anything, by its own clock."""
        return self._records.equipment(equipment).told_until_ms

    def is_told(self, sample: Sample) -> bool:
        """Whether this stored sample was told before."""
        return self._records.equipment(sample.equipment).is_told(sample.signal, finite(sample.value), sample.at_ms)

    def born(self, equipment: str, at_ms: int) -> None:
        """The equipment's clock shows this now."""
        if self._records.equipment(equipment).born(at_ms):
            self._records.touch(equipment_id(equipment))

    def is_news(self, sample: Sample) -> bool:
        """Whether it tells another value than what is known."""
        followed = self._followed.get((sample.equipment, sample.signal))
        known = self._records.equipment(sample.equipment).values.get(sample.signal)
        return followed is not None and followed.signal.is_news(finite(sample.value), known)

    def is_stale(self, equipment: str) -> bool:
        """Whether the equipment is gone."""
        return self._records.equipment(equipment).stale

    def order_closed(self, order: str, now_ms: int) -> tuple[EngineOutput, ...]:
        """Odoo is done with an order: its totals are forgotten after a week."""
        self._production.close(order, now_ms)
        return ()

    def take_over(self, other: Engine, now_ms: int) -> tuple[EngineOutput, ...]:
        """Go on where another engine is, whose records were restored. Alerts as `started` does."""
        self._unconfirmed = other._unconfirmed & self._assets.equipment.keys()
        self._telling.take_over(other._telling)
        return self._records.orphaned(now_ms)

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all records."""
        return self._records.ids

    def take_changed(self) -> frozenset[str]:
        """Ids of the records that changed since the last call."""
        return self._records.take_changed()

    def snapshot(self, id: str) -> bytes | None:
        """The record as it is to be stored; None when nothing is left to remember."""
        return self._records.snapshot(id)

    def restore(self, id: str, snapshot: bytes) -> None:
        """Take back a record. That of a rule that is gone, or has another form now, is dropped (and is `changed`);
        where events wait in it, it stays stored."""
        self._records.restore(id, snapshot)

    def _sample(self, sample: Sample, now_ms: int, touched: dict[str, _Touched]) -> list[EngineOutput]:
        followed = self._followed.get((sample.equipment, sample.signal))
        if followed is None:
            return []
        is_order = followed.signal.role is Role.ORDER
        value = (sample.value or "") if is_order else finite(sample.value)
        memory = self._records.equipment(sample.equipment)
        known = memory.values.get(sample.signal)
        changed = followed.signal.is_news(value, known)
        outputs: list[EngineOutput] = []
        if changed:
            outputs += self._production.before_change(sample, is_order=is_order, now_ms=now_ms)
            if isinstance(followed.signal.binding, MetricBinding):  # other clocks say nothing of the equipment's
                memory.tell(sample.signal, known, value, max(sample.at_ms, sample.own_ms), now_ms)
            if value is None:
                memory.values.pop(sample.signal, None)
            else:
                memory.values[sample.signal] = value
            self._records.touch(equipment_id(sample.equipment))
        self._telling.note(sample, changed=changed)
        if followed.is_tracked and changed:
            self._tracking.take(sample, self._production.counted_for(sample.equipment), now_ms)
        if followed.is_counted and sample.value is not None and (changed or sample.signal not in memory.counters):
            outputs += self._production.count(sample, followed.signal, now_ms)
        if changed or sample.birth:
            for instance in followed.conditions:
                if (each := touched.get(instance.id)) is None:
                    each = touched[instance.id] = _Touched(instance, sample.source, sample.at_ms, {})
                each.source, each.at_ms = sample.source, max(each.at_ms, sample.at_ms)
                if changed:
                    each.changed_ms[sample.signal] = sample.at_ms
        return outputs

    def _late(self, sample: Sample) -> list[EngineOutput]:
        """What it describes has been settled, and totals and records stay as they are: say so, once per outage."""
        path = sample.equipment
        memory = self._records.equipment(path)
        if not self.follows(path, sample.signal) or memory.history_noted:
            return []
        memory.history_noted = True
        self._records.touch(equipment_id(path))
        text = f"stored readings of {sample.signal} came after their time had been settled; they change nothing"
        return [Remark(name=RemarkName.HISTORY_LATE, equipment=path, text=text)]

    def _evaluate(self, touched: dict[str, _Touched], now_ms: int) -> list[EngineOutput]:
        """Evaluate every rule that was touched, once, in the order in which they were."""
        outputs: list[EngineOutput] = []
        for id, each in touched.items():
            memory = self._records.rule(id)
            at_ms = max(each.changed_ms.values(), default=each.at_ms)
            times = each.changed_ms | self._tracking.turned(each.instance, at_ms)
            moment = self._moment(each.instance, each.source, at_ms, now_ms, times)
            answers: tuple[EngineOutput, ...] = ()
            before: RuleMemory | None = None
            changed = turned = False
            match each.instance.form, memory:
                case Alarm() as alarm, AlarmMemory():
                    before = copy(memory)
                    answers = told(alarm, moment, partial(alarm.changed, memory, moment))
                    changed = turned = memory != before
                case Episode() as episode, EpisodeMemory():
                    started_ms, ended_ms, had_failed = memory.started_ms, memory.ended_ms, memory.failed
                    answers = told(episode, moment, partial(episode.changed, memory, moment))
                    turned = (memory.started_ms, memory.ended_ms) != (started_ms, ended_ms)
                    is_or_was_open = started_ms is not None or memory.started_ms is not None
                    changed = is_or_was_open or memory.failed != had_failed
                case Ending() as ending, EndingMemory():
                    before = copy(memory)
                    answers = told(ending, moment, partial(ending.changed, memory, moment))
                    changed = turned = memory != before
                case _:
                    pass
            if answers or turned:
                self.looks.note(id, moment, answers, memory, before)
            else:
                self.looks.same(id, moment, memory)
            outputs += self._production.before(answers, now_ms)
            if changed:
                self._records.touch(id)
            self._tracking.arm(each.instance, now_ms)
        touched.clear()
        return outputs

    def _event(self, event: Event, now_ms: int) -> list[EngineOutput]:
        """Plain rules first, then waits that begin, then waits that the event decides."""
        equipment = self._assets.equipment.get(event.equipment)
        signal = equipment.signals.get(event.signal) if equipment is not None else None
        if not isinstance(signal, EventSignal):
            return []
        values = event_values(event, signal)
        outputs: list[EngineOutput] = []
        for instance in self._heard.by_event.get((event.equipment, event.signal), ()):
            outputs += self._production.before(self._happened(instance, event, values, now_ms), now_ms)
        for instance in self._heard.by_awaited.get(event.signal, ()):
            outputs += self._production.before(self._awaited(instance, event, values, now_ms), now_ms)
        came = {event.signal: event.at_ms}
        missed = self._heard.by_missed.get((event.equipment, event.signal), ())
        touched = {each.id: _Touched(each, event.source, event.at_ms, came) for each in missed}
        return [*outputs, *self._evaluate(touched, now_ms)]

    def _happened(
        self, instance: Instance, event: Event, values: dict[str, Plain], now_ms: int
    ) -> tuple[EngineOutput, ...]:
        id = instance.id
        memory = self._records.rule(id)
        moment = self._moment(instance, event.source, event.at_ms, now_ms).with_extra(values)

        def happened() -> tuple[EngineOutput, ...]:
            match instance.form, memory:
                case Occurrence() as occurrence, None | OccurrenceMemory():
                    return occurrence.happened(memory, event, moment)
                case Count() as count, CountMemory():
                    return count.happened(memory, event, moment)
                case Wait() as wait, WaitMemory():
                    return wait.happened(memory, self._records.heard(instance.rule), event, values, moment)
            return ()

        outputs = told(instance.form, moment, happened, event)
        self.looks.note(id, moment, outputs, memory)
        if memory is not None:
            self._records.touch(id)
        return outputs

    def _awaited(
        self, instance: Instance, event: Event, values: dict[str, Plain], now_ms: int
    ) -> tuple[EngineOutput, ...]:
        id, form = instance.id, instance.form
        memory = self._records.rule(id)
        assert isinstance(form, Wait)
        assert isinstance(memory, WaitMemory)
        other = form.hear(self._records.heard(instance.rule), event, values, now_ms)
        self._records.touch(heard_id(instance.rule))
        if not memory.waiting:
            return ()
        moment = self._moment(instance, event.source, event.at_ms, now_ms)
        outputs = told(form, moment, lambda: form.awaited_happened(memory, other, moment))
        self.looks.note(id, moment, outputs, memory)
        self._records.touch(id)
        return outputs

    def _run_timer(self, id: str, due_ms: int, now_ms: int) -> list[EngineOutput]:
        if id.startswith("total/"):
            self._records.ledger.forget(id)
            return []
        if id.startswith("track/"):
            instance = self._instances[tracking_rule(id)]
            return self._evaluate({instance.id: _Touched(instance, _TIMER, due_ms, {})}, due_ms)
        instance, memory = self._instances[id], self._records.rule(id)
        moment = self._moment(instance, _TIMER, due_ms, now_ms)

        def due() -> tuple[EngineOutput, ...]:
            match instance.form, memory:
                case Alarm() as alarm, AlarmMemory():
                    moment.holds(alarm.condition(memory))  # for the trace: it held when it was last evaluated
                    return alarm.due(memory, moment)
                case Episode() as episode, EpisodeMemory():
                    moment.holds(episode.condition(memory))
                    return episode.due(memory, moment)
                case Wait() as wait, WaitMemory():
                    return wait.due(memory, moment)
                case Ending() as ending, EndingMemory():
                    return ending.due(memory, moment)
            return ()

        if isinstance(instance.form, Collect):
            return self._production.flush(id, now_ms)
        outputs = told(instance.form, moment, due)
        self.looks.note(id, moment, outputs, memory)
        self._records.touch(id)
        return self._production.before(outputs, now_ms)

    def _waits(self, id: str) -> bool:
        """Whether a timer may not run: one of a condition waits while its equipment is stale or not confirmed."""
        instance = self._instances.get(tracking_rule(id))
        if instance is None or not isinstance(instance.form, Alarm | Episode):
            return False
        path = instance.equipment.path
        return path in self._unconfirmed or (self.is_stale(path) and not instance.form.fires_when_stale)

    def _confirm(self, path: str) -> None:
        self._unconfirmed -= {path}
        self._records.timers.resume()

    def _set_stale(self, path: str, *, stale: bool) -> None:
        if path not in self._assets.equipment:
            return
        memory = self._records.equipment(path)
        if memory.stale != stale or memory.history_noted:
            memory.stale, memory.history_noted = stale, False
            self._records.touch(equipment_id(path))

    def _present(self, id: str, now_ms: int) -> Moment:
        return self._moment(self._instances[id], _TIMER, now_ms, now_ms)

    def _moment(
        self,
        instance: Instance,
        source: Source,
        at_ms: int,
        now_ms: int,
        changed_ms: Mapping[str, int] = MappingProxyType({}),
    ) -> Moment:
        path = instance.equipment.path
        return Moment(
            equipment=instance.equipment,
            rule=instance.rule,
            version=instance.version,
            codes=self._assets.codes,
            known=self._records.equipment(path).values,
            running=self._production.running(path),
            source=source,
            at_ms=at_ms,
            now_ms=now_ms,
            extra=self._tracking.values(instance, at_ms, now_ms),
            changed_ms=changed_ms,
            on_error=instance.on_error,
            told=self._telling.of(path),
            outline=self._outlines[id(instance.form)],
        )
