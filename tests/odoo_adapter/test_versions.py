"""Versions of Odoo: those that are known, and what a guess that somebody accepted is."""

from __future__ import annotations

import pytest

from odoo_adapter.errors import Refused
from odoo_adapter.versions import KNOWN, capabilities, is_known, nearest


@pytest.mark.parametrize("version", ["17.0", "18.0-20251106", "19.0+e", "19.0-simulator"])
def test_a_build_of_a_known_version_is_known(version: str) -> None:
    assert is_known(version)
    assert capabilities(version) == KNOWN[version[:4]]


@pytest.mark.parametrize(
    ("version", "called_as"),
    [("20.0", "19.0"), ("19.1", "19.0"), ("saas~18.4", "18.0"), ("100.0", "19.0"), ("16.0", "17.0")],
)
def test_an_unknown_version_is_called_as_the_nearest_older_one_where_that_is_accepted(
    version: str, called_as: str
) -> None:
    assert not is_known(version)
    assert nearest(version) == called_as
    assert capabilities(version, accept_unknown=True) == KNOWN[called_as]
    with pytest.raises(Refused, match=r"is not supported; supported: 17\.0, 18\.0, 19\.0"):
        capabilities(version)


def test_a_version_without_a_number_is_no_guess_even_where_that_is_accepted() -> None:
    with pytest.raises(Refused, match="Odoo master is not supported"):
        capabilities("master", accept_unknown=True)
