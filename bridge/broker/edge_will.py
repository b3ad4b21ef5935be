"""`EdgeWill`: the NDEATH that an edge node of our own leaves with each CONNECT. Its `bdSeq` goes on over restarts.

What follows is in the node's file before the CONNECT is made, so that also a process that is killed never leaves
the same `bdSeq` twice in a row (`tck-id-topics-nbirth-bdseq-increment`).
A standby on another machine counts for itself: it has the same client id, so that a broker says the old death before
it takes the new CONNECT.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

import structlog

from bridge.broker.link import Publication
from bridge.clock import Clock
from sparkplug.edge import BD_SEQ_MODULUS, EdgeNode

log = structlog.get_logger()


class EdgeWill:
    """The `WillSource` of a node's link. `folder` holds a file per node; None: the node begins with 0 each time."""

    def __init__(self, node: EdgeNode, clock: Clock, folder: Path | None) -> None:
        group, name = (quote(part, safe="") for part in node.node)
        self._node = node
        self._clock = clock
        self._file = None if folder is None else folder / f"{group}+{name}.bdseq"
        if self._file is not None:
            node.next_bd_seq = _read(self._file)

    def __call__(self) -> Publication:
        topic, payload = self._node.will(self._clock.now_ms())
        if self._file is not None:
            _write(self._file, self._node.next_bd_seq)
        return Publication(topic=topic, payload=payload, qos=1, retain=False)


def _read(file: Path) -> int:
    """The `bdSeq` to begin with: 0 where nothing was kept yet."""
    try:
        return int(file.read_text("ascii")) % BD_SEQ_MODULUS
    except FileNotFoundError:
        return 0
    except (OSError, ValueError) as error:
        log.warning("edge.bd_seq_unreadable", file=str(file), reason=str(error), effect="it begins with 0")
        return 0


def _write(file: Path, bd_seq: int) -> None:
    """Replace what is kept. A node does not wait for a disk that is full: it goes on, and says so."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_suffix(".new")
        with beside.open("w", encoding="ascii") as new:
            new.write(str(bd_seq))
            new.flush()
            os.fsync(new.fileno())
        beside.replace(file)
    except OSError as error:
        effect = "after a restart a host may take the last session's death for the new one's"
        log.warning("edge.bd_seq_not_kept", file=str(file), reason=str(error), effect=effect)
