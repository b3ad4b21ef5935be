from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from bridge.errors import SecretMissing
from bridge.settings import (
    ConsoleSettings,
    EdgeNodeSettings,
    LimitSettings,
    MasterDataSettings,
    RedisSettings,
    RetrySettings,
    Settings,
    SparkplugSettings,
    read_settings,
)
from bridge.settings.broker import BrokerSettings
from bridge.settings.odoo import InboxUse, OdooSettings
from bridge.settings.secret import Secret
from ruleset.problem import Problems
from sparkplug.presence import DeclaredOffline

FOLDER = Path("/plant")
ODOO = "odoo: {database: prod, user: bridge, key: {env: UNS_TEST_KEY}}\n"


def read(text: str, folder: Path = FOLDER) -> Settings:
    problems = Problems()
    settings = read_settings("bridge.yaml", text, folder, problems)
    assert settings is not None, problems.all
    return settings


def said(text: str) -> list[str]:
    problems = Problems()
    assert read_settings("bridge.yaml", text, FOLDER, problems) is None
    return [str(problem) for problem in problems.all]


def test_only_odoo_must_be_named_and_everything_else_is_on_this_machine() -> None:
    settings = read(ODOO)

    assert settings.broker == BrokerSettings(host="127.0.0.1", port=1883, version=5, tls=False)
    assert settings.redis == RedisSettings(url="redis://127.0.0.1:6379/0", accept_weak_durability=False)
    assert settings.odoo.url == "http://127.0.0.1:8069"
    assert settings.sparkplug == SparkplugSettings(host_id="uns-bridge", groups=())
    assert settings.edge_node is None
    assert settings.console is None
    assert settings.limits == LimitSettings()
    assert settings.retry == RetrySettings(first_ms=1_000, longest_ms=300_000)
    assert (settings.over_production_percent, settings.data_dir) == (5, FOLDER / "data")


def test_everything_can_be_said() -> None:
    settings = read(
        ODOO
        + """
broker:
  {host: broker.plant, version: 4, ca_file: ca.pem, cert_file: c.pem, key_file: /etc/k.pem, user: bridge,
   secret: {file: secrets/broker}, keepalive: 30s, timeout: 5s, session_expiry: 1d}
redis: {url: "rediss://store:6380/1", user: b, secret: {file: s}, accept_weak_durability: true, replicas: 1, lease: 20s}
sparkplug: {host_id: site-1, groups: [body, paint], rebirth_pause: 10s, reorder_timeout: 1s, strict_deaths: false,
            declared_offline: reconnect, certificates: true}
edge_node: {group: body, node: orders}
limits: {commit_patience: 3s, inbox_queue: 10, outbox: 20, keys_kept: 60d, stale_grace: 5s, answer_within: 2m,
  start_within: 5s, nodes: 30, devices: 40}
retry: {first: 500ms, longest: 1m}
over_production: 0
data_dir: /var/lib/uns-bridge
"""
    )

    assert settings.broker.port == 8883
    assert settings.broker.tls
    assert (settings.broker.ca_file, settings.broker.key_file) == (FOLDER / "ca.pem", Path("/etc/k.pem"))
    assert settings.broker.secret is not None
    assert settings.broker.secret.file == FOLDER / "secrets/broker"
    assert (settings.redis.replicas, settings.redis.lease_ms) == (1, 20_000)
    assert settings.sparkplug.groups == ("body", "paint")
    assert not settings.sparkplug.strict_deaths
    assert settings.sparkplug.declared_offline is DeclaredOffline.RECONNECT
    assert settings.sparkplug.certificates
    assert settings.edge_node == EdgeNodeSettings(group="body", node="orders")
    assert settings.limits.commit_patience_ms == 3_000
    assert settings.limits.keys_kept_ms == 60 * 86_400_000
    assert (settings.limits.nodes, settings.limits.devices) == (30, 40)
    assert settings.limits.start_within_ms == 5_000
    assert settings.retry == RetrySettings(first_ms=500, longest_ms=60_000)
    assert (settings.over_production_percent, settings.data_dir) == (0, Path("/var/lib/uns-bridge"))


@pytest.mark.parametrize(("word", "answer_within_ms"), [("never", None), ("2m", 120_000)])
def test_a_mes_may_have_some_time_to_acknowledge_an_order_or_never_do_it(
    word: str, answer_within_ms: int | None
) -> None:
    assert read(ODOO + f"limits: {{answer_within: {word}}}\n").limits.answer_within_ms == answer_within_ms


def test_a_wrong_time_to_acknowledge_an_order_is_a_problem_with_its_place() -> None:
    assert said(ODOO + "limits: {answer_within: nver}\n") == [
        'bridge.yaml:2:25: expected a duration such as 500ms, 30s, 5m, 8h or 1d, found the text "nver"'
    ]


def test_several_servers_are_a_list_of_which_the_first_is_for_documents() -> None:
    settings = read(ODOO + "broker: [{host: a}, {host: b, tls: true}, {host: b, version: 4}]\n")

    assert [(broker.address, broker.version) for broker in settings.brokers] == [
        ("a:1883", 5),
        ("b:8883", 5),
        ("b:1883", 4),
    ]
    assert settings.broker is settings.brokers[0]


def test_all_groups_may_be_followed() -> None:
    assert read(ODOO + "sparkplug: {groups: all}\n").sparkplug.groups == ()


def test_the_nodes_of_a_redis_cluster_are_addresses() -> None:
    text = ODOO + "\nredis: {url: 'redis://a:7000', nodes: ['b:7000', '[::1]:7001']}\n"
    assert read(text).redis.nodes == ("b:7000", "[::1]:7001")
    [problem] = said(text.replace("b:7000", "b"))
    assert 'expected a node of the Redis Cluster as host:port, found "b"' in problem


