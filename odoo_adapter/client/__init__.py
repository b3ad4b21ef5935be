"""The connection to an Odoo server: the session, the protocols, and what their failures mean."""
