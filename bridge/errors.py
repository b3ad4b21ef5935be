"""What the package raises.

ConfigError   the operator wrote something wrong; carries every problem found; the process does not start, exit 2
"""

from __future__ import annotations

from ruleset.problem import Problem


class ConfigError(Exception):
    """Files or settings are wrong. The text is one line per problem."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