def test_a_secret_is_never_printed() -> None:
    settings = read(ODOO)

    assert str(settings.odoo.key) == repr(settings.odoo.key) == "***"
    assert "UNS_TEST_KEY" not in repr(settings)


def test_a_secret_is_read_anew_each_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = read(ODOO + "redis: {secret: {file: redis}}\n", tmp_path)
    monkeypatch.setenv("UNS_TEST_KEY", "first")
    (tmp_path / "redis").write_text("one\n")
    secret = settings.redis.secret
    assert secret is not None
    assert (settings.odoo.key.reveal(), secret.reveal()) == ("first", "one")

    monkeypatch.setenv("UNS_TEST_KEY", "second")
    (tmp_path / "redis").write_text("two\n")

    assert (settings.odoo.key.reveal(), secret.reveal()) == ("second", "two")


def test_a_secret_that_is_not_there_says_where_it_was_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("UNS_TEST_KEY", raising=False)
    settings = read(ODOO + "redis:\n  secret: {file: redis}\n", tmp_path)
    secret = settings.redis.secret
    assert secret is not None

    with pytest.raises(SecretMissing) as by_name:
        settings.odoo.key.reveal()
    with pytest.raises(SecretMissing) as by_file:
        secret.reveal()

    name = "the environment variable UNS_TEST_KEY is empty or not set"
    assert str(by_name.value) == f"bridge.yaml:1:49: {name}"
    path = tmp_path / "redis"
    assert str(by_file.value) == f"bridge.yaml:3:18: cannot read the secret file {path}: No such file or directory"


@pytest.mark.parametrize(
    "text",
    [
        "odoo: {database: prod, user: bridge, key: hunter2}\n",
        "odoo: {database: prod, user: bridge, key: [hunter2]}\n",
        "odoo: {database: prod, user: bridge, key: {env: A}, url: 'https://u:hunter2@odoo'}\n",
        ODOO + "redis: {url: 'redis://:hunter2@store'}\n",
    ],
)
def test_a_secret_that_was_written_out_is_refused_and_not_repeated(text: str) -> None:
    (problem,) = said(text)

    assert "{file: PATH} or {env: NAME}" in problem
    assert "hunter2" not in problem


def test_a_secret_is_frozen() -> None:
    with pytest.raises(AttributeError):
        read(ODOO).odoo.key.environment = "OTHER"  # type: ignore[misc]
    assert isinstance(read(ODOO).odoo.key, Secret)


def test_the_page_about_the_plant_folder_names_every_setting() -> None:
    page = (Path(__file__).parents[2] / "docs" / "plant.md").read_text()
    sections = (BrokerSettings, RedisSettings, OdooSettings, SparkplugSettings, EdgeNodeSettings, LimitSettings)
    names = {each.name.removesuffix("_ms") for section in (*sections, RetrySettings) for each in fields(section)}

    assert {name for name in names if f"`{name}`" not in page} == set()


def test_a_console_that_is_named_listens_on_this_machine_only_unless_it_is_told_otherwise() -> None:
    settings = read(ODOO + "console: {password_file: console.hash}\n")

    assert settings.console == ConsoleSettings(host="127.0.0.1", port=8080, password_file=FOLDER / "console.hash")


def test_a_console_before_which_a_proxy_stands_has_an_address_with_tls() -> None:
    console = "console: {password_file: console.hash, public_url: %s}\n"
    settings = read(ODOO + console % "https://bridge.example/")
    (problem,) = said(ODOO + console % "http://bridge.example")

    assert settings.console is not None
    assert settings.console.public_url == "https://bridge.example"
    assert '"http://bridge.example" must be a URL that begins with https://' in problem


def test_a_console_that_nobody_could_log_in_to_is_a_problem() -> None:
    (problem,) = said(ODOO + "console: {port: 8081}\n")

    assert "nobody could log in" in problem


def test_master_data_is_read_where_it_is_asked_for_and_published_where_that_is_said() -> None:
    every_quarter = MasterDataSettings(every_ms=900_000, publish=False)

    assert read(ODOO).master_data is None
    assert read(ODOO + "master_data: {}\n").master_data == every_quarter
    assert read(ODOO + "master_data: {every: 1h, publish: true}\n").master_data == MasterDataSettings(
        every_ms=3_600_000, publish=True
    )
    assert said(ODOO + "master_data: {every: 1s}\n") == ["bridge.yaml:2:22: 1s is too short: at least 10s"]


def with_odoo(more: str) -> str:
    return ODOO.replace("}}", f"}}, {more}}}")


def test_the_inbox_is_required_unless_the_plant_says_otherwise_and_nothing_waits_then() -> None:
    odoo = read(ODOO).odoo
    assert (odoo.inbox, odoo.may_look_first, odoo.look_after_ms) == (InboxUse.REQUIRED, False, 0)


@pytest.mark.parametrize("word", ["preferred", "never"])
def test_without_the_inbox_a_look_waits_for_two_calls_and_what_the_server_goes_on_with(word: str) -> None:
    odoo = read(with_odoo(f"inbox: {word}, timeout: 10s, server_limit: 60s, hold_location: Cage")).odoo
    assert (odoo.look_after_ms, odoo.hold_location) == (80_000, "Cage")


def test_another_way_to_use_the_inbox_is_a_problem_that_names_the_three() -> None:
    (problem,) = said(with_odoo("inbox: maybe"))
    assert problem.endswith('"maybe" is no way to use the inbox; write required, preferred, never')
