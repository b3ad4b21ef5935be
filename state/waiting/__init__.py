"""The entries that are not done, found without a look at the others: by key, lane, state and age."""
