"""pysparkplug as a subscriber that decodes. Runs in an environment of its own and imports nothing of ours."""

# mypy: ignore-errors

import json
import sys
import threading

from pysparkplug import Client, QoS, Topic


def main():
    port, births, data, documents = (int(word) for word in sys.argv[1:5])
    marks = {births: "born", births + data: "data", births + data + documents: "documents"}
    count = 0
    last = {}

    def say(word):
        sys.stdout.write(f"{word}\n")
        sys.stdout.flush()

    def one_more():
        nonlocal count
        count += 1
        if count in marks:
            say(marks[count])

    def on_sparkplug(_client, message):
        for metric in message.payload.metrics:
            last[str(message.topic), metric.name] = metric.value
        one_more()

    def on_document(_client, _userdata, message):
        last[message.topic, ""] = json.loads(message.payload)
        one_more()

    client = Client(client_id="bench-pysparkplug")
    connected = threading.Event()
    client.connect("127.0.0.1", port=port, callback=lambda _client: connected.set())
    connected.wait()
    paho = client._client  # it subscribes to Sparkplug topics only
    paho.message_callback_add("uns/v1/#", on_document)
    client.subscribe(Topic(group_id="bench", message_type="+", edge_node_id="+"), QoS.AT_MOST_ONCE, on_sparkplug)
    client.subscribe(
        Topic(group_id="bench", message_type="+", edge_node_id="+", device_id="+"), QoS.AT_MOST_ONCE, on_sparkplug
    )
    paho.on_subscribe = lambda *_: say("ready")
    paho.subscribe("uns/v1/#", 1)
    threading.Event().wait()


main()
