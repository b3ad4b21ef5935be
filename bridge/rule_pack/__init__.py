"""Rules that are ready to use: templates with tests, on a small plant that has what they need."""
