"""Every input survives its stored form."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bridge.core.input import (
    Acted,
    ActKind,
    Claim,
    Destination,
    HostConnected,
    HostDisconnected,
    Input,
    MasterArrived,
    OrdersArrived,
    Outcomes,
    Promoted,
    RebirthWanted,
    Setback,
    Shadowed,
    SparkplugMessage,
    Started,
    StoodStill,
    Tick,
    UnsDocument,
    WriteWanted,
)
from bridge.master.book import MasterRead
from bridge.plant import Release, load_plant
from bridge.recording.codec import encode, payload_schema, reader_of
from odoo_adapter.odoo import Applied, Declined, Held, OrderRead, OrdersRead, Passed, Receipt
from sparkplug.fact import NodeId, Origin
from tests.bridge.rig import PLANT

texts = st.text(max_size=20)
numbers = st.integers(min_value=-(2**63), max_value=2**63 - 1)
plain = st.recursive(
    st.none() | st.booleans() | numbers | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
documents = st.dictionaries(texts, plain, max_size=4)
receipts = st.builds(Receipt, model=texts, id=numbers, details=documents, repeated=st.booleans())
outcomes = (
    st.builds(Applied, key=texts, receipt=receipts)
    | st.builds(Declined, key=texts, code=texts, reason=texts)
    | st.builds(Passed, key=texts)
    | st.builds(Held, key=texts, reason=texts)
)
orders = st.builds(
    OrderRead, order=texts, name=texts, state=texts, document=documents, moved=st.frozensets(texts, max_size=3)
)
nodes = st.builds(NodeId, texts, texts)
origins = st.builds(Origin, texts, texts, st.none() | texts)
keys = st.lists(texts, max_size=3).map(tuple)
inputs: st.SearchStrategy[Input] = st.one_of(
    st.just(Started()),
    st.just(StoodStill()),
    st.just(Tick()),
    st.builds(HostConnected, server=texts, will_ms=numbers),
    st.builds(HostDisconnected, server=texts),
    st.builds(SparkplugMessage, topic=texts, payload=st.binary(), retain=st.booleans(), server=texts),
    st.builds(UnsDocument, texts, st.binary()),
    st.builds(OrdersArrived, st.builds(OrdersRead, orders=st.lists(orders, max_size=2).map(tuple), cursor=texts)),
    st.builds(
        MasterArrived,
        st.builds(
            MasterRead,
            hashes=st.dictionaries(texts, st.dictionaries(texts, texts, max_size=2), max_size=2),
            differences=keys,
        ),
    ),
    st.builds(Claim, st.sampled_from(Destination), numbers),
    st.builds(Outcomes, st.lists(outcomes, max_size=3).map(tuple)),
    st.builds(Setback, keys=keys, reason=texts, uncertain=st.booleans(), retry_after_ms=st.none() | numbers),
    st.builds(Acted, id=texts, kind=st.sampled_from(ActKind), keys=keys, by=texts, reason=texts),
    st.builds(RebirthWanted, id=texts, node=nodes, by=texts, reason=texts, until_ms=numbers),
    st.builds(
        WriteWanted, id=texts, origin=origins, metric=texts, value=texts, by=texts, reason=texts, until_ms=numbers
    ),
)


@given(inputs)
def test_what_is_read_is_what_was_written(entered: Input) -> None:
    channel, raw = encode(entered)
    assert reader_of(channel)(raw) == entered


def test_a_message_is_kept_as_it_came_on_a_channel_of_its_topic() -> None:
    data = SparkplugMessage(
        topic="spBv1.0/acme/DDATA/machining/press-1", payload=b"\x08\x01", retain=True, server="b:1883"
    )
    state = SparkplugMessage(topic="spBv1.0/STATE/acme-bridge", payload=b'{"online":true}', retain=True)
    document = UnsDocument("uns/v1/acme/berlin/scrap", b"no JSON")
    told = [encode(each) for each in (data, state, document)]
    assert [(channel.topic, channel.is_json, raw) for channel, raw in told] == [
        (data.topic, False, data.payload),
        (state.topic, True, state.payload),
        (document.topic, True, document.payload),
    ]


def test_viewers_are_told_what_a_payload_of_sparkplug_is() -> None:
    assert b"org.eclipse.tahu.protobuf" in payload_schema()


def test_a_version_of_the_rules_is_kept_as_its_texts() -> None:
    content = replace(load_plant(PLANT).content, release=Release(version="4f0c", author="ada", approved_by="bob"))
    for entered in (Promoted(content), Shadowed(content), Shadowed(None)):
        channel, raw = encode(entered)
        again = reader_of(channel)(raw)
        assert type(again) is type(entered)
        assert encode(again) == (channel, raw)
