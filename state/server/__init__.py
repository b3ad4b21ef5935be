"""How the Redis that keeps a site is reached: its settings, one server or one of a cluster, and what failures mean."""
