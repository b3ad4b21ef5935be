"""What stands at the end, as the reference says it and as it is read from Odoo: two books that must be equal."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

Amount = float | str


@dataclass(frozen=True, slots=True)
class Books:
    """`amounts` have one value each; `records` are counted: one stands as often as it should, or not."""

    amounts: dict[str, Amount] = field(default_factory=dict)
    records: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, quantity: float) -> None:
        """Add to an amount. One that comes to nothing is not listed."""
        total = round(float(self.amounts.get(name, 0)) + quantity, 6)
        self.amounts[name] = total
        if not total:
            del self.amounts[name]


@dataclass(frozen=True, slots=True)
class Differences:
    """Where what was found is not what was expected, each with its name."""

    wrong: tuple[str, ...]
    doubled: tuple[str, ...]
    missing: tuple[str, ...]

    def __str__(self) -> str:
        return f"wrong {len(self.wrong)}, doubled {len(self.doubled)}, missing {len(self.missing)}"

    @property
    def told(self) -> list[str]:
        """Each difference as a line."""
        return [
            *(f"wrong: {one}" for one in self.wrong),
            *(f"doubled: {one}" for one in self.doubled),
            *(f"missing: {one}" for one in self.missing),
        ]


def differences(expected: Books, found: Books) -> Differences:
    """Compare the books. A record that nobody expected counts as doubled: something took effect once too often."""
    names = sorted({*expected.amounts, *found.amounts})
    wrong = tuple(
        f"{name} is {found.amounts.get(name)}, not {expected.amounts.get(name)}"
        for name in names
        if found.amounts.get(name) != expected.amounts.get(name)
    )
    doubled = found.records - expected.records
    missing = expected.records - found.records
    return Differences(wrong, tuple(sorted(doubled.elements())), tuple(sorted(missing.elements())))
