"""The plant as rules see it: equipment, its typed signals, and code tables. `ruleset.assets` builds it from files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from ruleset.shift.calendar import Calendar
from ruleset.unit import Measure


class ValueType(StrEnum):
    """What a signal or an event field holds."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    TEXT = "text"


class Role(StrEnum):
    """What a signal means to the engine, beyond its value."""

    VALUE = "value"
    STATE = "state"
    ORDER = "order"
    """Names the order release that runs on the equipment; empty text: none."""
    COUNTER = "counter"
    """A cumulative count; `rollover` is the number after which it starts at 0 again."""


@dataclass(frozen=True, slots=True)
class MetricBinding:
    """One Sparkplug metric of the equipment's source."""

    metric: str


@dataclass(frozen=True, slots=True)
class EventField:
    """A field of an event of the same equipment, written `event.field`."""

    event: str
    field: str


@dataclass(frozen=True, slots=True)
class OrderBinding:
    """The running order, as events tell it: the one that the first names begins, the one that the second names ends.
    An order that begins ends the one before."""

    started_by: EventField
    ended_by: EventField | None


class ReleasedAs(StrEnum):
    """What makes a released order the one that runs."""

    ACCEPTED = "accepted"
    """The floor accepted it, and its work there is not finished."""
    STARTED = "started"
    """Somebody started its work there, in Odoo."""


@dataclass(frozen=True, slots=True)
class ReleaseBinding:
    """The running order, as Odoo's order releases tell it: the only one of the equipment's work center that is so."""

    released: ReleasedAs


RUNS: Final = "runs"
"""The field of the event of a `ReleaseBinding`'s signal that names the order which runs from then on; empty: none."""


class WithoutOrder(StrEnum):
    """What becomes of what happens while no order runs, and would be posted on one."""

    REMARK = "remark"
    ALERT = "alert"
    HOLD = "hold"
    """It is held until a person says which order it belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupBinding:
    """An event as a group of metrics `<group>/<field>` with a running number in `<group>/<number>`."""

    group: str
    number: str


@dataclass(frozen=True, slots=True)
class DataSetBinding:
    """Events as the rows of a DataSet metric that always holds the last N; the column `id` tells them apart."""

    metric: str


@dataclass(frozen=True, slots=True)
class TemplateBinding:
    """An event as an instance of a Sparkplug template, whole each time; its member `id` tells one from the next."""

    metric: str


@dataclass(frozen=True, slots=True)
class DocumentBinding:
    """Events as JSON documents on `uns/v1/<equipment path>/<name>`, QoS 1."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A named value of one equipment. `unit` is a unit name of `codes.yaml`. A value that differs by less than
    `deadband` from the last one that counted changes nothing. `without_order` counts where it names the order that
    runs."""

    name: str
    type: ValueType
    role: Role
    binding: MetricBinding | OrderBinding | ReleaseBinding
    unit: str | None = None
    rollover: int | None = None
    deadband: float | None = None
    without_order: WithoutOrder = WithoutOrder.REMARK

    def is_news(self, value: bool | int | float | str | None, known: bool | int | float | str | None) -> bool:
        """Whether a value says something else than the known one."""
        if value == known:
            return isinstance(value, bool) != isinstance(known, bool)
        if self.deadband is None or not isinstance(value, int | float) or not isinstance(known, int | float):
            return True
        return abs(value - known) >= self.deadband


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of an event. `items` describes the members of a list of objects; `type` is then None."""

    name: str
    type: ValueType | None
    unit: str | None = None
    optional: bool = False
    items: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSignal:
    """A named kind of occurrence at one equipment."""

    name: str
    binding: GroupBinding | DataSetBinding | TemplateBinding | DocumentBinding
    fields: tuple[Field, ...]


AnySignal: TypeAlias = Signal | EventSignal


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """One node of the ISA-95 tree. `path` is `enterprise/site/area/line[/cell]`.

    `group`, `node`, `device` say which Sparkplug origin feeds its metric bindings (None where it has only
    documents; `device` None for metrics of the edge node itself). `shifts` None: it has no shift calendar.
    """

    path: str
    type: str
    signals: Mapping[str, AnySignal]
    group: str | None = None
    node: str | None = None
    device: str | None = None
    work_center: str | None = None
    serial_number: str | None = None
    shifts: Calendar | None = None

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]

    @property
    def order_signal(self) -> Signal | None:
        """The one that names the order that runs."""
        signals = (each for each in self.signals.values() if isinstance(each, Signal))
        return next((each for each in signals if each.role is Role.ORDER), None)

    @property
    def holds_without_order(self) -> bool:
        """Whether a person says which order it belongs to, where something is to be posted while none runs."""
        signal = self.order_signal
        return signal is not None and signal.without_order is WithoutOrder.HOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class Assets:
    """The whole plant: one site, its equipment by path, its code tables, and what its units are."""

    enterprise: str
    site: str
    timezone: str
    company: int
    equipment: Mapping[str, Equipment]
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    measures: Mapping[str, Measure] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """`enterprise/site`, the start of every equipment path."""
        return f"{self.enterprise}/{self.site}"
