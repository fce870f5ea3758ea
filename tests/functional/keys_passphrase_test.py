"""A root key under a passphrase: every start needs it, it can be changed and taken off, and nothing
else changes with it."""

from __future__ import annotations

import hashlib
import os
import pty
import shutil
import subprocess

from lab import stored
from lab.case import LabCase
from lab.postern import Postern, binary, passed_line
from lab.process import eventually

FIRST = "grey heron on one leg"
SECOND = "nine copper kettles"


class PassphraseCase(LabCase):
    def made(self) -> Postern:
        server = self.installation()
        server.passphrase = FIRST
        server.command("init", "--data", str(server.data), "--root-key-passphrase")
        return server

    def change(self, server: Postern, new: str) -> subprocess.CompletedProcess:
        with passed_line(new) as new_fd, passed_line(server.passphrase) as old_fd:
            return subprocess.run(
                [
                    str(binary()), "keyring", "passphrase", "--data", str(server.data),
                    "--new-passphrase-fd", str(new_fd), "--passphrase-fd", str(old_fd),
                ],
                capture_output=True, text=True, check=False, timeout=60,
                pass_fds=(new_fd, old_fd),
            )

    def assert_does_not_start(self, server: Postern, code: str) -> None:
        server.spawn()
        self.assertNotEqual(server.wait_exit(), 0)
        self.assertIn(f"[{code}]", server.log())
        server.log_path.unlink()

    def everything(self, server: Postern) -> dict[str, object]:
        """What the stores hold: the keyring byte by byte, the others but for the record of what
        was asked. Opening one makes an empty log beside it."""
        rows = {
            path.name: stored.rows_of(path) for path in (server.data / "store").glob("*.db")
        }
        self.assertTrue(rows["store.db"].pop("audit_records"), "nothing was recorded")
        keyring = {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (server.data / "keyring").iterdir()
            if path.suffix in (".db", ".db-wal") and path.stat().st_size > 0
        }
        return {**rows, **keyring}


class StartTest(PassphraseCase):
    def test_it_starts_with_the_passphrase_alone(self):
        server = self.made()
        token = server.token()
        key = server.data / "root.key"
        self.assertNotEqual(len(key.read_bytes()), 32)
        self.assertEqual(key.stat().st_mode & 0o777, 0o400)
        server.passphrase = SECOND
        self.assert_does_not_start(server, "wrong_root_key")
        server.passphrase = ""
        self.assert_does_not_start(server, "passphrase_needed")
        server.passphrase = FIRST
        server.start()
        server.api(token).get("/v1/me").expect(200)

    def test_a_keeper_that_is_killed_comes_back_without_being_asked(self):
        server = self.made()
        token = server.token()
        server.start()
        before = server.process("keeper")
        os.kill(before, 9)
        eventually(
            lambda: server.processes().get("keeper", [before])[0] != before
            and server.api(token).get("/v1/me").status == 200,
            "another keeper that opens the keyring",
        )

    def test_the_wrong_one_names_the_key_that_is_wanted(self):
        server = self.made()
        told = server.command("keyring", "recovery-kit", "--data", str(server.data))
        server.passphrase = SECOND
        done = server.run("setup-link", "--data", str(server.data))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"wants the root key [0-9a-f]{32}")
        self.assertNotIn(SECOND, done.stderr)
        self.assertIn("postern-recovery-2:", told)

    def test_a_systemd_credential_is_taken(self):
        server = self.made()
        credentials = self.scratch / "credentials"
        credentials.mkdir()
        (credentials / "postern-passphrase").write_text(FIRST)
        for text, status in ((FIRST, 0), (SECOND + "\n", 1)):
            (credentials / "postern-passphrase").write_text(text)
            done = subprocess.run(
                [str(binary()), "setup-link", "--data", str(server.data)], timeout=60,
                capture_output=True, check=False,
                env={**os.environ, "CREDENTIALS_DIRECTORY": str(credentials)},
            )
            self.assertEqual(done.returncode, status, done.stderr)

    def test_it_is_asked_for_on_a_terminal_and_not_shown(self):
        server = self.made()
        child, terminal = pty.fork()
        if child == 0:
            os.execv(binary(), [str(binary()), "setup-link", "--data", str(server.data)])
        shown = _read_until(terminal, b"Passphrase of the root key: ")
        os.write(terminal, FIRST.encode() + b"\n")
        shown += _read_until(terminal, b"/setup?token=")
        _, status = os.waitpid(child, 0)
        os.close(terminal)
        self.assertEqual(status, 0, shown)
        self.assertNotIn(FIRST.encode(), shown)

    def test_it_is_no_argument_and_no_variable(self):
        server = self.made()
        done = subprocess.run(
            [str(binary()), "setup-link", "--data", str(server.data)], timeout=60,
            capture_output=True, text=True, check=False, start_new_session=True,
            env={**os.environ, "POSTERN_PASSPHRASE": FIRST, "PASSPHRASE": FIRST},
        )
        self.assertEqual(done.returncode, 1)
        self.assertIn("[passphrase_needed]", done.stderr)


