"""That every guard which `make mutations` takes out is still where it says, and the page shows them all."""

from __future__ import annotations

import re

import pytest

from tests.mutations.mutation import MUTATIONS, PAGE, ROOT, Mutation, table


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda each: str(each.removes))
def test_a_guard_is_found_once_and_its_test_exists(mutation: Mutation) -> None:
    file, name = mutation.test.split("::")[0], mutation.test_name
    assert mutation.applied() != (ROOT / mutation.file).read_text()
    assert len(re.findall(rf"\b(?:def |import .*){name}\b", (ROOT / file).read_text())) == 1


def test_a_guard_that_was_moved_is_told_with_the_mend() -> None:
    moved = Mutation(removes="the fence", file="state/lua/commit.lua", old="no such line", new="", test="")
    with pytest.raises(ValueError, match=r"commit.lua: the guard of 'the fence' is there 0 times.*mutation.py"):
        moved.applied()


def test_the_page_shows_every_guard_and_its_test() -> None:
    assert table() in PAGE.read_text(), "run: python -m tests.mutations --write"
