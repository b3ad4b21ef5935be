"""What an Odoo has of a plant, read before anything is posted. Nothing here changes anything."""
