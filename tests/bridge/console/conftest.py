"""The console as a fixture."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bridge.console.desk import Console, console_in


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    """A console that nobody is logged in to yet."""
    async with console_in(tmp_path) as console:
        yield console
