"""The host's own STATE: what it says of itself, and what it does about what others say of it."""

from __future__ import annotations

import pytest

from sparkplug.fact import Finding, NodeId, PublishState, Reconnect
from sparkplug.host import HostApplication, HostSettings
from sparkplug.presence import DeclaredOffline, HostPresence
from sparkplug.wire.state import HostState, decode_state, encode_state
from tests.sparkplug.situation import birth_bytes

STATE = "spBv1.0/STATE/berlin"
WILL_MS = 1_000
RECONNECTING = HostSettings(declared_offline=DeclaredOffline.RECONNECT)
OFFLINE = encode_state(HostState(False, 9_000))


def connected(settings: HostSettings = HostSettings()) -> HostApplication:
    """A host whose MQTT session is up, its will made at 1000 ms."""
    host = HostApplication("berlin", settings)
    host.connected(WILL_MS, will_ms=WILL_MS)
    return host


@pytest.mark.spec("tck-id-payloads-state-subscribe")
@pytest.mark.spec("tck-id-host-topic-phid-birth-sub-required")
def test_our_own_state_is_the_first_subscription() -> None:
    assert HostApplication("berlin").subscriptions == (STATE, "spBv1.0/#")
    assert HostApplication("berlin", HostSettings(groups=("a", "b"))).subscriptions == (
        STATE,
        "spBv1.0/a/#",
        "spBv1.0/b/#",
    )


@pytest.mark.spec("tck-id-host-topic-phid-birth-topic")
@pytest.mark.spec("tck-id-host-topic-phid-death-topic")
@pytest.mark.spec("tck-id-operational-behavior-host-application-connect-birth-topic")
@pytest.mark.spec("tck-id-operational-behavior-host-application-connect-will-payload")
@pytest.mark.spec("tck-id-message-flow-phid-sparkplug-state-publish-payload")
@pytest.mark.spec("tck-id-message-flow-phid-sparkplug-state-publish-payload-timestamp")
@pytest.mark.spec("tck-id-payloads-state-will-message")
@pytest.mark.spec("tck-id-payloads-state-will-message-payload")
@pytest.mark.spec("tck-id-payloads-state-birth-payload")
@pytest.mark.spec("tck-id-host-topic-phid-birth-payload-timestamp")
@pytest.mark.spec("tck-id-host-topic-phid-death-payload-timestamp-connect")
@pytest.mark.spec("tck-id-operational-behavior-host-application-connect-will-topic")
@pytest.mark.spec("tck-id-operational-behavior-host-application-connect-birth-payload")
def test_the_birth_of_the_host_has_the_timestamp_of_its_will() -> None:
    presence = HostPresence("berlin")
    topic, will = presence.will(5_000)

    assert (topic, decode_state(will)) == (STATE, HostState(False, 5_000))
    assert presence.birth() == (STATE, encode_state(HostState(True, 5_000)))


def test_there_is_no_birth_of_the_host_before_a_will() -> None:
    with pytest.raises(ValueError, match="will"):
        HostPresence("berlin").birth()


@pytest.mark.spec("tck-id-host-topic-phid-birth-required")
@pytest.mark.spec("tck-id-operational-behavior-host-application-connect-birth")
def test_the_host_says_at_once_that_it_is_online() -> None:
    host = HostApplication("berlin")

    assert host.connected(1_100, will_ms=WILL_MS) == (PublishState(at_ms=WILL_MS),)


@pytest.mark.spec("tck-id-message-flow-hid-sparkplug-state-message-delivered")
@pytest.mark.parametrize("retain", [True, False])
def test_an_offline_under_our_id_is_answered(retain: bool) -> None:
    stale = encode_state(HostState(False, 400))

    assert connected().receive(STATE, stale, retain=retain, now_ms=1_200) == (PublishState(at_ms=WILL_MS),)


@pytest.mark.parametrize("payload", [b"", b"OFFLINE", b"[" * 50_000])
def test_rubbish_under_our_id_is_replaced(payload: bytes) -> None:
    outputs = connected().receive(STATE, payload, retain=False, now_ms=1_200)

    assert [type(output) for output in outputs] == [Finding, PublishState]


def test_our_own_birth_and_the_state_of_others_are_not_answered() -> None:
    host = connected()

    ours = encode_state(HostState(True, WILL_MS))
    assert host.receive(STATE, ours, retain=False, now_ms=1_200) == ()
    assert host.receive("spBv1.0/STATE/paris", encode_state(HostState(False, 1)), retain=False, now_ms=1_200) == ()


@pytest.mark.spec("tck-id-operational-behavior-host-application-host-id")
def test_another_host_under_our_id_is_a_finding() -> None:
    other = encode_state(HostState(True, 9_000))

    assert connected().receive(STATE, other, retain=False, now_ms=9_001) == (
        Finding(
            node=NodeId("STATE", "berlin"),
            name="host-id-shared",
            text="another host says berlin is online since 9000",
        ),
    )


