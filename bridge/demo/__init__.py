"""The demonstration: a simulated plant, the bridge, Odoo, and the comparison of what happened with what was posted."""
