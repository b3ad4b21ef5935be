"""A certificate authority and a server's certificate for tests of TLS."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.server_process import find_binary


@dataclass(frozen=True, slots=True)
class Tls:
    """A server's certificate with its key, and the authority that signed it."""

    ca_file: Path
    cert_file: Path
    key_file: Path


def make_tls(folder: Path) -> Tls:
    """A new certificate authority and a certificate for 127.0.0.1 and localhost, by the `openssl` command."""
    openssl = find_binary("openssl", "openssl")
    tls = Tls(folder / "ca.crt", folder / "server.crt", folder / "server.key")
    request, extensions = folder / "server.csr", folder / "server.ext"
    extensions.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\nauthorityKeyIdentifier=keyid\n")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    ca_key = str(folder / "ca.key")
    commands = [
        [
            "req",
            "-x509",
            *key,
            "-keyout",
            ca_key,
            "-out",
            str(tls.ca_file),
            "-days",
            "2",
            "-subj",
            "/CN=test authority",
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
        ],
        ["req", *key, "-keyout", str(tls.key_file), "-out", str(request), "-subj", "/CN=127.0.0.1"],
        ["x509", "-req", "-in", str(request), "-CA", str(tls.ca_file), "-CAkey", ca_key, "-CAcreateserial"],
    ]
    commands[-1] += ["-days", "2", "-extfile", str(extensions), "-out", str(tls.cert_file)]
    for command in commands:
        subprocess.run([openssl, *command], check=True, capture_output=True)
    tls.key_file.chmod(0o644)
    return tls