class ChangeTest(PassphraseCase):
    def test_changed_taken_off_and_set_again_with_nothing_else_touched(self):
        server = self.made()
        token = server.token()
        before = self.everything(server)
        self.assertEqual(self.change(server, SECOND).returncode, 0)
        self.assert_does_not_start(server, "wrong_root_key")
        server.passphrase = SECOND
        server.command("keyring", "passphrase", "--data", str(server.data), "--remove")
        self.assertEqual(len((server.data / "root.key").read_bytes()), 32)
        server.passphrase = ""
        self.assertEqual(self.change(server, FIRST).returncode, 0)
        self.assertEqual(self.everything(server), before)
        self.assertFalse((server.data / "root.key.next").exists())
        server.passphrase = FIRST
        server.start()
        server.api(token).get("/v1/me").expect(200)

    def test_while_the_server_runs(self):
        server = self.made()
        token = server.token()
        server.start()
        self.assertEqual(self.change(server, SECOND).returncode, 0)
        server.api(token).get("/v1/me").expect(200)
        server.stop()
        self.assert_does_not_start(server, "wrong_root_key")
        server.passphrase = SECOND
        server.start()
        server.api(token).get("/v1/me").expect(200)

    def test_another_file_than_the_running_server_s_is_left_alone(self):
        """Also a copy of it: the next start would not look there."""
        server = self.installation()
        server.init()
        server.start()
        copy = self.scratch / "copy.key"
        shutil.copy2(server.data / "root.key", copy)
        before = copy.read_bytes()
        for command in (("keyring", "passphrase"), ("keyring", "rotate", "--root")):
            with passed_line(SECOND) as new_fd:
                done = subprocess.run(
                    [
                        str(binary()), *command, "--data", str(server.data), "--root-key",
                        str(copy), "--new-passphrase-fd", str(new_fd),
                    ],
                    capture_output=True, text=True, check=False, timeout=60, pass_fds=(new_fd,),
                )
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("[other_root_key]", done.stderr)
            self.assertIn(str(server.data / "root.key"), done.stderr)
            self.assertEqual(copy.read_bytes(), before)
            self.assertEqual((server.data / "root.key").read_bytes(), before)
        self.assertEqual(sorted(self.scratch.glob("copy.key*")), [copy])
        server.command("keyring", "rotate", "--root", "--data", str(server.data))
        self.assertNotEqual((server.data / "root.key").read_bytes(), before)
        server.stop()
        server.start()

    def test_a_weak_one_changes_nothing(self):
        server = self.made()
        before = (server.data / "root.key").read_bytes()
        done = self.change(server, "short")
        self.assertIn("[weak_secret]", done.stderr)
        self.assertEqual((server.data / "root.key").read_bytes(), before)
        self.assertFalse((server.data / "root.key.next").exists())

    def test_a_recovered_key_can_be_put_under_a_passphrase(self):
        server = self.installation()
        told = server.init()
        token = server.token()
        (server.data / "root.key").unlink()
        server.passphrase = FIRST
        server.command(
            "recover", "--data", str(server.data), "--root-key-passphrase",
            stdin=told.recovery_share,
        )
        self.assertNotEqual(len((server.data / "root.key").read_bytes()), 32)
        server.start()
        server.api(token).get("/v1/me").expect(200)


def _read_until(terminal: int, wanted: bytes) -> bytes:
    """What comes from the terminal until it has the words, or the child is gone."""
    seen = b""
    while wanted not in seen:
        try:
            part = os.read(terminal, 4096)
        except OSError:
            break
        if not part:
            break
        seen += part
    return seen
