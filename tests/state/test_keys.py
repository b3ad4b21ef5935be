"""The keys of a site lie in one slot, and no site can reach into another's."""

from __future__ import annotations

import pytest

from state.keys import Keys
from state.record import Table


def test_every_key_of_a_site_has_its_hash_tag() -> None:
    keys = Keys("acme/berlin")
    every = (keys.lease, keys.token, keys.commit, keys.acts, keys.acts_order, keys.acts_done, *keys.tables)
    assert all(key.startswith("uns:{acme/berlin}:") for key in every)
    assert len(set(every)) == 6 + len(Table)


@pytest.mark.parametrize("site", ["", "a}b", "{a", "a\n"])
def test_a_site_name_that_breaks_the_hash_tag_is_refused(site: str) -> None:
    with pytest.raises(ValueError, match="site name"):
        Keys(site)
