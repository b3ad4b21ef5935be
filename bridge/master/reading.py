"""One reading of master data, and who reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from odoo_adapter.survey.document import Documents


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All documents, and what of Odoo does not fit the plant folder, each as `check --online` says it."""

    documents: Documents
    differences: tuple[str, ...]


class MasterSource(Protocol):
    """Reads master data."""

    async def read(self) -> Reading:
        """Read everything. Raises an `OdooError`."""
        ...
