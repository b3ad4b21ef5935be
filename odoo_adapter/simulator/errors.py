"""What a call on the simulator ends in when it fails: the name, the status and the body that Odoo 19 answers.

Every failure is one class, `Fault`; the functions below name the kinds. Their wording is Odoo's, so that a client that
reads names, statuses or texts meets what it will meet on a real server.
"""

from __future__ import annotations

from ruleset.sample import Plain

_PERMISSION = {"read": "access", "write": "modify", "create": "create", "unlink": "delete"}


class Fault(Exception):
    """A declined call: everything it did is taken back, and `body` is answered with `status`."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.name = name
        self.message = message

    def body(self) -> dict[str, Plain]:
        """The object that JSON-2 answers. Faults of the web server carry their status among the arguments."""
        arguments: list[Plain] = [self.message]
        if self.name.startswith("werkzeug."):
            arguments.append(self.status)
        return {
            "name": self.name,
            "message": self.message,
            "arguments": arguments,
            "context": {},
            "debug": f"(the simulator keeps no traceback) {self.name}: {self.message}",
        }


def user_error(message: str) -> Fault:
    return Fault(422, "odoo.exceptions.UserError", message)


def validation_error(message: str) -> Fault:
    return Fault(422, "odoo.exceptions.ValidationError", message)


def access_error(message: str) -> Fault:
    return Fault(403, "odoo.exceptions.AccessError", message)


def not_allowed(permission: str, title: str, model: str) -> Fault:
    """The caller lacks `permission` (read, write, create, unlink) on the whole model."""
    return access_error(
        f"You are not allowed to {_PERMISSION[permission]} '{title}' ({model}) records.\n\n"
        "Contact your administrator to request access if necessary."
    )


def missing_record(model: str, id: int, user: int) -> Fault:
    return Fault(
        404,
        "odoo.exceptions.MissingError",
        f"Record does not exist or has been deleted.\n(Record: {model}({id},), User: {user})",
    )


def missing_value(label: str, field: str, title: str, model: str) -> Fault:
    return validation_error(
        f"The operation cannot be completed: Missing required value for the field '{label}' ({field}).\n"
        f"Model: '{title}' ({model})\n- create/update: a mandatory field is not set\n"
        "- delete: another model requires the record being deleted, you can archive it instead\n"
    )


def value_error(message: str) -> Fault:
    """An error that Odoo's code did not foresee, such as an unknown field."""
    return Fault(500, "builtins.ValueError", message)


def not_an_id(value: Plain) -> Fault:
    return Fault(
        500, "psycopg2.errors.InvalidTextRepresentation", f'invalid input syntax for type integer: "{value}"\n'
    )


def not_found(message: str) -> Fault:
    return Fault(404, "werkzeug.exceptions.NotFound", message)


def unprocessable(message: str) -> Fault:
    """Arguments that do not fit the method."""
    return Fault(422, "werkzeug.exceptions.UnprocessableEntity", message)


def unauthorized(message: str) -> Fault:
    return Fault(401, "werkzeug.exceptions.Unauthorized", message)


def bad_request(message: str) -> Fault:
    return Fault(400, "werkzeug.exceptions.BadRequest", message)


def serialization_failure() -> Fault:
    """What is left after Odoo has run a method five times against the same conflict. Nothing was written."""
    return Fault(500, "psycopg2.errors.SerializationFailure", "could not serialize access due to concurrent update\n")
