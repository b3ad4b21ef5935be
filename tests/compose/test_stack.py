"""The stack under compose/ holds what its page promises, as far as it shows without a Docker engine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bridge.console.trouble.health import READY
from bridge.settings import read_settings
from ruleset.problem import Problems
from tests.test_house import ROOT

COMPOSE = ROOT / "compose"
SECRET_WORD = re.compile(r"password|secret|token|key", re.IGNORECASE)

Mapping = dict[str, object]


def load(name: str) -> Mapping:
    """A YAML file under compose/, read as YAML 1.2 that allows no key twice."""
    loaded = YAML(typ="safe").load(COMPOSE / name)
    assert isinstance(loaded, dict)
    return loaded


def mapping(value: object) -> Mapping:
    assert isinstance(value, dict), value
    return value


def texts(value: object) -> list[str]:
    """A list of texts, or nothing."""
    if value is None:
        return []
    assert isinstance(value, list), value
    assert all(isinstance(one, str) for one in value), value
    return value


STACK = load("compose.yaml")
SERVICES = {name: mapping(service) for name, service in mapping(STACK["services"]).items()}
each_service = pytest.mark.parametrize("name", SERVICES)

KNOWN_KEYS = {
    "build", "cap_drop", "command", "depends_on", "environment", "extra_hosts", "healthcheck", "image", "ports",
    "profiles", "read_only", "restart", "secrets", "security_opt", "stop_grace_period", "tmpfs", "user", "volumes",
}  # fmt: skip


def test_the_stack_is_the_bridge_with_its_broker_and_its_store_and_an_odoo_that_is_asked_for() -> None:
    assert {name: service.get("profiles") for name, service in SERVICES.items()} == {
        "mosquitto": None,
        "redis": None,
        "bridge": None,
        "odoo": ["odoo"],
        "postgres": ["odoo"],
    }


@each_service
def test_a_service_has_only_keys_of_the_compose_specification(name: str) -> None:
    assert set(SERVICES[name]) - KNOWN_KEYS == set()


@each_service
def test_a_port_is_bound_to_loopback(name: str) -> None:
    ports = texts(SERVICES[name].get("ports"))
    assert [port for port in ports if not re.fullmatch(r"127\.0\.0\.1:\$\{[A-Z_]+:-\d+\}:\d+", port)] == []


@each_service
def test_an_image_is_pinned_to_a_version(name: str) -> None:
    image = SERVICES[name]["image"]
    assert isinstance(image, str)
    assert re.fullmatch(r"[a-z-]+:\d+\.\d+[\w.-]*", image)


def test_the_bridges_own_image_is_pinned_and_carries_its_version() -> None:
    dockerfile = (COMPOSE / "Dockerfile").read_text()
    version = re.search(r"^version = (.*)$", (ROOT / "setup.cfg").read_text(), re.MULTILINE)
    assert re.search(r"^FROM python:3\.\d+\.\d+-slim-\w+$", dockerfile, re.MULTILINE)
    assert version is not None
    assert SERVICES["bridge"]["image"] == f"uns-odoo-bridge:{version[1]}"
    for source in re.findall(r"^COPY (.*) \S+$", dockerfile, re.MULTILINE):
        assert [part for part in source.split() if not (ROOT / part).exists()] == []


@each_service
def test_no_secret_stands_in_the_environment(name: str) -> None:
    environment = mapping(SERVICES[name].get("environment", {}))
    secret = {key: value for key, value in environment.items() if SECRET_WORD.search(key)}
    assert {key for key in secret if not key.endswith("_FILE")} == set()
    assert all(str(value).startswith("/run/secrets/") for value in secret.values())


def test_every_secret_is_a_file_that_is_made_by_prepare_and_kept_out_of_the_repository(prepared: Path) -> None:
    secrets = {name: mapping(secret) for name, secret in mapping(STACK["secrets"]).items()}
    used = {name for service in SERVICES.values() for name in texts(service.get("secrets"))}
    assert set(secrets) == used
    for secret in secrets.values():
        assert list(secret) == ["file"]
        assert (prepared / str(secret["file"])).exists()
        assert str(secret["file"]).split("/")[0] in ("secrets", "tls")
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {"compose/secrets/", "compose/tls/", "compose/.env"} <= set(ignored)


@each_service
def test_what_a_service_mounts_exists(name: str) -> None:
    volumes = texts(SERVICES[name].get("volumes"))
    sources = [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", volume).split(":")[0] for volume in volumes]
    named = set(mapping(STACK["volumes"]))
    assert [one for one in sources if one not in named and not (COMPOSE / one).exists()] == []


@each_service
def test_a_service_waits_for_healthy_ones_only(name: str) -> None:
    for other, condition in mapping(SERVICES[name].get("depends_on", {})).items():
        assert condition == {"condition": "service_healthy"}
        assert "healthcheck" in SERVICES[other]


def test_the_environment_example_names_what_the_stack_reads() -> None:
    read = set(re.findall(r"\$\{(\w+)", (COMPOSE / "compose.yaml").read_text()))
    offered = set(re.findall(r"^(\w+)=", (COMPOSE / "env.example").read_text(), re.MULTILINE))
    assert offered == read


def test_the_bridges_settings_are_right_and_name_secrets_that_it_has() -> None:
    problems = Problems()
    text = (COMPOSE / "bridge.yaml").read_text()
    settings = read_settings("bridge.yaml", text, Path("/plant"), problems)
    assert len(problems) == 0
    assert settings is not None
    files = set(re.findall(r"/run/secrets/(\w+)", text))
    assert files == set(texts(SERVICES["bridge"]["secrets"]))
    assert settings.data_dir == Path("/data")
    assert (settings.broker.host, settings.broker.tls) == ("mosquitto", True)


def test_the_bridges_health_is_asked_where_its_console_listens() -> None:
    settings = read_settings("bridge.yaml", (COMPOSE / "bridge.yaml").read_text(), Path("/plant"), Problems())
    asked = texts(mapping(SERVICES["bridge"]["healthcheck"])["test"])
    assert settings is not None
    assert settings.console is not None
    assert f"http://127.0.0.1:{settings.console.port}{READY}" in asked[-1]
    compile(asked[-1], "healthcheck", "exec")


def test_prepare_keeps_what_exists(prepared: Path) -> None:
    before = {path: path.read_bytes() for path in prepared.rglob("*") if path.is_file()}
    subprocess.run([prepared / "prepare"], check=True, capture_output=True)
    assert {path: path.read_bytes() for path in prepared.rglob("*") if path.is_file()} == before


def test_docker_compose_takes_the_stack() -> None:
    """Where the docker command has the compose plugin; what it checks is checked above without it."""
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True).returncode != 0:
        return
    command = [docker, "compose", "--file", str(COMPOSE / "compose.yaml"), "--profile", "odoo", "config", "--quiet"]
    found = subprocess.run(command, capture_output=True, text=True)
    assert (found.returncode, found.stderr) == (0, "")


def test_redis_gets_its_settings_and_its_password_by_standard_input_at_every_start(
    prepared: Path, tmp_path: Path
) -> None:
    """What its container cannot write, it cannot fail to write when it is started again."""
    server = tmp_path / "redis-server"
    server.write_text('#!/bin/sh\necho "$@"\ncat\n')
    server.chmod(0o755)
    script = (prepared / "redis" / "start.sh").read_text()
    for inside, here in (("/run/secrets", prepared / "secrets"), ("/usr/local/etc/redis", prepared / "redis")):
        script = script.replace(inside, str(here))
    path = f"{tmp_path}:{os.environ['PATH']}"
    told = subprocess.run(["sh", "-c", script], env={"PATH": path}, check=True, capture_output=True, text=True).stdout
    settings = (prepared / "redis" / "redis.conf").read_text().rstrip("\n")
    password = (prepared / "secrets" / "redis_password").read_text().rstrip("\n")
    assert told == f"-\n{settings}\nrequirepass {password}\n"
