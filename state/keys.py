"""Every Redis key of the bridge. All keys of a site share the hash tag `{site}`, so that one script may touch them
all, on Redis Cluster too."""

from __future__ import annotations

from dataclasses import dataclass

from state.record import Table


@dataclass(frozen=True, slots=True)
class Keys:
    """The Redis keys of one site. Raises `ValueError` for a site name that would break the hash tag."""

    site: str

    def __post_init__(self) -> None:
        if not self.site or not self.site.isprintable() or "{" in self.site or "}" in self.site:
            raise ValueError(f"a site name is printable and has no braces, not {self.site!r}")

    @property
    def lease(self) -> str:
        """Hash: holder, token, until_ms (the server's clock)."""
        return self._key("lease")

    @property
    def token(self) -> str:
        """Number: the last fencing token that was given out. Never removed, so that it only grows."""
        return self._key("token")

    @property
    def commit(self) -> str:
        """Hash: number and content hash of the last commit, and the token that it was made with."""
        return self._key("commit")

    @property
    def acts(self) -> str:
        """Hash: the body of each act that waits, by its id."""
        return self._key("acts")

    @property
    def acts_order(self) -> str:
        """List: the ids of the acts that wait, oldest first."""
        return self._key("acts:order")

    @property
    def acts_done(self) -> str:
        """Sorted set: ids of the acts done lately, by the number of the commit that did them."""
        return self._key("acts:done")

    @property
    def traces_order(self) -> str:
        """Sorted set: the ids of the traces, by the number of the commit that wrote them last."""
        return self._key("traces:order")

    @property
    def probe(self) -> str:
        """Text: nothing; written and removed in one step, to see whether the server takes writes."""
        return self._key("probe")

    def table(self, table: Table) -> str:
        """Hash: the records of one table, by id."""
        return self._key(f"table:{table.value}")

    @property
    def tables(self) -> tuple[str, ...]:
        """The keys of all tables in the order of `Table`."""
        return tuple(self.table(table) for table in Table)

    def _key(self, name: str) -> str:
        return f"uns:{{{self.site}}}:{name}"
