"""A payload with all that it holds and all that is wrong with it, for people: `uns-bridge decode` prints it.

The host reads less (`wire.payload`, `catalog`), because it must be fast, and tolerates more, because a plant must run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from sparkplug.errors import ValueUnreadable
from sparkplug.fact import LAST_AT_MS
from sparkplug.topic import DeviceVerb, NodeVerb
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.payload import COMPRESSED_UUID, inflate, parse
from sparkplug.wire.plain import Plain, plain
from sparkplug.wire.property import PropertyReader
from sparkplug.wire.sparkplug_b_pb2 import Payload as Message
from sparkplug.wire.value import BASIC, READERS, read_value

_BIRTHS: Final = frozenset({NodeVerb.BIRTH, DeviceVerb.BIRTH})
_UNSEQUENCED: Final = frozenset({NodeVerb.DEATH, NodeVerb.COMMAND, DeviceVerb.COMMAND})
MOST_FAULTS: Final = 1_000  # a hostile payload could have millions
_EARLIEST_MS: Final = 100_000_000_000  # in 1973: milliseconds before it were meant as seconds
_METADATA: Final = Message.MetaData.DESCRIPTOR.fields


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where in the payload."""

    place: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedMetric:
    """One metric. `value` is as JSON has it, and None too where `faults` tell why it could not be read."""

    name: str | None
    alias: int | None
    datatype: str | None
    value: Plain
    is_null: bool
    historical: bool
    transient: bool
    timestamp_ms: int | None
    properties: dict[str, Plain]
    metadata: dict[str, Plain]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A payload. `compressed` tells that its metrics were inflated from its body."""

    timestamp_ms: int | None
    seq: int | None
    uuid: str | None
    compressed: bool
    metrics: tuple[ExplainedMetric, ...]
    faults: tuple[Fault, ...]


def explain(raw: bytes, verb: NodeVerb | DeviceVerb | None = None) -> Explained:
    """Read everything. With the `verb` of its topic it is known whether names, datatypes and `seq` must be there.

    Raises `PayloadError` when the bytes cannot be read as a whole.
    """
    message = parse(raw)
    compressed = message.uuid == COMPRESSED_UUID
    if compressed:
        message = inflate(message)
    return _Explaining(message, verb).explained(compressed)


@dataclass(slots=True)
class _Explaining:
    message: Message
    verb: NodeVerb | DeviceVerb | None
    faults: list[Fault] = field(default_factory=list)

    def explained(self, compressed: bool) -> Explained:
        message = self.message
        stamp = self._moment("payload", message.timestamp if message.HasField("timestamp") else None)
        if stamp is None and self.verb is not NodeVerb.DEATH:
            self._fault("payload", "has no timestamp")
        seq = message.seq if message.HasField("seq") else None
        if seq is not None and seq > 255:
            self._fault("payload", f"seq is {seq}; it counts from 0 to 255")
        if self.verb is NodeVerb.BIRTH and seq not in (None, 0):
            self._fault("payload", f"seq is {seq}; an NBIRTH begins with 0")
        if seq is None and self.verb is not None and self.verb not in _UNSEQUENCED:
            self._fault("payload", f"has no seq, which {self.verb} must have")
        return Explained(
            timestamp_ms=stamp,
            seq=seq,
            uuid=self._text("payload", "uuid", message.uuid) or None,
            compressed=compressed,
            metrics=tuple(self._metric(number, metric) for number, metric in enumerate(message.metrics)),
            faults=tuple(self.faults),
        )

    def _metric(self, number: int, metric: Message.Metric) -> ExplainedMetric:
        name = self._text(f"metrics[{number}]", "name", metric.name) or None
        alias = metric.alias if metric.HasField("alias") else None
        place = f"metrics[{number}]" + (f" {name!r}" if name else f" alias {alias}" if alias is not None else "")
        if name is None and (alias is None or self.verb in _BIRTHS):
            self._fault(place, "has no name" if alias is not None else "has neither a name nor an alias")
        properties = PropertyReader(place)
        read = properties.read(metric.properties) if metric.HasField("properties") else {}
        for fault in properties.faults[:MOST_FAULTS]:
            self._fault(*fault)
        return ExplainedMetric(
            name=name,
            alias=alias,
            datatype=self._datatype(place, metric),
            value=self._value(place, metric),
            is_null=metric.is_null,
            historical=metric.is_historical,
            transient=metric.is_transient,
            timestamp_ms=self._moment(place, metric.timestamp if metric.HasField("timestamp") else None),
            properties=read,
            metadata=self._metadata(place, metric),
        )

    def _datatype(self, place: str, metric: Message.Metric) -> str | None:
        """Its name in the standard's words; absent in data, where the birth tells."""
        if not metric.HasField("datatype"):
            if self.verb in _BIRTHS:
                self._fault(place, "has no datatype, which a birth must tell")
            return None
        if metric.datatype not in READERS:
            self._fault(place, f"{metric.datatype} is no datatype of a metric")
            return str(metric.datatype)
        return Datatype(metric.datatype).word

    def _value(self, place: str, metric: Message.Metric) -> Plain:
        held = metric.WhichOneof("value")
        if metric.is_null:
            return None
        if held is None:
            self._fault(place, "has no value and is not null")
            return None
        raw = getattr(metric, held)
        if held == "template_value":
            return self._template(place, raw)
        try:
            datatype = metric.datatype if metric.HasField("datatype") else _ASSUMED[held]
            return plain(read_value(datatype, held, raw, {})) if datatype in READERS else None
        except ValueUnreadable as error:
            self._fault(place, str(error))
            return None

    def _template(self, place: str, raw: Message.Template) -> Plain:
        """A definition or an instance, with its parameters, its members and theirs."""
        ref = self._text(place, "template_ref", raw.template_ref) or None
        if not raw.HasField("is_definition"):
            self._fault(place, "a template must tell by is_definition what it is")
        if raw.is_definition and ref is not None:
            self._fault(place, f"a template definition must have no template_ref, this one has {ref!r}")
        if not raw.is_definition and ref is None:
            self._fault(place, "a template instance must name its definition in template_ref")
        members: dict[str, Plain] = {}
        for number, member in enumerate(raw.metrics):
            inner = f"{place}, member {number}"
            name = self._text(inner, "name", member.name)
            if not name:
                self._fault(inner, "has no name")
            elif name in members:
                self._fault(inner, f"{name!r} comes twice")
            elif member.WhichOneof("value") is None and raw.is_definition:
                members[name] = None
            else:
                members[name] = self._value(f"{place}, member {name!r}", member)
        return {
            "ref": ref,
            "is_definition": raw.is_definition,
            "version": self._text(place, "template version", raw.version) or None,
            "parameters": {
                name: value
                for number, parameter in enumerate(raw.parameters)
                for name, value in self._parameter(f"{place}, parameter {number}", parameter)
            },
            "members": members,
        }

    def _parameter(self, place: str, raw: Message.Template.Parameter) -> list[tuple[str, Plain]]:
        name = self._text(place, "name", raw.name)
        held = raw.WhichOneof("value")
        if not name:
            self._fault(place, "has no name")
        elif raw.HasField("type") and raw.type not in BASIC:
            self._fault(place, f"{raw.type} is no datatype of a parameter")
        elif held is None:
            return [(name, None)]
        else:
            try:
                datatype = raw.type if raw.HasField("type") else _ASSUMED[held]
                return [(name, plain(read_value(datatype, held, getattr(raw, held), {})))]
            except ValueUnreadable as error:
                self._fault(place, str(error))
        return []

    def _metadata(self, place: str, metric: Message.Metric) -> dict[str, Plain]:
        """What is said of a file or a part of one."""
        return {
            each.name: self._text(place, each.name, told) if isinstance(told, str | bytes) else plain(told)
            for each in _METADATA
            if metric.metadata.HasField(each.name)  # type: ignore[arg-type]
            for told in [getattr(metric.metadata, each.name)]
        }

    def _moment(self, place: str, stamp: int | None) -> int | None:
        if stamp is None or stamp == 0:
            return None
        if stamp > LAST_AT_MS:
            self._fault(place, f"the timestamp {stamp} is after the year 9999; are they micro- or nanoseconds?")
        elif stamp < _EARLIEST_MS:
            self._fault(place, f"the timestamp {stamp} is of {1970 + stamp // 31_556_952_000}; are they seconds?")
        return stamp

    def _text(self, place: str, what: str, told: Any) -> str:
        """protobuf gives the bytes of a text that is not UTF-8."""
        if isinstance(told, str):
            return told
        self._fault(place, f"its {what} is not UTF-8: {bytes(told[:40]).hex(' ')}")
        return ""

    def _fault(self, place: str, text: str) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(place, text))
        elif len(self.faults) == MOST_FAULTS:
            self.faults.append(Fault("payload", "more is wrong with it than is listed"))


_ASSUMED: Final = {
    "int_value": Datatype.UINT32,
    "long_value": Datatype.UINT64,
    "float_value": Datatype.FLOAT,
    "double_value": Datatype.DOUBLE,
    "boolean_value": Datatype.BOOLEAN,
    "string_value": Datatype.STRING,
    "bytes_value": Datatype.BYTES,
    "dataset_value": Datatype.DATASET,
    "extension_value": Datatype.BYTES,  # it cannot be there, which is then said
}
"""As what a value is shown whose datatype only the birth tells: as it is on the wire."""
