"""Faults on demand, for demonstrations and tests: what a real server does on a bad day, at a time of our choosing."""

from __future__ import annotations

from dataclasses import dataclass, fields

from odoo_adapter.simulator.errors import bad_request
from ruleset.sample import Plain


@dataclass(slots=True)
class Faults:
    """What goes wrong now. Numbers of calls count down, and apply to writing calls only, but for `delay_ms`.

    `away`: every call is answered by the 404 page of a database that is not usable. `delay_ms`: calls wait so long
    before they begin. `timeout_before_commit`, `timeout_after_commit`: so many next calls are never answered, and the
    connection is closed; the first kind does nothing, the second everything. `serialization_failures`: so many next
    calls end in Odoo's 500 after its retries; they do nothing. `refusals`: so many next calls are declined, as by a
    rule of the company; they do nothing. `spare`: so many writing calls go well before those.
    """

    away: bool = False
    delay_ms: int = 0
    timeout_before_commit: int = 0
    timeout_after_commit: int = 0
    serialization_failures: int = 0
    refusals: int = 0
    spare: int = 0

    def set(self, wanted: Plain) -> None:
        """Take over the settings that are named; `{}` changes nothing. Raises Odoo's 400 for anything else."""
        types = {field.name: type(getattr(self, field.name)) for field in fields(self)}
        if not isinstance(wanted, dict):
            raise bad_request("faults are an object")
        for name, value in wanted.items():
            if name not in types or type(value) is not types[name] or (isinstance(value, int) and value < 0):
                raise bad_request(f"{name}: {value!r} is none of the faults {', '.join(types)}")
        for name, value in wanted.items():
            setattr(self, name, value)

    def shown(self) -> dict[str, Plain]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def take(self, name: str) -> bool:
        """Whether this counted fault strikes now; if it does, it strikes once less."""
        left = getattr(self, name)
        if left > 0:
            setattr(self, name, left - 1)
        return bool(left > 0)
