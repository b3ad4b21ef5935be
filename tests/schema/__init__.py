"""JSON Schemas of the plant's files, for editors; `python -m tests.schema` writes them to docs/schema."""
