"""Sparkplug B: topics, payloads and the state machines of a host application and an edge node. Pure: no I/O, no clock."""
