"""How a session sets up paho-mqtt: the client, and TLS."""

from __future__ import annotations

import ssl

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from bridge.broker.link import LinkSettings


def new_client(settings: LinkSettings) -> Client:
    """A client that neither connects again nor acknowledges by itself."""
    is_5 = settings.version == 5
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=settings.client_id,
        clean_session=None if is_5 else settings.clean,
        protocol=MQTTProtocolVersion.MQTTv5 if is_5 else MQTTProtocolVersion.MQTTv311,
        reconnect_on_failure=False,
        manual_ack=True,
    )
    client.max_inflight_messages_set(0)  # no limit of paho's: the session keeps to the broker's
    client.max_queued_messages_set(0)
    return client


def tls_context(settings: LinkSettings) -> ssl.SSLContext:
    """Which authority is trusted and who we are. Raises `OSError` for a file that cannot be used."""
    context = ssl.create_default_context(cafile=settings.ca_file)
    if settings.cert_file is not None:
        context.load_cert_chain(settings.cert_file, settings.key_file)
    return context
