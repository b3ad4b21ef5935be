"""What differs between Odoo versions: capabilities named for the behaviour. Only here are version numbers known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from odoo_adapter.errors import Refused

_NUMBERS: Final = re.compile(r"(\d+)\.(\d+)")
_BUILD: Final = re.compile(r"(\d+\.\d+)([-+].*)?")
"""A version and what is said about its build: `18.0-20251106`, `19.0+e`, `19.0-simulator`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """How a version behaves where versions differ."""

    json2: bool
    """Methods are called over JSON-2; otherwise over JSON-RPC, which needs the user's login."""
    has_access: bool
    """Models answer `has_access`; otherwise `check_access_rights`."""
    groups_of_record: bool
    """A user's record answers `has_group`; otherwise the model does, of who calls."""
    keys_expire: bool
    """API keys have an end."""
    users_field: str
    """The users of `res.groups`."""
    groups_field: str
    """The groups of a server action and of a menu."""
    list_view: str
    """The tag and the type of a list view."""
    finished_lot_many: bool
    """An order has several finished lots; otherwise one."""
    backorder_group_field: str
    """The group of an order and its backorders."""
    scrap_reasons: bool
    """Scrap has reason tags; otherwise the reason stands in its source."""
    stored: Mapping[str, object]
    """What makes a product one whose stock is counted."""
    purchase_unit: bool
    """A product's unit of purchase does not follow its own one."""
    unit_categories: bool
    """Units of measure have a category, and their factor is how many of them are one of its own unit; otherwise a path
    of units, and the factor is how many of the first of them they are."""

    @property
    def finished_lots_field(self) -> str:
        """The finished lots of `mrp.production`; read with `finished_lots`."""
        return "lot_producing_ids" if self.finished_lot_many else "lot_producing_id"

    def finished_lots(self, order: Mapping[str, object]) -> list[int]:
        """The ids of the finished lots in an order as it was read."""
        value = order[self.finished_lots_field]
        if not isinstance(value, list):
            return []
        return list(value) if self.finished_lot_many else [value[0]]


_STORABLE: Final[Mapping[str, object]] = {"type": "consu", "is_storable": True}

KNOWN: Final[Mapping[str, Capabilities]] = {
    "17.0": Capabilities(
        json2=False,
        has_access=False,
        groups_of_record=False,
        keys_expire=False,
        users_field="users",
        groups_field="groups_id",
        list_view="tree",
        finished_lot_many=False,
        backorder_group_field="procurement_group_id",
        scrap_reasons=False,
        stored={"type": "product"},
        purchase_unit=True,
        unit_categories=True,
    ),
    "18.0": Capabilities(
        json2=False,
        has_access=True,
        groups_of_record=True,
        keys_expire=True,
        users_field="users",
        groups_field="groups_id",
        list_view="list",
        finished_lot_many=False,
        backorder_group_field="procurement_group_id",
        scrap_reasons=True,
        stored=_STORABLE,
        purchase_unit=False,
        unit_categories=True,
    ),
    "19.0": Capabilities(
        json2=True,
        has_access=True,
        groups_of_record=True,
        keys_expire=True,
        users_field="user_ids",
        groups_field="group_ids",
        list_view="list",
        finished_lot_many=True,
        backorder_group_field="production_group_id",
        scrap_reasons=True,
        stored=_STORABLE,
        purchase_unit=False,
        unit_categories=False,
    ),
}


def is_known(version: str) -> bool:
    """Whether the bridge was tried with this version."""
    return _known(version) is not None


def capabilities(version: str, *, accept_unknown: bool = False) -> Capabilities:
    """What this version can do. Raises `Refused` for one that was never tried: unknown is an error, not a guess.

    `accept_unknown`: somebody took the guess upon themselves, and it is called as `nearest` says.
    """
    known = _known(version) or (nearest(version) if accept_unknown else None)
    if known is None:
        raise Refused("version", f"Odoo {version} is not supported; supported: {', '.join(sorted(KNOWN))}")
    return KNOWN[known]


def nearest(version: str) -> str | None:
    """The newest known version that is not newer than this one, or the oldest; None where it says no number."""
    numbers = _NUMBERS.search(version)
    if numbers is None:
        return None
    told = (int(numbers[1]), int(numbers[2]))
    older = [known for known in KNOWN if _numbers(known) <= told]
    return max(older, key=_numbers) if older else min(KNOWN, key=_numbers)


def _known(version: str) -> str | None:
    build = _BUILD.fullmatch(version)
    return build[1] if build and build[1] in KNOWN else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
