"""The JUnit report of rule tests, as continuous integration reads it: a suite a file, a case a test."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final
from xml.etree import ElementTree

from ruleset.testing.verdict import Verdict, told

_FORBIDDEN: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML can hold, as a text of the floor may."""


def junit(verdicts: Sequence[Verdict], seconds: Mapping[str, float]) -> str:
    """The report as XML. `seconds` is how long each test took, by its name."""
    root = ElementTree.Element("testsuites", name="uns-bridge rules test")
    for file, members in groupby(verdicts, key=lambda each: each.test.file):
        cases = list(members)
        suite = ElementTree.SubElement(root, "testsuite", {"name": file, **_counts(cases, seconds)})
        for each in cases:
            case = ElementTree.SubElement(
                suite,
                "testcase",
                name=each.test.name,
                classname=file.removesuffix(".yaml").replace("/", "."),
                file=file,
                line=str(each.test.line),
                time=f"{seconds[each.test.name]:.3f}",
            )
            if not each.passed:
                lines = [_FORBIDDEN.sub("?", line) for line in told(each)]
                failure = ElementTree.SubElement(case, "failure", message=lines[0])
                failure.text = "\n".join(lines)
    root.attrib.update(_counts(verdicts, seconds))
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _counts(verdicts: Sequence[Verdict], seconds: Mapping[str, float]) -> dict[str, str]:
    failed = sum(not each.passed for each in verdicts)
    time = sum(seconds[each.test.name] for each in verdicts)
    return {"tests": str(len(verdicts)), "failures": str(failed), "errors": "0", "skipped": "0", "time": f"{time:.3f}"}
