"""rules/*.yaml, made of the tables that its reader uses: forms with their keys, and actions with their values."""

from __future__ import annotations

from typing import Final

from ruleset.form.moment import OnError
from ruleset.form.vocabulary import ACTIONS, PROGRESS, Want
from ruleset.grammar.form import READERS
from ruleset.grammar.posting import RUNNING, WHILE_OPEN
from ruleset.grammar.template import TEMPLATE_KEYS, USE_KEYS, ParameterType
from ruleset.track.delta import Per
from tests.schema.piece import (
    DRAFT,
    Schema,
    choice,
    described,
    duration,
    expression,
    mapping,
    one_or_some,
    some,
    table,
    text,
    whole,
)

RULE_NAME: Final = "^[a-z0-9][a-z0-9_-]*$"
_WANTS: Final = {
    Want.TEXT: "An expression that gives a text; a text itself stands in single quotes inside.",
    Want.QUANTITY: "An expression that gives a number. Its unit is that of the signal or field that it is, or `unit`.",
    Want.TIME: "An expression that gives a moment in milliseconds, such as `started`.",
    Want.PRIORITY: "An expression that gives 0, 1, 2 or 3.",
    Want.CONSUMED: "A list field of the event whose members have product, qty, unit and perhaps lot.",
    Want.BYPRODUCTS: "A list field of the event whose members have product, qty, unit and perhaps lot.",
    Want.NAMES: "A list of names.",
    Want.ANSWERS: "A list field of the event with what was measured or answered.",
    Want.SHORT: "'close' or 'backorder': what becomes of the rest when less was made than ordered.",
}
_CONDITION: Final = expression("A condition in CEL over signals, event fields and codes.")
_NEED: Final = some(
    mapping(
        {"that": _CONDITION, "else": text("The reason of the dead letter; `{expression}` is filled in.")},
        {"that", "else"},
    ),
    "What must hold for the posting; else the fact is a dead letter with the reason given.",
)
_WITH: Final = table(expression(), "The action's values, as expressions.")
_LASTING: Final = {"when": _CONDITION, "for": duration("How long it must have been true.")}
_DELTA: Final = mapping(
    {
        "delta": text("A signal that is a number."),
        "over": duration("The length of the window: how much it changed in this time."),
        "per": choice(Per, "How much it changed in the shift that is on, or for the order that runs."),
    },
    {"delta"},
)
_CLASS: Final = mapping({"when": _CONDITION, "loss": expression("The loss category, a text.")}, {"when", "loss"})
_BRANCH: Final = mapping(
    {
        "when": _CONDITION,
        "post": choice(ACTIONS, "The action that is posted where this line decides."),
        "with": _WITH,
        "need": _NEED,
        "alert": text("A text for a person, where this line decides; `{expression}` is filled in."),
    },
    {"when"},
)
_ORDER: Final = described(
    {"anyOf": [{"const": RUNNING}, {"type": "string"}]},
    "The order that the fact belongs to: `running`, or an expression such as `scrap.order`.",
)
_ONCE: Final = described(
    {"anyOf": [{"const": WHILE_OPEN}, duration()]}, "`while_open`, or how long it keeps quiet after a posting."
)
KEYS: Final = {
    "rule": described({"type": "string", "pattern": RULE_NAME}, "The rule's name, once in the plant."),
    "assets": text('For which equipment, relative to the site: "*" is all that has the signals, else a pattern.'),
    "do": choice([*ACTIONS, PROGRESS], "The action that is posted."),
    "with": _WITH,
    "need": _NEED,
    "order": _ORDER,
    "alert": text("Instead of `do`: a text for a person; `{expression}` is filled in."),
    "event": text("The event signal whose occurrences the rule is about."),
    "when": _CONDITION,
    "once": _ONCE,
    "track": table(_DELTA, "Names for what signals did over time.", names="^[a-z][a-z0-9_]*$"),
    "at_end_of": choice(Per, "Told or posted when a shift or an order is over."),
    "on_error": choice(OnError, "What becomes of what the rule cannot decide."),
    "stale": choice(["suspend", "fire"], "What timers do while the equipment is away: wait, or run all the same."),
    "collect": table(
        mapping({"delta": text("A signal with `role: counter`.")}, {"delta"}), "What is counted, under own names."
    ),
    "post": mapping(
        {
            "every": duration("So long after the first unposted piece."),
            "or": expression("As soon as this holds over the collected names."),
            "and_when_changes": some(text(), "Signals whose change posts what is there; `order` is the running order."),
        },
        description="When to post what was counted.",
    ),
    "episode": mapping(
        {
            "open": expression("It begins when this is true."),
            "close": expression("It ends when this is true; without it, when `open` is false."),
            "merge_gaps": duration("If it opens again within this time it is one episode."),
        },
        {"open"},
        "A stretch of time, posted when it is over.",
    ),
    "micro": duration("A shorter episode is not posted, but totalled."),
    "classify": some(_CLASS, "The first line that holds gives the loss."),
    "at_open": mapping(
        {"do": choice(["downtime.open", "capacity.block"]), "with": _WITH, "need": _NEED},
        {"do"},
        "Posted while the episode lasts; `do` then posts its end.",
    ),
    "raise": mapping(
        {
            **_LASTING,
            "without": one_or_some(text(), "Signals or events of which nothing may come in the time of `for`."),
        },
        {"when"},
        "One posting when this has been true for so long.",
    ),
    "clear": mapping(_LASTING, {"when"}, "The next posting only after this has been true."),
    "count": mapping(
        {
            "by": some(text("A field of the event."), "Events with equal values are counted together."),
            "at_least": whole("So many make a posting ..."),
            "within": duration("... within this time."),
        },
        {"at_least", "within"},
        "So many occurrences within a time.",
    ),
    "wait": mapping(
        {
            "for": text("The event, of any equipment, that decides."),
            "match": expression("Whether it is about this occurrence."),
            "at_most": duration("After this time an alert is given; the wait stays open."),
        },
        {"for", "match", "at_most"},
        "Another event decides what becomes of the occurrence.",
    ),
    "template": described({"type": "string", "pattern": RULE_NAME}, "The template's name; rules `use` it."),
    "use": text("The template that the rule is made of."),
    "override": some(
        mapping(
            {"assets": text("A pattern for some of the rule's equipment."), "parameters": table({})},
            {"assets", "parameters"},
        ),
        "Other parameters for some of the equipment; a later line goes before an earlier one.",
    ),
}
"""Every key of a rule, whatever its form."""

