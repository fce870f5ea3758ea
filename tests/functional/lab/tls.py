"""Certificates for the lab, made with the openssl command: one CA, one good pair, and bad pairs."""

from __future__ import annotations

import dataclasses
import pathlib
import subprocess


@dataclasses.dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM files."""

    cert: pathlib.Path
    key: pathlib.Path


class Authority:
    """A CA of our own in `folder`. `ca_pem` is what a user would paste as the pinned CA."""

    def __init__(self, folder: pathlib.Path, name: str = "Postern lab CA") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.pair = Pair(folder / "ca.crt", folder / "ca.key")
        if not self.pair.cert.exists():
            _openssl(
                "req", "-x509", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-days", "3650", "-subj", f"/CN={name}",
                "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                "-keyout", str(self.pair.key), "-out", str(self.pair.cert),
            )

    @property
    def ca_pem(self) -> str:
        return self.pair.cert.read_text()

    def issue(
        self, label: str, *, names: str = "DNS:localhost,IP:127.0.0.1", days: int = 825
    ) -> Pair:
        """A server pair for `names`. Negative days make one that has already expired."""
        pair = Pair(self.folder / f"{label}.crt", self.folder / f"{label}.key")
        if pair.cert.exists():
            return pair
        request = self.folder / f"{label}.csr"
        extensions = self.folder / f"{label}.ext"
        extensions.write_text(
            f"subjectAltName={names}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n"
        )
        _openssl(
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", f"/CN={label}", "-keyout", str(pair.key), "-out", str(request),
        )
        _openssl(
            "x509", "-req", "-in", str(request), "-CA", str(self.pair.cert),
            "-CAkey", str(self.pair.key), "-CAcreateserial", "-days", str(days),
            "-extfile", str(extensions), "-out", str(pair.cert),
        )
        return pair


def _openssl(*arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]}: {done.stderr.strip()}")
