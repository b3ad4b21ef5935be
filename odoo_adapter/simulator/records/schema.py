"""What a model is: its fields, as a table of text, and what this simulator does when its records change.

A field table begins with `[model] Title | access of the integration user | order` and has one field per line:
`name type[:relation[.inverse]] [required] [readonly] [indexed] [=default]`; a selection lists its values after `|`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from ruleset.sample import Plain

if TYPE_CHECKING:
    from odoo_adapter.simulator.records.database import Database
    from odoo_adapter.simulator.records.record import Record

Row: TypeAlias = "dict[str, Plain]"
"""One stored record: a value per stored field. Empty is None, a link is an id, links are a list of ids."""

TYPES = frozenset(
    {"char", "text", "html", "integer", "float", "boolean", "date", "datetime", "selection"}
    | {"many2one", "one2many", "many2many", "many2one_reference", "reference"}
)

_STANDARD = """
display_name char readonly
create_date datetime readonly
write_date datetime readonly
create_uid many2one:res.users readonly
write_uid many2one:res.users readonly
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field. `inverse` is the many2one of `relation` that a one2many is read through."""

    name: str
    type: str
    relation: str | None = None
    inverse: str | None = None
    required: bool = False
    readonly: bool = False
    indexed: bool = False
    default: Plain = None
    selection: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return self.name.removesuffix("_ids").removesuffix("_id").replace("_", " ").capitalize()


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model. `access` holds what the integration user may do, from `crwu` (create, read, write, unlink)."""

    name: str
    title: str
    fields: Mapping[str, Field]
    access: str = "r"
    order: str = "id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One RPC call on `model`: its named arguments and its context."""

    model: str
    arguments: Mapping[str, Plain]
    context: Mapping[str, Plain]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A public method beyond the general ones. `run` gets the records of `ids`; `on_model` tells that it takes none."""

    run: Callable[[Database, list[Record], Call], Plain]
    parameters: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    on_model: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What a model does of its own.

    `computed` fields are worked out at each read. `prepare` completes the values of a new record; `created` and
    `written` run after the row stands; `written` gets the names of the fields that were written.
    """

    computed: Mapping[str, Callable[[Record], Plain]] = field(default_factory=dict)
    prepare: Callable[[Database, Row], None] | None = None
    created: Callable[[Record], None] | None = None
    written: Callable[[Record, frozenset[str]], None] | None = None
    methods: Mapping[str, Method] = field(default_factory=dict)


def parse_models(text: str) -> dict[str, Model]:
    """Read field tables, each under `[model] Title | access | order`. A mistake is a `ValueError`."""
    models: dict[str, Model] = {}
    for block in text.strip().split("\n\n"):
        head, _, table = block.partition("\n")
        name, _, rest = head.removeprefix("[").partition("] ")
        title, access, order = (part.strip() for part in rest.split("|"))
        fields = {"id": Field(name="id", type="integer", readonly=True)}
        for line in f"{_STANDARD}{table}".splitlines():
            if line.strip():
                parsed = _field(line.strip())
                fields[parsed.name] = parsed
        models[name] = Model(name=name, title=title, fields=fields, access=access, order=order)
    return models


def related(path: str) -> Callable[[Record], Plain]:
    """A computed field that shows another record's value: `product_id.tracking`."""

    def value(record: Record) -> Plain:
        found = record.reach(path, by_name=False)
        return found[0][0] if found else None

    return value


def _field(line: str) -> Field:
    head, _, choices = line.partition("|")
    name, kind, *words = head.split()
    kind, _, target = kind.partition(":")
    if kind not in TYPES:
        raise ValueError(f"{line}: {kind} is not a field type")
    relation, inverse = target, ""
    if kind == "one2many":
        relation, _, inverse = target.rpartition(".")
    default = next((word[1:] for word in words if word.startswith("=")), None)
    return Field(
        name=name,
        type=kind,
        relation=relation or None,
        inverse=inverse or None,
        required="required" in words,
        readonly="readonly" in words,
        indexed="indexed" in words or kind == "many2one",
        default=_default(kind, default),
        selection=tuple(choices.split()),
    )


def _default(kind: str, text: str | None) -> Plain:
    match kind:
        case "boolean":
            return text == "true"
        case "integer" | "many2one_reference":
            return int(text or 0)
        case "float":
            return float(text or 0)
        case "many2many":
            return []
        case "many2one":
            return int(text) if text else None
        case _:
            return text
