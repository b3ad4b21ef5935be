"""What bridge.yaml says reaches the parts, and what cannot be opened is said with its place and the mend."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from bridge.broker.link import BrokerLink, LinkSettings, MayConnect, Subscription, Subscriptions, WillSource
from bridge.broker.memory import MemoryBroker, MemoryLink
from bridge.broker.reconnect import always
from bridge.errors import ConfigError, SecretMissing
from bridge.pipeline import take_changes
from bridge.plant import Plant, load_plant
from bridge.release import release_node
from bridge.wiring import Outside, Sessions, new_core, open_audit, open_store
from odoo_adapter.memory import MemoryOdoo
from odoo_adapter.plan import PlanContext
from sparkplug.fact import NodeId
from state.audit import log_files, verify
from state.memory_store import MemoryStore
from tests.bridge.site import ManualClock, plant_in

NODE = NodeId("acme-berlin", "orders")
BROKER = "broker: {host: broker.plant, ca_file: tls/ca.crt, user: bridge, secret: {file: broker.secret}}\n"


def plant_with(folder: Path, more: str) -> Plant:
    """The demonstration's plant with more, or other, sections in its bridge.yaml."""
    home = plant_in(folder).settings.data_dir.parent
    file = home / "bridge.yaml"
    named = {line.partition(":")[0] for line in more.splitlines()}
    kept = [line for line in file.read_text().splitlines() if line.partition(":")[0] not in named]
    file.write_text("\n".join(kept) + "\n" + more)
    return load_plant(home)


@dataclass
class Wires:
    """Makes links in memory and keeps how each was asked for: settings, filters with their QoS, and its will."""

    broker: MemoryBroker = field(default_factory=MemoryBroker)
    asked: list[tuple[LinkSettings, tuple[Subscription, ...], WillSource]] = field(default_factory=list)

    def link(
        self, settings: LinkSettings, subscriptions: Subscriptions, will: WillSource, may: MayConnect
    ) -> BrokerLink:
        self.asked.append((settings, tuple(subscriptions), will))
        return MemoryLink(self.broker, settings, subscriptions, will, may)

    def sessions(self, plant: Plant) -> Sessions:
        odoo = MemoryOdoo(context=PlanContext(units={}, over=Decimal(0)))
        outside = Outside(store=MemoryStore(), odoo=odoo, link=self.link, clock=ManualClock())
        return Sessions(plant, outside, always)


def test_a_new_core_remembers_nothing(tmp_path: Path) -> None:
    assert take_changes(new_core(plant_in(tmp_path))) == {}


def test_documents_wait_for_the_bridge_at_the_broker(tmp_path: Path) -> None:
    wires = Wires()
    wires.sessions(plant_in(tmp_path)).documents()
    settings, subscriptions, will = wires.asked[0]
    assert (settings.clean, settings.expiry_s, settings.client_id) == (False, 7 * 86_400, "acme-bridge-documents")
    assert subscriptions == (Subscription(filter="uns/v1/acme/berlin/#", qos=1),)
    assert will() is None


def test_the_bridges_own_node_leaves_its_death_as_will_of_a_clean_session(tmp_path: Path) -> None:
    wires, node = Wires(), release_node(NODE)
    wires.sessions(plant_in(tmp_path)).release(node)
    settings, _, will = wires.asked[0]
    last = will()
    assert (settings.clean, settings.client_id) == (True, "acme-bridge-orders")
    assert last is not None
    assert (last.topic, last.qos, last.retain) == ("spBv1.0/acme-berlin/NDEATH/orders", 1, False)


def test_the_broker_of_the_settings_is_connected_to_with_its_secret_as_it_is_now(tmp_path: Path) -> None:
    plant, wires = plant_with(tmp_path, BROKER), Wires()
    wires.sessions(plant).documents()
    settings = wires.asked[0][0]
    home = plant.settings.data_dir.parent
    assert (settings.host, settings.port, settings.tls, settings.ca_file, settings.user) == (
        "broker.plant",
        8883,
        True,
        str(home / "tls/ca.crt"),
        "bridge",
    )
    assert settings.password is not None
    with pytest.raises(SecretMissing, match=r"broker\.secret"):
        settings.password()
    (home / "broker.secret").write_text("rotated\n")
    assert settings.password() == "rotated"


def test_a_redis_url_that_redis_does_not_understand_is_a_problem_of_the_settings(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"bridge\.yaml: redis: the Redis url cannot be read"):
        open_store(plant_with(tmp_path, 'redis: {url: "redis://127.0.0.1:6379/0?socket_timeout=soon"}\n'))


def test_a_data_dir_that_cannot_be_written_is_said_with_the_mend(tmp_path: Path) -> None:
    plant = plant_in(tmp_path)
    plant.settings.data_dir.write_text("a file in its place")
    with pytest.raises(ConfigError, match=r"audit\.jsonl: the audit log cannot be written: .*or name another data_dir"):
        open_audit(plant)


def test_an_audit_log_whose_end_is_none_is_not_gone_on_with(tmp_path: Path) -> None:
    plant = plant_in(tmp_path)
    plant.settings.data_dir.mkdir()
    (plant.settings.data_dir / "audit.jsonl").write_text("not a line\n")
    with pytest.raises(ConfigError, match=f"see `uns-bridge audit verify {plant.settings.data_dir}`"):
        open_audit(plant)


def test_the_audit_log_is_put_aside_at_the_size_of_the_settings(tmp_path: Path) -> None:
    plant = plant_with(tmp_path, "limits: {audit_mb: 1}\n")
    audit = open_audit(plant)
    for kind in ("large", "next"):
        audit.append(kind, "ann", {"text": "x" * 1_000_000}, 1)
    files = log_files(plant.settings.data_dir / "audit.jsonl")
    assert [file.name for file in files] == ["audit.0000000001.jsonl", "audit.jsonl"]
    assert verify(*files) == ()
