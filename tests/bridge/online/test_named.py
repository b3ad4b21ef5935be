"""The names that a folder's files hold, with their places and the ranges that they stand in."""

from __future__ import annotations

from bridge.online.named import read_names
from ruleset.problem import Problems

ASSETS = """\
company: 1
equipment:
  machining/press-{n:1..3}:
    work_center: "PRESS-{n}"
  packaging/line-1: {serial_number: UNS-PACK-1}
"""
CODES = """\
units: {pcs: Units, mm/s: ""}
fault_reason: {E12: breakdown, E13: tool_change}
bad_reason: {S01: Short shot}
other: {S01: Not a reason}
part: {P1: RESIN-A}
losses: {tool_change: Tool change}
"""
RULES = """\
- {rule: scrap, do: production.scrap, with: {reason: "codes.bad_reason[scrap.reason]"}}
- {rule: waste, wait: {for: x}, do: [{post: production.scrap, with: {product: "codes.part[w.part]"}}]}
- {rule: dust, do: production.scrap, with: {product: "'DUST'"}}
- {rule: stop, do: downtime.record, classify: [{when: "true", loss: "'unclassified'"}]}
"""


def test_each_name_is_found_where_it_stands() -> None:
    names = read_names({"assets.yaml": ASSETS, "codes.yaml": CODES, "rules/a.yaml": RULES}, Problems())

    assert [(node.place, found) for node, found in names.work_centers] == [
        ("assets.yaml:4:18", ("PRESS-1", "PRESS-2", "PRESS-3"))
    ]
    assert [found for _, found in names.serial_numbers] == [("UNS-PACK-1",)]
    assert [(floor, unit) for floor, _, unit in names.units] == [("pcs", "Units")]
    assert [(node.place, loss) for node, loss in names.losses] == [
        ("codes.yaml:2:21", "breakdown"),
        ("rules/a.yaml:4:69", "unclassified"),
    ]
    assert [(node.place, name) for node, name in names.loss_names] == [("codes.yaml:6:23", "Tool change")]
    assert [reason for _, reason in names.scrap_reasons] == ["Short shot"]
    assert [(node.place, codes) for node, codes in names.products] == [
        ("codes.yaml:5:12", ("RESIN-A",)),
        ("rules/a.yaml:3:54", ("DUST",)),
    ]
