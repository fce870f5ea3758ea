"""The recovery kit: shares on paper that restore the root key, and a kit made anew."""

from __future__ import annotations

import itertools
import re
import subprocess

from lab.case import LabCase
from lab.postern import Postern
from lab.qr import codes_of

SHARE = re.compile(r"^postern-recovery-2:\S+$", re.MULTILINE)


def shares_of(output: str) -> list[str]:
    return SHARE.findall(output)


class KitCase(LabCase):
    def init(self, *more: str) -> tuple[Postern, list[str]]:
        server = self.installation()
        told = server.command("init", "--data", str(server.data), *more)
        return server, shares_of(told)

    def recover(self, server: Postern, text: str) -> subprocess.CompletedProcess:
        return server.run("recover", "--data", str(server.data), stdin=text)

    def assert_refused(self, server: Postern, text: str, code: str) -> None:
        done = self.recover(server, text)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(f"[{code}]", done.stderr)
        self.assertFalse((server.data / "root.key").exists())


class SharesTest(KitCase):
    def test_any_two_of_three_restore_and_the_server_opens_its_data(self):
        server, shares = self.init("--recovery-shares", "3", "--recovery-threshold", "2")
        self.assertEqual(len(shares), 3)
        token = server.token()
        key = server.data / "root.key"
        before = key.read_bytes()
        for pair in itertools.permutations(shares, 2):
            key.unlink()
            self.assertEqual(self.recover(server, "\n".join(pair)).returncode, 0)
            self.assertEqual(key.read_bytes(), before)
            self.assertEqual(key.stat().st_mode & 0o777, 0o400)
        server.start()
        server.api(token).get("/v1/me").expect(200)

    def test_too_few_twice_the_same_and_others_are_refused(self):
        server, shares = self.init("--recovery-shares", "3", "--recovery-threshold", "2")
        _, others = self.init("--recovery-shares", "3", "--recovery-threshold", "2")
        (server.data / "root.key").unlink()
        for text in (shares[0], shares[0] + "\n" + shares[0], shares[0] + "\n" + others[1]):
            self.assert_refused(server, text, "shares_do_not_fit")
        self.assert_refused(server, others[0] + "\n" + others[1], "no_recovery_kit")
        typo = shares[1][:-1] + ("k" if shares[1][-1] != "k" else "m")
        self.assert_refused(server, shares[0] + "\n" + typo, "bad_recovery_text")

    def test_schemes_that_are_none_make_no_installation(self):
        for shares, threshold in (("3", "1"), ("2", "3"), ("1", "2")):
            server = self.installation()
            done = server.run(
                "init", "--data", str(server.data), "--recovery-shares", shares,
                "--recovery-threshold", threshold,
            )
            self.assertEqual(done.returncode, 1)
            self.assertIn("[bad_scheme]", done.stderr)
            self.assertFalse((server.data / "root.key").exists())
            self.assertFalse((server.data / "keyring").exists())


class NewKitTest(KitCase):
    def test_a_new_kit_restores_and_the_one_before_does_not(self):
        server, old = self.init()
        for running in (False, True):
            if running:
                server.start()
            told = server.command(
                "keyring", "recovery-kit", "--data", str(server.data), "--shares", "2",
                "--threshold", "2",
            )
            new = shares_of(told)
            self.assertEqual(len(new), 2)
            self.assertIn("void", told)
            if running:
                server.stop()
            (server.data / "root.key").unlink()
            self.assert_refused(server, "\n".join(old), "no_recovery_kit")
            self.assertEqual(self.recover(server, "\n".join(new)).returncode, 0)
            old = new

    def test_the_socket_to_the_keeper_is_for_its_owner_alone(self):
        server, _ = self.init()
        server.start()
        self.assertEqual((server.data / "run" / "keys.sock").stat().st_mode & 0o777, 0o600)


class PrintTest(KitCase):
    def test_codes_on_the_sheet_are_the_shares(self):
        for form in ("html", "svg"):
            server = self.installation()
            sheet = self.scratch / f"kit.{form}"
            told = server.command(
                "init", "--data", str(server.data), "--recovery-shares", "3",
                "--recovery-threshold", "2", "--print", str(sheet),
            )
            self.assertEqual(shares_of(told), [], "the terminal keeps no copy")
            self.assertEqual(sheet.stat().st_mode & 0o777, 0o600)
            codes = codes_of(sheet.read_text())
            self.assertEqual(len(set(codes)), 3)
            (server.data / "root.key").unlink()
            self.assertEqual(self.recover(server, codes[2] + "\n" + codes[0]).returncode, 0)

    def test_a_file_that_is_there_is_not_overwritten_and_the_kit_not_lost(self):
        server, shares = self.init()
        sheet = self.scratch / "kit.html"
        sheet.write_text("mine")
        done = server.run(
            "keyring", "recovery-kit", "--data", str(server.data), "--print", str(sheet)
        )
        self.assertEqual(done.returncode, 1)
        self.assertEqual(sheet.read_text(), "mine")
        (server.data / "root.key").unlink()
        # None was made: the one before is good.
        self.assertEqual(self.recover(server, shares[0]).returncode, 0)
