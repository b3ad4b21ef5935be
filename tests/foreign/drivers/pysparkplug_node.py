"""A node of the PyPI package pysparkplug: one device. Usage: python pysparkplug_node.py SETTINGS-AS-JSON

Settings: host, port, user, password, group, node, device, metrics (of the device), node_metrics. Lines on standard
input are JSON objects with metrics, published as DDATA. Metrics and values are spelled as tests/foreign/value.py says.
Prints "born", commands as JSON, and "rebirth" when one is asked for: the package leaves the answer to its user, who has
no call for it but to connect anew.
"""

import base64
import datetime
import json
import sys

import pysparkplug as psp


def say(word):
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def read(word, value):
    if value is None:
        return None
    if word.endswith("Array"):
        return tuple(read(word.removesuffix("Array"), item) for item in value)
    if word == "DateTime":
        return datetime.datetime.fromtimestamp(int(value) / 1000, tz=datetime.UTC)
    if word.startswith(("Int", "UInt")):
        return int(value)
    if word in ("Float", "Double"):
        return float(value)
    return base64.b64decode(value) if word in ("Bytes", "File") else value


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


def metric(told):
    alias = told.get("alias")
    return psp.Metric(
        timestamp=psp.get_current_timestamp(),
        name=told["name"],
        datatype=psp.DataType[told["type"].upper().replace("ARRAY", "_ARRAY")],
        value=read(told["type"], told["value"]),
        alias=None if alias is None else int(alias),
        is_historical=told.get("historical", False),
        metadata=psp.Metadata(description="as measured", content_type="text/plain"),
    )


def commanded(device, message):
    if any(one.name == "Node Control/Rebirth" and one.value for one in message.payload.metrics):
        say("rebirth")
        return
    metrics = [
        {
            "name": one.name,
            "alias": None if one.alias is None else str(one.alias),
            "type": one.datatype.name,
            "value": show(one.value),
        }
        for one in message.payload.metrics
    ]
    say(json.dumps({"device": device, "metrics": metrics}))


def main():
    settings = json.loads(sys.argv[1])
    client = psp.Client(client_id="foreign-pysparkplug", username=settings["user"], password=settings["password"])
    rebirth = psp.Metric(
        timestamp=psp.get_current_timestamp(),
        name="Node Control/Rebirth",
        datatype=psp.DataType.BOOLEAN,
        value=False,
    )
    own = [rebirth, *map(metric, settings["node_metrics"])]
    node = psp.EdgeNode(settings["group"], settings["node"], own, client, lambda _, message: commanded(None, message))
    device = settings["device"]
    shown = list(map(metric, settings["metrics"]))
    node.register(psp.Device(device, shown, lambda _, message: commanded(device, message)))
    node.connect(settings["host"], port=settings["port"])
    say("born")
    for line in sys.stdin:
        node.update_device(device, [metric(told) for told in json.loads(line)["metrics"]])
    node.disconnect()


main()
