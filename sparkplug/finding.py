"""The closed list of findings: what a peer can do against the standard, by name; and how they are counted.

A name is what the console counts, what the log prints and what a person searches for, so it never changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

import msgspec

from sparkplug.fact import Finding, NodeId, Output

SAMPLE_BYTES: Final = 512  # of a payload, enough for a person to see what is wrong with it
TEXT_CHARACTERS: Final = 500  # a topic alone may have 64 kB, and the text is stored


class FindingName(StrEnum):
    """What was found. The comment says what the host does about it."""

    # Whole messages
    TOPIC_INVALID = "topic-invalid"  # ignored
    PAYLOAD_UNREADABLE = "payload-unreadable"  # ignored
    MESSAGE_RETAINED = "message-retained"  # ignored: it tells the past; a rebirth is asked
    MESSAGE_REPEATED = "message-repeated"  # ignored
    STATE_UNREADABLE = "state-unreadable"  # our own STATE topic: answered with our STATE
    HOST_ID_SHARED = "host-id-shared"  # another host says it is online under our id
    NODE_ON_TWO_SERVERS = "node-on-two-servers"  # ignored: the node is online on another MQTT server

    TOO_MANY_NODES = "too-many-nodes"  # ignored: the site has as many nodes as it may have

    # Sessions
    NODE_UNBORN = "node-unborn"  # ignored; a rebirth is asked
    DEVICE_UNBORN = "device-unborn"  # ignored; a rebirth is asked
    SEQ_MISSING = "seq-missing"  # taken in the order of arrival
    SEQ_GAP = "seq-gap"  # the node goes stale; a rebirth is asked
    BIRTH_SEQ_NOT_ZERO = "birth-seq-not-zero"  # accepted
    BIRTH_BDSEQ_MISSING = "birth-bdseq-missing"  # accepted; any death of the node will count
    BIRTH_REBIRTH_MISSING = "birth-rebirth-missing"  # accepted; the node may not obey a rebirth command
    DEATH_BDSEQ_MISSING = "death-bdseq-missing"  # taken as a death
    DEATH_BDSEQ_MISMATCH = "death-bdseq-mismatch"  # strict: ignored; tolerant: taken as a death, a rebirth is asked
    DEVICE_NOT_REBORN = "device-not-reborn"  # the device goes offline
    TOO_MANY_DEVICES = "too-many-devices"  # ignored: the node has as many devices as it may have

    # Metrics
    METRIC_UNNAMED = "metric-unnamed"  # skipped
    METRIC_UNKNOWN = "metric-unknown"  # skipped; a rebirth is asked
    METRIC_REPEATED = "metric-repeated"  # in a birth: the last declaration counts
    ALIAS_UNKNOWN = "alias-unknown"  # skipped; a rebirth is asked
    ALIAS_REPEATED = "alias-repeated"  # of one birth: the alias means nothing, the names stay good
    ALIAS_SHARED = "alias-shared"  # by two origins of one node: told apart by their topics
    ALIAS_MISMATCH = "alias-mismatch"  # a name with the alias of another metric: the name counts
    DATATYPE_MISSING = "datatype-missing"  # the metric cannot be read
    DATATYPE_UNKNOWN = "datatype-unknown"  # the metric cannot be read
    VALUE_MISSING = "value-missing"  # neither a value nor null: skipped
    VALUE_INVALID = "value-invalid"  # skipped
    TEMPLATE_UNKNOWN = "template-unknown"  # passed on as it is
    PROPERTIES_INVALID = "properties-invalid"  # the properties are skipped, the value is good
    TIMESTAMP_MISSING = "timestamp-missing"  # the time of receipt is taken
    TIMESTAMP_INVALID = "timestamp-invalid"  # the next best time is taken


ASKS_REBIRTH: Final = frozenset(
    {
        FindingName.NODE_UNBORN,
        FindingName.DEVICE_UNBORN,
        FindingName.METRIC_UNKNOWN,
        FindingName.ALIAS_UNKNOWN,
        FindingName.MESSAGE_RETAINED,
    }
)
"""Findings in a message that a new birth can mend."""


REQUIREMENT_OF: Final[Mapping[FindingName, str]] = {
    FindingName.TOPIC_INVALID: "tck-id-topic-structure",
    FindingName.PAYLOAD_UNREADABLE: "tck-id-message-flow-edge-node-birth-publish-nbirth-payload",
    FindingName.MESSAGE_RETAINED: "tck-id-topics-nbirth-mqtt",
    FindingName.MESSAGE_REPEATED: "tck-id-payloads-sequence-num-incrementing",
    FindingName.STATE_UNREADABLE: "tck-id-host-topic-phid-birth-payload",
    FindingName.HOST_ID_SHARED: "tck-id-operational-behavior-host-application-host-id",
    FindingName.NODE_ON_TWO_SERVERS: (
        "tck-id-operational-behavior-primary-application-state-with-multiple-servers-single-server"
    ),
    FindingName.NODE_UNBORN: "tck-id-payloads-ndata-order",
    FindingName.DEVICE_UNBORN: "tck-id-payloads-ddata-order",
    FindingName.SEQ_MISSING: "tck-id-payloads-sequence-num-always-included",
    FindingName.SEQ_GAP: "tck-id-payloads-sequence-num-incrementing",
    FindingName.BIRTH_SEQ_NOT_ZERO: "tck-id-topics-nbirth-seq-num",
    FindingName.BIRTH_BDSEQ_MISSING: "tck-id-topics-nbirth-bdseq-included",
    FindingName.BIRTH_REBIRTH_MISSING: "tck-id-topics-nbirth-rebirth-metric",
    FindingName.DEATH_BDSEQ_MISSING: "tck-id-topics-ndeath-payload",
    FindingName.DEATH_BDSEQ_MISMATCH: "tck-id-payloads-ndeath-bdseq",
    FindingName.DEVICE_NOT_REBORN: "tck-id-operational-behavior-data-commands-rebirth-action-2",
    FindingName.METRIC_UNNAMED: "tck-id-payloads-name-requirement",
    FindingName.METRIC_UNKNOWN: "tck-id-topics-nbirth-metric-reqs",
    FindingName.METRIC_REPEATED: "tck-id-topics-nbirth-metrics",
    FindingName.ALIAS_UNKNOWN: "tck-id-payloads-alias-birth-requirement",
    FindingName.ALIAS_REPEATED: "tck-id-payloads-alias-uniqueness",
    FindingName.ALIAS_SHARED: "tck-id-payloads-alias-uniqueness",
    FindingName.ALIAS_MISMATCH: "tck-id-payloads-alias-data-cmd-requirement",
    FindingName.DATATYPE_MISSING: "tck-id-payloads-metric-datatype-req",
    FindingName.DATATYPE_UNKNOWN: "tck-id-payloads-metric-datatype-value",
    FindingName.VALUE_MISSING: "tck-id-operational-behavior-data-publish-nbirth-values",
    FindingName.VALUE_INVALID: "tck-id-payloads-metric-datatype-value",
    FindingName.TEMPLATE_UNKNOWN: "tck-id-payloads-template-definition-nbirth",
    FindingName.PROPERTIES_INVALID: "tck-id-payloads-propertyset-keys-array-size",
    FindingName.TIMESTAMP_MISSING: "tck-id-payloads-name-birth-data-requirement",
    FindingName.TIMESTAMP_INVALID: "tck-id-payloads-timestamp-in-UTC",
}
"""The requirement that each finding is about, where the standard has one: how much a host holds is the host's own.

