"""How a transaction becomes calls on an Odoo server, and how Odoo's orders are read."""
