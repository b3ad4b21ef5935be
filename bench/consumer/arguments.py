"""What every consumer is told: the port, and how many births, data messages and documents there will be."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

SPARKPLUG_FILTER = "spBv1.0/bench/#"
DOCUMENT_FILTER = "uns/v1/#"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    port: int
    births: int
    data: int
    documents: int


def read_arguments() -> Arguments:
    """From the command line."""
    port, births, data, documents = (int(word) for word in sys.argv[1:5])
    return Arguments(port=port, births=births, data=data, documents=documents)


def say(word: str) -> None:
    """Tell the harness how far it is."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def counter(given: Arguments) -> Callable[[], None]:
    """Counts messages and says `born`, `data` and `documents` as they are complete."""
    marks = {
        given.births: "born",
        given.births + given.data: "data",
        given.births + given.data + given.documents: "documents",
    }
    count = 0

    def one_more() -> None:
        nonlocal count
        count += 1
        if count in marks:
            say(marks[count])

    return one_more