A device's own requirement has another id where the standard says it twice."""


class Problem(NamedTuple):
    """A finding before it is known whose it is."""

    name: FindingName
    text: str


Told: TypeAlias = tuple[list[Output], list[Problem]]
"""What a message leads to, and what is wrong with it; whose that is, and whether it is told, is for the caller."""


class Tally(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One kind of finding of one node. `text` and `sample`, the payload's first bytes, are of the one told last;
    `untold` came since."""

    count: int
    first_ms: int = 0
    last_ms: int = 0
    told_ms: int | None = None
    untold: int = 0
    text: str = ""
    sample: bytes = b""


class Findings:
    """The findings of one node. Each kind is told once per window, then with how often it came meanwhile."""

    __slots__ = ("_window_ms", "tallies")

    def __init__(self, window_ms: int) -> None:
        self._window_ms = window_ms
        self.tallies: dict[str, Tally] = {}

    def note(self, node: NodeId, problems: Iterable[Problem], raw: bytes, now_ms: int) -> list[Finding]:
        """Count what is wrong with the payload `raw`; return what is to be told now."""
        told = []
        for problem in problems:
            name = problem.name.value
            known = self.tallies.get(name) or Tally(count=0, first_ms=now_ms)
            count, untold, text = known.count + 1, known.untold + 1, problem.text[:TEXT_CHARACTERS]
            if known.told_ms is not None and 0 <= now_ms - known.told_ms < self._window_ms:
                counted = msgspec.structs.replace(known, count=count, last_ms=now_ms, untold=untold)
            else:
                told.append(Finding(node=node, name=name, text=text, times=untold))
                counted = Tally(
                    count=count,
                    first_ms=known.first_ms,
                    last_ms=now_ms,
                    told_ms=now_ms,
                    text=text,
                    sample=raw[:SAMPLE_BYTES],
                )
            self.tallies[name] = counted
        return told
