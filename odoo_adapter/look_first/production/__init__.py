"""Quantities of an order: progress, completion with its consumption, scrap."""
