"""What is wrong around the bridge: broker, Redis, Odoo, clocks, disk, plant folder. Looks, and changes nothing."""
