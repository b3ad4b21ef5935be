"""What a store's server says of itself."""
