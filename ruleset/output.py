"""What the rule engine answers: transactions to post, facts that could not be posted or are not wanted, alerts and
remarks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Final, TypeAlias

import msgspec

from ruleset.sample import Plain
from ruleset.trace.trace import Trace
from ruleset.transaction import IdempotencyKey, OrderRef, Provenance, Transaction

DEFECT: Final = "a defect of the bridge, please report it"
"""How the reason of what ended in an error of ours begins."""


class RemarkName(StrEnum):
    """The closed list of what the engine remarks."""

    COUNTER_RESET = "counter-reset"
    COUNTER_ROLLOVER = "counter-rollover"
    COUNT_JUMP = "count-jump"
    """A birth shows pieces and another order than before: which order they were given to."""
    COUNT_WITHOUT_ORDER = "count-without-order"
    ORDER_AMBIGUOUS = "order-ambiguous"
    """Several released orders may run at an equipment: which of them does nobody knows."""
    READING_INVALID = "reading-invalid"
    HISTORY_LATE = "history-late"
    """Stored readings arrived after what they describe had been settled."""
    SETTLED_EARLY = "settled-early"
    """More waited after an outage than may: its order is not certain any more."""
    EVALUATION_FAILED = "evaluation-failed"
    EVENT_LATE = "event-late"
    """An event older than what a count still remembers."""
    MICRO_STOP = "micro-stop"
    """An episode too short to be posted; the text has the total so far."""


@dataclass(frozen=True, slots=True)
class Post:
    """A transaction for the outbox, and why. `order_ran`: its order is the one that ran when the rule saw the fact, so
    the same fact seen again while another order runs is no other fact. `telling` is a digest of what an event said."""

    transaction: Transaction
    order_ran: bool = False
    telling: str = field(default="", kw_only=True, compare=False, repr=False)
    trace: Trace = field(kw_only=True, compare=False, repr=False)


class Saw(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a rule saw of a fact when it refused it: enough to decide the same fact again, by another version.

    `fact` ends the key; it is an id of `event` where that is given. `values` (`Plain`) are the equipment's signals and
    what the form added (an event's fields, an episode's times), as expressions read them. `running` is the order that
    ran. `defaults` are as in `ruleset.form.posting.post`.
    """

    fact: str
    event: str = ""
    values: dict[str, Any] = {}
    running: str = ""
    defaults: dict[str, Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmet:
    """A fact that was meant to be posted and cannot be: a `need` is not met, or a value is missing or wrong.

    It belongs to the dead letters under the key that the transaction would have. `fields` are the values of
    `with` that could be evaluated. `saw` None: the rule did not come so far.
    """

    key: IdempotencyKey
    action: str
    equipment: str
    order: OrderRef | None
    at_ms: int
    rule: str
    provenance: Provenance
    reason: str
    fields: Mapping[str, Plain] = field(default_factory=dict)
    saw: Saw | None = None
    trace: Trace = field(compare=False, repr=False)

    def encode(self) -> bytes:
        """As the outbox keeps it: all but the trace, which is kept by itself."""
        return msgspec.json.encode({each.name: getattr(self, each.name) for each in fields(self) if each.compare})


@dataclass(frozen=True, slots=True)
class Retraction:
    """An event that its rule does not want, by what the event itself says. Most were never wanted, and that is all. One
    whose key is known was told otherwise before (`telling` as in `Post`), and is the refused fact from now on."""

    refused: Unmet
    telling: str = field(kw_only=True, compare=False, repr=False)

    @property
    def trace(self) -> Trace:
        return self.refused.trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A person must look. Nothing is posted."""

    rule: str
    equipment: str
    text: str
    at_ms: int
    trace: Trace = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something that one may want to know later: a finding about an equipment."""

    name: RemarkName
    equipment: str
    text: str


EngineOutput: TypeAlias = Post | Unmet | Retraction | Alert | Remark
