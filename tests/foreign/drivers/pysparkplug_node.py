"""A node of the PyPI package pysparkplug: one device. Usage: python pysparkplug_node.py SETTINGS-AS-JSON

Settings: host, port, user, password, group, node, device, metrics (name to value). Lines on standard input are JSON
objects of metrics, published as DDATA. Prints "born", and "rebirth" when one is asked for: the package leaves the
answer to its user, who has no call for it but to connect anew.
"""

import json
import sys

import pysparkplug as psp


def say(word):
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def metrics(values):
    return [
        psp.Metric(
            timestamp=psp.get_current_timestamp(),
            name=name,
            datatype=psp.DataType.STRING if isinstance(value, str) else psp.DataType.INT64,
            value=value,
        )
        for name, value in values.items()
    ]


def commanded(node, message):
    say("rebirth")


def main():
    settings = json.loads(sys.argv[1])
    client = psp.Client(client_id="foreign-pysparkplug", username=settings["user"], password=settings["password"])
    rebirth = psp.Metric(
        timestamp=psp.get_current_timestamp(),
        name="Node Control/Rebirth",
        datatype=psp.DataType.BOOLEAN,
        value=False,
    )
    node = psp.EdgeNode(settings["group"], settings["node"], [rebirth], client, commanded)
    node.register(psp.Device(settings["device"], metrics(settings["metrics"])))
    node.connect(settings["host"], port=settings["port"])
    say("born")
    for line in sys.stdin:
        node.update_device(settings["device"], metrics(json.loads(line)))
    node.disconnect()


main()
