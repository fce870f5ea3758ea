"""A private rsyslog that takes syslog over TLS, with the configuration of docs/operating.md."""

from __future__ import annotations

import os
import pathlib
import re
import signal
import subprocess

from .postern import PROJECT
from .process import accepts, eventually, free_port, spawn_child, stop_child
from .tls import Pair


def documented_config() -> str:
    """The rsyslog block of the operator's page, as it stands there."""
    page = (PROJECT / "docs" / "operating.md").read_text()
    blocks = re.findall(r"```rsyslog\n(.*?)```", page, re.DOTALL)
    if len(blocks) != 1:
        raise AssertionError(f"docs/operating.md has {len(blocks)} rsyslog blocks")
    return blocks[0]


class Rsyslog:
    """A log server on a loopback port, which writes `kept`; close() when it is done with."""

    def __init__(
        self, base: pathlib.Path, pair: Pair, ca: pathlib.Path, *, demands_certificate: bool = False
    ) -> None:
        base.mkdir()
        self.base = base
        self.port = free_port()
        self.kept = base / "anchors.log"
        config = documented_config()
        replaced = [
            ("/etc/rsyslog.d/postern/ca.pem", str(ca)),
            ("/etc/rsyslog.d/postern/server.pem", str(pair.cert)),
            ("/etc/rsyslog.d/postern/server.key", str(pair.key)),
            ("/var/log/postern/anchors.log", str(self.kept)),
            ('port="6514"', f'port="{self.port}" address="127.0.0.1"'),
        ]
        if demands_certificate:
            replaced.append(('AuthMode="anon"', 'AuthMode="x509/certvalid"'))
        for written, ours in replaced:
            if written not in config:
                raise AssertionError(f"the documented rsyslog block lacks {written!r}")
            config = config.replace(written, ours)
        self._config = base / "rsyslog.conf"
        self._config.write_text(f'global(workDirectory="{base}")\n{config}')
        self._child: subprocess.Popen | None = None

    def start(self) -> Rsyslog:
        command = ["rsyslogd", "-n", "-iNONE", "-f", str(self._config)]
        self._child = spawn_child(command, self.base / "out.log", parent_death="KILL")
        eventually(self._is_up, "rsyslog up")
        return self

    def stop(self) -> None:
        if self._child:
            self.go_on()
            stop_child(self._child)
            self._child = None

    def hang(self) -> None:
        os.kill(self._child.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        if self._child.poll() is None:
            os.kill(self._child.pid, signal.SIGCONT)

    def text(self) -> str:
        return self.kept.read_text() if self.kept.exists() else ""

    def lines(self) -> list[str]:
        """The messages' own texts, without what syslog puts before them."""
        return re.findall(r" postern - anchor - (.*)", self.text())

    def _is_up(self) -> bool:
        if self._child and self._child.poll() is not None:
            raise AssertionError(f"rsyslog ended: {(self.base / 'out.log').read_text()[-2000:]}")
        return accepts(self.port)
