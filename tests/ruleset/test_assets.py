from __future__ import annotations

from pathlib import Path

from ruleset.assets import read_assets
from ruleset.codes import read_codes
from ruleset.equipment import (
    Assets,
    DataSetBinding,
    DocumentBinding,
    EventSignal,
    Field,
    GroupBinding,
    MetricBinding,
    Role,
    Signal,
    ValueType,
)
from ruleset.problem import Problems

DEMO = Path(__file__).parents[2] / "bridge" / "demo" / "plant"
CODES = {"units": {"pcs": "Units", "kg": "kg"}}
HEAD = "enterprise: acme\nsite: berlin\ntimezone: Europe/Berlin\ncompany: 1\n"


def read(text: str) -> tuple[Assets | None, list[str]]:
    problems = Problems()
    assets = read_assets("assets.yaml", text, CODES, problems)
    return assets, [str(problem) for problem in problems.all]


def read_well(text: str) -> Assets:
    assets, problems = read(HEAD + text)
    assert problems == []
    assert assets is not None
    return assets


def test_the_demonstration_plant_is_read() -> None:
    problems = Problems()
    codes = read_codes("codes.yaml", (DEMO / "codes.yaml").read_text(), problems)
    assets = read_assets("assets.yaml", (DEMO / "assets.yaml").read_text(), codes, problems)

    assert problems.all == ()
    assert assets is not None
    assert sorted(assets.equipment) == [
        "acme/berlin/machining/press-1",
        "acme/berlin/machining/press-2",
        "acme/berlin/packaging/line-1",
        "acme/berlin/quality/station-1",
    ]
    press = assets.equipment["acme/berlin/machining/press-2"]
    assert (press.group, press.node, press.device, press.work_center) == (
        "acme-berlin",
        "machining",
        "press-2",
        "PRESS-2",
    )


def test_every_form_of_signal_is_read() -> None:
    assets = read_well(
        """
types:
  press:
    signals:
      good: {metric: Counters/Good, type: integer, role: counter, unit: pcs, rollover: 65536}
      scrap: {group: Scrap, number: Number, fields: {order: text, qty: {type: number, unit: kg}}}
      check: {dataset: Checks, fields: {lot: {type: text, optional: true}}}
      finished: {document: finished, fields: {consumed: {list: {product: text, qty: number}}}}
equipment:
  body/line-3/press-1: {type: press, source: {group: g, node: n}}
"""
    )
    equipment = assets.equipment["acme/berlin/body/line-3/press-1"]

    assert equipment.signals == {
        "good": Signal(
            name="good",
            type=ValueType.INTEGER,
            role=Role.COUNTER,
            binding=MetricBinding("Counters/Good"),
            unit="pcs",
            rollover=65536,
        ),
        "scrap": EventSignal(
            name="scrap",
            binding=GroupBinding(group="Scrap", number="Number"),
            fields=(Field(name="order", type=ValueType.TEXT), Field(name="qty", type=ValueType.NUMBER, unit="kg")),
        ),
        "check": EventSignal(
            name="check",
            binding=DataSetBinding("Checks"),
            fields=(Field(name="lot", type=ValueType.TEXT, optional=True),),
        ),
        "finished": EventSignal(
            name="finished",
            binding=DocumentBinding("finished"),
            fields=(
                Field(
                    name="consumed",
                    type=None,
                    items=(Field(name="product", type=ValueType.TEXT), Field(name="qty", type=ValueType.NUMBER)),
                ),
            ),
        ),
    }


def test_ranges_are_multiplied_and_filled_into_every_text() -> None:
    assets = read_well(
        """
types:
  oven: {signals: {state: {metric: "Oven{n}/State", type: text, role: state}}}
equipment:
  heat/line-{l:1..2}/oven-{n:08..10}:
    type: oven
    source: {group: heat, node: "plc-{l}"}
    work_center: "OVEN-{l}-{n}"
"""
    )

    assert len(assets.equipment) == 6
    oven = assets.equipment["acme/berlin/heat/line-2/oven-09"]
    assert (oven.node, oven.work_center) == ("plc-2", "OVEN-2-09")
    assert oven.signals["state"].binding == MetricBinding("Oven09/State")


def test_a_hundred_equal_presses_are_a_few_lines() -> None:
    assets = read_well(
        """
types: {press: {signals: {state: {metric: State, type: text}}}}
equipment:
  "hall/press-{n:1..100}": {type: press, source: {group: g, node: n, device: "p{n}"}}
"""
    )

    assert len(assets.equipment) == 100
    assert assets.equipment["acme/berlin/hall/press-100"].device == "p100"


def test_an_equipment_may_have_signals_of_its_own() -> None:
    assets = read_well(
        """
types: {press: {signals: {state: {metric: State, type: text}}}}
equipment:
  hall/press-1: {type: press, source: {group: g, node: n}, signals: {state: {metric: Mode, type: integer}}}
"""
    )

    assert assets.equipment["acme/berlin/hall/press-1"].signals["state"].binding == MetricBinding("Mode")


def test_an_equipment_with_documents_only_needs_no_source() -> None:
    assets = read_well(
        """
types: {mes: {signals: {note: {document: note, fields: {text: text}}}}}
equipment: {office/mes: {type: mes}}
"""
    )

    assert assets.equipment["acme/berlin/office/mes"].group is None


def test_a_problem_of_a_range_is_told_once_and_not_per_member() -> None:
    _, problems = read(
        HEAD
        + """types: {press: {signals: {state: {metric: State, type: text}}}}
equipment:
  hall/press-{n:1..50}: {type: press, source: {group: g, node: n}}
"""
    )

    assert problems == [
        'assets.yaml:7:3: the metric "State" of g/n feeds two signals: acme/berlin/hall/press-1: state and '
        "acme/berlin/hall/press-2: state"
    ]


def test_units_are_not_checked_where_the_code_tables_cannot_be_read() -> None:
    problems = Problems()
    text = "types: {a: {signals: {x: {metric: X, type: number, unit: furlong}}}}\nequipment: {}\n"
    assets = read_assets("assets.yaml", HEAD + text, None, problems)

    assert problems.all == ()
    assert assets is not None