_DECLARED: Final = table(
    mapping(
        {
            "type": choice(ParameterType, "What its value is."),
            "unit": text("The unit of a number, one of the table `units`."),
            "default": described({"type": ["string", "number", "boolean"]}, "Without it each use must give a value."),
        },
        {"type"},
    ),
    "What may differ, read in the body as `param.<name>`.",
    names="^[a-z][a-z0-9_]*$",
)
_GIVEN: Final = table({"type": ["string", "number", "boolean"]}, "Values for the template's parameters.")


def rules() -> Schema:
    forms = [_form(form, {"rule", "assets"}) for form in READERS]
    templates = [_form(form, set(TEMPLATE_KEYS), {"template"}) for form in READERS]
    use = mapping({key: {"$ref": f"#/definitions/{key}"} for key in sorted(USE_KEYS)}, {"rule", "use", "assets"})
    use["properties"]["parameters"] = _GIVEN
    return {
        "$schema": DRAFT,
        "title": "Rules of a plant",
        "description": "When something that happened on the floor becomes a transaction in Odoo: docs/rules.md",
        "definitions": KEYS,
        "type": ["array", "null"],
        "items": {"type": "object", "anyOf": [*forms, use, *templates], "allOf": [_action(each) for each in ACTIONS]},
    }


def _form(form: str, own: set[str], needed: set[str] | None = None) -> Schema:
    """The keys of one form, with those of a rule's, or a template's, head."""
    reader = READERS[form]
    keys = sorted(reader.allowed | reader.required | own)
    schema = mapping(
        {key: {"$ref": f"#/definitions/{key}"} for key in keys}, reader.required | {form} | (needed or own)
    )
    if "parameters" in schema["properties"]:
        schema["properties"]["parameters"] = _DECLARED
    if form == "wait":
        schema["properties"]["do"] = some(_BRANCH, "The first line whose condition holds decides.")
    if "alert" in reader.allowed:
        schema["oneOf"] = [{"required": ["do"]}, {"required": ["alert"]}]
    return {"title": form, **schema}


def _action(action: str) -> Schema:
    """What `with` holds where `do` is this action."""
    parameters = ACTIONS[action].parameters
    values = {key: expression(_WANTS[each.want]) for key, each in parameters.items()}
    unit = {"unit": text("What the quantity is in, or is converted to.")} if ACTIONS[action].has_unit else {}
    required = [key for key, each in parameters.items() if each.required]
    given = mapping({**values, **unit}, required, f"The values of {action}.")
    return {
        "if": {"properties": {"do": {"const": action}}, "required": ["do"]},
        "then": {"properties": {"with": given}, **({"required": ["with"]} if required else {})},
    }
