"""Where the plant folder names what must be in Odoo: each name with the place where a person wrote it.

`ruleset` reads meanings and forgets places. Here the files are read again for their places alone: what is wrong with
them as files has been told before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from bridge.plant import ASSETS_FILE, BRIDGE_FILE, CODES_FILE
from ruleset.assets import expand
from ruleset.codes import FAULT_REASON, LOSSES, OWN_LOSSES, UNITS
from ruleset.document import Node, read_document
from ruleset.problem import Problems

SCRAP_ACTION: Final = "production.scrap"
_TABLE: Final = re.compile(r"\bcodes\.([a-z][a-z0-9_]*)")
_QUOTED: Final = re.compile(r"'([^']*)'")


@dataclass(slots=True)
class Names:
    """What the folder names. The values of `equipment` are the nodes with all names that a range makes of them."""

    company: Node | None = None
    hold_location: Node | None = None
    """Where it stands, or would stand."""
    work_centers: list[tuple[Node, tuple[str, ...]]] = field(default_factory=list)
    serial_numbers: list[tuple[Node, tuple[str, ...]]] = field(default_factory=list)
    units: list[tuple[str, Node, str]] = field(default_factory=list)
    """The floor's unit, and Odoo's."""
    losses: list[tuple[Node, str]] = field(default_factory=list)
    loss_names: list[tuple[Node, str]] = field(default_factory=list)
    scrap_reasons: list[tuple[Node, str]] = field(default_factory=list)
    products: list[tuple[Node, tuple[str, ...]]] = field(default_factory=list)
    """By their default codes."""


def read_names(files: Mapping[str, str], problems: Problems) -> Names:
    """The names in a folder's files, by file name. The nodes put their problems into `problems`."""
    names = Names()
    roots = {name: _root(name, text, problems) for name, text in files.items()}
    if (bridge := roots.get(BRIDGE_FILE)) is not None:
        names.hold_location = _child(_child(bridge, "odoo"), "hold_location") or _child(bridge, "odoo")
    if (assets := roots.get(ASSETS_FILE)) is not None:
        names.company = _child(_child(roots.get(BRIDGE_FILE), "odoo"), "company") or _child(assets, "company")
        _equipment(assets, names)
    rules = [root for name, root in roots.items() if name not in (BRIDGE_FILE, ASSETS_FILE, CODES_FILE)]
    postings = [posting for root in rules for posting in _postings(root)]
    if (codes := roots.get(CODES_FILE)) is not None:
        _codes(codes, _tables(postings, "reason"), _tables(postings, "product"), names)
    for root in rules:
        names.losses += _losses(root)
    for _, given in postings:
        node = _child(given, "product")
        if node is not None and (literal := _QUOTED.fullmatch((node.scalar() or "").strip())):
            names.products.append((node, (literal[1],)))
    return names


def _root(name: str, text: str, problems: Problems) -> Node | None:
    return read_document(name, text, problems)


def _child(node: Node | None, key: str) -> Node | None:
    return node.mapping().get(key) if node is not None and node.is_mapping else None


def _equipment(assets: Node, names: Names) -> None:
    every = _child(assets, "equipment")
    for pattern, key, entry in every.entries() if every is not None else ():
        placeholders = [filled for _, filled in expand(pattern, key)]
        for wanted, found in (("work_center", names.work_centers), ("serial_number", names.serial_numbers)):
            if (node := _child(entry, wanted)) is not None:
                texts = (node.with_placeholders(filled).text() for filled in placeholders)
                found.append((node, tuple(text for text in texts if text)))


def _codes(codes: Node, scrap_tables: frozenset[str], product_tables: frozenset[str], names: Names) -> None:
    for table, _, node in codes.entries():
        for code, _, value in node.entries():
            meaning = value.text() or ""
            if table == UNITS and meaning:
                names.units.append((code, value, meaning))
            elif table == OWN_LOSSES:
                names.loss_names.append((value, meaning))
            elif table == FAULT_REASON and meaning in LOSSES:
                names.losses.append((value, meaning))
            elif table in scrap_tables:
                names.scrap_reasons.append((value, meaning))
            elif table in product_tables:
                names.products.append((value, (meaning,)))


def _postings(root: Node | None) -> Iterator[tuple[str, Node]]:
    """Each action that the rules post, with what is under its `with`."""
    for rule in root.items() if root is not None else ():
        do = _child(rule, "do")
        branches = do.items() if do is not None and do.is_sequence else ()
        for owner, action in ((rule, do), *((branch, _child(branch, "post")) for branch in branches)):
            given = _child(owner, "with")
            if given is not None and action is not None and action.is_text:
                yield action.text() or "", given


def _tables(postings: Iterable[tuple[str, Node]], key: str) -> frozenset[str]:
    """The code tables that the postings of scrap take this from."""
    written = (_child(given, key) for action, given in postings if action == SCRAP_ACTION)
    return frozenset(table for node in written if node is not None for table in _TABLE.findall(node.scalar() or ""))


def _losses(root: Node | None) -> Iterator[tuple[Node, str]]:
    """The loss categories that rules name themselves."""
    for rule in root.items() if root is not None else ():
        classes = _child(rule, "classify")
        written = [_child(one, "loss") for one in classes.items()] if classes is not None else []
        for node in (*written, _child(_child(rule, "with"), "loss")):
            if node is not None:
                yield from ((node, loss) for loss in _QUOTED.findall(node.scalar() or "") if loss in LOSSES)
