"""Sparkplug B 3.0: topics, payloads and the state machines of a host application and of an edge node.

Pure: no I/O, no clock, no randomness. A shell hands in messages and moments and carries out what comes back.
"""
