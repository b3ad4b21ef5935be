"""`bridge.yaml`: where the broker, Redis and Odoo are, and the limits. Read once, into frozen classes.

Every default is here, in the classes; an empty file is a bridge to services on this machine but for Odoo, whose
database and user nobody can guess. Lengths of time are milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bridge.settings.broker import BrokerSettings, read_brokers
from bridge.settings.odoo import OdooSettings, read_odoo
from bridge.settings.recording import RecordingSettings, read_recording
from bridge.settings.secret import Secret
from bridge.settings.section import Section, section_of
from ruleset.document import Node, read_document
from ruleset.problem import Problems
from sparkplug.presence import DeclaredOffline

ALL_GROUPS: Final = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisSettings:
    """The store. `replicas` is how many of them must have a commit before it counts (WAIT).

    `nodes` are further nodes of the Redis Cluster of which `url` is one; empty: it is no cluster.
    """

    url: str = "redis://127.0.0.1:6379/0"
    nodes: tuple[str, ...] = ()
    user: str | None = None
    secret: Secret | None = None
    accept_weak_durability: bool = False
    replicas: int = 0
    timeout_ms: int = 5_000
    lease_ms: int = 3_000
    """How long a leader that was killed, or cannot reach the store, still leads: a standby takes over after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkplugSettings:
    """The host application. `groups` empty: every group of the broker."""

    host_id: str = "uns-bridge"
    groups: tuple[str, ...] = ()
    rebirth_pause_ms: int = 30_000
    """Between two rebirth requests to the same node."""
    reorder_timeout_ms: int = 2_000
    """How long a gap in `seq` may stay open before a rebirth is asked for."""
    strict_deaths: bool = True
    """False: a death counts although its `bdSeq` is not its birth's, for publishers that count wrongly."""
    legacy_state: bool = False
    """True: the host's STATE is also said as Sparkplug 2.2 had it, for nodes that follow nothing else."""
    certificates: bool = False
    """True: the births that a Sparkplug Aware broker keeps are read too, for nodes whose own was not heard yet."""
    declared_offline: DeclaredOffline = DeclaredOffline.REPUBLISH
    """What the host does when its STATE is said to be offline: publish its birth again, or connect anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeNodeSettings:
    """The bridge's own edge node, which shows the order releases on Sparkplug."""

    group: str
    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings:
    """Sizes of queues, and how long things are kept."""

    commit_patience_ms: int = 10_000
    """How long commits may fail before the host goes offline, so that conforming nodes store."""
    inbox_queue: int = 10_000
    """Inputs that wait for the core; when it is full the bridge stops reading."""
    outbox: int = 100_000
    """Entries that are not done; at it the host goes offline, so that conforming nodes store, and documents wait."""
    dead: int = 50
    """Dead letters at most, before somebody is told."""
    dead_for_ms: int = 8 * 3_600_000
    """How long one of them may wait for a person before somebody is told."""
    held: int = 50
    """Held entries at most, before somebody is told."""
    held_for_ms: int = 8 * 3_600_000
    """How long one of them may wait for a person before somebody is told."""
    keys_kept_ms: int = 30 * 86_400_000
    """At least as long as the longest outage planned for."""
    stale_grace_ms: int = 30_000
    """How long due timers wait for a fresh birth after a start."""
    answer_within_ms: int | None = 60_000
    """How long the MES may take to acknowledge an order release; None: it acknowledges none."""
    start_within_ms: int = 30_000
    """How long progress of an order waits for its start, which comes on another way: longer than a client and its
    broker take to notice that their link is silent."""
    nodes: int = 5_000
    """Edge nodes of the site. Those that assets.yaml names are followed also beyond it."""
    devices: int = 1_000
    """Devices of one edge node."""
    traces_kept: int = 100_000
    """Answers to why something was posted, or was not, that the store keeps: the newest."""
    clock_off_ms: int = 60_000
    """How far the clocks of this machine and of the store's may be apart at a start: shifts and stops go by ours."""
    audit_mb: int = 100
    """Megabytes at which `audit.jsonl` is put aside and begun anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySettings:
    """How delivery waits after a failure: `first_ms`, doubled each time up to `longest_ms`."""

    first_ms: int = 1_000
    longest_ms: int = 300_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSettings:
    """The operator's console. `password_file` holds an argon2 hash, `link_file` that of a log-in link used once."""

    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str = ""
    """Where browsers find it, when a proxy with TLS stands before it."""
    password_file: Path | None = None
    link_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterDataSettings:
    """How often Odoo's master data is read, and whether it goes onto the namespace."""

    every_ms: int = 900_000
    publish: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole of `bridge.yaml`. `edge_node` None: releases go out as JSON documents only; `console`, `master_data`,
    `recording` None: off."""

    odoo: OdooSettings
    brokers: tuple[BrokerSettings, ...] = (BrokerSettings(),)
    """The MQTT servers. The host is on all of them; documents and the releases are on the first."""
    redis: RedisSettings = RedisSettings()
    sparkplug: SparkplugSettings = SparkplugSettings()
    edge_node: EdgeNodeSettings | None = None
    limits: LimitSettings = LimitSettings()
    retry: RetrySettings = RetrySettings()
    console: ConsoleSettings | None = None
    master_data: MasterDataSettings | None = None
    recording: RecordingSettings | None = None
    over_production_percent: int = 5
    """More than this above an order's quantity is held for a person."""
    data_dir: Path
    """Recordings and the audit trail; `data` in the plant folder unless it is named."""

    @property
    def broker(self) -> BrokerSettings:
        """The first MQTT server."""
        return self.brokers[0]


