"""How the parts of a site are made from its plant folder: the core, the three MQTT sessions, the store and Odoo."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Final

from bridge.broker.edge_will import EdgeWill
from bridge.broker.link import (
    BrokerLink,
    LinkSettings,
    MayConnect,
    Publication,
    Subscription,
    Subscriptions,
    WillSource,
)
from bridge.clock import Clock
from bridge.core.command import Commands
from bridge.core.input import Destination
from bridge.core.order import OrderBook
from bridge.core.posting import Postings
from bridge.core.site import Core
from bridge.core.standing import Standings
from bridge.core.tolerance import Tolerance
from bridge.core.topic import UNS_PREFIX
from bridge.doctor.clock import ServerClock
from bridge.errors import ConfigError
from bridge.floor.content import factors_of, floor_of, priorities_of, short_of, started_at
from bridge.intervention.alarm import Alarm, Limit
from bridge.legacy_state import legacy_state
from bridge.lifecycle.shadow import Shadow
from bridge.master.reading import MasterSource
from bridge.plant import BRIDGE_FILE, Content, Plant
from bridge.settings.broker import BrokerSettings
from bridge.settings.odoo import InboxUse, OdooProxySettings, OdooTransport
from odoo_adapter.chosen import ChosenOdoo
from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.connection import Connection
from odoo_adapter.client.route import Proxy, Tls
from odoo_adapter.look_first.odoo import LookFirstOdoo
from odoo_adapter.odoo import Odoo
from odoo_adapter.plan import PlanContext
from odoo_adapter.server import OdooServer
from ruleset.codes import OWN_LOSSES, UNITS
from ruleset.problem import Problem
from sparkplug.edge import EdgeNode
from sparkplug.fact import ONLY_SERVER
from sparkplug.host import HostApplication, HostSettings
from sparkplug.presence import HostPresence
from sparkplug.session import SessionSettings
from state.audit import AuditLog
from state.outbox import NOWHERE, Outbox
from state.redis_store import RedisStore
from state.retry import RetryPolicy
from state.server.settings import RedisSettings
from state.store import Store

AUDIT_FILE: Final = "audit.jsonl"
"""What people did, below `data_dir`."""

DOCUMENTS: Final = "documents"
"""The name of the persistent session."""

MasterOf = Callable[[Callable[[], Content]], MasterSource]
"""Makes the source of master data that is compared with the content that is live when it is read."""

LinkFactory = Callable[[LinkSettings, Subscriptions, WillSource, MayConnect], BrokerLink]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What the service needs of the world, so that tests can give it another one."""

    store: Store
    odoo: Odoo
    link: LinkFactory
    clock: Clock
    store_clock: ServerClock | None = None
    """The clock of the store's server, where it has one of its own."""
    odoo_clock: ServerClock | None = None
    master: MasterOf | None = None
    """Where master data is read, for a plant that wants it."""


def new_core(plant: Plant, shadow: Content | None = None) -> Core:
    """A core that remembers nothing yet; `bridge.core.site.restore` gives it what was committed.

    `shadow` is the version that ran beside the live one when that was committed.
    """
    settings = plant.settings
    session = SessionSettings(
        reorder_timeout_ms=settings.sparkplug.reorder_timeout_ms,
        rebirth_window_ms=settings.sparkplug.rebirth_pause_ms,
        most_devices=settings.limits.devices,
        strict_deaths=settings.sparkplug.strict_deaths,
    )
    floor = floor_of(plant.content, settings.limits.stale_grace_ms)
    host = HostApplication(
        settings.sparkplug.host_id,
        HostSettings(
            groups=settings.sparkplug.groups,
            servers=tuple(servers(plant)),
            declared_offline=settings.sparkplug.declared_offline,
            session=session,
            most_nodes=settings.limits.nodes,
            expected=floor.translator.nodes,
            certificates=settings.sparkplug.certificates,
        ),
    )
    book = OrderBook(answer_within_ms=settings.limits.answer_within_ms)
    policy = RetryPolicy(base_ms=settings.retry.first_ms, cap_ms=settings.retry.longest_ms)
    look_after_ms = settings.odoo.look_after_ms
    outbox = Outbox(policy, {Destination.ODOO: look_after_ms} if look_after_ms else NOWHERE)
    standings = Standings()
    tolerance = Tolerance(
        share=_tolerance(plant), outbox=outbox, book=book, standings=standings, factors=factors_of(plant.content)
    )
    return Core(
        host=host,
        content=plant.content,
        floor=floor,
        book=book,
        outbox=outbox,
        standings=standings,
        postings=Postings(
            outbox=outbox,
            book=book,
            standings=standings,
            site=plant.assets.path,
            tolerance=tolerance,
            keys_kept_ms=settings.limits.keys_kept_ms,
            priorities=priorities_of(plant.content),
            order_notes=settings.odoo.order_notes,
            started_at=started_at(plant.content),
            start_within_ms=settings.limits.start_within_ms,
        ),
        commands=Commands(host),
        keys_kept_ms=settings.limits.keys_kept_ms,
        grace_ms=settings.limits.stale_grace_ms,
        alarm=Alarm(
            outbox=outbox,
            dead=Limit(most=settings.limits.dead, longest_ms=settings.limits.dead_for_ms),
            held=Limit(most=settings.limits.held, longest_ms=settings.limits.held_for_ms),
            workflows=plant.workflows,
        ),
        release=plant.release,
        shadows=[] if shadow is None else [Shadow(shadow, settings.limits.stale_grace_ms)],
    )


