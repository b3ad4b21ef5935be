"""What the package raises.

ConfigError   the operator wrote something wrong; carries every problem found; the process does not start, exit 2
SecretMissing a secret is not where bridge.yaml says; an `OSError`, as for any file that is not there
StartRefused  what is around the bridge is not fit to work on; the text says what accepts it; nothing starts, exit 2
  NotDurable    the store could lose what it confirmed, and bridge.yaml does not accept that
PartFailed    a part of the running bridge ended unforeseen: a defect; the process stops in order, exit 1
"""

from __future__ import annotations

from ruleset.problem import Problem


class ConfigError(Exception):
    """Files or settings are wrong. The text is one line per problem."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class StartRefused(Exception):
    """The bridge does not begin on what is around it. The text is a sentence with the mend, or what accepts it."""


class NotDurable(StartRefused):
    """The store could lose a commit that it confirmed. `weaknesses` says why, a sentence each."""

    def __init__(self, weaknesses: tuple[str, ...]) -> None:
        mend = "mend the store, or accept it with `redis: {accept_weak_durability: true}` in bridge.yaml"
        super().__init__("\n".join([*weaknesses, mend]))
        self.weaknesses = weaknesses


class SecretMissing(OSError):
    """A secret is not where `bridge.yaml` says. The text has the place there, never the secret."""


class PartFailed(Exception):
    """A part of the bridge ended while it should have worked on. Its cause, where there is one, is the defect."""

    def __init__(self, part: str, cause: Exception | None = None) -> None:
        super().__init__(f"{part} failed: {type(cause).__name__}: {cause}" if cause else f"{part} ended by itself")
        self.part = part


def first_of(error: BaseException) -> BaseException:
    """The error that ended a task group, however deep it lies: the others in it are its consequence."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
