"""The site that the outbox's tests act on."""

from __future__ import annotations

import pytest

from tests.state.outbox_site import Site


@pytest.fixture
def site() -> Site:
    """A site with an empty outbox."""
    return Site()