def servers(plant: Plant) -> Mapping[str, BrokerSettings]:
    """The MQTT servers by their names, which are their addresses where there are several."""
    brokers = plant.settings.brokers
    return {ONLY_SERVER: brokers[0]} if len(brokers) == 1 else {broker.address: broker for broker in brokers}


def open_store(plant: Plant) -> RedisStore:
    """The store of the plant's site. Nothing is asked of it yet. Raises `ConfigError` for a url of no Redis."""
    redis = plant.settings.redis
    settings = RedisSettings(
        url=redis.url,
        user=redis.user,
        password=redis.secret.reveal if redis.secret else None,
        timeout_s=redis.timeout_ms / 1000,
        replicas=redis.replicas,
        nodes=redis.nodes,
        traces_kept=plant.settings.limits.traces_kept,
    )
    try:
        return RedisStore(settings, plant.assets.path)
    except ValueError as error:
        raise ConfigError((Problem(file=BRIDGE_FILE, text=f"redis: {error}"),)) from error


def open_audit(plant: Plant) -> AuditLog:
    """The audit log in `data_dir`. Raises `ConfigError` where it cannot be written."""
    path = plant.settings.data_dir / AUDIT_FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("ab").close()  # whether it can be written shows now, not when a person acts
        return AuditLog(path, largest=plant.settings.limits.audit_mb * 1_000_000)
    except OSError as error:
        text = (
            f"the audit log cannot be written: {error.strerror}; let the bridge write there, or name another data_dir"
        )
        raise ConfigError((Problem(file=str(path), text=text),)) from error
    except ValueError as error:
        text = f"{error}; see `uns-bridge audit verify {path.parent}`, and move the log's files away to begin a new one"
        raise ConfigError((Problem(file=str(path), text=text),)) from error


def weaker(plant: Plant) -> tuple[str, ...]:
    """The settings by which this plant accepts less than the bridge asks for."""
    settings = plant.settings
    accepted = {
        "redis.accept_weak_durability": settings.redis.accept_weak_durability,
        "odoo.tls.verify: false": settings.odoo.is_unverified,
        "odoo.accept_unknown_version": settings.odoo.accept_unknown_version,
    }
    return tuple(name for name, is_accepted in accepted.items() if is_accepted)


def open_odoo(plant: Plant, api: OdooApi | None = None) -> Odoo:
    """The plant's Odoo as its integration user, to be posted to as the settings say, over this connection or one of its
    own. Nothing is asked of it yet."""
    odoo, api = plant.settings.odoo, api or OdooApi(odoo_connection(plant))
    units = plant.assets.codes.get(UNITS, {})
    context = PlanContext(
        units=units,
        over=_tolerance(plant),
        short=short_of(plant.content),
        losses=plant.assets.codes.get(OWN_LOSSES, {}),
        inspector=odoo.inspector,
    )
    look_first = LookFirstOdoo(api, context, odoo.hold_location)
    if odoo.inbox is InboxUse.NEVER:
        return look_first
    return ChosenOdoo(OdooServer(api, context), look_first, may_look_first=odoo.may_look_first)


