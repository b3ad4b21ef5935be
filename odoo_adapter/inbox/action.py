"""The texts of the inbox's two server actions, made of the same parts.

Odoo compiles an action's text at every call, which takes it about as long as an increment. So what happens often, and
the questions, go to a short action; the whole one knows every kind. Both write the same list, so which one a
transaction goes to changes nothing but the time it takes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final


@dataclass(frozen=True, slots=True)
class Action:
    """A server action: its external id, the row of the list that tells its number, and the parts of its text.

    The parts in order: what all use, then the kinds, at last what a request is. Each kind enters itself in `KINDS`.
    """

    name: str
    marker: str
    parts: tuple[str, ...]


LIGHT: Final = Action(
    "action_inbox_light",
    "@inbox:light",
    (
        *("frame", "unit", "order", "progress", "scrap"),
        *("downtime", "note", "maintenance", "work_order", "protocol"),
    ),
)
WHOLE: Final = Action(
    "action_inbox",
    "@inbox",
    (
        *("frame", "unit", "order", "progress", "correction", "material", "completion", "scrap"),
        *(
            "downtime",
            "capacity",
            "note",
            "maintenance",
            "quality",
            "quality_oca",
            "quality_enterprise",
            "work_order",
            "protocol",
        ),
    ),
)
ACTIONS: Final = (WHOLE, LIGHT)
_KIND: Final = re.compile(r"^KINDS\['(\w+)'\] = ", re.MULTILINE)


@cache
def action_text(action: Action) -> str:
    """The text of a server action, as it is stored in Odoo: its parts, one after the other."""
    folder = resources.files("odoo_adapter.inbox").joinpath("text")
    return "\n".join(folder.joinpath(f"{part}.py.txt").read_text("utf-8") for part in action.parts).strip()


@cache
def kinds_of(action: Action) -> frozenset[str]:
    """The kinds that an action knows."""
    return frozenset(_KIND.findall(action_text(action)))


def action_for(kinds: Iterable[str]) -> Action:
    """The shortest action that knows all these kinds."""
    return LIGHT if kinds_of(LIGHT).issuperset(kinds) else WHOLE


@cache
def inbox_hash() -> str:
    """The SHA-256 of the texts of `ACTIONS`, with a line feed between, in hexadecimal. It names the exact behaviour."""
    return hashlib.sha256("\n".join(action_text(action) for action in ACTIONS).encode()).hexdigest()
