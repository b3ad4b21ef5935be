"""Shifts: when they are, and how a time is divided among them."""
