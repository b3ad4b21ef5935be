"""What differs between Odoo versions: capabilities named for the behaviour. Only here are version numbers known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from odoo_adapter.errors import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """How a version behaves where versions differ."""

    users_field: str
    """The users of `res.groups`."""
    groups_field: str
    """The groups of a server action and of a menu."""
    list_view: str
    """The tag and the type of a list view."""


KNOWN: Final[Mapping[str, Capabilities]] = {
    "19.0": Capabilities(users_field="user_ids", groups_field="group_ids", list_view="list"),
}


def capabilities(version: str) -> Capabilities:
    """What this version can do. Raises `Refused` for one that was never tried: unknown is an error, not a guess.

    `odoo_adapter.simulator` names the version that it imitates: `19.0-simulator`.
    """
    known = KNOWN.get(version.removesuffix("-simulator"))
    if known is None:
        raise Refused("version", f"Odoo {version} is not supported; supported: {', '.join(sorted(KNOWN))}")
    return known
