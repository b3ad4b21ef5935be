"""Values as JSON can hold them, without losing anything.

JSON has no NaN, and a browser reads numbers as doubles. So as in protobuf's own JSON: NaN and the infinities are the
texts `NaN`, `Infinity`, `-Infinity`; bytes are Base64; a whole number beyond 2^53, which a double cannot count to, is
the text of its digits. Smaller ones stay numbers.
"""

from __future__ import annotations

from base64 import b64encode
from math import isfinite, isnan
from typing import Final, TypeAlias

from sparkplug.fact import DataSet, Template, Value

Plain: TypeAlias = "bool | int | float | str | None | list[Plain] | dict[str, Plain]"

EXACT: Final = 1 << 53
"""Up to here each whole number is a double too."""


def plain(value: Value) -> Plain:
    """The value for a JSON encoder."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if -EXACT <= value <= EXACT else str(value)
        case float():
            return value if isfinite(value) else _name(value)
        case bytes():
            return b64encode(value).decode()
        case tuple():
            return [plain(item) for item in value]
        case DataSet(columns=columns, rows=rows):
            return {"columns": list(columns), "rows": [[plain(cell) for cell in row] for row in rows]}
        case Template(ref=ref, is_definition=is_definition, members=members):
            held = {name: plain(member) for name, member in members.items()}
            return {"ref": ref, "is_definition": is_definition, "members": held}


def _name(value: float) -> str:
    if isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
