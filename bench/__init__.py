"""What the bridge costs: per message, per stage and per posting, beside what others cost. Not part of the product."""
