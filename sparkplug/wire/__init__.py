"""Bytes to values and back: the Sparkplug B payload (protobuf) and the STATE document (JSON)."""
