"""A primary host application made with the PyPI package pysparkplug. Usage: python pysparkplug_host.py SETTINGS-AS-JSON

Settings: host, port, user, password, group, node, state (the id of the host). Says STATE, and prints each message of
the group as JSON: type, device, metrics (name to value, as tests/foreign/value.py spells them). Lines on standard input
are commands: {"device", "name", "alias", "type", "value"}. Prints "born" when it is online.
"""

import base64
import datetime
import json
import sys

import pysparkplug as psp

TYPES = ("NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH")


def say(word):
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def show(value):
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.datetime):
        return str(round(value.timestamp() * 1000))
    if isinstance(value, tuple):
        return [show(item) for item in value]
    return str(value).replace("nan", "NaN").replace("inf", "Infinity")


def read(word, value):
    if word.startswith(("Int", "UInt")):
        return int(value)
    return float(value) if word in ("Float", "Double") else value


def received(_, message):
    metrics = getattr(message.payload, "metrics", ())
    told = {one.name: show(one.value) for one in metrics}
    say(json.dumps({"type": str(message.topic.message_type), "device": message.topic.device_id, "metrics": told}))


def main():
    settings = json.loads(sys.argv[1])
    client = psp.Client(client_id=settings["state"], username=settings["user"], password=settings["password"])
    began_ms = psp.get_current_timestamp()

    def state(online):
        topic = psp.Topic(message_type=psp.MessageType.STATE, sparkplug_host_id=settings["state"])
        payload = psp.State(timestamp=began_ms, online=online)
        return psp.Message(topic=topic, payload=payload, qos=psp.QoS.AT_LEAST_ONCE, retain=True)

    client.set_will(state(False))
    for name in TYPES:
        topic = psp.Topic(
            group_id=settings["group"],
            message_type=psp.MessageType(name),
            edge_node_id="+",
            device_id="+" if name.startswith("D") else None,
        )
        client.subscribe(topic, psp.QoS.AT_MOST_ONCE, received)

    def connected(_):
        client.publish(state(True))
        say("born")

    client.connect(settings["host"], port=settings["port"], callback=connected)
    for line in sys.stdin:
        told = json.loads(line)
        device, alias = told["device"], told.get("alias")
        metric = psp.Metric(
            timestamp=psp.get_current_timestamp(),
            name=told["name"],
            alias=None if alias is None else int(alias),
            datatype=psp.DataType[told["type"].upper()],
            value=read(told["type"], told["value"]),
        )
        topic = psp.Topic(
            group_id=settings["group"],
            message_type=psp.MessageType.NCMD if device is None else psp.MessageType.DCMD,
            edge_node_id=settings["node"],
            device_id=device,
        )
        command = psp.NCmd if device is None else psp.DCmd
        payload = command(timestamp=psp.get_current_timestamp(), metrics=(metric,))
        client.publish(
            psp.Message(topic=topic, payload=payload, qos=psp.QoS.AT_MOST_ONCE, retain=False), include_dtypes=True
        )
    client.disconnect()


main()
