"""The six forms of a rule: what each remembers and when it answers. `ruleset.engine` calls them."""
