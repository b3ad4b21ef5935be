"""What the core takes and gives, the order book, and how decisions become outbox entries. Pure."""
