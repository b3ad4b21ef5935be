"""The simulator's inbox: `protocol.py` takes requests, `effect.py` has one effect per kind of transaction."""