def read_settings(file: str, text: str, folder: Path, problems: Problems) -> Settings | None:
    """Read `bridge.yaml`; None where anything in it is wrong. Paths are relative to `folder`."""
    before = len(problems)
    root = read_document(file, text, problems)
    if root is None:
        return None
    sections = {"broker", "redis", "odoo", "sparkplug", "edge_node", "limits", "retry", "console", "master_data"}
    keys = root.mapping(allowed=sections | {"recording", "over_production", "data_dir"}, required={"odoo"})
    odoo = read_odoo(keys["odoo"], folder) if "odoo" in keys else None
    top = Section(keys, folder)
    brokers = read_brokers(keys.get("broker"), folder)
    redis = _redis(section_of(keys.get("redis"), RedisSettings, folder))
    sparkplug = _sparkplug(section_of(keys.get("sparkplug"), SparkplugSettings, folder))
    edge_node = _edge_node(keys["edge_node"], folder) if "edge_node" in keys else None
    limits = _limits(section_of(keys.get("limits"), LimitSettings, folder))
    retry = _retry(section_of(keys.get("retry"), RetrySettings, folder))
    console = _console(keys["console"], folder) if "console" in keys else None
    master_data = (
        _master_data(section_of(keys["master_data"], MasterDataSettings, folder)) if "master_data" in keys else None
    )
    percent = top.integer("over_production", 5, at_least=0, at_most=1000)
    data_dir = top.path("data_dir") or folder / "data"
    recording = read_recording(keys["recording"], folder, data_dir) if "recording" in keys else None
    if odoo is None or len(problems) > before:
        return None
    return Settings(
        brokers=brokers,
        redis=redis,
        odoo=odoo,
        sparkplug=sparkplug,
        edge_node=edge_node,
        limits=limits,
        retry=retry,
        console=console,
        master_data=master_data,
        recording=recording,
        over_production_percent=percent,
        data_dir=data_dir,
    )


def _redis(section: Section) -> RedisSettings:
    default = RedisSettings()
    return RedisSettings(
        url=section.url("url", default.url, ("redis", "rediss")),
        nodes=_nodes(section),
        user=section.optional_text("user"),
        secret=section.secret("secret"),
        accept_weak_durability=section.boolean("accept_weak_durability", default.accept_weak_durability),
        replicas=section.integer("replicas", default.replicas, at_most=100),
        timeout_ms=section.duration("timeout", default.timeout_ms),
        lease_ms=section.duration("lease", default.lease_ms, at_least_ms=1000, at_most_ms=300_000),
    )


def _nodes(section: Section) -> tuple[str, ...]:
    node, nodes = section.get("nodes"), []
    for each in node.items() if node is not None else ():
        word = each.text() or ""
        host, _, port = word.rpartition(":")
        if not host or not port.isdigit():
            each.problem(f'expected a node of the Redis Cluster as host:port, found "{word}"')
        nodes.append(word)
    return tuple(nodes)


