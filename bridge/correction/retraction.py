"""A fact that its source took back: told again so that its rule does not want it any more. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from bridge.correction.gist import QUANTITY, Gist, is_short, read_gist
from ruleset.output import Retraction
from ruleset.transaction import Correct, IdempotencyKey, OrderRef, Provenance
from state.entry import Entry, FollowUp, hash_of
from state.ledger import Accepted

RETRACTED: Final = "retracted"
_CORRECTED_BY_A_DIFFERENCE: Final = frozenset({"production.complete", "quality.hold", "production.correct"})


class _Refused(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the stored body of a retraction."""

    equipment: str
    at_ms: int
    provenance: Provenance


def is_news(retraction: Retraction, entry: Entry | None, done: Accepted | None) -> bool:
    """Whether it takes something back. What was never taken in was not wanted from the beginning. What was told just so
    before was wanted then: the rule is another since, and what happened is not."""
    if entry is None and done is None:
        return False
    known = read_gist(entry.gist if entry is not None else done.gist if done is not None else b"")
    return known is None or known.telling != retraction.telling


def follow_up_of_retraction(retraction: Retraction, now_ms: int, *, priority: int) -> FollowUp:
    """What a retraction tells the outbox. All retractions of a fact are one content."""
    refused = retraction.refused
    return FollowUp(
        body=refused.encode(),
        content_hash=hash_of(RETRACTED.encode()),
        at_ms=now_ms,
        lane=refused.order or refused.equipment,
        priority=priority,
        gist=msgspec.json.encode(Gist(do=RETRACTED, telling=retraction.telling)),
        dead=refused.reason,
    )


def nothing_of(stands: Gist, retracted: Gist) -> Gist:
    """What is to stand of a fact that was retracted: the same, of nothing."""
    values = {**stands.values, QUANTITY: "0"} if QUANTITY in stands.values else stands.values
    return replace(stands, values=values, telling=retracted.telling)


def taking_back(fact: str, key: str, told: FollowUp, stands: Gist, reason: str) -> Correct | None:
    """The transaction that takes away all that stands; None where there is none, or what it must say is not known."""
    values: dict[str, Any] = stands.values
    corrects, lot = values.get("corrects", fact), values.get("lot")
    if stands.do not in _CORRECTED_BY_A_DIFFERENCE or not stands.order or "serials" in values:
        return None
    if not (is_short(corrects) and is_short(lot)) or not Decimal(values[QUANTITY]):
        return None
    refused = msgspec.json.decode(told.body, type=_Refused)
    return Correct(
        key=IdempotencyKey(key),
        equipment=refused.equipment,
        at_ms=refused.at_ms,
        provenance=refused.provenance,
        order=OrderRef(stands.order),
        corrects=corrects,
        quantity=-Decimal(values[QUANTITY]),
        unit=values["unit"],
        reason=reason,
        lot=lot,
    )
