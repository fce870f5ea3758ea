"""What ./dev run, ./dev run --demo, ./dev demo and ./dev fresh do, without the build."""

from __future__ import annotations

import os
import pathlib
import re
import signal
import subprocess
import tempfile
import unittest

from lab.api import Api
from lab.postern import PROJECT, binary, find_setup_link
from lab.process import eventually, free_port, spawn_child

# What the two functions before it would install and build is here.
COMMAND = """set -euo pipefail
root=$1; shift
. "$root/tools/dev/shell.sh"
. "$root/tools/dev/run.sh"
ensure_packages() { :; }
build_preset() { :; }
command_run "$@"
"""
START_S = 120.0


class DevTest(unittest.TestCase):
    def setUp(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="pst-", dir="/tmp")
        self.addCleanup(self._folder.cleanup)
        self.folder = pathlib.Path(self._folder.name)
        self.log = self.folder / "log"
        self.environment = {
            **os.environ, "XDG_STATE_HOME": str(self.folder / "state"),
            "POSTERN_BIN": str(binary()),
        }

    def start(self, *arguments: str) -> subprocess.Popen:
        """`./dev run ARGUMENTS` on a port of its own."""
        self.port = free_port()
        child = spawn_child(
            ["bash", "-c", COMMAND, "dev", str(PROJECT), *arguments,
             "--listen", f"127.0.0.1:{self.port}"],
            self.log, env=self.environment,
        )
        self.addCleanup(self.stop, child)
        return child

    def stop(self, child: subprocess.Popen) -> int:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
        return child.wait(60)

    def said(self, pattern: str, child: subprocess.Popen) -> re.Match:
        def look():
            found = re.search(pattern, self.log.read_text())
            self.assertTrue(found or child.poll() is None, self.log.read_text())
            return found
        return eventually(look, f"{pattern} in its output", START_S)

    def test_run_sets_up_once_and_serves(self):
        child = self.start()
        self.said(r"listening|ready", child)
        text = self.log.read_text()
        self.assertIsNotNone(find_setup_link(text))
        self.assertRegex(text, r"root key: \S+/root\.key\. It lies beside the data only because")
        self.assertTrue((self.folder / "state/postern/root.key").is_file())
        Api("127.0.0.1", self.port).get("/healthz").expect(200)
        self.assertEqual(self.stop(child), 0)
        self.log.unlink()
        again = self.start()
        self.said(r"listening|ready", again)
        self.assertNotIn("postern-recovery-", self.log.read_text())
        self.assertEqual(self.stop(again), 0)

    def test_demo_has_a_mailbox_and_a_creator_who_answers(self):
        child = self.start("--demo")
        token = self.said(r"API token +(pst_\S+)", child)[1]
        mailbox = self.said(r"the mailbox +(int_\w+), shared secret \S+", child)[1]
        link = self.said(r"set-up link +(\S+)", child)[1]
        self.assertTrue(link.startswith(f"http://localhost:{self.port}/setup?token="), link)
        api = Api("127.0.0.1", self.port, token=token)
        self.assertTrue(api.get("/v1/me").expect(200)["workspace"]["is_demo"])
        thread = api.post("/v1/threads", {
            "integration_id": mailbox, "subject": "Autumn",
            "to": [{"name": "Lea", "address": "lea@creators.example"}], "text": "shall we?",
        }).expect(201)["id"]
        eventually(
            lambda: any(message["direction"] == "in" for message
                        in api.get(f"/v1/threads/{thread}").expect(200)["messages"]),
            "Lea answers", START_S,
        )
        self.assertEqual(self.stop(child), 0)

    def test_demo_refuses_an_unknown_option(self):
        child = self.start("--demo", "--nonsense")
        self.assertNotEqual(child.wait(START_S), 0)
        self.assertIn("--nonsense", self.log.read_text())

    def test_the_told_story_ends_well(self):
        done = subprocess.run(
            ["/usr/bin/python3", str(PROJECT / "tools/dev/demo.py")],
            env=self.environment, capture_output=True, text=True, timeout=300,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


# What makes a root is on no test's machine: what it would be asked for is printed.
FRESH = """set -euo pipefail
root=$1; shift
. "$root/tools/dev/shell.sh"
. "$root/tools/dev/fresh.sh"
as_root() { [ "$1" != mmdebstrap ] || printf '%s\\n' "${@:2}"; }
fresh_make_root "$@"
"""


class FreshTest(unittest.TestCase):
    def test_root_is_made_with_further_packages_and_without(self):
        plain = self._asked("/nowhere/root")
        more = self._asked("/nowhere/root", "systemd-sysv,dbus")
        self.assertEqual([one for one in more if one not in plain], ["--include=systemd-sysv,dbus"])
        self.assertEqual(plain, [one for one in more if not one.startswith("--include=")])
        suite = plain.index("bookworm")
        self.assertTrue(all(one.startswith("--") for one in plain[:suite]), plain)
        self.assertEqual(plain[suite + 1], "/nowhere/root")

    @staticmethod
    def _asked(*arguments: str) -> list[str]:
        done = subprocess.run(
            ["bash", "-c", FRESH, "dev", str(PROJECT), *arguments],
            stdout=subprocess.PIPE, text=True, check=True,
        )
        return done.stdout.splitlines()
