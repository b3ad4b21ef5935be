"""What a recording says of itself: whose it is, of which version of the plant folder and of the bridge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version

from bridge.lifecycle.content import version_of
from bridge.plant import Content, Plant


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Whose recording it is. `servers` are the addresses of the plant's MQTT servers.

    `texts` is what decides in the plant folder, without bridge.yaml; `plant` is the version that these texts are.
    """

    site: str
    host_id: str
    servers: tuple[str, ...]
    bridge: str
    plant: str
    texts: Mapping[str, str]


def about(plant: Plant) -> About:
    """What recordings of this plant say of themselves."""
    return About(
        site=plant.assets.path,
        host_id=plant.settings.sparkplug.host_id,
        servers=tuple(broker.address for broker in plant.settings.brokers),
        bridge=_bridge_version(),
        plant=version_of(plant.content.texts),
        texts=plant.content.texts,
    )


def of_content(before: About, content: Content) -> About:
    """The same, of a plant whose rules are others now."""
    return replace(before, plant=version_of(content.texts), texts=content.texts)


def _bridge_version() -> str:
    try:
        return version("uns-odoo-bridge")
    except PackageNotFoundError:  # run from its source
        return "unknown"
