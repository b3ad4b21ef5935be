"""The way to a server: whom we trust on it and who we are (TLS), and a proxy that stands between."""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from odoo_adapter.client.classify import KEY_RETRY_MS
from odoo_adapter.errors import Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """For addresses that begin with `https`. Without a `ca_file` the machine's own authorities are trusted.

    `verify` False trusts whoever answers: the key can be stolen on the way, and answers forged.
    """

    verify: bool = True
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Reads the files. Raises `Unavailable` with the name of the one that cannot be used."""
        context = ssl.create_default_context()
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        try:
            reading = self.ca_file
            if self.ca_file is not None:
                context = ssl.create_default_context(cafile=self.ca_file)
            reading = self.cert_file
            if self.cert_file is not None:
                context.load_cert_chain(self.cert_file, self.key_file)
        except OSError as error:
            is_content = isinstance(error, ssl.SSLError)
            told = "it holds no certificate, or its key does not belong to it" if is_content else error.strerror
            raise Unavailable(f"the TLS file {reading} cannot be used: {told}", KEY_RETRY_MS) from error
        return context


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """An HTTP proxy. `password` is asked at every call, as the API key is."""

    url: str
    user: str = ""
    password: Callable[[], str] | None = None

    def headers(self) -> dict[str, str]:
        """Who we are to the proxy. Raises `Unavailable` when the password's file cannot be read."""
        if not self.user:
            return {}
        try:
            password = self.password().strip() if self.password is not None else ""
        except OSError as error:
            told = error.strerror or error
            raise Unavailable(f"the proxy's password cannot be read: {told}", KEY_RETRY_MS) from error
        credentials = b64encode(f"{self.user}:{password}".encode()).decode()
        return {"Proxy-Authorization": f"Basic {credentials}"}
