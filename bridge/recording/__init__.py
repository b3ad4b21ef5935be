"""Recordings: every input of the core in MCAP files, written beside the bridge, read back and run again."""
