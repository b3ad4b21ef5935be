"""What the simulator's models do when they are created, written and called, as it was seen on Odoo 19."""
