"""One record of the simulator's database, with readers that give a value of the type that the field has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from odoo_adapter.simulator.errors import value_error
from odoo_adapter.simulator.records.domain import as_ids
from odoo_adapter.simulator.records.schema import Field
from ruleset.sample import Plain

if TYPE_CHECKING:
    from odoo_adapter.simulator.records.database import Database


class Record:
    """A record, addressed by model and id. It holds no values: it reads them from the database."""

    __slots__ = ("database", "id", "model")

    def __init__(self, database: Database, model: str, id: int) -> None:
        self.database = database
        self.model = model
        self.id = id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and (self.model, self.id) == (other.model, other.id)

    def __hash__(self) -> int:
        return hash((self.model, self.id))

    def get(self, name: str) -> Plain:
        """The value as stored or computed: None for empty, an id for a link, ids for links."""
        return self.database.value(self, name)

    def text(self, name: str) -> str:
        value = self.get(name)
        return value if isinstance(value, str) else ""

    def number(self, name: str) -> float:
        value = self.get(name)
        return float(value) if isinstance(value, int | float) else 0.0

    def integer(self, name: str) -> int:
        return int(self.number(name))

    def flag(self, name: str) -> bool:
        return self.get(name) is True

    def maybe(self, name: str) -> Record | None:
        """The linked record, or None."""
        value, relation = self.get(name), self.database.models[self.model].fields[name].relation
        return Record(self.database, relation, value) if isinstance(value, int) and relation else None

    def link(self, name: str) -> Record:
        """The linked record, which must be there."""
        linked = self.maybe(name)
        if linked is None:
            raise value_error(f"Expected singleton: {self.database.models[self.model].fields[name].relation}()")
        return linked

    def links(self, name: str) -> list[Record]:
        relation = self.database.models[self.model].fields[name].relation
        return [Record(self.database, relation or "", id) for id in as_ids(self.get(name))]

    def write(self, **values: Plain) -> None:
        self.database.write(self, values)

    def reach(self, path: str, *, by_name: bool) -> list[tuple[Plain, str]]:
        """The values at the end of a dotted path, with the names of linked records if `by_name`."""
        first, _, rest = path.partition(".")
        field = self.database.models[self.model].fields[first]
        if rest:
            return [found for record in self._linked(field) for found in record.reach(rest, by_name=by_name)]
        if field.relation is not None:
            return [(record.id, record.text("display_name") if by_name else "") for record in self._linked(field)]
        return [(self.get(first), "")]

    def _linked(self, field: Field) -> list[Record]:
        if field.type == "many2one":
            linked = self.maybe(field.name)
            return [] if linked is None else [linked]
        return self.links(field.name)
