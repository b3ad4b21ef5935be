"""What is looked up in large libraries, which are imported when something is."""
