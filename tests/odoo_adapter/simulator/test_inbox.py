"""The simulated inbox and the shipped action's text say the same: kinds, version, refusal codes."""

from __future__ import annotations

import re
from pathlib import Path

import odoo_adapter.simulator.inbox
from odoo_adapter.inbox.install import action_text
from odoo_adapter.simulator.inbox.effect import KINDS
from odoo_adapter.simulator.inbox.protocol import INBOX_VERSION

VERIFIED_BY_TEXT = {"verify_state", "verify_consume", "verify_hold", "verify_genealogy", "verify_wo"}
"""What the text checks of Odoo's own work afterwards; here that work is ours."""

OF_THE_CALL = {"bad_request"}
"""Raised or answered for the request as a whole, not refused by an effect."""


def test_it_has_the_texts_version_and_kinds() -> None:
    (version,) = re.findall(r"^INBOX_VERSION = (\d+)$", action_text(), re.MULTILINE)
    (kinds,) = re.findall(r"^KINDS = \{(.*?)\}", action_text(), re.MULTILINE | re.DOTALL)
    assert (INBOX_VERSION, set(KINDS)) == (int(version), set(re.findall(r"'(\w+)':", kinds)))


def test_it_refuses_with_the_texts_codes() -> None:
    texts = set(re.findall(r"refuse\('(\w+)'", action_text())) | {"ambiguous", "missing"}
    (folder,) = odoo_adapter.simulator.inbox.__path__
    sources = "".join(path.read_text("utf-8") for path in sorted(Path(folder).glob("*.py")))
    ours = set(re.findall(r'Refusal\(\s*"(\w+)"', sources)) | {"ambiguous"}
    assert ours == texts - VERIFIED_BY_TEXT - OF_THE_CALL
