"""The `broker` of `bridge.yaml`: an MQTT server, or a list of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bridge.settings.secret import Secret
from bridge.settings.section import Section, section_of
from ruleset.document import Node

MQTT_VERSIONS: Final = (4, 5)
"""Protocol levels: 4 is MQTT 3.1.1."""
TLS_PORT: Final = 8883


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSettings:
    """The MQTT broker. TLS where `tls` is set or a CA file is given; the port is then 8883 unless it is named."""

    host: str = "127.0.0.1"
    port: int = 1883
    version: int = 5
    tls: bool = False
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    user: str | None = None
    secret: Secret | None = None
    keepalive_ms: int = 15_000
    timeout_ms: int = 10_000
    session_expiry_ms: int = 7 * 86_400_000
    """How long the broker keeps the documents of a bridge that is away."""

    @property
    def address(self) -> str:
        """What tells it from other servers."""
        return f"{self.host}:{self.port}"


def read_brokers(node: Node | None, folder: Path) -> tuple[BrokerSettings, ...]:
    """Read one server, or a list of them. Paths are relative to `folder`."""
    if node is None or not node.is_sequence:
        return (_broker(section_of(node, BrokerSettings, folder)),)
    brokers: dict[str, BrokerSettings] = {}
    for each in node.items():
        broker = _broker(section_of(each, BrokerSettings, folder))
        if broker.address in brokers:
            each.problem(f"the server {broker.address} is named twice; every server needs an address of its own")
        brokers[broker.address] = broker
    if not brokers:
        node.problem("no MQTT server is named; write at least one, as `- host: NAME`")
    return tuple(brokers.values())


def _broker(section: Section) -> BrokerSettings:
    default = BrokerSettings()
    ca_file, cert_file, key_file = section.path("ca_file"), section.path("cert_file"), section.path("key_file")
    tls = section.boolean("tls", default.tls or ca_file is not None)
    if not tls and (given := section.get("ca_file") or section.get("cert_file")) is not None:
        given.problem("TLS files are given but tls is false; remove one of the two")
    if (cert_file is None) != (key_file is None) and (given := section.get("cert_file") or section.get("key_file")):
        given.problem("cert_file and key_file are needed together")
    version = section.integer("version", default.version)
    if version not in MQTT_VERSIONS and (node := section.get("version")) is not None:
        node.problem(f"MQTT version {version} is not possible; write 5, or 4 for MQTT 3.1.1")
    return BrokerSettings(
        host=section.text("host", default.host),
        port=section.integer("port", TLS_PORT if tls else default.port, at_least=1, at_most=65535),
        version=version,
        tls=tls,
        ca_file=ca_file,
        cert_file=cert_file,
        key_file=key_file,
        user=section.optional_text("user"),
        secret=section.secret("secret"),
        keepalive_ms=section.duration("keepalive", default.keepalive_ms, at_least_ms=1000, at_most_ms=65_535_000),
        timeout_ms=section.duration("timeout", default.timeout_ms),
        session_expiry_ms=section.duration("session_expiry", default.session_expiry_ms, at_least_ms=60_000),
    )