def odoo_connection(plant: Plant) -> Connection:
    """Where the plant's Odoo is, and who the bridge is there."""
    odoo = plant.settings.odoo
    return Connection(
        url=odoo.url,
        database=odoo.database,
        key=odoo.key.reveal,
        user=odoo.user,
        company=odoo.company if isinstance(odoo.company, int) else plant.assets.company,
        company_name=odoo.company if isinstance(odoo.company, str) else "",
        connect_timeout_s=odoo.connect_timeout_ms / 1000,
        read_timeout_s=odoo.read_timeout_ms / 1000,
        timeout_s=odoo.timeout_ms / 1000,
        accept_unknown_version=odoo.accept_unknown_version,
        tls=Tls(
            verify=odoo.tls.verify,
            ca_file=odoo.tls.ca_file,
            cert_file=odoo.tls.cert_file,
            key_file=odoo.tls.key_file,
        ),
        proxy=None if odoo.proxy is None else _proxy(odoo.proxy),
        most_per_second=odoo.most_calls_per_second,
        most_at_once=odoo.most_calls_at_once,
        client_lib=odoo.transport is OdooTransport.CLIENT_LIB,
    )


def _proxy(proxy: OdooProxySettings) -> Proxy:
    return Proxy(url=proxy.url, user=proxy.user or "", password=proxy.secret.reveal if proxy.secret else None)


class Sessions:
    """Makes the links of the MQTT sessions: the host's to each server, documents and orders to the first.

    Each has a client id of its own, the same at every start.
    """

    def __init__(self, plant: Plant, outside: Outside, may_connect: MayConnect) -> None:
        self._plant = plant
        self._servers = servers(plant)
        self._first = plant.settings.broker
        self._outside = outside
        self._may_connect = may_connect

    def host(self, host: HostApplication, server: str, presence: HostPresence, may_connect: MayConnect) -> BrokerLink:
        """Clean session, STATE as will; births, data and deaths at QoS 0, our own STATE at QoS 1."""
        place = list(self._servers).index(server) + 1
        name, broker = "host" if place == 1 else f"host{place}", self._servers[server]

        def will() -> Publication:
            topic, payload = presence.will(self._outside.clock.now_ms())
            return Publication(topic=topic, payload=payload, qos=1, retain=True)

        subscriptions = [
            Subscription(filter=filter, qos=1 if nth == 0 else 0) for nth, filter in enumerate(host.subscriptions)
        ]
        return self._outside.link(
            link_settings(self._plant, name, broker, clean=True), subscriptions, will, may_connect
        )

    def legacy_state(self, host_id: str, server: str, may_connect: MayConnect) -> BrokerLink:
        """Clean session, OFFLINE of Sparkplug 2.2 as will. It subscribes to nothing."""
        place = list(self._servers).index(server) + 1
        name = "state" if place == 1 else f"state{place}"
        settings = link_settings(self._plant, name, self._servers[server], clean=True)
        return self._outside.link(settings, [], lambda: legacy_state(host_id, online=False), may_connect)

    def documents(self) -> BrokerLink:
        """Persistent session, QoS 1: the broker keeps the documents while we are away."""
        subscriptions = [document_subscription(self._plant)]
        settings = link_settings(self._plant, DOCUMENTS, self._first, clean=False)
        return self._outside.link(settings, subscriptions, lambda: None, self._may_connect)

    def release(self, node: EdgeNode, may_connect: MayConnect) -> BrokerLink:
        """Our own edge node: clean session, NDEATH as will, with a `bdSeq` that goes on over restarts."""
        settings = replace(link_settings(self._plant, "orders", self._first, clean=True), will_at_end=True)
        subscriptions = [Subscription(filter=filter, qos=1) for filter in node.subscriptions]
        will = EdgeWill(node, self._outside.clock, self._plant.settings.data_dir)
        return self._outside.link(settings, subscriptions, will, may_connect)


def document_subscription(plant: Plant) -> Subscription:
    """The UNS documents of the plant's site."""
    return Subscription(filter=f"{UNS_PREFIX}/{plant.assets.path}/#", qos=1)


def link_settings(plant: Plant, name: str, broker: BrokerSettings, *, clean: bool) -> LinkSettings:
    """How to reach a broker for the session of this name."""
    return LinkSettings(
        host=broker.host,
        port=broker.port,
        client_id=f"{plant.settings.sparkplug.host_id}-{name}",
        version=broker.version,
        clean=clean,
        expiry_s=0 if clean else broker.session_expiry_ms // 1000,
        keepalive_s=broker.keepalive_ms // 1000,
        timeout_s=broker.timeout_ms / 1000,
        user=broker.user,
        password=broker.secret.reveal if broker.secret else None,
        tls=broker.tls,
        ca_file=_text(broker.ca_file),
        cert_file=_text(broker.cert_file),
        key_file=_text(broker.key_file),
    )


def _tolerance(plant: Plant) -> Decimal:
    return Decimal(plant.settings.over_production_percent) / 100


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
