"""The processes that are measured, other than the bridge itself: each prints `ready`, `born` and `done`."""
