"""Pieces of the schemas: what a value of a plant's file may be, in draft 7, which editors know best."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, TypeAlias

Schema: TypeAlias = "dict[str, Any]"

DRAFT: Final = "http://json-schema.org/draft-07/schema#"
_PARAMETER: Final = r"param\.[a-z][a-z0-9_]*"


def described(schema: Schema, text: str) -> Schema:
    return {**schema, "description": text} if text else schema


def text(description: str = "") -> Schema:
    return described({"type": "string"}, description)


def expression(description: str = "") -> Schema:
    """CEL; a number or a boolean need not be quoted."""
    return described({"type": ["string", "number", "boolean"]}, description)


def duration(description: str = "") -> Schema:
    pattern = rf"^(\d+(ms|s|m|h|d)|{_PARAMETER})$"
    return described({"type": "string", "pattern": pattern, "examples": ["30s", "5m", "8h"]}, description)


def whole(description: str = "") -> Schema:
    return described({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": f"^{_PARAMETER}$"}]}, description)


def choice(words: Iterable[str], description: str = "") -> Schema:
    return described({"enum": list(words)}, description)


def some(items: Schema, description: str = "") -> Schema:
    return described({"type": "array", "items": items}, description)


def one_or_some(item: Schema, description: str = "") -> Schema:
    return described({"anyOf": [item, some(item)]}, description)


def table(values: Schema, description: str = "", *, names: str | None = None) -> Schema:
    """A mapping with names of the plant's own."""
    named = {"propertyNames": {"pattern": names}} if names else {}
    return described({"type": "object", "additionalProperties": values, **named}, description)


def mapping(properties: Mapping[str, Schema], required: Collection[str] = (), description: str = "") -> Schema:
    """A mapping with these keys and no others."""
    must = {"required": sorted(required)} if required else {}
    schema = {"type": "object", "properties": dict(properties), **must, "additionalProperties": False}
    return described(schema, description)
