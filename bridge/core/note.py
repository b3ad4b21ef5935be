"""What planners read on an order in Odoo: one line when a version went to the floor, and one when it was answered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bridge.orders.record import Status

KEY: Final = "order.state:"
"""How the keys of these lines begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNote:
    """A line for the order in Odoo, once per `key`."""

    key: str
    order: str
    text: str


def sent(order: str, version: int, status: Status, changes: Iterable[str]) -> tuple[OrderNote, ...]:
    """This version is with the broker. A closing says nothing that Odoo does not show."""
    match status:
        case Status.RELEASED:
            return _note(order, version, "sent", f"Released to the floor as version {version}.")
        case Status.CHANGED:
            parts = ", ".join(dict.fromkeys(path.partition("[")[0].partition(".")[0] for path in changes))
            return _note(order, version, "sent", f"Sent to the floor as version {version}: {parts} changed.")
        case Status.CANCELLED:
            return _note(order, version, "sent", f"Taken back from the floor as version {version}.")
        case Status.CLOSED:
            return ()


def answered(order: str, version: int, answer: str, by: str, reason: str, at_ms: int) -> tuple[OrderNote, ...]:
    """The MES answered. It may change its mind, so the moment is part of the key."""
    who = f"The floor ({by})" if by else "The floor"
    why = f": {reason}" if reason else "."
    return _note(order, version, f"{answer}:{at_ms}", f"{who} {answer} version {version}{why}")


def unanswered(order: str, version: int) -> tuple[OrderNote, ...]:
    """The MES did not answer in time."""
    return _note(order, version, "unanswered", f"The floor has not answered version {version} in time.")


def _note(order: str, version: int, what: str, text: str) -> tuple[OrderNote, ...]:
    return (OrderNote(key=f"{KEY}{order}:{version}:{what}", order=order, text=text),)