@pytest.mark.spec("tck-id-operational-behavior-host-application-death-topic")
@pytest.mark.spec("tck-id-operational-behavior-host-application-death-payload")
@pytest.mark.spec("tck-id-host-topic-phid-death-payload-timestamp-disconnect-clean")
def test_our_own_clean_death_is_stamped_now() -> None:
    presence = HostPresence("berlin")
    presence.will(5_000)
    topic, death = presence.death(7_000)

    assert (topic, decode_state(death)) == (STATE, HostState(False, 7_000))


def test_a_host_that_is_not_connected_answers_nothing() -> None:
    host = connected()
    host.disconnected(2_000)

    assert host.receive(STATE, OFFLINE, retain=False, now_ms=2_001) == ()


def test_each_answer_names_the_session_that_it_is_for() -> None:
    host = connected()
    host.disconnected(2_000)
    host.connected(3_000, will_ms=2_900)

    assert host.receive(STATE, OFFLINE, retain=False, now_ms=9_001) == (PublishState(at_ms=2_900),)


def test_a_host_that_reconnects_answers_a_false_death_with_a_new_session() -> None:
    assert connected(RECONNECTING).receive(STATE, OFFLINE, retain=False, now_ms=9_001) == (
        Reconnect(at_ms=WILL_MS, reason="STATE said at 9000 that berlin were offline"),
    )


def test_a_retained_death_is_from_before_the_session_and_never_makes_it_end() -> None:
    before = encode_state(HostState(False, WILL_MS))

    assert connected(RECONNECTING).receive(STATE, before, retain=True, now_ms=9_001) == (PublishState(at_ms=WILL_MS),)


def test_one_who_says_again_and_again_that_we_are_offline_cannot_keep_us_reconnecting() -> None:
    host = connected(RECONNECTING)
    answers = [host.receive(STATE, OFFLINE, retain=False, now_ms=now_ms) for now_ms in range(0, 3_600_000, 1_000)]
    reconnects = [second for second, answer in enumerate(answers) if isinstance(answer[0], Reconnect)]

    assert reconnects == [0, 10, 30, 70, 150, 310, 630, 1_230, 1_830, 2_430, 3_030]
    assert all(answer == (PublishState(at_ms=WILL_MS),) for answer in answers if not isinstance(answer[0], Reconnect))


def test_a_last_state_that_is_later_than_our_birth_is_outlived_by_another_session() -> None:
    last = encode_state(HostState(False, WILL_MS + 5_000))

    assert connected().receive(STATE, last, retain=True, now_ms=1_200) == (
        Reconnect(
            at_ms=WILL_MS,
            after_ms=WILL_MS + 5_000,
            reason=f"the last STATE is of {WILL_MS + 5_000}, later than our clock: nodes pass over an earlier one",
        ),
    )


def test_a_host_that_outlives_a_later_state_is_born_and_dies_after_it() -> None:
    presence = HostPresence("berlin")
    presence.outlive(9_000)
    presence.will(5_000)

    assert [decode_state(payload) for _, payload in (presence.birth(), presence.death(5_500))] == [
        HostState(True, 9_001),
        HostState(False, 9_001),
    ]


def test_a_birth_is_later_than_all_that_was_said_before_also_where_the_clock_was_set_back() -> None:
    presence = HostPresence("berlin")
    presence.will(5_000)
    presence.death(9_000)
    presence.will(6_000)
    after_death = presence.will_ms
    presence.will(6_500)

    assert (after_death, presence.will_ms) == (9_001, 9_002)


def test_a_death_that_nodes_have_heard_is_outlived_also_where_a_later_will_of_ours_hides_it() -> None:
    host = connected()
    died = encode_state(HostState(False, WILL_MS + 5_000))
    host.receive(STATE, died, retain=True, now_ms=1_200)
    host.disconnected(1_300)
    host.connected(1_400, will_ms=1_400)
    hidden_by = encode_state(HostState(False, WILL_MS))

    answers = host.receive(STATE, hidden_by, retain=True, now_ms=1_500)

    assert [(each.at_ms, each.after_ms) for each in answers if isinstance(each, Reconnect)] == [
        (1_400, WILL_MS + 5_000)
    ]


def test_a_host_that_comes_back_with_its_clock_set_back_is_later_than_what_it_heard_before() -> None:
    host = connected()
    host.receive("spBv1.0/g/NBIRTH/n", birth_bytes(), retain=False, now_ms=50_000)
    presence = host.presence()
    presence.will(2_000)

    assert presence.will_ms == 50_001
