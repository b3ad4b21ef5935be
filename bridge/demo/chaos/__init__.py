"""The chaos of a demonstration: what is planned, the links and disks that it needs, and the doing of it."""
