"""`PahoLink`: a broker link on paho-mqtt 2, MQTT 5 and 3.1.1. `paho_session` says how it drives paho, and why so."""

from __future__ import annotations

from collections.abc import Callable

from bridge.broker.link import LinkSettings, MayConnect, Subscriptions, WillSource
from bridge.broker.paho_session import PahoSession
from bridge.broker.reconnect import Reconnecting, always, no_will, wall_clock_ms


class PahoLink:
    """A `BrokerLink`; see there for `will` and `may_connect`."""

    def __init__(
        self,
        settings: LinkSettings,
        subscriptions: Subscriptions,
        will: WillSource = no_will,
        may_connect: MayConnect = always,
        *,
        now_ms: Callable[[], int] = wall_clock_ms,
    ) -> None:
        link = Reconnecting(
            settings, lambda receive: PahoSession(settings, subscriptions, will, receive), may_connect, now_ms
        )
        self.run = link.run
        self.next_event = link.next_event
        self.publish = link.publish
        self.acknowledge = link.acknowledge
        self.drop = link.drop
