"""The simulator's database: tables of records in memory, with transactions that can be taken back.

One event loop runs one call at a time, so a call sees nobody else's half-done work: what PostgreSQL reaches by
isolation is reached here by turns. `savepoint` takes back everything that was done in it when it is left by an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeAlias

from odoo_adapter.simulator.errors import access_error, missing_record, missing_value, value_error
from odoo_adapter.simulator.records.domain import as_ids, compile_domain, equal_to, mentions
from odoo_adapter.simulator.records.record import Record
from odoo_adapter.simulator.records.schema import Behaviour, Field, Model, Row
from odoo_adapter.simulator.records.value import coerce
from ruleset.sample import Plain

Tables: TypeAlias = "dict[str, dict[int, Row]]"

_PLAIN = Behaviour()
SUPERUSER = 1
COMPANY = 1
"""The company that a fresh database has."""


class Database:
    """The tables. `now_ms` is the clock; `user` is whose call runs, and `companies` are those that it works in, its own
    first; `changes` counts changed rows ever."""

    def __init__(
        self, models: Mapping[str, Model], behaviours: Mapping[str, Behaviour], now_ms: Callable[[], int]
    ) -> None:
        self.models = models
        self.user = SUPERUSER
        self.companies: tuple[int, ...] = (COMPANY,)
        self.changes = 0
        self._behaviours = behaviours
        self._now_ms = now_ms
        self._indexed = {
            name: [field.name for field in model.fields.values() if field.indexed] for name, model in models.items()
        }
        self._tables: Tables = {name: {} for name in models}
        self._last_ids: dict[str, int] = dict.fromkeys(models, 0)
        self._index: dict[tuple[str, str], dict[Plain, dict[int, None]]] = {}
        self._undo: list[tuple[str, int, Row | None]] = []
        self._depth = 0
        self._moment = ""

    @property
    def company(self) -> int:
        """In which the running call creates what names none."""
        return self.companies[0]

    def is_seen(self, record: Record) -> bool:
        """Whether the record is of no company, or of one that the running call works in."""
        company = record.get("company_id") if "company_id" in self.models[record.model].fields else None
        return company is None or company in self.companies

    def check_seen(self, record: Record) -> None:
        """What Odoo's record rules keep apart: raises its `AccessError` for a record of another company."""
        if not self.is_seen(record):
            title = self.models[record.model].title
            raise access_error(f"'{title}' ({record.model}: {record.id}) is of another company.")

    def now(self) -> str:
        """The start of the running transaction as Odoo writes it: naive UTC, whole seconds."""
        return self._moment or self._clock()

    def _clock(self) -> str:
        return datetime.fromtimestamp(self._now_ms() / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")

    def behaviour(self, model: str) -> Behaviour:
        return self._behaviours.get(model, _PLAIN)

    def browse(self, model: str, id: int) -> Record:
        return Record(self, model, id)

    def exists(self, model: str, id: int) -> bool:
        return id in self._tables[model]

    def all(self, model: str) -> list[Record]:
        return [Record(self, model, id) for id in self._tables[model]]

    def find(self, model: str, field: str, value: Plain) -> list[Record]:
        """Records whose indexed field holds the value, by id. Archived ones too."""
        return [Record(self, model, id) for id in sorted(self._index.get((model, field), {}).get(value, ()))]

    def search(self, model: str, domain: Plain, *, order: str = "", archived: bool = False) -> list[Record]:
        """Matching records of the call's companies in order. Archived ones only if asked for, or if the domain speaks
        of `active`."""
        holds = compile_domain(self, model, domain)
        rows = [record for record in self._candidates(model, domain) if holds(record) and self.is_seen(record)]
        if "active" in self.models[model].fields and not archived and not mentions(domain, "active"):
            rows = [record for record in rows if record.flag("active")]
        return self.sorted(model, rows, order)

    def _candidates(self, model: str, domain: Plain) -> Iterable[Record]:
        equal = equal_to(domain)
        if equal is None or isinstance(equal[1], list | dict):
            return self.all(model)
        field = self.models[model].fields.get(equal[0])
        if equal[0] == "id" and isinstance(equal[1], int):
            return [Record(self, model, equal[1])] if self.exists(model, equal[1]) else []
        if field is not None and field.indexed and (field.relation is None or isinstance(equal[1], int)):
            return self.find(model, equal[0], equal[1])
        return self.all(model)

    def sorted(self, model: str, records: list[Record], order: str = "") -> list[Record]:
        """By `order` ("write_date asc, id desc") or else the model's own; empty values last when ascending."""
        terms = [term.split() for term in (order or self.models[model].order).split(",") if term.strip()]
        for name, *direction in reversed(terms):
            if name not in self.models[model].fields:
                raise value_error(f"Invalid field '{name}' on '{model}'")
            records = sorted(records, key=_sort_key(name), reverse=[word.lower() for word in direction] == ["desc"])
        return records

    def value(self, record: Record, name: str) -> Plain:
        """A stored or computed value. An unknown field is Odoo's 500."""
        if name == "id":
            return record.id
        field = self.models[record.model].fields.get(name)
        if field is None:
            raise value_error(f"Invalid field '{name}' on '{record.model}'")
        compute = self.behaviour(record.model).computed.get(name)
        if compute is not None:
            return compute(record)
        row = self._tables[record.model].get(record.id)
        if row is None:
            raise missing_record(record.model, record.id, self.user)
        if field.type == "one2many":
            assert field.relation is not None
            assert field.inverse is not None
            found = self.find(field.relation, field.inverse, record.id)
            return [linked.id for linked in self.sorted(field.relation, found)]
        if name == "display_name":
            return row.get("name") or row.get("x_name") or f"{record.model},{record.id}"
        return row[name]

    def stored(self, record: Record, name: str) -> Plain:
        """The value as it was last written, also where the field is computed."""
        return self._tables[record.model][record.id][name]

    def create(self, model: str, values: Mapping[str, Plain], *, id: int | None = None) -> Record:
        """One new record. Required fields must be there, links must exist. `id` above all so far skips ids."""
        behaviour = self.behaviour(model)
        completed = dict(values)
        if "company_id" in self.models[model].fields and self.models[model].fields["company_id"].required:
            completed.setdefault("company_id", self.company)
        if behaviour.prepare is not None:
            behaviour.prepare(self, completed)
        self._last_ids[model] = self._last_ids[model] + 1 if id is None else id
        record = Record(self, model, self._last_ids[model])
        fields = self.models[model].fields
        row = self._defaults(model)
        row.update(create_date=self.now(), create_uid=self.user)
        self._put(model, record.id, row)
        self._assign(record, completed)
        for field in fields.values():
            if field.required and self._tables[model][record.id][field.name] in (None, ""):
                raise missing_value(field.label, field.name, self.models[model].title, model)
        if behaviour.created is not None:
            behaviour.created(record)
        return record

    def write(self, record: Record, values: Mapping[str, Plain]) -> None:
        """Change one record. Its `write_date` becomes the start of the running transaction."""
        if not self.exists(record.model, record.id):
            raise missing_record(record.model, record.id, self.user)
        self._assign(record, values)
        written = self.behaviour(record.model).written
        if written is not None:
            written(record, frozenset(values))

    def unlink(self, record: Record) -> None:
        """Delete one record. Links to it become empty."""
        if not self.exists(record.model, record.id):
            raise missing_record(record.model, record.id, self.user)
        self._put(record.model, record.id, None)
        for (model, field), holders in self._index.items():
            if self.models[model].fields[field].relation == record.model:
                for id in list(holders.get(record.id, ())):
                    self._put(model, id, {**self._tables[model][id], field: None})

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Take back every change made inside when it is left by an error. The outermost one is the transaction."""
        mark = len(self._undo)
        if self._depth == 0:
            self._moment = self._clock()
        self._depth += 1
        try:
            yield
        except BaseException:
            self._take_back(mark)
            raise
        finally:
            self._depth -= 1
            if self._depth == 0:
                self._undo.clear()
                self._moment = ""

    def dump(self) -> tuple[Tables, dict[str, int]]:
        """Everything stored: the rows by model and id, and the last id given in each model. Not to be changed."""
        return self._tables, self._last_ids

    def load(self, tables: Tables, last_ids: Mapping[str, int]) -> None:
        """Fill this empty database with what `dump` gave. Fields added since then get their defaults."""
        for model, table in tables.items():
            for id, row in table.items():
                self._put(model, id, {**self._defaults(model), **row})
            self._last_ids[model] = last_ids[model]
        self._undo.clear()

    def _defaults(self, model: str) -> Row:
        fields = self.models[model].fields.values()
        return {field.name: field.default for field in fields if field.type != "one2many" and field.name != "id"}

    def _assign(self, record: Record, values: Mapping[str, Plain]) -> None:
        fields = self.models[record.model].fields
        row = dict(self._tables[record.model][record.id])
        later: list[tuple[Field, Plain]] = []
        for name, value in values.items():
            field = fields.get(name)
            if field is None or name == "id":
                raise value_error(f"Invalid field '{name}' in '{record.model}'")
            if field.type in ("one2many", "many2many"):
                later.append((field, value))
            else:
                row[name] = coerce(self, record.model, field, value)
        row.update(write_date=self.now(), write_uid=self.user)
        self._put(record.model, record.id, row)
        for field, value in later:
            self._command(record, field, value)

    def _command(self, record: Record, field: Field, commands: Plain) -> None:
        """x2many commands: [0,0,vals] [1,id,vals] [2,id] [3,id] [4,id] [5] [6,0,ids]. No commands change nothing."""
        assert field.relation is not None
        linked = as_ids(record.get(field.name))
        for command in commands if isinstance(commands, list) else []:
            match command:
                case [0, _, dict(values)]:
                    extra: Row = {field.inverse: record.id} if field.inverse else {}
                    linked.append(self.create(field.relation, {**values, **extra}).id)
                case [1, int(id), dict(values)]:
                    self.write(Record(self, field.relation, id), values)
                case [2, int(id), *_]:
                    self.unlink(Record(self, field.relation, id))
                    linked = [other for other in linked if other != id]
                case [3, int(id), *_]:
                    linked = [other for other in linked if other != id]
                case [4, int(id), *_] | int(id):
                    linked = [*linked, id] if id not in linked else linked
                case [5, *_]:
                    linked = []
                case [6, _, list(ids)]:
                    linked = as_ids(ids)
                case _:
                    raise value_error(f"Wrong value for {record.model}.{field.name}: {commands!r}")
        self._relink(record, field, linked)

    def _relink(self, record: Record, field: Field, linked: list[int]) -> None:
        assert field.relation is not None
        for id in linked:
            if not self.exists(field.relation, id):
                raise missing_record(field.relation, id, self.user)
        if field.inverse is None:
            self._put(record.model, record.id, {**self._tables[record.model][record.id], field.name: list(linked)})
            return
        held = as_ids(record.get(field.name))
        for id in {*held, *linked}:
            if (id in held) != (id in linked):
                owner = record.id if id in linked else None
                self._put(field.relation, id, {**self._tables[field.relation][id], field.inverse: owner})

    def _take_back(self, mark: int) -> None:
        while len(self._undo) > mark:
            model, id, before = self._undo.pop()
            self._put(model, id, before)
            self._undo.pop()

    def _put(self, model: str, id: int, row: Row | None) -> None:
        before = self._tables[model].get(id)
        self._undo.append((model, id, before))
        self.changes += 1
        for name in self._indexed[model]:
            holders = self._index.setdefault((model, name), {})
            if before is not None:
                holders.get(_key(before.get(name)), {}).pop(id, None)
            if row is not None:
                holders.setdefault(_key(row.get(name)), {})[id] = None
        if row is None:
            del self._tables[model][id]
        else:
            self._tables[model][id] = row


def _key(value: Plain) -> Plain:
    return repr(value) if isinstance(value, list | dict) else value


def _sort_key(name: str) -> Callable[[Record], tuple[bool, str | float]]:
    def key(record: Record) -> tuple[bool, str | float]:
        value = record.get(name)
        if value is None or isinstance(value, list | dict):
            return True, 0
        return False, value

    return key
