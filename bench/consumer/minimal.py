"""The least that can be done in Python: paho-mqtt, protobuf or JSON, and the last value of each metric in a dict."""

from __future__ import annotations

import json
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from bench.consumer.arguments import DOCUMENT_FILTER, SPARKPLUG_FILTER, counter, read_arguments, say
from sparkplug.wire.sparkplug_b_pb2 import Payload


def main() -> None:
    """Follow until killed."""
    given = read_arguments()
    one_more = counter(given)
    last: dict[tuple[str, object], object] = {}

    def on_message(_client: Client, _userdata: Any, message: MQTTMessage) -> None:
        topic = message.topic
        if message.qos == 0:
            for metric in Payload.FromString(bytes(message.payload)).metrics:
                field = metric.WhichOneof("value")
                last[topic, metric.alias] = getattr(metric, field) if field else None
        else:
            last[topic, ""] = json.loads(message.payload)
        one_more()

    client = Client(CallbackAPIVersion.VERSION2)
    client.on_message = on_message
    client.on_subscribe = lambda *_: say("ready")
    client.connect("127.0.0.1", given.port)
    client.subscribe([(SPARKPLUG_FILTER, 0), (DOCUMENT_FILTER, 1)])
    client.loop_forever()


if __name__ == "__main__":
    main()
