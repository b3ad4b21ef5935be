"""Rule tests: a notation for what the floor says and what must be posted, a run on a virtual clock, and what differs.

Pure. `bridge.rule_tests` lends it the engine behind the settler, as they stand in the core.
"""
