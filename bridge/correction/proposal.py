"""What is proposed where a fact that stands in Odoo comes again with other content. Pure.

Where only the quantity differs, that is a transaction with the difference, which waits for a person's release.
Everything else is a dead letter: a person corrects it in Odoo, and then skips it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from bridge.correction.gist import QUANTITY, Gist, differing, read_gist
from bridge.correction.retraction import RETRACTED, nothing_of, taking_back
from ruleset.transaction import (
    Complete,
    Correct,
    IdempotencyKey,
    MaterialConsume,
    OrderRef,
    QualityHold,
    Scrap,
    Transaction,
    action,
    decode,
    encode,
)
from state.entry import EntryState, FollowUp
from state.ledger import Accepted

BY_HAND: Final = "fact.changed"
"""The action of a correction that only a person can make: there is nothing to send."""
_BY_HAND: Final = "correct it in Odoo where that is right, then skip this"


def proposed(fact: str, key: str, told: FollowUp, done: Accepted | None) -> FollowUp:
    """The correction, under this key, of a fact that is done, for what was told of it since.

    `told` may be an earlier proposal that waited for the outcome of one before it.
    """
    stands, wanted = read_gist(done.gist if done else b""), read_gist(told.gist)
    if stands is None or wanted is None:
        return _by_hand(key, told, f"{_unknown(told, done)}; {_BY_HAND}")
    if wanted.do == RETRACTED:
        return _taken_back(fact, key, told, stands, nothing_of(stands, wanted))
    changed = differing(stands, wanted)
    what = ", ".join(changed.values())
    reason = f"the fact was posted with other content: {what}"
    if changed.keys() - {QUANTITY, "at_ms"} or QUANTITY not in changed or "serials" in wanted.values:
        return _by_hand(key, told, f"{reason}; {_BY_HAND}")
    by = Decimal(wanted.values[QUANTITY]) - Decimal(stands.values[QUANTITY])
    correction = _correction(fact, key, decode(told.body), OrderRef(stands.order or ""), by, f"told again: {what}")
    if correction is None:
        return _by_hand(key, told, f"{reason}; {_BY_HAND}")
    above = f"; {told.hold}" if told.hold and told.action is None else ""
    return _by_the_difference(told, correction, by, replace(wanted, order=stands.order), reason, above)


def _taken_back(fact: str, key: str, told: FollowUp, stands: Gist, nothing: Gist) -> FollowUp:
    """The correction of a fact that its source retracted: what stands of it is to be nothing."""
    what = ", ".join(differing(stands, nothing).values())
    reason = ": ".join(filter(None, ("the fact was posted, and its source retracted it", what)))
    correction = taking_back(fact, key, told, stands, f"retracted: {what}")
    if correction is None:
        return _by_hand(key, told, f"{reason}; {_BY_HAND}")
    return _by_the_difference(told, correction, correction.quantity, nothing, reason)


def _by_the_difference(
    told: FollowUp, correction: Transaction, by: Decimal, then: Gist, reason: str, above: str = ""
) -> FollowUp:
    """The proposal to post the difference. `then` is what stands after that."""
    what_then = f"release posts the difference of {by.normalize():+f} {then.values['unit']}, skip leaves what stands"
    return replace(
        told,
        action=action(correction),
        lane=then.order or told.lane,
        body=encode(correction),
        gist=msgspec.json.encode(then),
        hold=f"{reason}; {what_then}{above}",
        dead=None,
    )


def _correction(
    fact: str, key: str, told: Transaction, order: OrderRef, by: Decimal, reason: str
) -> Transaction | None:
    """The transaction that makes the difference; None where there is none. Scrap and consumption only add up."""
    match told:
        case Complete() | QualityHold() | Correct() if order:
            return Correct(
                key=IdempotencyKey(key),
                equipment=told.equipment,
                at_ms=told.at_ms,
                provenance=told.provenance,
                order=order,
                corrects=told.corrects if isinstance(told, Correct) else fact,
                quantity=by,
                unit=told.unit,
                reason=reason,
                lot=told.lot,
            )
        case Scrap() | MaterialConsume() if by > 0:
            return replace(told, key=IdempotencyKey(key), order=order or None, quantity=by)
        case _:
            return None


def _unknown(told: FollowUp, done: Accepted | None) -> str:
    if done is not None and done.state is EntryState.SKIPPED:
        return "the fact was skipped and came again with other content"
    if (wanted := read_gist(told.gist)) is not None and wanted.do == RETRACTED:
        return "the fact was posted, and its source retracted it, and what stands of it now is not known here"
    if told.dead is not None and not told.gist:
        return f"the fact was posted, and came again so that it could not be: {told.dead}"
    return "the fact was posted with other content, and what stands of it now is not known here"


def _by_hand(key: str, told: FollowUp, reason: str) -> FollowUp:
    said: dict[str, Any] = msgspec.json.decode(told.body)
    provenance = said.get("provenance", {})
    head = {name: said.get(name) for name in ("equipment", "order", "at_ms")}
    rest = {name: value for name, value in said.items() if name not in {*head, "do", "key", "provenance"}}
    body = {
        "key": key,
        "action": BY_HAND,
        **head,
        "rule": provenance.get("rule", ""),
        "provenance": provenance,
        "reason": reason,
        "fields": said.get("fields", rest),
    }
    return replace(told, action=BY_HAND, body=msgspec.json.encode(body), gist=b"", hold=None, dead=reason)
