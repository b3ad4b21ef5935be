"""One side of a backtest: what one version of the rules decides over a recording, here or in a process of its own.

Each side reads the recording by itself: two versions are decided at once, on two processors, and neither can touch the
other. What they decide is numbered by the inputs, so that it comes together again in the order in which it happened.
A side is asked about each batch why it did not decide what the other did; it answers up to two batches later.
"""

from __future__ import annotations

import signal
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from bridge.core.input import Request, ShowOrder, Tick
from bridge.lifecycle.difference import Answer, Made, Question, made_of
from bridge.plant import Plant, Release, content_of
from bridge.recording.errors import RecordingError
from bridge.recording.reader import Began, Read, Recorded, read
from bridge.recording.rerun import Stepped, decide
from bridge.recording.span import Lost
from bridge.settings import Settings
from ruleset.form.records import rule_id
from ruleset.output import EngineOutput
from ruleset.trace.look import Looks
from ruleset.trace.recent import Recent

BATCH: Final = 1_000
"""Inputs of which it is told together what came of them."""
ENDS_WITHIN_S: Final = 5.0
"""A process that is told to end."""


class Happened(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a version decided over the `nth` input and the timers before it, and the orders that Odoo was done with."""

    nth: int
    made: list[Made] = []
    closed: list[str] = []


class Batch(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What came of some inputs. `read` are their bytes, `defects` how often the version failed over them; the other
    figures are of all inputs up to here. `answers` are to questions about batches before."""

    inputs: int
    from_ms: int
    to_ms: int
    happened: list[Happened] = []
    lost: list[Lost] = []
    defects: int = 0
    read: int = 0
    answers: list[Answer] = []


Side: TypeAlias = Generator[Batch, list[Question], None]
"""Gives batches, and is sent what the other side decided in the batch given last and this one did not."""


def decided(plant: Plant, recording: Iterable[Read]) -> Side:
    """What this plant's version decides over a recording, in its order; then two batches with answers only.

    Raises `RecordingError` where the recording is of another site or cannot be gone on from.
    """
    reading, listening = _Reading(plant.assets.path, recording), _Listening(plant)
    for each in decide(plant, reading, listening):
        if isinstance(each, Stepped):
            listening.requested(each.requests)
        listening.heard(reading.inputs)
        is_input = isinstance(each, Stepped) and not isinstance(each.input, Tick)  # both sides end batches alike
        if is_input and reading.inputs >= reading.told + BATCH:
            listening.asked_why((yield reading.batch(listening)))
    for _ in range(3):  # the last inputs, and the answers about them and about those before
        listening.asked_why((yield reading.batch(listening)))


@contextmanager
def deciding(plant: Plant, paths: Sequence[Path], sizes: Mapping[Path, int]) -> Iterator[Side]:
    """The same in a process that is started now, of these files up to these sizes."""
    context = get_context("spawn")  # a fork would take the threads of a progress bar for its own
    ours, theirs = context.Pipe()
    given = (plant.folder, plant.settings, dict(plant.content.texts), plant.release, paths, sizes)
    process = context.Process(target=_work, args=(theirs, *given), daemon=True)
    process.start()
    theirs.close()
    try:
        yield _received(ours, process)
    finally:
        ours.close()
        process.terminate()
        process.join(ENDS_WITHIN_S)


def _received(channel: Connection, process: SpawnProcess) -> Side:
    while True:
        try:
            told = channel.recv()
        except EOFError:
            raise RecordingError(_ended(process)) from None
        if isinstance(told, RecordingError):
            raise told
        if told is None:
            return
        questions = yield msgspec.json.decode(told, type=Batch)
        with suppress(BrokenPipeError, ConnectionResetError):  # why it ended, is said when more is asked of it
            channel.send(questions)


def _ended(process: SpawnProcess) -> str:
    """Why a process ended before it had told all."""
    process.join(ENDS_WITHIN_S)
    if process.exitcode is not None and process.exitcode > 0:
        return f"a process of the backtest failed with exit code {process.exitcode}; what it said stands above"
    return "a process of the backtest was ended from outside, as by a machine that has no memory left"


def _work(
    channel: Connection,
    folder: Path,
    settings: Settings,
    texts: Mapping[str, str],
    release: Release | None,
    paths: Sequence[Path],
    sizes: Mapping[Path, int],
) -> None:
    """The process: bytes of batches, and None or an error at the end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it ends it
    plant = Plant(folder=folder, settings=settings, content=content_of(texts, release))
    with suppress(BrokenPipeError):  # nobody wants to know any more
        try:
            _tell(channel, plant, paths, sizes)
        except RecordingError as error:
            channel.send(error)


def _tell(channel: Connection, plant: Plant, paths: Sequence[Path], sizes: Mapping[Path, int]) -> None:
    counts: list[int] = []
    side = decided(plant, read(paths, counts.append, sizes))
    batch: Batch | None = next(side)
    questions: list[Question] = []
    while batch is not None:
        batch.read = sum(counts)
        counts.clear()
        channel.send(msgspec.json.encode(batch))
        batch = _next(side, questions)  # before it is asked about the last one: it need not wait for the other side
        questions = channel.recv()
    channel.send(None)


def _next(side: Side, questions: list[Question]) -> Batch | None:
    try:
        return side.send(questions)
    except StopIteration:
        return None


class _Reading:
    """A recording on its way to the core, and where in it we are. `told`: up to which input there were batches."""

    def __init__(self, site: str, recording: Iterable[Read]) -> None:
        self.inputs = 0
        self.told = 0
        self._site = site
        self._recording = recording
        self._from_ms = 0
        self._to_ms = 0
        self._lost: list[Lost] = []

    def __iter__(self) -> Iterator[Read]:
        for each in self._recording:
            match each:
                case Recorded(received_ms=received_ms):
                    self.inputs += 1
                    self._to_ms = received_ms
                case Began(path=path, about=about, at_ms=at_ms):
                    if about.site != self._site:
                        text = f"it is of the site {about.site}, and the plant folder of {self._site}"
                        raise RecordingError(f"{path}: {text}")
                    self._from_ms, self._to_ms = self._from_ms or at_ms, at_ms
                case Lost():
                    self._lost.append(each)
            yield each

    def batch(self, listening: _Listening) -> Batch:
        """What is new since the last one."""
        self.told = self.inputs
        happened, defects, answers = listening.take()
        lost, self._lost = self._lost, []
        return Batch(
            inputs=self.inputs,
            from_ms=self._from_ms,
            to_ms=self._to_ms,
            happened=happened,
            lost=lost,
            defects=defects,
            answers=answers,
        )


class _Listening:
    """The witness of a side."""

    def __init__(self, plant: Plant) -> None:
        self._rules = {each.id for each in plant.content.rules.instances}
        self._recent = Recent()
        self._answers: list[Answer] = []
        self._made: list[Made] = []
        self._closed: list[str] = []
        self._defects = 0
        self._happened: list[Happened] = []

    def decided(self, outputs: Sequence[EngineOutput]) -> None:
        self._made += made_of(outputs)

    def looked(self, looks: Looks) -> None:
        self._recent.note(looks.fresh())

    def failed(self) -> None:
        self._defects += 1

    def asked_why(self, questions: Iterable[Question]) -> None:
        """A batch is over, and this is asked about it or the one before."""
        self._answers += [self._answer(each) for each in questions]
        self._recent.turn()

    def _answer(self, asked: Question) -> Answer:
        id = rule_id(asked.rule, asked.equipment)
        if id not in self._rules:
            return Answer(asked.fact, f"no rule {asked.rule} looks at {asked.equipment}")
        look = self._recent.by(id, asked.decided_ms, asked.at_ms)
        return Answer(asked.fact, look or f"the rule {asked.rule} had not looked at {asked.equipment} by then")

    def requested(self, requests: Iterable[Request]) -> None:
        """What the core asks for shows, too, that an order is closed."""
        for each in requests:
            if isinstance(each, ShowOrder) and not each.record.is_open:
                self._closed.append(each.record.order)

    def heard(self, nth: int) -> None:
        """What came up to here came of this input."""
        if self._made or self._closed:
            self._happened.append(Happened(nth=nth, made=self._made, closed=self._closed))
            self._made, self._closed = [], []

    def take(self) -> tuple[list[Happened], int, list[Answer]]:
        """What happened since the last call, how often the rules failed, and what was answered."""
        taken = self._happened, self._defects, self._answers
        self._happened, self._defects, self._answers = [], 0, []
        return taken
