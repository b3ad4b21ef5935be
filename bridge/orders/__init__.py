"""How the bridge learns of Odoo's orders: it asks again and again, and lets itself be woken."""
