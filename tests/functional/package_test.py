"""The package's unit against the server that it starts. Installing it is ./dev fresh package's."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import socket
import subprocess
import unittest

from lab.case import LabCase
from lab.creator import Creator
from lab.desk import Desk
from lab.postern import PROJECT
from lab.process import eventually

UNIT = PROJECT / "packaging" / "postern.service"
USERS = PROJECT / "packaging" / "postern.sysusers"
DEFAULTS = PROJECT / "packaging" / "postern.toml"
# systemd-analyze security, 0 to 10; 9 and more is what a unit without hardening has.
EXPOSURE_MAX = 2.6


def settings(name: str) -> list[str]:
    """All values of one key of the unit, in order."""
    found = re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)
    if not found:
        raise AssertionError(f"the unit has no {name}=")
    return found


class UsersTest(LabCase):
    def test_each_process_has_a_user_that_passwd_can_hold(self):
        lines = re.findall(r'^u (postern-\w+) +- +"([^"]*)"$', USERS.read_text(), re.MULTILINE)
        roles = ("front", "keeper", "courier", "reader")
        self.assertEqual([name for name, _ in lines], [f"postern-{role}" for role in roles])
        for _, words in lines:
            self.assertRegex(words, r"^[A-Za-z ]+$")

    def test_systemd_makes_them(self):
        if not shutil.which("systemd-sysusers"):
            self.skipTest("systemd-sysusers is not installed")
        (self.scratch / "etc").mkdir()
        made = subprocess.run(
            ["systemd-sysusers", f"--root={self.scratch}", str(USERS)],
            capture_output=True, text=True, check=False,
        )
        self.assertEqual(made.returncode, 0, made.stderr)
        passwd = (self.scratch / "etc" / "passwd").read_text()
        for role in ("front", "keeper", "courier", "reader"):
            self.assertRegex(passwd, rf"(?m)^postern-{role}:")


class UnitTest(LabCase):
    def setUp(self) -> None:
        super().setUp()
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze is not installed")

    def test_how_much_the_unit_leaves_open(self):
        told = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", str(UNIT)],
            capture_output=True, text=True, check=False,
        ).stdout
        level = re.search(r"Overall exposure level for \S+: ([\d.]+)", told)
        self.assertLessEqual(float(level[1]), EXPOSURE_MAX, told)

    def test_it_tells_systemd_when_it_is_ready_and_when_it_stops(self):
        self.assertEqual(settings("Type"), ["notify"])
        for name in (str(self.scratch / "notify"), "@postern-notify-" + os.urandom(8).hex()):
            with self.subTest(name), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
                manager.bind(name.replace("@", "\0"))
                manager.settimeout(60)
                server = self.installation()
                server.init()
                server.prefix = ["env", f"NOTIFY_SOCKET={name}"]
                server.start()
                self.assertEqual(manager.recv(100), b"READY=1")
                server.stop()
                self.assertEqual(manager.recv(100), b"STOPPING=1")

    def test_a_change_of_the_root_key_can_be_settled_where_the_key_lies(self):
        named = re.search(r'^root_key = "(.*)"', DEFAULTS.read_text(), re.MULTILINE)
        folder = str(pathlib.Path(named[1]).parent)
        self.assertIn(folder, [path.lstrip("-") for path in settings("ReadWritePaths")])

    def test_its_filter_lets_all_through_that_a_whole_server_calls(self):
        log = self.scratch / "calls"
        server = self.installation()
        server.init()
        token = server.token()
        server.prefix = ["strace", "-D", "-f", "-o", str(log), "--"]
        server.start()
        desk = Desk(server.api(token), self.lab)
        integration = desk.connect(self.person())
        lea = Creator(self.lab, self.creator())
        desk.write(integration, lea.account, "Under the unit", "x").expect(201)
        lea.received("Under the unit")
        # Short numbers are padded.
        last = re.compile(rf"^{server.pid} +\+\+\+ exited", re.MULTILINE)
        server.stop()
        eventually(lambda: last.search(log.read_text()), "the whole log")
        called = set(re.findall(r"^\d+ +(\w+)\(", log.read_text(), re.MULTILINE))
        self.assertIn("landlock_restrict_self", called)
        self.assertEqual(called - self._allowed() - {"execve"}, set())

    def _allowed(self) -> set[str]:
        """The unit's lists in their order: the first says whether they allow or forbid."""
        allowed: set[str] = set()
        for line in settings("SystemCallFilter"):
            forbidden = line.startswith("~")
            for word in line.lstrip("~").split():
                calls = self._group(word) if word.startswith("@") else {word}
                allowed = allowed - calls if forbidden else allowed | calls
        # systemd.exec(5): these are always allowed in a list that allows.
        return allowed | self._group("@default")

    def _group(self, name: str) -> set[str]:
        told = subprocess.run(
            ["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True
        ).stdout
        found: set[str] = set()
        for word in re.findall(r"^\s+(@?[a-z0-9_-]+)$", told, re.MULTILINE):
            found |= self._group(word) if word.startswith("@") else {word}
        return found


class PrivilegeTest(LabCase):
    def test_a_server_with_the_unit_s_capabilities_alone_is_isolated_and_works(self):
        wanted = [word.removeprefix("CAP_").lower() for word in
                  settings("CapabilityBoundingSet")[0].split()]
        server = self.installation()
        server.init()
        token = server.token()
        server.prefix = [
            "setpriv", "--no-new-privs", "--inh-caps=-all", "--bounding-set",
            ",".join(["-all", *(f"+{word}" for word in wanted)]), "--",
        ]
        server.start()
        ready = server.api().get("/readyz").expect(200).json
        self.assertEqual(ready["isolation"], "isolated", ready)
        desk = Desk(server.api(token), self.lab)
        integration = desk.connect(self.person())
        lea = Creator(self.lab, self.creator())
        desk.write(integration, lea.account, "Few privileges", "x").expect(201)
        lea.received("Few privileges")
        desk.act(integration, "cut-off").expect(200)


class CredentialTest(LabCase):
    def test_a_root_key_from_systemd_stands_before_the_configured_one(self):
        server = self.installation()
        server.init()
        folder = self.scratch / "credentials"
        folder.mkdir(mode=0o700)
        shutil.move(server.data / "root.key", folder / "postern.root-key")
        refused = server.run("token", "create", "--data", str(server.data), "--workspace", "Brand",
                             "--role", "owner")
        self.assertIn("root_key_missing", refused.stderr)
        server.environment = {"CREDENTIALS_DIRECTORY": str(folder)}
        server.token()
        server.start()

    def test_a_credential_that_others_may_read_is_refused(self):
        server = self.installation()
        server.init()
        folder = self.scratch / "credentials"
        folder.mkdir(mode=0o700)
        shutil.copy2(server.data / "root.key", folder / "postern.root-key")
        (folder / "postern.root-key").chmod(0o444)
        server.environment = {"CREDENTIALS_DIRECTORY": str(folder)}
        server.spawn()
        self.assertNotEqual(server.wait_exit(), 0)
        self.assertIn("root_key_unsafe", server.log())

    def test_without_a_credential_the_configured_key_is_taken(self):
        server = self.installation()
        server.init()
        folder = self.scratch / "credentials"
        folder.mkdir(mode=0o700)
        server.environment = {"CREDENTIALS_DIRECTORY": str(folder)}
        server.start()


if __name__ == "__main__":
    unittest.main()
