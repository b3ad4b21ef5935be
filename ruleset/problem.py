"""A problem in a file that a person wrote: where it is, what it is and, where one can tell, what was meant."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """One sentence about one place. `line` and `column` count from 1; `line` 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0
    text: str

    def __str__(self) -> str:
        return f"{self.file}: {self.text}" if self.line == 0 else f"{self.file}:{self.line}:{self.column}: {self.text}"


class Problems:
    """Collects problems while files are read, so that all of them are reported at once."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}

    def add(self, problem: Problem) -> None:
        """Remember it. The same problem again (an anchored part that is read twice) changes nothing."""
        self._found[problem] = None

    def extend(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.add(problem)

    def __len__(self) -> int:
        return len(self._found)

    @property
    def all(self) -> tuple[Problem, ...]:
        """All of them, by file, line and column."""
        return tuple(sorted(self._found))


def suggest(word: str, known: Collection[str]) -> str:
    """The end of a sentence about an unknown word: `; did you mean "cycle"?`, or the choice where it is small."""
    close = get_close_matches(word, known, n=1, cutoff=0.6) or [each for each in known if each.lower() == word.lower()]
    if close:
        return f'; did you mean "{close[0]}"?'
    if 0 < len(known) <= 12:
        return f"; known here: {', '.join(sorted(known))}"
    return ""
