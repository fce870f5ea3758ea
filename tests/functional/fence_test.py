"""The fences of real processes: what somebody's code in one of them could still do."""

from __future__ import annotations

import errno
import os
import platform
import re
import signal
import socket
import subprocess
import unittest

from lab import old_host
from lab.case import LabCase
from lab.creator import Creator
from lab.desk import Desk
from lab.faults import ptrace_refusal
from lab.inside import system_call
from lab.postern import CONFIG, ONLY_LOG, Postern, binary
from lab.process import alive, eventually

# x86-64 and arm64 differ.
OPENAT, SOCKET, EXECVE, PTRACE, MPROTECT, KILL, CONNECT, SENDMSG, TGKILL, PRLIMIT = {
    "x86_64": (257, 41, 59, 101, 10, 62, 42, 46, 234, 302),
    "aarch64": (56, 198, 221, 117, 226, 129, 203, 211, 131, 261),
}[platform.machine()]
IPPROTO_MPTCP, MSG_FASTOPEN = 262, 0x20000000
AT_FDCWD, O_RDONLY, PROT_EXEC = -100, 0, 4
READABLE_BY_ALL = "/etc/passwd"
FENCED = ("front", "keeper", "courier")


class FenceCase(LabCase):
    def setUp(self) -> None:
        super().setUp()
        if why := ptrace_refusal():
            self.skipTest(why)

    def reader(self, *arguments: str) -> int:
        """A reader as the supervisor starts it: fenced, and waiting for its first mail."""
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        program = binary().with_name("postern-reader")
        child = subprocess.Popen(
            ["postern-reader", *arguments], executable=program, stdin=subprocess.DEVNULL,
            preexec_fn=lambda: os.dup2(theirs.fileno(), 3), close_fds=False, cwd="/",
        )
        theirs.close()
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        eventually(lambda: _waits_for_events(child.pid), "the reader waits")
        return child.pid


class SystemCallTest(FenceCase):
    def test_a_forbidden_system_call_ends_the_process_and_another_is_started(self):
        server, desk, integration = self.connected(grant=True)
        for role in FENCED:
            with self.subTest(role):
                pid = server.process(role)
                self.assertIn(system_call(pid, PTRACE, 0, 0, 0, 0), ("SIGSYS", "ended"))
                eventually(lambda: not alive(pid), f"{role} ended")
                eventually(
                    lambda: f"forbidden_system_call role={role}" in server.log(), "told in the log"
                )
                eventually(lambda: server.process(role) != pid, f"another {role}")
                eventually(server.is_ready, "ready again")
        lea = Creator(self.lab, self.creator())
        desk.write(integration, lea.account, "Goes on", "x").expect(201)
        lea.received("Goes on")

    def test_each_role_lacks_what_it_has_no_use_for(self):
        """Each attempt has a server of its own: the process does not survive it."""
        attempts = {
            "execve": (EXECVE, "/bin/true", 0, 0), "kill": (KILL, 1, 0),
            "unix socket": (SOCKET, int(socket.AF_UNIX), int(socket.SOCK_STREAM), 0),
            "raw socket": (SOCKET, int(socket.AF_INET), int(socket.SOCK_RAW), 1),
            "executable memory": (MPROTECT, 0, 4096, PROT_EXEC),
            "a send that connects": (SENDMSG, 0, 0, MSG_FASTOPEN),
            "another TCP": (SOCKET, int(socket.AF_INET), int(socket.SOCK_STREAM), IPPROTO_MPTCP),
            "another's limits": (PRLIMIT, 1, 7, 0, 0),
            "a signal to a thread": (TGKILL, 1, 1, int(signal.SIGKILL)),
        }
        server, _ = self.running()
        for role in FENCED:
            for name, attempt in attempts.items():
                if (role, name) == ("courier", "unix socket"):
                    continue  # answered with an error: the resolver asks for one
                with self.subTest(f"{role}: {name}"):
                    pid = server.process(role)
                    self.assertIn(system_call(pid, *attempt), ("SIGSYS", "ended"))
                    server.kill()
                    server.start()

    def test_courier_is_told_that_it_has_no_local_sockets_and_goes_on(self):
        server, _ = self.running()
        pid = server.process("courier")
        for family in (socket.AF_UNIX, socket.AF_NETLINK):
            made = system_call(pid, SOCKET, int(family), int(socket.SOCK_DGRAM), 0)
            self.assertEqual(made, -errno.EACCES)
        self.assertEqual(server.process("courier"), pid)

    def test_front_and_keeper_cannot_connect(self):
        server, _ = self.running()
        for role in ("front", "keeper"):
            with self.subTest(role):
                pid = server.process(role)
                self.assertIn(system_call(pid, CONNECT, 0, 0, 0), ("SIGSYS", "ended"))
                eventually(lambda: server.process(role) != pid, f"another {role}")

    def test_a_reader_cannot_open_connect_or_execute(self):
        attempts = (
            (OPENAT, AT_FDCWD, READABLE_BY_ALL, O_RDONLY),
            (SOCKET, int(socket.AF_INET), int(socket.SOCK_STREAM), 0),
            (SOCKET, int(socket.AF_UNIX), int(socket.SOCK_STREAM), 0),
            (EXECVE, "/bin/true", 0, 0),
        )
        for attempt in attempts:
            with self.subTest(attempt):
                self.assertIn(system_call(self.reader(), *attempt), ("SIGSYS", "ended"))

    def test_a_reader_that_is_only_logged_survives_and_shows_that_the_attempt_is_real(self):
        pid = self.reader("--only-log-calls")
        made = system_call(pid, SOCKET, int(socket.AF_INET), int(socket.SOCK_STREAM), 0)
        self.assertGreaterEqual(made, 0)
        # Landlock answers with an error where the filter lets through.
        opened = system_call(pid, OPENAT, AT_FDCWD, READABLE_BY_ALL, O_RDONLY)
        self.assertEqual(opened, -errno.EACCES)
        self.assertTrue(alive(pid))


