"""What a session stores, and how it goes on from there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkplug.errors import SnapshotError
from sparkplug.fact import ONLY_SERVER, Output, RequestRebirth
from sparkplug.finding import Tally
from sparkplug.message import Message
from sparkplug.session import NodeSession, Phase, SessionSettings
from sparkplug.snapshot import restore, store
from tests.sparkplug.situation import (
    NODE,
    dead,
    device_birth,
    device_data,
    device_death,
    node_birth,
    node_data,
    node_death,
    online_with_device,
    stale_after_a_gap,
    unborn,
    waiting_for_seq_1,
)

SETTINGS = SessionSettings()


@pytest.mark.parametrize("session", [unborn(), online_with_device(), waiting_for_seq_1(), stale_after_a_gap(), dead()])
def test_a_restored_session_stores_the_same_but_is_stale_instead_of_online(session: NodeSession) -> None:
    restored = restore(NODE, store(session), SETTINGS)
    expected = Phase.STALE if session.phase is Phase.ONLINE else session.phase

    assert restored.phase is expected
    stored = store(session)
    if session.phase is Phase.ONLINE:
        since, seen = (b'"since_ms":%d' % at_ms for at_ms in (session.since_ms, session.seen_ms))
        stored = stored.replace(b'"phase":"ONLINE"', b'"phase":"STALE"').replace(since, seen)
    assert store(restored) == stored


@pytest.mark.parametrize("stored", [b"", b"{}", b"[1]", b'{"version":1}', b'{"version":2}', b"\xff"])
def test_what_is_no_snapshot_of_a_known_version_is_refused(stored: bytes) -> None:
    with pytest.raises(SnapshotError):
        restore(NODE, stored, SETTINGS)


def test_a_snapshot_with_an_unknown_phase_is_refused() -> None:
    with pytest.raises(SnapshotError, match="damaged snapshot of plant/press"):
        restore(NODE, store(unborn()).replace(b"UNBORN", b"ASLEEP"), SETTINGS)


def sent(acts: list[str]) -> list[Message]:
    """What a sound node sends while it does this, in order, with the right `seq`."""
    messages: list[Message] = [node_birth(), device_birth(1)]
    seq, device_there = 2, True
    for value, act in enumerate(acts):
        if act == "rebirth":
            messages += [node_birth(), device_birth(1)]
            seq, device_there = 2, True
            continue
        if act == "device comes or goes":
            messages.append(device_death(seq) if device_there else device_birth(seq))
            device_there = not device_there
        elif act == "device data" and device_there:
            messages.append(device_data(seq, value))
        else:
            messages.append(node_data(seq, value))
        seq = (seq + 1) % 256
    return messages


def without_requests(outputs: list[Output]) -> list[Output]:
    return [output for output in outputs if not isinstance(output, RequestRebirth)]


@given(
    acts=st.lists(st.sampled_from(["data", "device data", "device comes or goes", "rebirth"]), max_size=30),
    dies=st.booleans(),
    data=st.data(),
)
def test_a_restart_anywhere_changes_nothing_but_the_rebirth_request(
    acts: list[str], dies: bool, data: st.DataObject
) -> None:
    messages = [*sent(acts), *([node_death()] if dies else [])]
    restart = data.draw(st.integers(0, len(messages)))

    through, restarted = unborn(), unborn()
    for message in messages[:restart]:
        through.receive(message, now_ms=0)
        restarted.receive(message, now_ms=0)
    restarted = restore(NODE, store(restarted), SETTINGS)

    outputs = [output for message in messages[restart:] for output in through.receive(message, now_ms=0)]
    after = [output for message in messages[restart:] for output in restarted.receive(message, now_ms=0)]

    assert without_requests(after) == outputs


def test_a_message_that_waited_through_a_restart_is_read_in_its_place() -> None:
    through = waiting_for_seq_1()
    restarted = restore(NODE, store(through), SETTINGS)
    late = node_data(1, 11)

    assert without_requests(list(restarted.receive(late, now_ms=500))) == list(through.receive(late, now_ms=500))


def test_a_snapshot_of_the_first_version_is_read() -> None:
    stored = b'{"version":1,"phase":"ONLINE","announced":true,"seen_ms":50,"window_ms":10000,"findings":{"seq-gap":3}}'
    session = restore(NODE, stored, SETTINGS)

    assert (session.server, session.since_ms, session.skew_ms) == (ONLY_SERVER, 50, None)
    assert session.findings.tallies == {"seq-gap": Tally(count=3)}
