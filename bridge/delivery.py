"""Delivery: workers that have claimed entries carried out and bring their outcomes back to the core.

A worker holds one batch at a time and asks for no more before the outcome of that one is in the core's queue.
What it was carrying when the process died is found as claimed at the next start and sent again first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Protocol

import msgspec
import structlog

from bridge.broker.errors import LinkLost
from bridge.broker.link import BrokerLink, Publication
from bridge.core.input import Destination, Input, Outcomes, Send, Setback, Tick
from bridge.core.job import NEED_NOT_MET, read_job, unmet_reason
from bridge.core.posting import Publishing
from bridge.core.standing import NOTHING
from odoo_adapter.client.pace import leave_alone
from odoo_adapter.errors import KeyRefused, Refused, Unavailable, Uncertain
from odoo_adapter.odoo import INBOX, Applied, Declined, Job, Odoo, OdooInfo, Outcome, Passed, Receipt, Standing
from state.entry import Entry

Enter = Callable[[Input], Awaitable[None]]
"""Puts an input into the core's queue."""

log = structlog.get_logger()

RECHECK_MS: Final = 15_000
"""How long to wait before asking again a server that lacks something an administrator must mend."""


class Carrier(Protocol):
    """Carries batches out at one destination."""

    @property
    def destination(self) -> Destination: ...

    @property
    def batch(self) -> int:
        """How many entries it takes at once now."""
        ...

    async def carry(self, send: Send) -> Sequence[Input]:
        """Carry these out; what became of all of them. Raises nothing."""
        ...

    async def mended(self) -> bool:
        """Wait while the destination takes nothing at all until a person mends something. Whether it was so."""
        ...


class Delivery:
    """The worker of one carrier. The core's loop gives it a batch while it is idle, which it is not while its carrier
    waits for a person."""

    def __init__(self, carrier: Carrier, enter: Enter) -> None:
        self._carrier = carrier
        self._enter = enter
        self._queue: asyncio.Queue[Send] = asyncio.Queue(maxsize=1)
        self.idle = True

    @property
    def destination(self) -> Destination:
        """What it delivers to."""
        return self._carrier.destination

    @property
    def batch(self) -> int:
        """How many entries it may be given at once now."""
        return self._carrier.batch

    def send(self, send: Send) -> None:
        """Give it work. Only while idle."""
        self.idle = False
        self._queue.put_nowait(send)

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            for outcome in await self._carrier.carry(await self._queue.get()):
                await self._enter(outcome)
            was_broken = await self._carrier.mended()
            self.idle = True
            if was_broken:
                await self._enter(Tick())  # so that the core asks at once whether there is something for the idle one


async def _at_once() -> None:
    """Where nobody else could lead."""