class FileTest(FenceCase):
    def test_files_of_others_are_refused(self):
        server, _ = self.running()
        for role in FENCED:
            with self.subTest(role):
                pid = server.process(role)
                opened = system_call(pid, OPENAT, AT_FDCWD, READABLE_BY_ALL, O_RDONLY)
                self.assertEqual(opened, -errno.EACCES)
                self.assertTrue(alive(pid), "a refused file is no reason to end")

    def test_each_role_reaches_its_own_folder_and_no_other(self):
        server, _ = self.running()
        # Open for all, so that it is not the owner that makes the difference.
        for folder in (server.data, server.data / "store", server.data / "keyring"):
            folder.chmod(0o755)
            for file in folder.glob("*.db"):
                file.chmod(0o644)
        store = str(server.data / "store" / "store.db")
        keyring = str(server.data / "keyring" / "keyring.db")
        expected = {
            ("front", store): True, ("front", keyring): False,
            ("keeper", store): False, ("keeper", keyring): True,
            ("courier", store): False, ("courier", keyring): False,
        }
        for (role, path), reached in expected.items():
            with self.subTest(f"{role} {path}"):
                opened = system_call(server.process(role), OPENAT, AT_FDCWD, path, O_RDONLY)
                self.assertEqual(opened >= 0, reached, opened)

    def test_without_landlock_the_same_file_opens(self):
        server = self.installation()
        server.prepare = lambda: old_host.without("landlock")
        server.init()
        server.start()
        opened = system_call(server.process("front"), OPENAT, AT_FDCWD, READABLE_BY_ALL, O_RDONLY)
        self.assertGreaterEqual(opened, 0, "the tests above would pass without a fence")


class IsolationTest(LabCase):
    """What the server says of itself."""

    def test_a_host_with_all_of_it_is_isolated(self):
        server, _ = self.running()
        ready = server.api().get("/readyz").expect(200).json
        self.assertEqual(ready["isolation"], "isolated", ready)
        self.assertNotIn("not_isolated", server.log())
        self.assertNotIn("not isolated", server.run("doctor", "--data", str(server.data)).stdout)

    def test_a_host_without_landlock(self):
        self._says(("landlock",), "no Landlock")

    def test_a_host_without_filters(self):
        self._says(("filters",), "no system-call filters")

    def test_a_host_with_neither(self):
        server = self._says(("landlock", "filters"), "no system-call filters")
        self.assertIn("no Landlock", server.log())

    def test_calls_that_are_only_logged(self):
        server = self.installation(config=CONFIG + ONLY_LOG)
        server.init()
        server.start()
        self._told(server, "only logged")

    def test_without_root(self):
        server = self.installation()
        server.init()
        user = 65534
        for path in (server.data, *server.data.rglob("*"), server.folder, server.config):
            os.chown(path, user, user, follow_symlinks=False)
        server.prefix = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--"]
        server.start()
        self._told(server, "root")
        server.prefix = []
        # Root's own processes would be kept apart: it is the server that is asked.
        self.assertIn("same user", server.run("doctor", "--data", str(server.data)).stdout)
        server.stop()
        done = server.run("setup-link", "--data", str(server.data))
        self.assertIn("[folder_of_another]", done.stderr)
        for part in ("", "store", "keyring", "run"):
            self.assertEqual((server.data / part).stat().st_uid, user, part)

    def test_a_host_without_authorities(self):
        """A system where nobody installed any: what mailboxes pin is trusted all the same."""
        try:
            subprocess.run(["true"], preexec_fn=old_host.without_authorities, check=True)
        except subprocess.SubprocessError as refused:
            self.skipTest(f"no mount namespace can be made here: {refused}")
        server = self.installation()
        server.init()
        server.prepare = old_host.without_authorities
        server.start()
        desk = Desk(server.api(server.token()), self.lab)
        integration = desk.connect(self.person())
        self.assertEqual(desk.state(integration), "leased")

    def _says(self, lacking: tuple[str, ...], reason: str) -> Postern:
        server = self.installation()
        server.prepare = lambda: old_host.without(*lacking)
        server.init()
        server.start()
        self._told(server, reason)
        self.assertIn(reason, server.run("doctor", "--data", str(server.data)).stdout)
        return server

    def _told(self, server: Postern, reason: str) -> None:
        ready = server.api().get("/readyz").expect(200).json
        self.assertEqual(ready["isolation"], "not isolated")
        self.assertIn(reason, ready["isolation_detail"])
        (line,) = re.findall(r".* not_isolated .*", server.log())
        self.assertIn(reason, line)


def _waits_for_events(pid: int) -> bool:
    """Whether a process has closed its fence and sleeps in its event loop."""
    with open(f"/proc/{pid}/status") as status:
        filters = re.search(r"^Seccomp_filters:\s+(\d+)", status.read(), re.MULTILINE)
    with open(f"/proc/{pid}/wchan") as where:
        return bool(filters and int(filters[1])) and "poll" in where.read()


if __name__ == "__main__":
    unittest.main()