def _sparkplug(section: Section) -> SparkplugSettings:
    default = SparkplugSettings()
    node = section.get("groups")
    groups: list[str] = []
    for each in node.items() if node is not None and not (node.is_text and node.text() == ALL_GROUPS) else ():
        word = each.text()
        if word is not None and (not word or any(character in word for character in "/+#")):
            each.problem(f'"{word}" cannot be a Sparkplug group; write `groups: {ALL_GROUPS}` to follow every group')
        groups += [word] if word else []
    if node is not None and node.is_sequence and not node.items():
        node.problem(f"no group would be followed; name them, or write `groups: {ALL_GROUPS}`")
    return SparkplugSettings(
        host_id=section.sparkplug_id("host_id", default.host_id),
        groups=tuple(groups),
        rebirth_pause_ms=section.duration("rebirth_pause", default.rebirth_pause_ms),
        reorder_timeout_ms=section.duration("reorder_timeout", default.reorder_timeout_ms, at_most_ms=60_000),
        strict_deaths=section.boolean("strict_deaths", default.strict_deaths),
        legacy_state=section.boolean("legacy_state", default.legacy_state),
        certificates=section.boolean("certificates", default.certificates),
        declared_offline=_declared_offline(section),
    )


def _declared_offline(section: Section) -> DeclaredOffline:
    node = section.get("declared_offline")
    word = node.choice(list(DeclaredOffline)) if node is not None else None
    return DeclaredOffline(word) if word else SparkplugSettings().declared_offline


def _edge_node(node: Node, folder: Path) -> EdgeNodeSettings:
    section = section_of(node, EdgeNodeSettings, folder, required={"group", "node"})
    return EdgeNodeSettings(group=section.sparkplug_id("group", ""), node=section.sparkplug_id("node", ""))


def _limits(section: Section) -> LimitSettings:
    default = LimitSettings()
    return LimitSettings(
        commit_patience_ms=section.duration("commit_patience", default.commit_patience_ms),
        inbox_queue=section.integer("inbox_queue", default.inbox_queue, at_least=1),
        outbox=section.integer("outbox", default.outbox, at_least=1),
        dead=section.integer("dead", default.dead, at_least=1),
        dead_for_ms=section.duration("dead_for", default.dead_for_ms, at_least_ms=60_000),
        held=section.integer("held", default.held, at_least=1),
        held_for_ms=section.duration("held_for", default.held_for_ms, at_least_ms=60_000),
        keys_kept_ms=section.duration("keys_kept", default.keys_kept_ms, at_least_ms=3_600_000),
        stale_grace_ms=section.duration("stale_grace", default.stale_grace_ms),
        answer_within_ms=section.duration_or_never("answer_within", default.answer_within_ms),
        start_within_ms=section.duration("start_within", default.start_within_ms, at_least_ms=0),
        nodes=section.integer("nodes", default.nodes, at_least=1),
        devices=section.integer("devices", default.devices, at_least=1),
        traces_kept=section.integer("traces_kept", default.traces_kept, at_least=1),
        clock_off_ms=section.duration("clock_off", default.clock_off_ms),
        audit_mb=section.integer("audit_mb", default.audit_mb, at_least=1),
    )


def _retry(section: Section) -> RetrySettings:
    default = RetrySettings()
    first_ms = section.duration("first", default.first_ms)
    longest_ms = section.duration("longest", max(default.longest_ms, first_ms))
    if longest_ms < first_ms and (node := section.get("longest")) is not None:
        node.problem("the longest wait is shorter than the first one")
    return RetrySettings(first_ms=first_ms, longest_ms=longest_ms)


def _master_data(section: Section) -> MasterDataSettings:
    default = MasterDataSettings()
    return MasterDataSettings(
        every_ms=section.duration("every", default.every_ms, at_least_ms=10_000),
        publish=section.boolean("publish", default.publish),
    )


def _console(node: Node, folder: Path) -> ConsoleSettings:
    default, section = ConsoleSettings(), section_of(node, ConsoleSettings, folder)
    password_file, link_file = section.path("password_file"), section.path("link_file")
    if password_file is None and link_file is None:
        node.problem("nobody could log in; write `password_file: console.hash`; `uns-bridge console hash` makes it")
    return ConsoleSettings(
        host=section.text("host", default.host),
        port=section.integer("port", default.port, at_least=1, at_most=65535),
        public_url=section.url("public_url", default.public_url, ("https",)).rstrip("/"),
        password_file=password_file,
        link_file=link_file,
    )
