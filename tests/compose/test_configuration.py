"""The stack's settings of mosquitto and Redis, on real ones: who may do what, and how durable it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis as RedisClient

from bridge.broker.errors import PublicationRefused
from bridge.broker.link import LinkSettings, Subscription
from bridge.broker.paho import PahoLink
from tests.bridge.broker.ground import BASE, message, put, running, up
from tests.certificate import Tls
from tests.servers import Mosquitto, StartMosquitto, StartRedis

USERS = {"bridge": "b", "mes": "m", "press-1": "p"}
PLACES = {"listener", "cafile", "certfile", "keyfile", "password_file", "acl_file", "persistence_location", "log_dest"}
GROUP = "spBv1.0/acme-berlin"


def settings_of(file: Path) -> dict[str, str]:
    """The lines of a mosquitto.conf or redis.conf; a setting that stands twice counts with its last value."""
    lines = [line.partition(" ") for line in file.read_text().splitlines() if line and not line.startswith("#")]
    return {key: value.strip('"') for key, _, value in lines}


@pytest.fixture
def broker(prepared: Path, start_mosquitto: StartMosquitto) -> Mosquitto:
    """The stack's broker with one edge node, `press-1`."""
    config = settings_of(prepared / "mosquitto" / "mosquitto.conf")
    tls = prepared / "tls"
    return start_mosquitto(
        users=USERS,
        acl=(prepared / "mosquitto" / "acl").read_text(),
        tls=Tls(tls / "ca.crt", tls / "server.crt", tls / "server.key"),
        config={key: value for key, value in config.items() if key not in PLACES},
    )


def as_user(broker: Mosquitto, user: str) -> LinkSettings:
    ca_file = str(broker.ca_file)
    return replace(BASE, port=broker.port, client_id=user, user=user, password=lambda: USERS[user], ca_file=ca_file)


@pytest.mark.parametrize(
    ("user", "topic", "may"),
    [
        ("press-1", f"{GROUP}/NBIRTH/press-1", True),
        ("press-1", f"{GROUP}/DDATA/press-1/spindle", True),
        ("press-1", f"{GROUP}/NBIRTH/press-2", False),
        ("press-1", f"{GROUP}/NCMD/press-1", False),
        ("press-1", "spBv1.0/STATE/acme-bridge", False),
        ("press-1", "uns/v1/acme/berlin/finished", False),
        ("mes", "uns/v1/acme/berlin/finished", True),
        ("mes", f"{GROUP}/NDATA/press-1", False),
        ("bridge", "spBv1.0/STATE/acme-bridge", True),
        ("bridge", "spBv1.0/STATE/another", False),
        ("bridge", f"{GROUP}/NCMD/press-1", True),
        ("bridge", f"{GROUP}/DCMD/press-1/spindle", True),
        ("bridge", f"{GROUP}/NBIRTH/orders", True),
        ("bridge", f"{GROUP}/DDATA/orders/mo-1", True),
        ("bridge", f"{GROUP}/NBIRTH/press-1", False),
        ("bridge", "uns/v1/acme/berlin/order/MO-1", True),
    ],
)
async def test_a_user_may_publish_what_is_its_own(broker: Mosquitto, user: str, topic: str, may: bool) -> None:
    link = PahoLink(as_user(broker, user), [])
    async with running(link):
        await up(link)
        if may:
            await put(link, topic, b"1")
        else:
            with pytest.raises(PublicationRefused):
                await put(link, topic, b"1")


async def test_the_bridge_hears_the_plant_and_a_node_its_commands(broker: Mosquitto) -> None:
    everything = [Subscription(filter="spBv1.0/#", qos=1), Subscription(filter="uns/v1/#", qos=1)]
    bridge = PahoLink(as_user(broker, "bridge"), everything)
    node = PahoLink(as_user(broker, "press-1"), everything)
    async with running(bridge, node):
        await up(bridge)
        await up(node)
        await put(node, f"{GROUP}/NDATA/press-1", b"data")
        assert (await message(bridge)).payload == b"data"
        await put(bridge, f"{GROUP}/NCMD/press-2", b"not for press-1")
        await put(bridge, f"{GROUP}/NCMD/press-1", b"rebirth")
        assert (await message(node)).payload == b"rebirth"


def test_redis_is_as_durable_as_the_bridge_asks_for(prepared: Path, start_redis: StartRedis) -> None:
    config = settings_of(prepared / "redis" / "redis.conf")
    server = start_redis({key: value for key, value in config.items() if key not in ("bind", "port", "dir")})
    with RedisClient.from_url(server.url, decode_responses=True) as client:
        asked = ("appendonly", "appendfsync", "maxmemory-policy", "save")
        assert {key: client.config_get(key)[key] for key in asked} == {
            "appendonly": "yes",
            "appendfsync": "always",
            "maxmemory-policy": "noeviction",
            "save": "",
        }
