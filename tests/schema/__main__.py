"""Writes docs/schema/*.json."""

from __future__ import annotations

from tests.schema.files import FOLDER, texts

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in texts().items():
        (FOLDER / name).write_text(text)
