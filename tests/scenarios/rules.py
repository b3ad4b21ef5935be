"""The plant's rules as people release them: proposed by one, approved by another, live, taken back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bridge.core.input import Promoted
from bridge.lifecycle.book import VersionBook
from bridge.lifecycle.history import Step
from bridge.lifecycle.live import load_live
from bridge.lifecycle.people import Person, Role
from tests.scenarios.bridge import Bridge, Clock

AUTHOR: Final = Person("anna", frozenset({Role.AUTHOR}), "")
OPERATOR: Final = Person("olga", frozenset({Role.OPERATOR}), "")


@dataclass(slots=True, kw_only=True)
class Rules:
    """The rules of one plant folder, and the bridge that runs them."""

    folder: Path
    bridge: Bridge
    clock: Clock

    def change(self, file: str, before: str, after: str) -> None:
        """Somebody edits the folder."""
        path = self.folder / "rules" / file
        text = path.read_text()
        assert text.count(before) == 1
        path.write_text(text.replace(before, after))

    async def are_released(self, *, approver: str) -> str:
        """The folder as it stands is proposed, approved and promoted. Returns the version."""
        second = Person(approver, frozenset({Role.APPROVER}), "")
        version = self._book.propose(AUTHOR, "as agreed", 1, self.clock.now_ms())
        self._book.act(Step.APPROVE, second, version, "looks right", self.clock.now_ms())
        self._book.act(Step.PROMOTE, second, version, "from now on", self.clock.now_ms())
        await self._take_up()
        return version

    async def are_rolled_back(self) -> None:
        """The version that was live before is live again."""
        live = self._book.history().live
        assert live is not None
        self._book.act(Step.ROLL_BACK, OPERATOR, live, "too many requests", self.clock.now_ms())
        await self._take_up()

    async def _take_up(self) -> None:
        await self.bridge.take(Promoted(load_live(self.folder).content))

    @property
    def _book(self) -> VersionBook:
        return VersionBook(self.folder)
