"""The `wake` of `odoo` in `bridge.yaml`: where Odoo may say that an order changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bridge.settings.secret import Secret
from bridge.settings.section import section_of
from ruleset.document import Node
from ruleset.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeSettings:
    """`listen` is host and port, `token_file` holds the last part of the address that Odoo calls."""

    listen: tuple[str, int]
    token_file: Secret


def read_wake(node: Node | None, folder: Path) -> WakeSettings | None:
    """Read the section; None where there is none, or something in it is wrong."""
    if node is None:
        return None
    section = section_of(node, WakeSettings, folder, required={"listen", "token_file"})
    where, path = section.get("listen"), section.path("token_file")
    address = _address(where) if where is not None else None
    if address is None or path is None:
        return None
    place = Problem(file=node.file, line=node.line, column=node.column, text="the token is named here")
    return WakeSettings(listen=address, token_file=Secret(place=place, file=path))


def _address(node: Node) -> tuple[str, int] | None:
    word = node.text()
    if word is None:
        return None
    host, _, port = word.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535:
        node.problem(f'"{word}" is no address to listen on; write a host and a port, such as 127.0.0.1:8071')
        return None
    return host.strip("[]"), int(port)
