"""Where two documents differ, as paths such as `quantity`, `operations[wo-57].work_center` or `components[move-81]`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

NAMED_BY: Final = ("work_order", "line")
"""Members by which an object in a list is known again, wherever it stands there."""


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """The paths of what was added, changed or removed, in the order of the documents.

    A list whose objects have no name of their own, and one of plain values, differs as a whole.
    """
    return tuple(_members("", before, after))


def _members(path: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name in dict.fromkeys((*after, *before)):
        yield from _values(f"{path}.{name}" if path else name, before, after, name)


def _values(path: str, before: Mapping[str, Any], after: Mapping[str, Any], name: str) -> Iterator[str]:
    old, new = before.get(name), after.get(name)
    if name not in before or name not in after:
        yield path
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _members(path, old, new)
    elif (olds := _named(old)) is not None and (news := _named(new)) is not None:
        for each in dict.fromkeys((*news, *olds)):
            yield from _values(f"{path}[{each}]", olds, news, each)
        if [each for each in olds if each in news] != [each for each in news if each in olds]:
            yield path
    elif old != new:
        yield path


def _named(value: object) -> dict[str, Any] | None:
    """The objects of a list by their names; None where it is not such a list."""
    if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
        return None
    named = {str(each[name]): each for each in value for name in NAMED_BY if name in each}
    return named if len(named) == len(value) else None
