"""What the package raises.

ConfigError   the operator wrote something wrong; carries every problem found; the process does not start, exit 2
SecretMissing a secret is not where bridge.yaml says; an `OSError`, as for any file that is not there
NotDurable    the store could lose what it confirmed, and bridge.yaml does not accept that; nothing starts, exit 2
"""

from __future__ import annotations

from ruleset.problem import Problem


class ConfigError(Exception):
    """Files or settings are wrong. The text is one line per problem."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class NotDurable(Exception):
    """The store could lose a commit that it confirmed. `weaknesses` says why, a sentence each."""

    def __init__(self, weaknesses: tuple[str, ...]) -> None:
        mend = "mend the store, or accept it with `redis: {accept_weak_durability: true}` in bridge.yaml"
        super().__init__("\n".join([*weaknesses, mend]))
        self.weaknesses = weaknesses


class SecretMissing(OSError):
    """A secret is not where `bridge.yaml` says. The text has the place there, never the secret."""
