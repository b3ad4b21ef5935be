"""The plant folder beside the Odoo that it speaks of."""
