"""The base of all functional tests: shared mail servers, fresh installations, tidy ends."""

from __future__ import annotations

import atexit
import itertools
import pathlib
import shutil
import tempfile
import unittest

from .desk import Connected, Desk
from .mail_servers import Account, MailServers
from .postern import CONFIG, Postern

_names = itertools.count(1)
_lab: MailServers | None = None


def shared_lab() -> MailServers:
    """The mail servers of this test process: started on first use, stopped at its end."""
    global _lab
    if _lab is None:
        _lab = MailServers()
        atexit.register(_lab.close)
        _lab.start()
    return _lab


class LabCase(unittest.TestCase):
    """Gives a test a scratch folder, mailboxes of its own, and installations that end with it."""

    maxDiff = None

    def setUp(self) -> None:
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="pst-", dir="/tmp"))
        # Children that dropped their uid must be able to pass through.
        self.scratch.chmod(0o755)
        self._servers: list[Postern] = []
        self.addCleanup(self._clean_up)

    @property
    def lab(self) -> MailServers:
        return shared_lab()

    def person(self, name: str = "maya", domain: str = "brand.example") -> Account:
        """A mailbox that no other test uses."""
        return self.lab.account(f"{name}{next(_names)}", domain)

    def creator(self, name: str = "lea") -> Account:
        return self.person(name, "creators.example")

    def installation(self, *, config: str = CONFIG, name: str = "") -> Postern:
        """A new, empty installation, not yet initialised."""
        folder = self.scratch / (name or f"postern{len(self._servers)}")
        folder.mkdir()
        return self.adopt(Postern(folder, config=config))

    def adopt(self, server: Postern) -> Postern:
        self._servers.append(server)
        return server

    def copy(self, server: Postern, name: str) -> Postern:
        """A copy of a stopped installation, adopted by this test."""
        return self.adopt(server.copy_to(self.scratch / name))

    def running(self, *, config: str = CONFIG) -> tuple[Postern, Desk]:
        """An initialised, serving installation and an owner at their desk."""
        server = self.installation(config=config)
        server.init()
        token = server.token()
        server.start()
        return server, Desk(server.api(token), self.lab)

    def connected(self, *, grant: bool = False, **more) -> tuple[Postern, Desk, Connected]:
        """The same with one mailbox connected (and a grant for sending and reading)."""
        server, desk = self.running()
        integration = desk.connect(self.person(), **more)
        if grant:
            desk.grant(integration)
        return server, desk, integration

    def _clean_up(self) -> None:
        failed = not getattr(self._outcome, "success", True)
        for server in self._servers:
            server.close()
            if failed and server.log():
                print(f"--- log of {server.folder.name} in {self.id()}\n{server.log()[-6000:]}")
        shutil.rmtree(self.scratch, ignore_errors=True)
