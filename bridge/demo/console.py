"""The console of a demonstration: on a free port, with a log-in link that works once and ends with the demo."""

from __future__ import annotations

from pathlib import Path

from bridge.console.password import write_link
from bridge.demo.servers import HOST, free_ports


class DemoConsole:
    """Where the console will be."""

    def __init__(self, plant: Path) -> None:
        self._file = plant / "console.link"
        (self.port,) = free_ports(1)

    @property
    def yaml(self) -> str:
        """The section of bridge.yaml."""
        return f"console: {{host: {HOST}, port: {self.port}, link_file: {self._file.name}}}\n"

    def invitation(self) -> str:
        """A line with a link for one log-in; the link before it, if it was not used, is void."""
        return f"the console, for one log-in: http://{HOST}:{self.port}/link/{write_link(self._file)}"
