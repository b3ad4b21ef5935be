"""What a trace says of a rule's form: where in the rule each expression stands, and the rule's times and numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Final

from ruleset.cel import Expression

FORMS: Final = {"Alarm": "raise", "Occurrence": "event", "Ending": "at_end_of"}
"""The key that tells a form, where that is not the name of its class."""
WORDS: Final = {
    "classes": "classify",
    "needs": "need",
    "values": "with",
    "branches": "do",
    "enough": "or",
    "posting": "",
    "that": "",
    "then": "",
    "parts": "",
    "otherwise": "else",
}
"""What a field of a form is called in a rule file, where that is another word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """Of one form. `places` are by the identity of the expressions, which live as long as the form does."""

    form: str = ""
    event: str = ""
    places: Mapping[int, str] = field(default_factory=dict)
    settings: Mapping[str, int] = field(default_factory=dict)

    def place(self, expression: Expression) -> str:
        return self.places.get(id(expression), "")


def outline(form: object) -> Outline:
    """Read a form: every expression in it, however deep, and its own whole numbers."""
    word = FORMS.get(type(form).__name__, type(form).__name__.lower())
    places: dict[int, str] = {}
    settings: dict[str, int] = {}
    event = ""
    for name, value in _fields(form):
        if isinstance(value, int) and not isinstance(value, bool) and value:
            settings[name] = value
        elif name == "event":
            event = str(value)
        for expression, place in _expressions(value, word if (word, name) == ("raise", "when") else _word(name)):
            places.setdefault(id(expression), place)
    return Outline(form=word, event=event, places=places, settings=settings)


def outlines(forms: Iterable[object]) -> dict[int, Outline]:
    """By the identity of the forms, which equipment of one kind shares."""
    return {identity: outline(form) for identity, form in {id(each): each for each in forms}.items()}


def _expressions(value: object, place: str) -> Iterator[tuple[Expression, str]]:
    if isinstance(value, Expression):
        yield value, place
    elif isinstance(value, tuple):
        for number, each in enumerate(value, start=1):
            yield from _expressions(each, _joined(place, str(number)))
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from _expressions(each, _joined(place, str(name)))
    else:
        for name, each in _fields(value):
            inner = "" if name == "when" and place else _word(name)
            yield from _expressions(each, _joined(place, inner))


def _fields(value: object) -> Iterator[tuple[str, object]]:
    if is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            yield each.name, getattr(value, each.name)


def _word(name: str) -> str:
    return WORDS.get(name, name)


def _joined(place: str, inner: str) -> str:
    return f"{place} {inner}".strip()
