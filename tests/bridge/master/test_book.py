"""What is remembered of master data: changes are counted, differences told once, and all of it comes back."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.master.book import Agrees, Differs, KindChanged, MasterBook, MasterRead

NOW_MS = 1_795_421_000_000


def read(hashes: Mapping[str, str], *differences: str) -> MasterRead:
    return MasterRead(hashes={"product": hashes}, differences=differences)


def restored(book: MasterBook) -> MasterBook:
    again = MasterBook()
    for id in book.take_changed():
        snapshot = book.snapshot(id)
        assert snapshot is not None
        again.restore(id, snapshot)
    return again


def test_what_came_changed_and_went_is_counted_over_a_restart() -> None:
    book = MasterBook()
    first = book.read(read({"1": "a", "2": "b"}), NOW_MS)
    assert first == (KindChanged(kind="product", added=2, changed=0, removed=0, is_first=True),)

    book = restored(book)

    assert book.read(read({"1": "a", "2": "b"}), NOW_MS + 1) == ()
    assert book.take_changed() == frozenset()
    assert book.read(read({"2": "c", "3": "d", "4": "e"}), NOW_MS + 2) == (
        KindChanged(kind="product", added=2, changed=1, removed=1, is_first=False),
    )
    assert book.kinds["product"].changed_ms == NOW_MS + 2


def test_a_kind_of_which_there_is_nothing_is_known_all_the_same() -> None:
    book = MasterBook()
    book.read(read({}), NOW_MS)
    assert book.read(read({"1": "a"}), NOW_MS) == (
        KindChanged(kind="product", added=1, changed=0, removed=0, is_first=False),
    )


def test_a_difference_is_told_once_while_it_stands_also_over_a_restart() -> None:
    book = MasterBook()
    book.read(read({}), NOW_MS)
    assert book.read(read({}, "no PRESS-1", "no kg"), NOW_MS) == (Differs("no PRESS-1"), Differs("no kg"))

    book = restored(book)

    assert book.read(read({}, "no kg", "no PRESS-1"), NOW_MS)[1:] == ()
    assert book.read(read({}, "no kg"), NOW_MS) == (Agrees("no PRESS-1"),)
    assert book.differences == ("no kg",)
    assert book.read(read({}, "no kg", "no PRESS-1"), NOW_MS) == (Differs("no PRESS-1"),)
