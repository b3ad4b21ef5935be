"""The state file holds one whole database, and nothing else is taken for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from odoo_adapter.inbox.action import WHOLE, inbox_hash
from odoo_adapter.inbox.install import MODEL
from odoo_adapter.simulator.company import BEHAVIOURS, furnish
from odoo_adapter.simulator.model import MODELS
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.simulator.server import open_service
from odoo_adapter.simulator.state import StateFile


def database() -> Database:
    return Database(MODELS, BEHAVIOURS, lambda: 1_795_400_000_000)


def test_a_saved_database_is_loaded_as_it_was(tmp_path: Path) -> None:
    file, before, after = StateFile(tmp_path / "state.json"), database(), database()
    furnish(before)
    file.save(before)
    assert file.load(after)
    assert after.dump() == before.dump()
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_without_a_file_there_is_nothing_to_load(tmp_path: Path) -> None:
    assert not StateFile(tmp_path / "state.json").load(database())


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"version": 2, "tables": {}, "last_ids": {}}'])
def test_another_file_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"state\.json"):
        StateFile(path).load(database())


def test_a_state_of_an_older_bridge_names_the_inbox_that_runs_now(tmp_path: Path) -> None:
    path, old = tmp_path / "state.json", database()
    furnish(old)
    old.find(MODEL, "x_name", WHOLE.marker)[0].write(x_hash="of another text")
    StateFile(path).save(old)
    service = open_service("plant", administrator="a", bridge="b", now_ms=lambda: 0, state=path)
    assert service.database.find(MODEL, "x_name", WHOLE.marker)[0].text("x_hash") == inbox_hash()
