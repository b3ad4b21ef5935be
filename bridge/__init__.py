"""The bridge itself: settings, translation, the core's step, delivery, commands."""
