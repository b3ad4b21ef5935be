"""Records that carry the key of their transaction in their description."""

from __future__ import annotations

import html
import re
from typing import Final

from odoo_adapter.look_first.steps import Row, Steps

_TAG: Final = re.compile(r"<[^>]*>")


async def described(steps: Steps, model: str, key: str) -> list[tuple[int, str]]:
    """The records whose description may name the key."""
    return [(row["id"], row["description"]) for row in await _naming(steps, model, key)]


async def described_in_html(steps: Steps, model: str, key: str) -> list[tuple[int, str]]:
    """The records whose description, which is HTML, may name the key; as plain text."""
    rows = await _naming(steps, model, html.escape(key, quote=False))
    return [(row["id"], html.unescape(_TAG.sub(" ", row["description"]))) for row in rows]


async def _naming(steps: Steps, model: str, text: str) -> list[Row]:
    return await steps.search(model, [["description", "like", text.replace("\\", "\\\\")]], ["description"])
