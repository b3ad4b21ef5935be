"""The commands of recordings: record, replay, rerun."""
