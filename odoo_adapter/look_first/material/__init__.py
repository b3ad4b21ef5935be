"""What orders really used, and lots, without the inbox."""
