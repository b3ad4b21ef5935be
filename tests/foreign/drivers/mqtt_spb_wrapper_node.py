"""A node of the PyPI package mqtt-spb-wrapper, which reports its own metrics, without a device.

Usage: python mqtt_spb_wrapper_node.py SETTINGS-AS-JSON. Settings: host, port, user, password, group, node, metrics
(name to value). Lines on standard input are JSON objects of metrics, published as a birth: the package's births call a
metric DATA/x and its data calls it x, so no host can tell what its data means. Prints "born" and "rebirth".
"""

import json
import sys

from mqtt_spb_wrapper import MqttSpbEntityEdgeNode


def say(word):
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main():
    settings = json.loads(sys.argv[1])
    # The package's own rebirth command ends its network thread with "'bool' object is not callable".
    node = MqttSpbEntityEdgeNode(settings["group"], settings["node"], include_spb_rebirth=False)

    def reborn(*_):
        node.publish_birth()
        say("rebirth")

    node.commands.set_value(name="Node Control/Rebirth", value=False, callback_on_change=reborn)
    for name, value in settings["metrics"].items():
        node.data.set_value(name, value)
    node.connect(
        host=settings["host"],
        port=settings["port"],
        user=settings["user"],
        password=settings["password"],
        client_id="foreign-mqtt-spb-wrapper",
    )
    node.publish_birth()
    say("born")
    for line in sys.stdin:
        for name, value in json.loads(line).items():
            node.data.set_value(name, value)
        node.publish_birth()
    node.disconnect()


main()
