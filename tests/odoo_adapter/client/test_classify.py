"""Each failure has one meaning. Faults are those that a real Odoo 19 gave."""

from __future__ import annotations

import aiohttp
import pytest

from odoo_adapter.client.classify import Answer, classify
from odoo_adapter.errors import KeyRefused, Refused, Unavailable, Uncertain


def fault(status: int, name: str, message: str = "No.") -> Answer:
    return Answer(status, {"name": name, "message": message, "arguments": [message], "debug": "Traceback: secret"})


@pytest.mark.parametrize(
    ("failure", "writing", "reading"),
    [
        (aiohttp.ConnectionTimeoutError(), Unavailable, Unavailable),
        (aiohttp.InvalidURL("odoo"), Unavailable, Unavailable),
        (TimeoutError(), Uncertain, Unavailable),
        (aiohttp.ServerTimeoutError(), Uncertain, Unavailable),
        (aiohttp.ServerDisconnectedError(), Uncertain, Unavailable),
        (aiohttp.ClientPayloadError(), Uncertain, Unavailable),
        (ConnectionResetError(), Uncertain, Unavailable),
        (Answer(404, None), Unavailable, Unavailable),
        (Answer(302, None), Unavailable, Unavailable),
        (Answer(407, None), Unavailable, Unavailable),
        (Answer(413, None), Unavailable, Unavailable),
        (Answer(429, None), Unavailable, Unavailable),
        (Answer(503, None), Unavailable, Unavailable),
        (Answer(500, None), Uncertain, Unavailable),
        (Answer(502, None), Uncertain, Unavailable),
        (Answer(504, None), Uncertain, Unavailable),
        (Answer(200, None), Uncertain, Unavailable),
        (fault(401, "werkzeug.exceptions.Unauthorized", "Invalid apikey"), KeyRefused, KeyRefused),
        (fault(500, "psycopg2.errors.SerializationFailure"), Unavailable, Unavailable),
        (fault(500, "psycopg2.errors.DeadlockDetected"), Unavailable, Unavailable),
        (fault(500, "psycopg2.errors.LockNotAvailable"), Unavailable, Unavailable),
        (fault(500, "psycopg2.errors.ReadOnlySqlTransaction"), Unavailable, Unavailable),
        (fault(500, "psycopg2.errors.DiskFull"), Unavailable, Unavailable),
        (fault(500, "builtins.MemoryError"), Unavailable, Unavailable),
        (fault(500, "psycopg2.OperationalError"), Uncertain, Unavailable),
        (fault(500, "psycopg2.errors.AdminShutdown"), Uncertain, Unavailable),
        (fault(403, "odoo.exceptions.AccessError"), Refused, Refused),
        (fault(404, "werkzeug.exceptions.NotFound"), Refused, Refused),
        (fault(422, "odoo.exceptions.UserError"), Refused, Refused),
        (fault(422, "odoo.exceptions.ValidationError"), Refused, Refused),
        (fault(500, "builtins.ValueError"), Refused, Refused),
    ],
    ids=str,
)
def test_a_failure_means(failure: Exception | Answer, writing: type, reading: type) -> None:
    assert type(classify(failure, writes=True)) is writing
    assert type(classify(failure, writes=False)) is reading


def test_the_code_is_odoos_error_class_and_the_reason_its_message() -> None:
    refused = classify(fault(422, "odoo.exceptions.UserError", "No.\n\nNot today."), writes=True)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.reason) == ("UserError", "No. Not today.")


def test_neither_a_traceback_nor_the_actions_code_reaches_people() -> None:
    message = "TypeError('x') while evaluating\n'# UNS bridge inbox ...'"
    assert str(classify(fault(500, "builtins.ValueError", message), writes=True)) == "ValueError: TypeError('x')"
    assert "secret" not in str(classify(fault(500, "builtins.KeyError"), writes=True))


def test_a_long_message_is_cut() -> None:
    refused = classify(fault(422, "odoo.exceptions.UserError", "x" * 9000), writes=True)
    assert len(str(refused)) < 600


def test_a_wrong_key_is_asked_for_again_only_after_a_minute() -> None:
    failure = classify(fault(401, "werkzeug.exceptions.Unauthorized", "Invalid apikey"), writes=True)
    assert isinstance(failure, Unavailable)
    assert failure.retry_after_ms == 60_000
    assert "make a new key" in str(failure)


@pytest.mark.parametrize(
    ("status", "pause_ms"),
    [(404, None), (302, None), (413, None), (429, None), (503, None), (401, 60_000), (403, 60_000), (407, 60_000)],
)
def test_only_what_is_not_allowed_pauses_longer_than_the_plant_says(status: int, pause_ms: int | None) -> None:
    failure = classify(Answer(status, None), writes=True)
    assert isinstance(failure, Unavailable)
    assert failure.retry_after_ms == pause_ms


@pytest.mark.parametrize("status", [429, 503])
def test_the_pause_that_a_server_asks_for_is_kept_to(status: int) -> None:
    failure = classify(Answer(status, None, pause_ms=7_000), writes=True)
    assert isinstance(failure, Unavailable)
    assert failure.retry_after_ms == 7_000


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            Answer(302, None, location="https://sso.plant/login?token=hunter2"),
            "the Odoo address answers with a redirect (302) to https://sso.plant/login: something before Odoo asks for "
            "a log-in, which a bridge cannot do: let its calls pass there",
        ),
        (
            Answer(301, None, location="https://u:hunter2@odoo.plant/json/2"),
            "the Odoo address answers with a redirect (301) to https://odoo.plant/json/2: set odoo.url to the final "
            "address",
        ),
        (
            Answer(413, None),
            "the call is larger than something before Odoo lets pass (HTTP 413): raise its limit (nginx: "
            "client_max_body_size), or make odoo.batch smaller",
        ),
        (
            Answer(200, None),
            "there is a page in place of Odoo's answer (HTTP 200): is odoo.url the address of Odoo itself, and is "
            "there no maintenance page before it?",
        ),
        (Answer(407, None), "the proxy wants to know who asks (HTTP 407): mend user and secret of odoo.proxy"),
    ],
    ids=["log-in", "moved", "too large", "maintenance", "proxy"],
)
def test_what_stands_before_odoo_is_told_with_its_mend_and_no_secret(answer: Answer, sentence: str) -> None:
    assert str(classify(answer, writes=True)) == sentence
