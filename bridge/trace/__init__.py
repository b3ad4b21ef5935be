"""Traces on their way to the store, and read from there: why something was posted, or was not."""
