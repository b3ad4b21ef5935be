"""The plant folder of a demonstration is a right one that points at the demonstration's own servers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bridge.demo.console import DemoConsole
from bridge.demo.folder import write_plant
from bridge.demo.odoo import DemoOdoo
from bridge.demo.servers import EmbeddedBroker, EmbeddedStore
from bridge.plant import load_plant
from bridge.settings.odoo import InboxUse
from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.connection import Connection

pytestmark = pytest.mark.embedded


def odoo(url: str = "http://127.0.0.1:8069") -> DemoOdoo:
    admin = OdooApi(Connection(url=url, database="demo", key=lambda: "admin-key"))
    return DemoOdoo(url=url, database="demo", user="uns-bridge", key="bridge-key", admin=admin, simulator=True)


@pytest.fixture
def broker(tmp_path: Path) -> EmbeddedBroker:
    """Not started: only where it will be counts."""
    return EmbeddedBroker(tmp_path)


@pytest.fixture
def store(tmp_path: Path) -> EmbeddedStore:
    return EmbeddedStore(tmp_path)


def test_the_folder_names_the_servers_and_the_console(
    tmp_path: Path, broker: EmbeddedBroker, store: EmbeddedStore
) -> None:
    console = DemoConsole(tmp_path / "plant")
    folder = write_plant(tmp_path, broker, store, odoo(), console)
    console.invitation()
    settings = load_plant(folder).settings
    assert (settings.broker.port, settings.broker.user) == (broker.port_5, "bridge")
    assert settings.redis.url == f"redis://127.0.0.1:{store.port}/0"
    assert (settings.odoo.url, settings.odoo.database, settings.odoo.user) == (
        "http://127.0.0.1:8069",
        "demo",
        "uns-bridge",
    )
    assert settings.console is not None
    assert settings.console.port == console.port


def test_secrets_are_files_that_only_their_owner_reads_and_stand_nowhere_else(
    tmp_path: Path, broker: EmbeddedBroker, store: EmbeddedStore
) -> None:
    folder = write_plant(tmp_path, broker, store, odoo(), None)
    settings = load_plant(folder).settings
    assert settings.broker.secret is not None
    assert settings.redis.secret is not None
    secrets = {broker.password, store.password, "bridge-key"}
    assert {settings.broker.secret.reveal(), settings.redis.secret.reveal(), settings.odoo.key.reveal()} == secrets
    holding = {path for path in folder.rglob("*") if path.is_file() and any(s in path.read_text() for s in secrets)}
    assert {path.name for path in holding} == {"broker.secret", "redis.secret", "odoo.secret"}
    assert {path.stat().st_mode & 0o777 for path in holding} == {0o600}


def test_the_bridge_may_find_the_broker_behind_another_port(
    tmp_path: Path, broker: EmbeddedBroker, store: EmbeddedStore
) -> None:
    folder = write_plant(tmp_path, broker, store, odoo(), None, broker_port=4711)
    assert load_plant(folder).settings.broker.port == 4711


def test_the_bridge_posts_without_the_inbox_where_that_is_asked_for(
    tmp_path: Path, broker: EmbeddedBroker, store: EmbeddedStore
) -> None:
    settings = load_plant(write_plant(tmp_path, broker, store, replace(odoo(), limit_s=7), None)).settings.odoo
    assert (settings.inbox, settings.server_limit_ms, settings.look_after_ms) == (InboxUse.NEVER, 7_000, 27_000)


@pytest.mark.parametrize("word", ["2026", "true", "plant: berlin", "plant #1", 'a "b"'])
def test_a_database_and_a_user_may_have_any_name(
    tmp_path: Path, broker: EmbeddedBroker, store: EmbeddedStore, word: str
) -> None:
    folder = write_plant(tmp_path, broker, store, replace(odoo(), database=word, user=word), None)
    settings = load_plant(folder).settings
    assert (settings.odoo.database, settings.odoo.user) == (word, word)
