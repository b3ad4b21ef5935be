"""The schema of each file of a plant folder, as the text of its file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from tests.schema.piece import Schema
from tests.schema.plant import assets, codes, workflows
from tests.schema.rule import rules

FOLDER: Final = Path(__file__).parents[2] / "docs" / "schema"


def schemas() -> dict[str, Schema]:
    """By file name."""
    found = {"rules": rules(), "assets": assets(), "codes": codes(), "workflows": workflows()}
    return {f"{name}.schema.json": schema for name, schema in found.items()}


def texts() -> dict[str, str]:
    return {name: json.dumps(schema, indent=2) + "\n" for name, schema in schemas().items()}
