"""The text that Odoo runs keeps its promise by itself: one key, one effect. Run on a database of ours."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pytest

from odoo_adapter.inbox.action import LIGHT, action_text

KEY: Final = "acme/berlin/press-1/note/n-1"
TABLES: Final = """
CREATE TABLE x_uns_transaction (id INTEGER PRIMARY KEY, x_name TEXT UNIQUE, x_kind TEXT, x_hash TEXT, x_by TEXT,
    x_state TEXT, x_payload TEXT, x_order_id INTEGER, x_total REAL, x_message TEXT, x_result JSON, x_res_model TEXT,
    x_res_id INTEGER, x_done_at TEXT, create_uid INTEGER, write_uid INTEGER, create_date TEXT, write_date TEXT);
CREATE TABLE mrp_production (id INTEGER PRIMARY KEY);
CREATE TABLE mail_message (id INTEGER PRIMARY KEY, res_id INTEGER, body TEXT);
"""
IN_SQLITE: Final = {
    "%s": "?",
    "now() at time zone 'UTC'": "CURRENT_TIMESTAMP",
    "::jsonb": "",
    " FOR UPDATE": "",
    " FOR NO KEY UPDATE": "",
}
"""PostgreSQL's words, and SQLite's for them. One statement runs at a time here, so nothing needs a lock."""

sqlite3.register_converter("JSON", json.loads)


class UserError(Exception):
    """Odoo's."""


class Savepoint:
    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.execute("SAVEPOINT one")

    def close(self, *, rollback: bool) -> None:
        if rollback:
            self._database.execute("ROLLBACK TO one")
        self._database.execute("RELEASE one")


class Cursor:
    """`env.cr`, on SQLite."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._cursor = database.cursor()

    def execute(self, statement: str, parameters: Sequence[object]) -> None:
        for theirs, ours in IN_SQLITE.items():
            statement = statement.replace(theirs, ours)
        self._cursor.execute(statement, parameters)

    def fetchone(self) -> object:
        return self._cursor.fetchone()

    def savepoint(self) -> Savepoint:
        return Savepoint(self._database)


class Orders:
    """`mrp.production`, and of it the order with this id: as much as a note asks for."""

    _fields: Final = ()
    name, state = "WH/MO/7", "confirmed"

    def __init__(self, database: sqlite3.Connection, id: int = 0) -> None:
        self._database = database
        self.id = id

    def browse(self, id: int) -> Orders:
        return Orders(self._database, id)

    def exists(self) -> Orders | None:
        return self if self._database.execute("SELECT 1 FROM mrp_production WHERE id=?", [self.id]).fetchone() else None

    def with_context(self, **_: bool) -> Orders:
        return self

    def message_post(self, body: str, subtype_xmlid: str) -> Orders:
        insert = "INSERT INTO mail_message (res_id, body) VALUES (?, ?)"
        return Orders(self._database, self._database.execute(insert, [self.id, body]).lastrowid or 0)


class Environment:
    """`env`, with the models that the text looks for at its start."""

    uid: Final = 2

    def __init__(self, database: sqlite3.Connection, context: Mapping[str, object]) -> None:
        self.cr = Cursor(database)
        self.context = context
        self._models = {"mrp.production": Orders(database), "uom.uom": Orders(database)}
        self._database = database

    def __call__(self, *, context: Mapping[str, object]) -> Environment:
        return Environment(self._database, context)

    def __getitem__(self, model: str) -> Orders:
        return self._models[model]

    def __contains__(self, model: str) -> bool:
        return model in self._models

    def flush_all(self) -> None:
        """Everything is written at once."""


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(":memory:", detect_types=sqlite3.PARSE_DECLTYPES)
    database.executescript(TABLES + "INSERT INTO mrp_production VALUES (7);")
    yield database
    database.close()


def posted(text: str, *, order: str = "mo-7", key: str = KEY) -> dict[str, object]:
    content = {"order": order, "text": text}
    return {"key": key, "kind": "note", "lane": order, "hash": f"hash of {order}: {text}", "p": content}


def run(database: sqlite3.Connection, *transactions: dict[str, object]) -> Any:
    """One call of the server action, in a database transaction of its own; its answer for each."""
    env = Environment(database, {"uns": {"tx": list(transactions)}})
    names: dict[str, Any] = {"env": env, "UserError": UserError}
    with database:
        exec(compile(action_text(LIGHT), LIGHT.name, "exec"), names)
    return names["action"]["results"]


def notes(database: sqlite3.Connection) -> list[tuple[int, str]]:
    return database.execute("SELECT res_id, body FROM mail_message").fetchall()


DONE: Final = {"key": KEY, "status": "done", "result": {"model": "mail.message", "id": 1}}


def test_the_same_fact_again_has_one_effect_and_the_first_result(database: sqlite3.Connection) -> None:
    assert run(database, posted("hot"), posted("hot")) == [DONE, {**DONE, "status": "dup"}]
    assert run(database, posted("hot")) == [{**DONE, "status": "dup"}]
    assert notes(database) == [(7, f"hot [{KEY}]")]


def test_a_key_that_comes_again_with_other_content_is_a_conflict_and_what_follows_it_is_passed(
    database: sqlite3.Connection,
) -> None:
    run(database, posted("hot"))
    other = posted("cold", key="another")
    assert run(database, posted("warm"), other) == [
        {**DONE, "status": "conflict"},
        {"key": "another", "status": "passed"},
    ]
    assert notes(database) == [(7, f"hot [{KEY}]")]


def test_what_was_declined_changed_nothing_and_is_done_once_it_can_be(database: sqlite3.Connection) -> None:
    (declined,) = run(database, posted("hot", order="mo-8"))
    assert (declined["status"], declined["code"], notes(database)) == ("refused", "missing", [])
    database.execute("INSERT INTO mrp_production VALUES (8)")
    assert run(database, posted("hot", order="mo-8")) == [DONE]
    assert notes(database) == [(8, f"hot [{KEY}]")]
