"""Which order runs, where events or order releases say so: what begins and what ends an order is a value of the order's
signal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ruleset.equipment import RUNS, Assets, EventField, OrderBinding, ReleaseBinding, Signal
from ruleset.sample import Event, Observation, Sample


class OrderEvents:
    """Of all equipment of a site. `running` is the order that runs there now."""

    def __init__(self, assets: Assets, running: Callable[[str], str]) -> None:
        self._running = running
        self._signals: dict[str, Signal] = {}
        for path, equipment in assets.equipment.items():
            signal = equipment.order_signal
            if signal is not None and isinstance(signal.binding, OrderBinding | ReleaseBinding):
                self._signals[path] = signal

    def told(self, observations: Iterable[Observation]) -> Iterator[Observation]:
        """The observations, an order that begins right before its event, one that ends right after: rules about either
        event see it running. What releases tell is the order's value, and no event for rules."""
        for observation in observations:
            signal = self._signals.get(observation.equipment) if isinstance(observation, Event) else None
            if signal is None or not isinstance(observation, Event):
                yield observation
                continue
            match signal.binding:
                case OrderBinding(started_by=started_by, ended_by=ended_by):
                    if order := _order(started_by, observation):
                        yield _sample(observation, signal.name, order)
                    yield observation
                    if (order := _order(ended_by, observation)) and order == self._running(observation.equipment):
                        yield _sample(observation, signal.name, "")
                case ReleaseBinding() if observation.signal == signal.name:
                    yield _sample(observation, signal.name, str(observation.fields[RUNS]))
                case _:
                    yield observation


def _order(said: EventField | None, event: Event) -> str:
    value = event.fields.get(said.field) if said is not None and said.event == event.signal else None
    return value if isinstance(value, str) else ""


def _sample(event: Event, signal: str, order: str) -> Sample:
    return Sample(equipment=event.equipment, signal=signal, value=order, at_ms=event.at_ms, source=event.source)
