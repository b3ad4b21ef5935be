"""The closed list of findings: what a peer can do against the standard, by name.

A name is what the console counts, what the log prints and what a person searches for, so it never changes.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class FindingName(StrEnum):
    """What was found. The comment says what the host does about it."""

    # Whole messages
    TOPIC_INVALID = "topic-invalid"  # ignored
    PAYLOAD_UNREADABLE = "payload-unreadable"  # ignored
    MESSAGE_RETAINED = "message-retained"  # ignored: it tells the past; a rebirth is asked
    MESSAGE_REPEATED = "message-repeated"  # ignored
    STATE_UNREADABLE = "state-unreadable"  # our own STATE topic: answered with our STATE
    HOST_ID_SHARED = "host-id-shared"  # another host says it is online under our id

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

    # Metrics
    METRIC_UNNAMED = "metric-unnamed"  # skipped
    METRIC_UNKNOWN = "metric-unknown"  # skipped; a rebirth is asked
    METRIC_REPEATED = "metric-repeated"  # in a birth: the last declaration counts
    ALIAS_UNKNOWN = "alias-unknown"  # skipped; a rebirth is asked
    ALIAS_REPEATED = "alias-repeated"  # of one birth: the alias means nothing, the names stay good
    ALIAS_SHARED = "alias-shared"  # by two origins of one node: told apart by their topics
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


class Problem(NamedTuple):
    """A finding before it is known whose it is."""

    name: FindingName
    text: str
