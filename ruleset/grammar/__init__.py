"""How rule files are read: YAML nodes in, checked forms out. `ruleset.rules` drives it."""
