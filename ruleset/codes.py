"""`codes.yaml`: code tables, what the floor says -> what Odoo calls it. The table `units` holds the signals' units,
`own_units` says what those are that only this plant knows."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from ruleset.document import Node, read_document
from ruleset.problem import Problem, Problems, suggest
from ruleset.unit import measure

UNITS: Final = "units"
OWN_UNITS: Final = "own_units"
FAULT_REASON: Final = "fault_reason"
OWN_LOSSES: Final = "losses"
LOSSES: Final = frozenset(
    {"material_availability", "breakdown", "setup", "reduced_speed", "defect", "productive", "unclassified"}
)
"""Loss categories of a stop that every Odoo has a reason for. The table `losses` names the plant's own reasons."""

_READ_BY_ITSELF: Final = frozenset({UNITS, OWN_UNITS, OWN_LOSSES})
"""Tables that no rule has to name."""
_READ: Final = re.compile(r"\bcodes\.([a-z][a-z0-9_]*)")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


def read_codes(file: str, text: str, problems: Problems) -> Mapping[str, Mapping[str, str]] | None:
    """Read the tables; None where the file is no YAML mapping. Problems go to `problems`."""
    root = read_document(file, text, problems)
    if root is None:
        return None
    if not root.is_mapping:
        root.problem("expected code tables, such as `units: {pcs: Units}`")
        return None
    tables: dict[str, Mapping[str, str]] = {}
    losses = LOSSES | {code for name, _, node in root.entries() if name == OWN_LOSSES for code, _, _ in node.entries()}
    for name, key, node in root.entries():
        if not _NAME.fullmatch(name):
            key.problem(
                f'table name "{name}" must be lower case letters, digits and _, so that rules can say codes.<name>'
            )
        tables[name] = _read_table(name, node, losses)
    _find_unknown_units(root, tables)
    return tables


def unused_tables(file: str, text: str, rules: Iterable[str]) -> tuple[Problem, ...]:
    """What one may want to know of a clean file: tables that no rule reads, which are most often misspelt ones."""
    root = read_document(file, text, Problems())
    read = {*_READ_BY_ITSELF, *(name for rule in rules for name in _READ.findall(rule))}
    unused = [(name, key) for name, key, _ in root.entries() if name not in read] if root is not None else []
    return tuple(
        Problem(file=file, line=key.line, column=key.column, text=f'no rule reads the table "{name}"')
        for name, key in unused
    )


def _find_unknown_units(root: Node, tables: Mapping[str, Mapping[str, str]]) -> None:
    """Told where a unit is defined, or else where it is named."""
    wrong = dict(measure(tables.get(UNITS, {}), tables.get(OWN_UNITS, {})).wrong)
    written = {name: node for name, _, node in root.entries()}
    for table in (OWN_UNITS, UNITS):
        for unit, key, _ in written[table].entries() if table in tables else ():
            if unit in wrong:
                key.problem(wrong.pop(unit))


def _read_table(name: str, node: Node, losses: Collection[str]) -> Mapping[str, str]:
    table: dict[str, str] = {}
    for code, key, value in node.entries():
        meaning = value.text()
        if not code.strip():
            key.problem("a code must not be empty")
        if meaning is None:
            continue
        if name == FAULT_REASON and meaning not in losses:
            value.problem(f'"{meaning}" is no loss category{suggest(meaning, losses)}')
        elif name not in (UNITS, OWN_UNITS) and not meaning.strip():
            value.problem(f'code "{code}" has no meaning; write the name that Odoo uses')
        table[code] = meaning
    return table
