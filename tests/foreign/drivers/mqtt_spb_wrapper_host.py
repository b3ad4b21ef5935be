"""A host of the PyPI package mqtt-spb-wrapper, a "SCADA". Usage: python mqtt_spb_wrapper_host.py SETTINGS-AS-JSON

Settings: host, port, user, password, group, node, state (the id of the host). Prints each message of the group as JSON:
type, device, metrics (name to value, as tests/foreign/value.py spells them). Lines on standard input are commands:
{"device", "name", "type", "value"}. Prints "born" when it is connected.
"""

import base64
import json
import sys

from mqtt_spb_wrapper import MqttSpbEntityScada


def say(word):
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def show(value):
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value).replace("nan", "NaN").replace("inf", "Infinity")


def read(word, value):
    if word.startswith(("Int", "UInt")):
        return int(value)
    return float(value) if word in ("Float", "Double") else value


def received(topic, payload):
    metrics = payload.get("metrics", ()) if payload else ()
    told = {one.get("name", str(one.get("alias"))): show(one.get("value")) for one in metrics}
    say(json.dumps({"type": topic.message_type, "device": topic.eon_device_name, "metrics": told}))


def main():
    settings = json.loads(sys.argv[1])
    scada = MqttSpbEntityScada(
        settings["group"],
        settings["state"],
        callback_birth=received,
        callback_data=received,
        callback_death=received,
    )
    scada.connect(host=settings["host"], port=settings["port"], user=settings["user"], password=settings["password"])
    scada.publish_birth()
    say("born")
    for line in sys.stdin:
        told = json.loads(line)
        value = read(told["type"], told["value"])
        scada.send_command(told["name"], value, settings["node"], told["device"])
    scada.disconnect()


main()
