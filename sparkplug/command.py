"""Commands of a host: NCMD and DCMD. All are QoS 0 and not retained (`tck-id-topics-ncmd-mqtt`, `-dcmd-mqtt`).

They have no `seq`, and name their metric: an alias could mean another metric by the time the command arrives.
"""

from __future__ import annotations

from sparkplug.fact import NodeId, Origin, Value
from sparkplug.message import REBIRTH
from sparkplug.topic import DeviceVerb, NodeVerb, device_topic, node_topic
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.payload import TypedMetric, encode


def rebirth_command(node: NodeId, now_ms: int) -> tuple[str, bytes]:
    """Topic and payload that ask `node` for all its births.

    `tck-id-operational-behavior-data-commands-ncmd-rebirth-verb`, `-name` and `-value`.
    """
    return write_command(Origin(node.group, node.node, None), REBIRTH, Datatype.BOOLEAN, True, now_ms)


def write_command(origin: Origin, metric: str, datatype: Datatype, value: Value, now_ms: int) -> tuple[str, bytes]:
    """Topic and payload that write one metric. Raises `ValueError` where the value does not fit the datatype."""
    typed = TypedMetric(name=metric, datatype=datatype, value=value, at_ms=now_ms)
    payload = encode(timestamp_ms=now_ms, seq=None, metrics=[typed])
    if origin.device is None:
        return node_topic(NodeVerb.COMMAND, origin.node_id), payload
    return device_topic(DeviceVerb.COMMAND, origin.node_id, origin.device), payload
