"""The will of our edge nodes and its `bdSeq`, which goes on in the next process."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.broker.edge_will import EdgeWill
from bridge.clock import SystemClock
from sparkplug.edge import EdgeNode
from sparkplug.fact import NodeId
from sparkplug.wire.payload import decode

NODE = NodeId("plant", "press")


def started(folder: Path | None, node: NodeId = NODE) -> EdgeWill:
    """The will of a process that has just started."""
    return EdgeWill(EdgeNode(node, primary_host=None), SystemClock(), folder)


def left(will: EdgeWill) -> object:
    """The `bdSeq` that a CONNECT leaves."""
    return decode(will().payload).metrics[0].raw


@pytest.mark.spec("tck-id-topics-nbirth-bdseq-increment")
def test_the_bdseq_begins_with_0_and_goes_on_over_restarts(tmp_path: Path) -> None:
    first = started(tmp_path / "data")
    assert [left(first), left(first)] == [0, 1]
    assert left(started(tmp_path / "data")) == 2


def test_it_goes_on_with_0_after_255(tmp_path: Path) -> None:
    will = started(tmp_path)
    assert [left(will) for _ in range(256)][-1] == 255
    assert left(started(tmp_path)) == 0


def test_each_node_counts_for_itself_whatever_its_name(tmp_path: Path) -> None:
    nodes = [NodeId("a b", "c"), NodeId("a", "b c"), NodeId("..", ".."), NodeId("Straße", "%2e")]
    for count in range(3):
        assert [left(started(tmp_path, node)) for node in nodes] == [count] * len(nodes)


def test_a_node_without_a_folder_begins_with_0_each_time() -> None:
    assert [left(started(None)), left(started(None))] == [0, 0]


@pytest.mark.parametrize("kept", [b"", b"seven", b"\xff"])
def test_a_file_that_cannot_be_read_is_said_and_counting_begins_anew(tmp_path: Path, kept: bytes) -> None:
    left(started(tmp_path))
    [file] = tmp_path.iterdir()
    file.write_bytes(kept)
    with capture_logs() as logs:
        assert left(started(tmp_path)) == 0
    assert [(line["event"], line["file"]) for line in logs] == [("edge.bd_seq_unreadable", str(file))]


def test_where_nothing_can_be_written_it_connects_all_the_same_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, and no folder")
    with capture_logs() as logs:
        assert left(started(tmp_path / "data")) == 0
    assert [line["event"] for line in logs] == ["edge.bd_seq_unreadable", "edge.bd_seq_not_kept"]