class OdooCarrier:
    """Posts to Odoo. Asks the server what it is before the first batch, and again after it was away.

    Awaits `confirmed` right before each attempt: it returns while this bridge leads, so that one that was paused long
    enough to be replaced sends nothing when it wakes up.

    `per_second` is how many batches it posts at most; when there is more to post, batches grow. `server_limit_ms` is
    how long a call may go on at a server after we have gone (0: it does not matter, because the inbox remembers). Where
    it matters, an attempt ends so long before its entry may be looked at again, and each entry is a batch of its own,
    so that its outcome is committed before the next one is tried. And nothing is sent again within that time, whatever
    a clock that was set meanwhile says to the core.
    """

    def __init__(
        self,
        odoo: Odoo,
        *,
        batch: int,
        per_second: int,
        checked: Callable[[OdooInfo], None],
        confirmed: Callable[[], Awaitable[None]] = _at_once,
        server_limit_ms: int = 0,
    ) -> None:
        self._odoo = odoo
        self._checked = checked
        self._confirmed = confirmed
        self._server_limit_s = server_limit_ms / 1000
        self._remembers = server_limit_ms == 0
        self._may_run_until_s: dict[str, float] = {}
        self._known = False
        self._refusal = ""
        self._refused_key: KeyRefused | None = None
        self._pause_s = 1 / per_second
        self._next_s = 0.0
        self._batch = batch

    @property
    def destination(self) -> Destination:
        return Destination.ODOO

    @property
    def batch(self) -> int:
        return self._batch if self._remembers else 1

    async def carry(self, send: Send) -> Sequence[Input]:
        claimed_s = asyncio.get_running_loop().time() - send.stored_in_s
        await self._pace()
        await self._confirmed()
        keys = tuple(entry.key for entry in send.entries)
        if not self._server_limit_s:
            return [await self._deliver(send, keys)]
        return [await self._carry_within(claimed_s + self._attempt_s(send.entries), send, keys)]

    async def mended(self) -> bool:
        """After an API key was refused: asks again as soon as there is another one, else once a minute."""
        if self._refused_key is None:
            return False
        while self._refused_key is not None:
            await leave_alone(self._refused_key)
            self._refused_key = None
            try:
                await self._check_once()
            except KeyRefused as error:
                self._refused_key = error
            except Exception as error:  # the next batch meets it, and tells
                log.debug("odoo.not_ready", reason=str(error))
        return True

    async def _carry_within(self, end_s: float, send: Send, keys: tuple[str, ...]) -> Input:
        now_s = asyncio.get_running_loop().time()
        self._may_run_until_s = {key: until_s for key, until_s in self._may_run_until_s.items() if until_s > now_s}
        running_s = max((self._may_run_until_s[key] - now_s for key in keys if key in self._may_run_until_s), default=0)
        if running_s:
            reason = f"the attempt before may go on at the server for {running_s:.0f} s more; nothing was sent"
            return Setback(keys=keys, reason=reason, uncertain=True, retry_after_ms=int(running_s * 1000) + 1)
        if end_s <= now_s:
            return Setback(keys=keys, reason="it took too long to store the claim; nothing was sent", uncertain=False)
        try:
            async with asyncio.timeout_at(end_s):
                result = await self._deliver(send, keys)
        except TimeoutError:
            result = Setback(keys=keys, reason=f"not posted within {end_s - now_s:.0f} s", uncertain=True)
        if isinstance(result, Setback) and result.uncertain:
            may_run_until_s = asyncio.get_running_loop().time() + self._server_limit_s
            self._may_run_until_s.update(dict.fromkeys(keys, may_run_until_s))
        return result

    def _attempt_s(self, entries: Sequence[Entry]) -> float:
        """How long an attempt may take from the claim on, so that none is at the server when it is looked for."""
        return min(entry.not_before_ms - entry.changed_ms for entry in entries) / 1000 - self._server_limit_s

    async def _pace(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s < self._next_s:
            await asyncio.sleep(self._next_s - now_s)
        self._next_s = max(now_s, self._next_s) + self._pause_s

    async def _deliver(self, send: Send, keys: tuple[str, ...]) -> Input:
        try:
            await self._check_once()
        except (Refused, KeyRefused) as error:
            return self._refused(keys, error)
        except Unavailable as error:
            return Setback(keys=keys, reason=str(error), uncertain=False, retry_after_ms=error.retry_after_ms)
        except Uncertain as error:
            return Setback(keys=keys, reason=str(error), uncertain=False)
        except Exception as error:
            return _unforeseen(keys, error, uncertain=False)
        return await self._post(send, keys)

    async def _post(self, send: Send, keys: tuple[str, ...]) -> Input:
        readable, unreadable = _read(send.entries, send.standings)
        try:
            posted = await self._odoo.post(readable) if readable else ()
            _check_answer(keys, (*posted, *unreadable))
        except (Refused, KeyRefused) as error:
            return self._refused(keys, error)
        except Unavailable as error:
            self._known = False
            return Setback(keys=keys, reason=str(error), uncertain=False, retry_after_ms=error.retry_after_ms)
        except Uncertain as error:
            return Setback(keys=keys, reason=str(error), uncertain=True)
        except Exception as error:
            return _unforeseen(keys, error, uncertain=True)
        return Outcomes((*posted, *unreadable))

    async def _check_once(self) -> None:
        if not self._known:
            info = await self._odoo.check()
            self._checked(info)
            self._remembers = info.mode == INBOX
            self._known = True
            self._refusal = ""

    def _refused(self, keys: tuple[str, ...], error: Refused | KeyRefused) -> Setback:
        """Odoo declines the call as a whole (an expired key, a missing right): said once, asked again for ever."""
        self._known = False
        if str(error) != self._refusal:
            log.error("odoo.refuses", reason=str(error), effect="nothing is posted until an administrator mends it")
        self._refusal = str(error)
        if isinstance(error, KeyRefused):
            self._refused_key = error
            return Setback(keys=keys, reason=str(error), uncertain=False)
        return Setback(keys=keys, reason=str(error), uncertain=False, retry_after_ms=RECHECK_MS)


class BrokerCarrier:
    """Publishes retained documents at QoS 1; an entry is delivered when the broker has acknowledged it."""

    def __init__(self, link: BrokerLink, *, batch: int = 50) -> None:
        self._link = link
        self._batch = batch

    @property
    def destination(self) -> Destination:
        return Destination.BROKER

    @property
    def batch(self) -> int:
        return self._batch

    async def carry(self, send: Send) -> Sequence[Input]:
        """The outcomes of those that were published, and a setback for the others where one failed."""
        done: list[Outcome] = []
        setback: list[Input] = []
        for place, entry in enumerate(send.entries):
            left = tuple(one.key for one in send.entries[place:])
            try:
                done.append(await self._publish(entry))
            except LinkLost as error:
                setback.append(Setback(keys=left, reason=str(error), uncertain=True))
                break
            except Exception as error:
                setback.append(_unforeseen(left, error, uncertain=True))
                break
        return [Outcomes(tuple(done)), *setback] if done else setback

    async def mended(self) -> bool:
        return False

    async def _publish(self, entry: Entry) -> Outcome:
        try:
            publishing = msgspec.json.decode(entry.body, type=Publishing)
        except msgspec.MsgspecError as error:
            return Declined(key=entry.key, code="unreadable", reason=f"the stored publication cannot be read: {error}")
        payload = b"" if publishing.document is None else msgspec.json.encode(publishing.document)
        await self._link.publish(Publication(topic=publishing.topic, payload=payload, qos=1, retain=True))
        return Applied(
            key=entry.key, receipt=Receipt(model="mqtt", id=0, details={"topic": publishing.topic}, repeated=False)
        )


def _unforeseen(keys: tuple[str, ...], error: Exception, *, uncertain: bool) -> Setback:
    """A defect of ours: the entries are kept and tried again, later and later, and the bridge goes on."""
    reason = f"{type(error).__name__}: {error}"
    log.error("delivery.failed", entries=len(keys), first=keys[0], reason=reason, exc_info=error)
    return Setback(keys=keys, reason=reason, uncertain=uncertain)


def _check_answer(keys: Sequence[str], outcomes: Sequence[Outcome]) -> None:
    """The core knows only what it claimed. Raises `ValueError` for an answer about anything else."""
    answered = [outcome.key for outcome in outcomes]
    if sorted(answered) != sorted(keys):
        raise ValueError(f"{len(keys)} entries were sent, and the answer is about {answered}")


def _read(entries: Sequence[Entry], standings: Mapping[str, Standing]) -> tuple[list[Job], list[Outcome]]:
    """Decode the bodies, with the consent of who released them.

    One that cannot be read is declined, and the rest of its lane waits.
    """
    readable: list[Job] = []
    outcomes: list[Outcome] = []
    stopped: set[str] = set()
    for entry in entries:
        if entry.lane in stopped:
            outcomes.append(Passed(key=entry.key))
            continue
        try:
            readable.append(read_job(entry, standings.get(entry.lane, NOTHING)))
        except msgspec.MsgspecError as error:
            stopped.add(entry.lane)
            code, reason = "unreadable", f"the stored transaction cannot be read: {error}"
            if unmet := unmet_reason(entry.body):
                code, reason = "unmet", f"{unmet}; there is nothing to send: {NEED_NOT_MET}"
            outcomes.append(Declined(key=entry.key, code=code, reason=reason))
    return readable, outcomes
