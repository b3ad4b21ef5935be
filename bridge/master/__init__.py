"""Odoo's master data on schedule: what changed, what does not fit the plant folder, all of it on the namespace."""
