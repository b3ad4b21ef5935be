"""Every file of the corpus is what its index says: as it is on the wire, as the host should judge it, and to others.

The verdicts are the index's own words (`expect`); `VERDICTS` says what each means for us. A file with new words fails.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from sparkplug.errors import PayloadError
from sparkplug.fact import LAST_AT_MS, DataRead, Finding, NodeId, Output, Reading, RequestRebirth
from sparkplug.host import HostApplication
from sparkplug.snapshot import NodeView
from sparkplug.wire.payload import Metric, decode
from sparkplug.wire.plain import plain
from sparkplug.wire.sparkplug_b_pb2 import Payload as Message
from sparkplug.wire.state import decode_state
from tests.sparkplug.situation import SENT_MS, birth_bytes, data_bytes
from tests.sparkplug.test_corpus import CORPUS, FILES, host, receive

GOOD_BIRTH = "hostile-ok-nbirth.bin"
OTHER = "spBv1.0/other/{}/node"
BROKEN = {file: entry for file, entry in FILES.items() if "wire_error" in entry}
READABLE = {file: entry for file, entry in FILES.items() if "wire" in entry and "uuid" not in entry["wire"]}
COMPRESSED = [file for file, entry in FILES.items() if "uuid" in entry.get("wire", {}) and "expect" not in entry]
JUDGED = {file: entry for file, entry in FILES.items() if "expect" in entry}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a file did to a host that knew its node, or not where it is a birth itself."""

    raw: bytes
    outputs: tuple[Output, ...]
    again: tuple[Output, ...]
    before: NodeView | None
    after: NodeView | None

    @property
    def findings(self) -> list[str]:
        return [output.name for output in self.outputs if isinstance(output, Finding)]

    @property
    def readings(self) -> dict[str, Reading]:
        read = [output for output in self.outputs if isinstance(output, DataRead)]
        return {reading.metric: reading for each in read for reading in each.readings}

    @property
    def asked(self) -> int:
        """Rebirths asked for, by the message and by the same once more."""
        return sum(isinstance(output, RequestRebirth) for output in (*self.outputs, *self.again))

    def reads(self, value: object) -> bool:
        """Whether one of the metrics, or of a DataSet's cells, is this and nothing is amiss."""
        return not self.findings and json.dumps(value) in json.dumps([plain(r.value) for r in self.readings.values()])

    @property
    def is_refused(self) -> bool:
        """Whether it was found unreadable, and changed nothing but that."""
        return self.findings == ["payload-unreadable"] and not self.readings and known(self.before) == known(self.after)


def known(node: NodeView | None) -> tuple[object, ...]:
    """What is believed of a node, but for what was found and when it was heard."""
    return () if node is None else (node.phase, node.bd_seq, node.metrics, dict(node.devices))


def outcome(file: str) -> Outcome:
    application = host()
    if "NBIRTH" not in FILES[file]["topic"]:
        receive(application, GOOD_BIRTH)
    node = NodeId("H", "n")
    before = view(application, node)
    outputs = receive(application, file)
    after = view(application, node)
    return Outcome(
        raw=(CORPUS / file).read_bytes(),
        outputs=outputs,
        again=receive(application, file, SENT_MS + 1),
        before=before,
        after=after,
    )


def view(application: HostApplication, node: NodeId) -> NodeView | None:
    return next((view for view in application.nodes() if view.node == node), None)


def is_state(raw: bytes) -> bool:
    try:
        decode_state(raw)
    except PayloadError:
        return False
    return True


def accepted(told: Outcome) -> bool:
    return not told.findings and (is_state(told.raw) or bool(told.readings))


def refused_state(told: Outcome) -> bool:
    return told.findings == ["state-unreadable"] and not is_state(told.raw)


def spared(told: Outcome) -> bool:
    """Found, and of no cost to the good metric `a` where the message has one."""
    return bool(told.findings) and ("a" in told.readings or b"\x0a\x01a" not in told.raw)


