"""What the doctor says: one finding per check, with its place and its mend."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found. `mend` is empty where all is well."""

    level: Level
    part: str
    place: str
    text: str
    mend: str = ""
    unreachable: bool = False

    def __str__(self) -> str:
        mend = f"; {self.mend}" if self.mend else ""
        return f"{self.level:<7}  {self.part} {self.place}: {self.text}{mend}"


@dataclass(frozen=True, slots=True)
class Place:
    """What is looked at: a part of the plant's surroundings and where it is."""

    part: str
    name: str

    def ok(self, text: str) -> Finding:
        return Finding(level=Level.OK, part=self.part, place=self.name, text=text)

    def warning(self, text: str, mend: str = "") -> Finding:
        return Finding(level=Level.WARNING, part=self.part, place=self.name, text=text, mend=mend)

    def wrong(self, text: str, mend: str = "") -> Finding:
        return Finding(level=Level.WRONG, part=self.part, place=self.name, text=text, mend=mend)

    def unreachable(self, text: str, mend: str = "") -> Finding:
        return Finding(level=Level.WRONG, part=self.part, place=self.name, text=text, mend=mend, unreachable=True)
