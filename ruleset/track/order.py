"""Which order runs, where events say so: what begins and what ends an order is a value of the order's signal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ruleset.equipment import Assets, EventField, OrderBinding, Signal
from ruleset.sample import Event, Observation, Sample


class OrderEvents:
    """Of all equipment of a site. `running` is the order that runs there now."""

    def __init__(self, assets: Assets, running: Callable[[str], str]) -> None:
        self._running = running
        self._bindings: dict[str, tuple[str, OrderBinding]] = {}
        for path, equipment in assets.equipment.items():
            for signal in equipment.signals.values():
                if isinstance(signal, Signal) and isinstance(signal.binding, OrderBinding):
                    self._bindings[path] = (signal.name, signal.binding)

    def told(self, observations: Iterable[Observation]) -> Iterator[Observation]:
        """The observations, an order that begins right before its event, one that ends right after: rules about either
        event see it running."""
        for observation in observations:
            known = self._bindings.get(observation.equipment) if isinstance(observation, Event) else None
            if known is None or not isinstance(observation, Event):
                yield observation
                continue
            name, binding = known
            if order := _order(binding.started_by, observation):
                yield _sample(observation, name, order)
            yield observation
            if (order := _order(binding.ended_by, observation)) and order == self._running(observation.equipment):
                yield _sample(observation, name, "")


def _order(said: EventField | None, event: Event) -> str:
    value = event.fields.get(said.field) if said is not None and said.event == event.signal else None
    return value if isinstance(value, str) else ""


def _sample(event: Event, signal: str, order: str) -> Sample:
    return Sample(equipment=event.equipment, signal=signal, value=order, at_ms=event.at_ms, source=event.source)
