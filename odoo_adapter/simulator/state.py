"""The simulator's database in a file, so that a killed and restarted simulator has what it had committed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import msgspec

from odoo_adapter.simulator.records.database import Database

_VERSION: Final = 1


class _State(msgspec.Struct):
    version: int
    tables: dict[str, dict[int, dict[str, Any]]]
    last_ids: dict[str, int]


class StateFile:
    """One file. It always holds one whole state: a new one replaces the old in one step."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self, database: Database) -> bool:
        """Fill an empty database from the file. False if there is none; `ValueError` for a file of another kind."""
        if not self._path.exists():
            return False
        try:
            state = msgspec.json.decode(self._path.read_bytes(), type=_State)
        except msgspec.DecodeError as error:
            raise ValueError(f"{self._path}: not a simulator's state: {error}") from error
        if state.version != _VERSION:
            raise ValueError(f"{self._path}: state of version {state.version}, not {_VERSION}")
        database.load(state.tables, state.last_ids)
        return True

    def save(self, database: Database) -> None:
        """Replace the file. A kill at any moment leaves the old or the new state, never half of one."""
        tables, last_ids = database.dump()
        state = _State(version=_VERSION, tables=tables, last_ids=last_ids)
        written = self._path.with_name(f"{self._path.name}.new")
        written.write_bytes(msgspec.json.encode(state))
        os.replace(written, self._path)
