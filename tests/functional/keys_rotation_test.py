"""Keys are rotated while people work: nothing that was sealed is lost, the old keys open nothing,
and what was interrupted is ended by the next start."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading

from lab.api import Reply
from lab.case import LabCase
from lab.creator import Creator
from lab.desk import Connected, Desk
from lab.postern import Postern, binary, passed_line
from lab.process import alive, eventually

ROTATED = re.compile(r"Rotated: (\d+) wraps")
PASSPHRASE = "grey heron on one leg"


class RotationCase(LabCase):
    def rotate(self, server: Postern, *more: str) -> str:
        return server.command("keyring", "rotate", "--data", str(server.data), *more)

    def make_kit(self, server: Postern) -> str:
        told = server.command("keyring", "recovery-kit", "--data", str(server.data))
        return re.search(r"^postern-recovery-2:\S+$", told, re.MULTILINE)[0]

    def work(self, desk: Desk, integration, number: int) -> None:
        """One round of what a manager does: unlock, write, have it sent, find the reply."""
        desk.unlock(integration).expect(200)
        creator = self.creator()
        subject = f"Round {number}"
        thread = desk.write(integration, creator, subject, "Hello").expect(201)["id"]
        desk.sent(thread)
        lea = Creator(self.lab, creator)
        lea.answer_with_swaks(lea.received(subject)[0], "I am in")
        self.assertIn("I am in", desk.incoming(thread)[0]["text"])


class Load(threading.Thread):
    """Somebody who unlocks, reads, gives a grant and takes it back, until `finish`."""

    def __init__(self, desk: Desk, integration: Connected) -> None:
        super().__init__(daemon=True)
        self._desk = desk
        self._integration = integration
        self._stopping = threading.Event()
        self._failures: list[str] = []
        self.answers = 0
        self.start()

    def finish(self) -> list[str]:
        """What did not succeed."""
        self._stopping.set()
        self.join()
        return self._failures

    def run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._round()
        except Exception as error:  # Of a thread it would be seen by nobody.
            self._failures.append(repr(error))

    def _round(self) -> None:
        api, integration = self._desk.api, self._integration
        path = f"/v1/integrations/{integration.id}"
        wish = {"shared_secret": integration.secret, "verbs": ["send"], "expires_in": "P1D"}
        granted = self._take(api.post(f"{path}/grants", wish))
        self._take(self._desk.unlock(integration))
        self._take(api.get("/v1/threads"))
        self._take(api.get(path))
        self._take(api.delete(f"{path}/grants/{granted.json.get('id')}"))

    def _take(self, reply: Reply) -> Reply:
        if reply.status >= 300:
            self._failures.append(str(reply))
        self.answers += 1
        return reply


class UnderLoadTest(RotationCase):
    def test_everything_goes_on_through_a_rotation_of_all_keys(self):
        server, desk, integration = self.connected(grant=True)
        share = self.make_kit(server)
        root_key = server.data / "root.key"
        old_root = root_key.read_bytes()
        self.work(desk, integration, 1)
        load = Load(Desk(server.api(desk.api.token), self.lab), integration)
        try:
            for _ in range(3):
                before = load.answers
                told = self.rotate(server)
                self.assertGreaterEqual(int(ROTATED.search(told)[1]), 3)
                self.assertGreater(load.answers, before, "nobody worked during this rotation")
        finally:
            failures = load.finish()
        self.assertEqual(failures, [])
        self.assertNotEqual(root_key.read_bytes(), old_root)
        self.work(desk, integration, 2)
        server.stop()

        server.start()
        self.work(desk, integration, 3)
        server.stop()
        # The kit of before restores the key of now; the key of before opens nothing.
        new_root = root_key.read_bytes()
        root_key.unlink()
        server.command("recover", "--data", str(server.data), stdin=share)
        self.assertEqual(root_key.read_bytes(), new_root)
        root_key.unlink()
        root_key.write_bytes(old_root)
        root_key.chmod(0o400)
        done = server.run("setup-link", "--data", str(server.data))
        self.assertIn("[wrong_root_key]", done.stderr)

    def test_a_keeper_that_is_killed_after_it_has_the_new_root_key(self):
        server, desk, integration = self.connected(grant=True)
        self.make_kit(server)
        self.rotate(server)
        keeper = server.process("keeper")
        os.kill(keeper, 9)
        eventually(lambda: not alive(keeper), "keeper killed")
        eventually(lambda: desk.api.get("/v1/integrations").status == 200, "another keeper")
        self.work(desk, integration, 1)


class WithoutServerTest(RotationCase):
    def test_rotated_while_nothing_runs(self):
        server, desk, integration = self.connected(grant=True)
        self.work(desk, integration, 1)
        server.stop()
        self.make_kit(server)
        self.rotate(server)
        for one in ("--root", "--keyring", "--workspaces"):
            self.rotate(server, one)
        server.start()
        self.work(desk, integration, 2)

    def test_a_root_key_under_a_passphrase_gets_one_again(self):
        server = self.installation()
        server.passphrase = PASSPHRASE
        server.command("init", "--data", str(server.data), "--root-key-passphrase")
        token = server.token()
        before = (server.data / "root.key").read_bytes()
        with passed_line("nine copper kettles") as descriptor:
            self._rotate_with(server, descriptor)
        after = (server.data / "root.key").read_bytes()
        self.assertNotEqual(after, before)
        self.assertEqual(len(after), len(before))
        server.passphrase = "nine copper kettles"
        server.start()
        server.api(token).get("/v1/me").expect(200)

    def _rotate_with(self, server: Postern, descriptor: int) -> None:
        with passed_line(server.passphrase) as old:
            subprocess.run(
                [
                    str(binary()), "keyring", "rotate", "--data", str(server.data),
                    "--passphrase-fd", str(old), "--new-passphrase-fd", str(descriptor),
                ],
                check=True, timeout=60, pass_fds=(old, descriptor), capture_output=True,
            )


class InterruptedTest(RotationCase):
    def test_the_next_start_takes_the_root_key_that_fits(self):
        server, desk, integration = self.connected(grant=True)
        self.make_kit(server)
        server.stop()
        key, next_key = server.data / "root.key", server.data / "root.key.next"
        before = key.read_bytes()
        # Committed, and the file had not taken its name yet.
        self.rotate(server, "--root")
        after = key.read_bytes()
        key.rename(next_key)
        key.write_bytes(before)
        key.chmod(0o400)
        server.start()
        self.assertEqual(key.read_bytes(), after)
        self.assertFalse(next_key.exists())
        self.work(desk, integration, 1)
        server.stop()
        # Prepared, and not committed.
        next_key.write_bytes(b"n" * 32)
        next_key.chmod(0o400)
        server.start()
        self.assertEqual(key.read_bytes(), after)
        self.assertFalse(next_key.exists())
        self.work(desk, integration, 2)

    def test_a_start_that_may_not_write_beside_the_key_is_told(self):
        server = self.installation()
        server.init()
        key, left = server.data / "root.key", self.scratch / "keys"
        left.mkdir()
        kept = left / "root.key"
        shutil.move(key, kept)
        server.config.write_text(f'root_key = "{kept}"\n' + server.config.read_text())
        unfinished, next_key = left / "root.key.next.new", left / "root.key.next"
        for file in (unfinished, next_key):
            file.write_bytes(b"n" * 32)
            file.chmod(0o400)
        read_only = f"mount --bind {left} {left} && mount -o remount,bind,ro {left} && exec "
        server.prefix = ["unshare", "--mount", "sh", "-c", read_only + '"$@"', "sh"]
        server.start()
        self.assertIn("root_key_not_settled", server.log())
        doctor = ("doctor", "--data", str(server.data))
        self.assertRegex(server.run(*doctor).stdout, r"(?m)^BAD +change of the root key: .*next")
        server.stop()
        server.prefix = []
        server.start()
        self.assertFalse(unfinished.exists() or next_key.exists())
        self.assertNotIn("change of the root key", server.run(*doctor).stdout)

    def test_a_next_key_that_is_torn_or_under_a_passphrase_stops_no_start(self):
        server = self.installation()
        server.init()
        key, next_key = server.data / "root.key", server.data / "root.key.next"
        before = key.read_bytes()
        for size in (0, 20, 148):
            with self.subTest(size=size):
                next_key.write_bytes(b"n" * size)
                next_key.chmod(0o400)
                unfinished = server.data / "root.key.next.new"
                unfinished.write_bytes(b"u" * 32)
                unfinished.chmod(0o400)
                server.start()
                self.assertEqual(key.read_bytes(), before)
                self.assertFalse(next_key.exists())
                self.assertFalse(unfinished.exists())
                server.stop()

    def test_a_next_key_that_fits_is_kept_for_whoever_has_its_passphrase(self):
        server = self.installation()
        server.passphrase = PASSPHRASE
        server.command("init", "--data", str(server.data), "--root-key-passphrase")
        key, next_key = server.data / "root.key", server.data / "root.key.next"
        fits = key.read_bytes()
        key.rename(next_key)
        key.write_bytes(b"k" * 32)
        key.chmod(0o400)
        server.passphrase = ""
        done = server.run("setup-link", "--data", str(server.data))
        self.assertIn("[passphrase_needed]", done.stderr)
        self.assertEqual(next_key.read_bytes(), fits)
        server.passphrase = PASSPHRASE
        server.start()
        self.assertEqual(key.read_bytes(), fits)
        self.assertFalse(next_key.exists())

    def test_an_unsettled_key_is_not_overwritten_by_another_rotation(self):
        server, _, _ = self.connected()
        self.make_kit(server)
        next_key = server.data / "root.key.next"
        next_key.write_bytes(b"n" * 32)
        done = server.run("keyring", "rotate", "--data", str(server.data), "--root")
        self.assertIn("[root_key_unsettled]", done.stderr)
        self.assertEqual(next_key.read_bytes(), b"n" * 32)
