"""Logging: a name and fields per line, to standard error; for people on a terminal, as JSON otherwise."""

from __future__ import annotations

import logging
import sys

import structlog

from bridge.core.input import Notice

log = structlog.get_logger()


def configure_logging(*, debug: bool = False) -> None:
    """Set up structlog once, before anything logs. JSON where standard error is not a terminal."""
    terminal = sys.stderr.isatty()
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if debug else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def say(notice: Notice) -> None:
    """Log a notice of the core. An alert is an error: a person must act."""
    match notice.level:
        case "alert":
            log.error(notice.name, **notice.fields)
        case "warning":
            log.warning(notice.name, **notice.fields)
        case _:
            log.info(notice.name, **notice.fields)
