"""The simulator's small record engine: models as tables of fields, records in memory, search domains."""
