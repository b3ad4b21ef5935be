"""What happened on the floor, as one version of the plant's content understands it: translated, in order, decided."""
