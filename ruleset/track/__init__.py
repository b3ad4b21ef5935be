"""What a rule follows over time: how much a signal changed in a window, in a shift or for an order."""
