"""The plant turned round: from a Sparkplug origin and its metric, or from a topic, to the signal that they feed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from bridge.core.topic import UNS_PREFIX
from bridge.translate.value import Fitting, fitter
from ruleset.equipment import (
    Assets,
    DataSetBinding,
    DocumentBinding,
    Equipment,
    EventSignal,
    GroupBinding,
    MetricBinding,
    Signal,
    TemplateBinding,
)
from sparkplug.fact import NodeId, Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """The metric is this signal. `fit` gives its value as the signal's type has it, or None."""

    equipment: str
    signal: Signal
    fit: Callable[[object], Fitting]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """The metric is a field of a group's event; `field` None: its running number."""

    equipment: str
    signal: EventSignal
    field: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The metric is a DataSet of events, or a template whose instance is one."""

    equipment: str
    signal: EventSignal


Target: TypeAlias = Value | Member | Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Bindings:
    """All bindings of a site. `documents` are by topic; `nodes` are all equipment of a node and its devices."""

    metrics: Mapping[Origin, Mapping[str, Target]]
    documents: Mapping[str, tuple[str, EventSignal]]
    origins: Mapping[Origin, tuple[str, ...]]
    nodes: Mapping[NodeId, tuple[str, ...]]


def bind(assets: Assets) -> Bindings:
    """Index the plant. Equipment keeps the order of `assets.yaml`."""
    metrics: dict[Origin, dict[str, Target]] = defaultdict(dict)
    documents: dict[str, tuple[str, EventSignal]] = {}
    origins: dict[Origin, tuple[str, ...]] = {}
    nodes: dict[NodeId, tuple[str, ...]] = {}
    for path, equipment in assets.equipment.items():
        if equipment.group is not None and equipment.node is not None:
            origin = Origin(equipment.group, equipment.node, equipment.device)
            metrics[origin].update(_targets(equipment))
            origins[origin] = (*origins.get(origin, ()), path)
            nodes[origin.node_id] = (*nodes.get(origin.node_id, ()), path)
        for signal in equipment.signals.values():
            if isinstance(signal, EventSignal) and isinstance(signal.binding, DocumentBinding):
                documents[f"{UNS_PREFIX}/{path}/{signal.binding.name}"] = (path, signal)
    return Bindings(metrics=dict(metrics), documents=documents, origins=origins, nodes=nodes)


def _targets(equipment: Equipment) -> dict[str, Target]:
    targets: dict[str, Target] = {}
    for signal in equipment.signals.values():
        match signal:
            case Signal(binding=MetricBinding(metric)):
                targets[metric] = Value(equipment=equipment.path, signal=signal, fit=fitter(signal.type))
            case EventSignal(binding=GroupBinding(group=group, number=number)):
                targets[f"{group}/{number}"] = Member(equipment=equipment.path, signal=signal, field=None)
                for field in signal.fields:
                    member = Member(equipment=equipment.path, signal=signal, field=field.name)
                    targets[f"{group}/{field.name}"] = member
            case EventSignal(binding=DataSetBinding(metric) | TemplateBinding(metric)):
                targets[metric] = Rows(equipment=equipment.path, signal=signal)
            case Signal() | EventSignal():
                pass
    return targets