VERDICTS: Mapping[str, Callable[[Outcome], object]] = {
    "accept": accepted,
    "accept, node online bdSeq 0": lambda told: (
        accepted(told) and told.after is not None and (told.after.phase, told.after.bd_seq) == ("online", 0)
    ),
    "accept with arrival time": lambda told: (
        told.findings == ["timestamp-missing"] and [r.at_ms for r in told.readings.values()] == [SENT_MS]
    ),
    "tolerate": accepted,
    "decode inner; seq is inside": lambda told: accepted(told) and decode(told.raw).seq == 1,
    "must not be treated as absent": lambda told: (
        told.reads(2) and 0 in [metric.alias for metric in decode(told.raw).metrics]
    ),
    "both must decode to -5 / -300": lambda told: told.reads(-5) or told.reads(-300),
    "-5 (tolerant) or diagnose": lambda told: told.reads(-5),
    "4294967295": lambda told: told.reads(4294967295),
    "18446744073709551615": lambda told: told.reads("18446744073709551615"),
    "-1": lambda told: told.reads(-1),
    "null": lambda told: told.reads(None),
    "[]": lambda told: told.reads([]),
    "keep, encode safely": lambda told: told.reads("NaN") and told.reads("-Infinity"),
    "treat as missing seq": lambda told: "seq-missing" in told.findings,
    "policy: ignore or mark offline, but say so": lambda told: (
        told.findings == ["death-bdseq-missing"] and told.after is not None and told.after.phase == "offline"
    ),
    "do not crash": spared,
    "protocol error for the birth; rebirth would loop: throttle": lambda told: spared(told) and told.asked == 0,
    "protocol error or per-device scope; common in the field": lambda told: told.findings == ["alias-shared"],
    "request rebirth (throttled)": lambda told: told.asked == 1,
    "rebirth request": lambda told: told.asked == 1,
    "value error with quality, not crash": lambda told: told.findings == ["value-invalid"],
    "value error": lambda told: told.findings == ["value-invalid"] and spared(told),
    "diagnose": spared,
    "diagnose, keep other metrics": spared,
    "reject as undecodable, no state change": lambda told: told.is_refused,
    "reject": lambda told: told.is_refused,
    "reject, no crash": lambda told: told.is_refused,
    "size limit": lambda told: told.is_refused,
    "at most one level": lambda told: told.is_refused,
    "decode or limit": lambda told: told.is_refused or spared(told),
    "ignore with diagnosis; note a group named STATE is legal": lambda told: (
        told.findings in (["topic-invalid"], ["node-unborn"]) and not told.readings
    ),
    "ignore": lambda told: told.findings == ["topic-invalid"] and known(told.before) == known(told.after),
    "ignore unless legacy mode": lambda told: told.outputs == () and known(told.before) == known(told.after),
    "key order free": lambda told: is_state(told.raw) and not told.findings,
    "number form": accepted,
    "ignore extra keys": accepted,
    "BOM": accepted,
    "v2.2 text on the v3 topic": refused_state,
    "wrong types": refused_state,
    "missing timestamp": refused_state,
}


def test_the_index_names_every_file_and_every_verdict_is_used() -> None:
    assert {path.name for path in CORPUS.glob("*.bin")} == set(FILES)
    assert {entry["expect"] for entry in JUDGED.values()} == set(VERDICTS)
    assert {*JUDGED, *READABLE, *COMPRESSED, *(file for file in FILES if "STATE" in file)} == set(FILES)


@pytest.mark.parametrize("file", JUDGED)
def test_the_host_judges_a_file_as_the_index_expects(file: str) -> None:
    told = outcome(file)

    assert VERDICTS[JUDGED[file]["expect"]](told), told


@pytest.mark.parametrize("file", BROKEN)
def test_what_is_no_protobuf_is_refused_with_the_place(file: str) -> None:
    with pytest.raises(PayloadError, match=r"not a Sparkplug payload: byte \d+"):
        decode((CORPUS / file).read_bytes())


@pytest.mark.parametrize("file", READABLE)
def test_a_payload_is_read_as_it_is_on_the_wire(file: str) -> None:
    wire = READABLE[file]["wire"]
    payload = decode((CORPUS / file).read_bytes())

    assert payload.timestamp_ms == moment(wire)
    assert payload.seq == (int(wire["seq"]) if "seq" in wire else None)
    assert [as_wire(metric) for metric in payload.metrics] == [as_told(metric) for metric in wire.get("metrics", [])]


def moment(wire: dict[str, Any]) -> int | None:
    """The timestamp that we take: one after the calendar is none."""
    stamp = int(wire.get("timestamp", 0))
    return stamp if 0 < stamp <= LAST_AT_MS else None


def as_told(wire: dict[str, Any]) -> dict[str, Any]:
    """A metric of the index, without what the host does not keep."""
    left_out = ("properties", "metadata", "timestamp")
    told = {name: value for name, value in wire.items() if name not in left_out and value is not False}
    told |= {"boolean_value": False} if wire.get("boolean_value") is False else {}
    return told | ({"timestamp": moment(wire)} if moment(wire) else {})


def as_wire(metric: Metric) -> dict[str, Any]:
    """A metric that we read, in the index's form: protobuf's own JSON."""
    fields: dict[str, Any] = {
        "name": metric.name,
        "alias": None if metric.alias is None else str(metric.alias),
        "timestamp": metric.at_ms,
        "datatype": metric.datatype,
        "is_null": metric.is_null or None,
        "is_historical": metric.historical or None,
        "is_transient": metric.transient or None,
    }
    if metric.field is not None:
        message = Message.Metric()
        if metric.field in ("dataset_value", "template_value"):
            getattr(message, metric.field).CopyFrom(metric.raw)
        else:
            setattr(message, metric.field, metric.raw)
        fields |= MessageToDict(message, preserving_proto_field_name=True)
    return {name: value for name, value in fields.items() if value is not None}


@pytest.mark.parametrize("file", COMPRESSED)
def test_a_captured_payload_is_inflated_and_its_seq_is_inside(file: str) -> None:
    raw = (CORPUS / file).read_bytes()
    payload = decode(raw)

    assert not Message.FromString(raw).HasField("seq")
    assert payload.seq is not None
    assert payload.problems == ()
    assert [metric.name or metric.alias for metric in payload.metrics] != []


@pytest.mark.parametrize("file", FILES)
def test_a_file_costs_another_node_nothing(file: str) -> None:
    application = host()
    application.receive(OTHER.format("NBIRTH"), birth_bytes(), retain=False, now_ms=SENT_MS)
    receive(application, file)
    outputs = application.receive(OTHER.format("NDATA"), data_bytes(1, 11), retain=False, now_ms=SENT_MS)

    assert [reading.value for output in outputs if isinstance(output, DataRead) for reading in output.readings] == [11]
    assert not [output for output in outputs if isinstance(output, Finding)]
