"""Facts that a rule refused, and how the same fact is decided again."""
