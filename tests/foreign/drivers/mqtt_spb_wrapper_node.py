"""A node of the PyPI package mqtt-spb-wrapper, which reports its own metrics, without a device.

Usage: python mqtt_spb_wrapper_node.py SETTINGS-AS-JSON. Settings: host, port, user, password, group, node, metrics,
plain. Lines on standard input are JSON objects with metrics, published as a birth: the package's births call a metric
DATA/x and its data calls it x, so no host can tell what its data means. With `plain` they are published as data all the
same. Metrics and values are spelled as tests/foreign/value.py says. Prints "born", "rebirth" and commands as JSON.
"""

import base64
import datetime
import json
import sys

from mqtt_spb_wrapper import MqttSpbEntityEdgeNode
from mqtt_spb_wrapper.spb_protobuf import MetricDataType

WORDS = {code: word for word, code in vars(MetricDataType).items() if not word.startswith("_")}


def say(word):
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def read(word, value):
    if word == "DateTime":
        return datetime.datetime.fromtimestamp(int(value) / 1000, tz=datetime.UTC)
    if word.startswith(("Int", "UInt")):
        return int(value)
    if word in ("Float", "Double"):
        return float(value)
    if word == "DataSet":
        columns = zip(*value["rows"], strict=True)
        return {
            name: [read(word, cell) for cell in cells]
            for name, word, cells in zip(value["columns"], value["types"], columns, strict=True)
        }
    return base64.b64decode(value) if word in ("Bytes", "File") else value


def show(value):
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.datetime):
        return str(round(value.timestamp() * 1000))
    return str(value).replace("nan", "NaN").replace("inf", "Infinity")


def commanded(topic, payload):
    if topic.message_type.endswith("CMD"):
        metrics = [
            {"name": one.get("name"), "type": WORDS.get(one["datatype"]), "value": show(one.get("value"))}
            for one in payload["metrics"]
        ]
        if metrics[0]["name"] != "Node Control/Rebirth":
            say(json.dumps({"device": topic.eon_device_name, "metrics": metrics}))


def main():
    settings = json.loads(sys.argv[1])
    # The package's own rebirth command ends its network thread with "'bool' object is not callable".
    node = MqttSpbEntityEdgeNode(settings["group"], settings["node"], include_spb_rebirth=False)

    def reborn(*_):
        node.publish_birth()
        say("rebirth")

    def take(metrics):
        for told in metrics:
            alias = told.get("alias")
            node.data.set_value(
                told["name"],
                read(told["type"], told["value"]),
                spb_data_type=getattr(MetricDataType, told["type"]),
                spb_alias_num=None if alias is None else int(alias),
            )

    node.commands.set_value(name="Node Control/Rebirth", value=False, callback_on_change=reborn)
    take(settings["metrics"])
    node.on_message = commanded
    node.on_connect = lambda _: node.publish_birth()  # at each reconnection too: the package leaves it to its user
    node.connect(
        host=settings["host"],
        port=settings["port"],
        user=settings["user"],
        password=settings["password"],
        client_id="foreign-mqtt-spb-wrapper",
    )
    say("born")
    for line in sys.stdin:
        take(json.loads(line)["metrics"])
        if settings["plain"]:
            node.publish_data()
        else:
            node.publish_birth()
    node.disconnect()


main()
