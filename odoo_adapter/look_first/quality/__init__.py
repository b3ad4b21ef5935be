"""Goods on hold, and inspections, without the inbox."""
