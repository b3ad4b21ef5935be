"""How what the master book says is told to people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bridge.core.input import Notice
from bridge.master.book import Agrees, Differs, KindChanged, MasterOutput


def told(outputs: Iterable[MasterOutput]) -> Iterator[Notice]:
    """A notice each: a difference is an alert, a change something that one may want to know."""
    for output in outputs:
        match output:
            case KindChanged(is_first=True):
                yield Notice(level="info", name="master.read", fields={"kind": output.kind, "documents": output.added})
            case KindChanged(kind=kind, added=added, changed=changed, removed=removed):
                counts: dict[str, str | int | float | None] = {
                    "kind": kind,
                    "added": added,
                    "changed": changed,
                    "removed": removed,
                }
                yield Notice(level="warning", name="master.changed", fields=counts)
            case Differs():
                yield Notice(level="alert", name="master.differs", fields={"text": output.text})
            case Agrees():
                yield Notice(level="info", name="master.agrees", fields={"text": output.text})
