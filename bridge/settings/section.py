"""`Section`: one mapping of `bridge.yaml`, whose keys are read one by one."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import fields
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bridge.settings.secret import Secret, read_secret
from ruleset.document import Node

_BYTES: Final = {"kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
NEVER: Final = "never"
"""Stands for a length of time that is over at no time."""
_SIZE: Final = re.compile(rf"(\d+)({'|'.join(_BYTES)})")


class Section:
    """The keys of one mapping with their defaults. What is wrong is recorded, and the default stands in for it."""

    __slots__ = ("_folder", "_keys")

    def __init__(self, keys: dict[str, Node], folder: Path) -> None:
        self._keys = keys
        self._folder = folder

    def get(self, key: str) -> Node | None:
        return self._keys.get(key)

    def optional_text(self, key: str) -> str | None:
        node = self._keys.get(key)
        word = node.text() if node is not None else None
        if node is not None and word is not None and not word.strip():
            node.problem(f"{key} must not be empty")
        return word

    def text(self, key: str, default: str) -> str:
        return self.optional_text(key) or default

    def sparkplug_id(self, key: str, default: str) -> str:
        word = self.text(key, default)
        if any(character in word for character in "/+#"):
            self._keys[key].problem(f'"{word}" cannot be a Sparkplug id: it must not hold "/", "+" or "#"')
        return word

    def integer(self, key: str, default: int, *, at_least: int = 0, at_most: int | None = None) -> int:
        node = self._keys.get(key)
        number = node.integer(at_least=at_least, at_most=at_most) if node is not None else None
        return default if number is None else number

    def boolean(self, key: str, default: bool) -> bool:
        node = self._keys.get(key)
        answer = node.boolean() if node is not None else None
        return default if answer is None else answer

    def duration(self, key: str, default_ms: int, *, at_least_ms: int = 1, at_most_ms: int | None = None) -> int:
        node = self._keys.get(key)
        length_ms = node.duration(at_least_ms=at_least_ms, at_most_ms=at_most_ms) if node is not None else None
        return default_ms if length_ms is None else length_ms

    def duration_or_never(self, key: str, default_ms: int | None) -> int | None:
        """A length of time; None where `never` is said."""
        node = self._keys.get(key)
        if node is None:
            return default_ms
        return None if node.raw.value == NEVER else node.duration(at_least_ms=1)

    def size(self, key: str, default: int, *, at_least: int = 1) -> int:
        """A number of bytes, such as `64MB`."""
        node = self._keys.get(key)
        word = node.text() if node is not None else None
        if node is None or word is None:
            return default
        match = _SIZE.fullmatch(word)
        if match is None:
            node.problem(f'expected a size such as 500kB, 64MB or 10GB, found "{word}"')
            return default
        size = int(match[1]) * _BYTES[match[2]]
        if size < at_least:
            node.problem(f"{word} is too small: at least {at_least // _BYTES['MB']}MB")
        return size

    def path(self, key: str) -> Path | None:
        word = self.optional_text(key)
        return self._folder / word if word else None

    def secret(self, key: str) -> Secret | None:
        node = self._keys.get(key)
        return read_secret(node, self._folder) if node is not None else None

    def url(self, key: str, default: str, schemes: Collection[str]) -> str:
        """A URL with a host and without a password, which would be shown in logs."""
        word = self.text(key, default)
        node = self._keys.get(key)
        if node is None:
            return word
        try:
            parts = urlsplit(word)
            host, _, has_secret = parts.hostname, parts.port, parts.password is not None
        except ValueError:
            node.problem("this is not a URL that can be read")
            return default
        if has_secret:
            node.problem("a URL must not hold a password; name it under its own key as {file: PATH} or {env: NAME}")
        elif parts.scheme not in schemes or not host:
            node.problem(f'"{word}" must be a URL that begins with {" or ".join(f"{each}://" for each in schemes)}')
        return word


def section_of(node: Node | None, kind: type, folder: Path, required: Collection[str] = ()) -> Section:
    """The section's keys: the fields of its class, a length of time without `_ms`."""
    allowed = {each.name.removesuffix("_ms") for each in fields(kind)}
    return Section({} if node is None else node.mapping(allowed=allowed, required=required), folder)
