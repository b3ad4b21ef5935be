"""Who may change the rules: `people.yaml` of the plant folder, names with roles and the argon2 hashes of their secrets.

    anna:
      roles: [author]
      secret: $argon2id$v=19$m=65536,t=3,p=4$...

A secret is a password that its owner chose, or a token that was made for a program. Only its hash is kept.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from ruamel.yaml import YAML

from bridge.settings.secret import write_privately
from ruleset.document import Node, read_document
from ruleset.problem import Problems, suggest

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]*")


class Role(StrEnum):
    """What a person may do with versions of the rules. One person may have several roles."""

    AUTHOR = "author"
    APPROVER = "approver"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom `people.yaml` knows."""

    name: str
    roles: frozenset[Role]
    hash: str

    def may(self, *roles: Role) -> bool:
        """Whether one of these roles is theirs."""
        return not self.roles.isdisjoint(roles)


class NotKnown(Exception):
    """A name and a secret that do not go together. Which of the two is wrong is not told."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not known with this secret; `uns-bridge people list` shows the names")


def read_people(file: str, text: str, problems: Problems) -> Mapping[str, Person]:
    """The people of the file by their names; what is wrong goes into `problems`."""
    root = read_document(file, text, problems)
    if root is None or root.is_null:
        return {}
    found: dict[str, Person] = {}
    for name, key, node in root.entries():
        if not _NAME.fullmatch(name):
            key.problem(_bad_name(name))
        keys = node.mapping(allowed={"roles", "secret"}, required={"roles", "secret"})
        roles = _read_roles(keys["roles"]) if "roles" in keys else frozenset()
        hashed = keys["secret"].text() if "secret" in keys else None
        if hashed is not None and not hashed.startswith("$argon2id$"):
            keys["secret"].problem("this is no argon2id hash; `uns-bridge people secret NAME` writes one")
        found[name] = Person(name, roles, hashed or "")
    return found


def _read_roles(node: Node) -> frozenset[Role]:
    names = [each.choice(tuple(Role)) for each in node.items()]
    return frozenset(Role(name) for name in names if name is not None)


def identify(people: Mapping[str, Person], name: str, secret: str) -> Person:
    """The person, if this is their secret. Slow by intent (some 50 ms of CPU). Raises `NotKnown`."""
    person = people.get(name)
    try:
        PasswordHasher().verify(person.hash if person is not None else _nobodys(), secret)
    except (Argon2Error, InvalidHashError):
        raise NotKnown(name) from None
    if person is None:
        raise NotKnown(name)
    return person


@cache
def _nobodys() -> str:
    """What the secret of somebody unknown is compared with, so that the time does not tell who is known."""
    return PasswordHasher().hash(secrets.token_urlsafe())


def new_token() -> str:
    """A secret for a program: 192 random bits."""
    return secrets.token_urlsafe(24)


def write_person(file: Path, name: str, roles: Iterable[Role] | None, hashed: str | None) -> None:
    """Add somebody, or give them these roles and this hash; None leaves what is. Comments in the file stay.

    Raises `ValueError` for a name that cannot be one, and for somebody new without roles or hash.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(_bad_name(name))
    yaml, people = _opened(file)
    entry = people.setdefault(name, {})
    if roles is not None:
        entry["roles"] = sorted(role.value for role in roles)
    if hashed is not None:
        entry["secret"] = hashed
    if not {"roles", "secret"} <= entry.keys():
        raise ValueError(f"{name} is new: they need a role and a secret")
    _write(file, yaml, people)


def remove_person(file: Path, name: str) -> None:
    """Take somebody out of the file; what they did stays in the log. Raises `ValueError` for a name not in it."""
    yaml, people = _opened(file)
    if name not in people:
        raise ValueError(f"{file} does not have {name}{suggest(name, people)}")
    del people[name]
    _write(file, yaml, people)


def _opened(file: Path) -> tuple[YAML, dict[str, dict[str, object]]]:
    yaml = YAML()
    yaml.width = 200  # a hash stays on its line
    people = yaml.load(file.read_text("utf-8")) if file.exists() else None
    return yaml, people if people is not None else {}


def _write(file: Path, yaml: YAML, people: Mapping[str, object]) -> None:
    """Of its owner only: hashes can be guessed at."""
    text = StringIO()
    yaml.dump(people, text)
    write_privately(file, text.getvalue())


def _bad_name(name: str) -> str:
    return f'"{name}" cannot be a name: lower case letters, digits, ".", "-" and "_", as in anna.meier'
