"""What the package raises.

RuleError   a file that the plant edits is wrong; carries every problem found, each with file, line and column
"""

from __future__ import annotations

from ruleset.problem import Problem


class RuleError(Exception):
    """The files are wrong. The text is one line per problem."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
