"""Times of work orders and work centers."""
