"""`Devices`: the devices of one edge node. Called by `NodeSession`, when it is their messages' turn.

A DBIRTH brings a device, DDEATH or the end of its node takes it away, and after a rebirth of the node its own
birth must follow within a limited time. What is wrong is handed back as problems, which the session counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sparkplug.catalog import EMPTY, Catalog, declare
from sparkplug.fact import DataRead, DeviceOffline, DeviceOnline, NodeId, Origin, Output
from sparkplug.finding import FindingName, Problem, Told
from sparkplug.message import DeviceBirth, DeviceData, DeviceDeath
from sparkplug.wire.value import Definitions


@dataclass(slots=True)
class DeviceSession:
    """A device: what it declared, whether it is there, and whether the next stage was told so.

    `certified_ms`: it was never heard of; the catalog is that of a certificate, a birth of that time.
    """

    catalog: Catalog = EMPTY
    born: bool = False
    announced: bool = False
    certified_ms: int | None = None


class Devices:
    """The devices of a node by their names, `most` of them. After a rebirth of the node they have `reborn_ms`."""

    def __init__(self, node: NodeId, *, most: int, reborn_ms: int) -> None:
        self.known: dict[str, DeviceSession] = {}
        self.reborn_due_ms: int | None = None  # until when they must follow their node's rebirth
        self._node = node
        self._most = most
        self._reborn_ms = reborn_ms

    def catalog(self, name: str) -> Catalog | None:
        """What the device declared; None where it is not there, as far as is known."""
        device = self.known.get(name)
        return device.catalog if device is not None and (device.born or device.certified_ms is not None) else None

    def lack_birth(self, name: str) -> bool:
        """Whether the device was never heard of."""
        device = self.known.get(name)
        return device is None or device.certified_ms is not None

    def learn(self, birth: DeviceBirth, node: Catalog) -> list[Problem]:
        """A certificate of a device that `lack_birth`. The newest counts."""
        if self._is_one_too_many(birth.device):
            return [self.unborn(birth)]
        catalog, problems = declare(birth.payload)
        at_ms = birth.payload.timestamp_ms or birth.received_ms
        before = self.known.get(birth.device)
        if before is not None and (before.certified_ms or 0) >= at_ms:
            return []
        self.known[birth.device] = DeviceSession(catalog, certified_ms=at_ms)
        return [*problems, *self._shared_aliases(birth.device, catalog, node)]

    def bear(self, birth: DeviceBirth, node: Catalog, definitions: Definitions) -> Told:
        """DBIRTH. `node` and `definitions` are what the node's own birth declared."""
        payload, origin = birth.payload, self._origin(birth.device)
        if self._is_one_too_many(birth.device):
            return [], [self.unborn(birth)]
        catalog, problems = declare(payload)
        problems += self._shared_aliases(birth.device, catalog, node)
        self.known[birth.device] = DeviceSession(catalog, born=True, announced=True)
        readings, unread = catalog.read(payload, birth.received_ms, definitions)
        at_ms = payload.timestamp_ms or birth.received_ms
        online = DeviceOnline(origin=origin, at_ms=at_ms)
        read = DataRead(origin=origin, readings=readings, at_ms=at_ms, seq=payload.seq, birth=True)
        return [online, read], [*problems, *unread]

    def lose(self, death: DeviceDeath) -> Told:
        """DDEATH counts from its own timestamp on
        (`tck-id-operational-behavior-edge-node-termination-host-action-ddeath-devices-offline`)."""
        device = self.known.get(death.device)
        if device is None:
            return [], [self.unborn(death)]
        device.born, device.certified_ms = False, None
        return self._end(death.payload.timestamp_ms or death.received_ms, "DDEATH", [death.device]), []

    def await_births(self, now_ms: int) -> None:
        """The devices' births follow their node's. On a rebirth they count as there until then, for a limited time.

        What certificates told of others is of a session that is over.
        """
        self.reborn_due_ms = None
        self.known = {name: device for name, device in self.known.items() if device.certified_ms is None}
        for device in self.known.values():
            device.born = False
            if device.announced:
                self.reborn_due_ms = now_ms + self._reborn_ms

    def lose_not_reborn(self, now_ms: int) -> Told:
        """The time is up for the births that had to follow the node's rebirth."""
        self.reborn_due_ms = None
        lost = [name for name, device in self.known.items() if device.announced and not device.born]
        reason = "no DBIRTH after the node's rebirth"
        problems = [Problem(FindingName.DEVICE_NOT_REBORN, f"{name}: {reason}") for name in lost]
        return self._end(now_ms, reason, lost), problems

    def end(self, at_ms: int, reason: str) -> list[Output]:
        """Tell the next stage, once, that all are gone."""
        self.reborn_due_ms = None
        return self._end(at_ms, reason, self.known)

    def unborn(self, message: DeviceBirth | DeviceData | DeviceDeath) -> Problem:
        """Why a message of a device that is not there is set aside."""
        told = f"{type(message).__name__} of {message.device}"
        if self._is_one_too_many(message.device):
            return Problem(FindingName.TOO_MANY_DEVICES, f"{told}, beyond the {len(self.known)} devices of the node")
        return Problem(FindingName.DEVICE_UNBORN, f"{told} before its DBIRTH")

    def _end(self, at_ms: int, reason: str, names: Iterable[str]) -> list[Output]:
        outputs: list[Output] = []
        for name in names:
            device = self.known[name]
            if device.announced:
                device.announced = False
                outputs.append(DeviceOffline(origin=self._origin(name), at_ms=at_ms, reason=reason))
        return outputs

    def _is_one_too_many(self, name: str) -> bool:
        return name not in self.known and len(self.known) >= self._most

    def _shared_aliases(self, device: str, catalog: Catalog, node: Catalog) -> list[Problem]:
        """Aliases that `device` has in common with its node or another device (`tck-id-payloads-alias-uniqueness`)."""
        others = {name: other.catalog for name, other in self.known.items() if name != device and other.born}
        return [
            Problem(FindingName.ALIAS_SHARED, f"{device} and {name} share the aliases {sorted(shared)[:5]}")
            for name, other in {"the node": node, **others}.items()
            if (shared := catalog.aliases & other.aliases)
        ]

    def _origin(self, name: str) -> Origin:
        return Origin(self._node.group, self._node.node, name)
