"""The life of a plant's rules: proposed by one person, approved by another, in shadow, live, taken back."""
