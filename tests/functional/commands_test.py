"""The command line: what scripts and operators rely on."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import socket
import subprocess

from lab import faults
from lab.case import LabCase
from lab.postern import binary
from lab.process import kill_tree


class InitTest(LabCase):
    def test_a_second_init_changes_nothing(self):
        server = self.installation()
        server.init()
        before = (server.data / "root.key").read_bytes()
        again = server.run("init", "--data", str(server.data))
        self.assertNotEqual(again.returncode, 0)
        self.assertRegex(again.stderr, r"(?i)already|exists")
        self.assertEqual((server.data / "root.key").read_bytes(), before)

    def test_an_init_that_is_killed_is_started_afresh(self):
        """Wherever it is killed: the next one makes an installation, or finds a whole one."""
        outcomes = set()
        for milliseconds in (*range(0, 40, 4), *range(40, 400, 30)):
            with self.subTest(milliseconds):
                server = self.installation(name=f"killed{milliseconds}")
                child = server.begin("init", "--data", str(server.data))
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(milliseconds / 1000)
                kill_tree(child.pid)
                child.wait()
                again = server.run("init", "--data", str(server.data))
                outcomes.add(again.returncode)
                if again.returncode != 0:
                    self.assertIn("[already_set_up]", again.stderr)
                server.token()
                server.start()
                server.stop()
                self.assertFalse((server.data / "root.key.new").exists())
        self.assertIn(0, outcomes, "none was killed in time")

    def test_what_an_interrupted_init_leaves_is_told(self):
        server = self.installation()
        server.init()
        (server.data / "half-made").touch()
        for command in (("setup-link",), ("doctor",), ("keyring", "recovery-kit")):
            done = server.run(*command, "--data", str(server.data))
            self.assertEqual(done.returncode, 1)
            self.assertIn("postern init", done.stdout + done.stderr)

    def test_a_kit_that_cannot_be_written_is_not_made_or_its_loss_is_told(self):
        server = self.installation()
        kit = server.init().recovery_share
        command = [str(binary()), "keyring", "recovery-kit", "--data", str(server.data)]
        with faults.small_disk(self.scratch / "full", "1m") as full:
            filler = full / "filler"
            with contextlib.suppress(OSError), filler.open("wb") as file:
                file.write(b"x" * (4 << 20))
            with (full / "kit.txt").open("wb") as output:
                done = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True)
            self.assertEqual(done.returncode, 1)
            self.assertIn("[output_failed]", done.stderr)
            done = subprocess.run(
                [*command, "--print", str(full / "kit.html")], capture_output=True, text=True
            )
            self.assertEqual((done.returncode, done.stdout), (1, ""))
        (server.data / "root.key").unlink()
        server.command("recover", "--data", str(server.data), stdin=kit + "\n")
        with open("/dev/full", "wb") as output:
            done = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("make another", done.stderr)

    def test_a_folder_with_other_things_in_it_is_refused(self):
        server = self.installation()
        server.data.mkdir()
        (server.data / "letter.txt").write_text("mine")
        self.assertNotEqual(server.run("init", "--data", str(server.data)).returncode, 0)
        self.assertEqual([path.name for path in server.data.iterdir()], ["letter.txt"])

    def test_a_start_that_fails_says_what_to_do_next(self):
        server = self.installation()
        server.init()
        key, folder = server.data / "root.key", server.data
        store, keyring = folder / "store" / "store.db", folder / "keyring" / "keyring.db"
        for what, spoil, mend, told in (
            ("key for all", lambda: key.chmod(0o644), lambda: key.chmod(0o400), "chmod 0400"),
            ("no key", lambda: _away(key), lambda: _back(key), "postern recover"),
            ("folder for all", lambda: folder.chmod(0o755), lambda: folder.chmod(0o700),
             "chmod 0700"),
            ("another's folder", lambda: os.chown(folder, 4711, 0), lambda: os.chown(folder, 0, 0),
             "run this as that user"),
            ("no keyring", lambda: _away(keyring), lambda: _back(keyring), "Put it back"),
        ):
            with self.subTest(what):
                spoil()
                self.assertIn(told, self._refused(server))
                mend()
        if "[store]" not in server.config.read_text():
            _away(store)
            self.assertIn("put a copy of it in its place", self._refused(server))
            _back(store)
        key_bytes = key.read_bytes()
        _away(key)
        key.write_bytes(b"x" * len(key_bytes))
        key.chmod(0o400)
        self.assertRegex(self._refused(server), "Move it away|move this one away")
        key.unlink()
        _back(key)
        server.start()
        self.assertIn("stop that one first", server.run(
            "recover", "--data", str(folder), stdin="x").stderr)

    def test_an_address_that_is_taken_is_named_with_its_setting(self):
        server = self.installation()
        server.init()
        with socket.create_server(("127.0.0.1", server.port)):
            told = self._refused(server)
        self.assertIn(f"127.0.0.1:{server.port}", told)
        self.assertIn("change `listen`", told)

    def test_an_address_for_all_without_certificate_names_both_ways_out(self):
        server = self.installation()
        server.init()
        child = server.spawn(listen="0.0.0.0:1")
        self.assertNotEqual(child.wait(30), 0)
        self.assertIn("[tls] certificate and key", server.log())
        self.assertIn("behind a proxy", server.log())
        self.assertIn("postern check-config", server.log())

    def _refused(self, server) -> str:
        """What a start that fails tells, without what earlier ones told."""
        before = len(server.log())
        server.spawn()
        self.assertNotEqual(server.wait_exit(), 0)
        return server.log()[before:]

    def test_nobody_else_may_look_into_the_folder(self):
        server = self.installation()
        server.init()
        self.assertEqual(server.data.stat().st_mode & 0o077, 0)
        for path in server.data.rglob("*"):
            if path.is_file():
                self.assertEqual(path.stat().st_mode & 0o077, 0, path)

    def test_the_link_of_a_running_server_has_its_port(self):
        server = self.installation()
        server.init()
        server.start()
        link = server.command("setup-link", "--data", str(server.data))
        self.assertTrue(link.startswith(f"http://localhost:{server.port}/setup?token="), link)

    def test_a_relative_root_key_is_found_from_elsewhere(self):
        server = self.installation()
        done = server.run("init", "--data", str(server.data), "--root-key", "relative.key")
        self.assertEqual(done.returncode, 0, done.stderr)
        (key,) = server.folder.rglob("relative.key")
        server.start("--root-key", str(key))

    def test_doctor_on_a_fresh_installation_finds_room_for_a_full_disk(self):
        server = self.installation()
        server.init()
        said = server.run("doctor", "--data", str(server.data))
        self.assertNotIn("could not be made", said.stdout + said.stderr)

    def test_serve_without_init_says_what_to_do(self):
        server = self.installation()
        server.spawn()
        self.assertNotEqual(server.wait_exit(), 0)
        self.assertIn("postern init", server.log())


class TokenTest(LabCase):
    def test_only_the_token_on_standard_output_with_and_without_a_server(self):
        server = self.installation()
        server.init()
        command = (
            "token", "create", "--data", str(server.data), "--workspace", "Brand",
            "--role", "owner",
        )
        cold = server.command(*command)
        self.assertRegex(cold, r"\Apst_[A-Za-z0-9_-]+\n\Z")
        server.start()
        warm = server.command(*command)
        self.assertRegex(warm, r"\Apst_[A-Za-z0-9_-]+\n\Z")
        self.assertNotEqual(cold, warm)
        workspaces = [
            server.api(token.strip()).get("/v1/me").expect(200).json for token in (cold, warm)
        ]
        self.assertEqual(workspaces[0].get("workspace"), workspaces[1].get("workspace"))

    def test_the_token_is_stored_hashed(self):
        server = self.installation()
        server.init()
        token = server.token()
        for path in server.data.rglob("*"):
            if path.is_file():
                self.assertNotIn(token.removeprefix("pst_").encode(), path.read_bytes(), path)

    def test_roles(self):
        server = self.installation()
        server.init()
        bad = server.run(
            "token", "create", "--data", str(server.data), "--workspace", "Brand", "--role", "king"
        )
        self.assertNotEqual(bad.returncode, 0)
        self.assertEqual(bad.stdout, "")
        reader = server.token(role="reader")
        server.start()
        server.api(reader).get("/v1/threads").expect(200)
        server.api(reader).post("/v1/integrations", {}).expect(403)

    def test_the_admin_socket_is_for_its_owner_alone(self):
        server = self.installation()
        server.init()
        server.start()
        self.assertEqual((server.data / "run" / "admin.sock").stat().st_mode & 0o777, 0o600)


class SetupLinkTest(LabCase):
    def test_no_link_once_there_is_an_owner(self):
        server = self.installation()
        told = server.init()
        server.start()
        body = {
            "token": told.setup_token, "workspace": "Brand", "email": "olga@brand.example",
            "password": "correct horse battery staple",
        }
        server.api().post("/v1/setup", body).expect(200, 201)
        done = server.run("setup-link", "--data", str(server.data))
        self.assertNotEqual(done.returncode, 0)
        self.assertNotIn("http", done.stdout)


class RecoverTest(LabCase):
    def setUp(self) -> None:
        super().setUp()
        self.server = self.installation()
        self.told = self.server.init()
        self.key = self.server.data / "root.key"

    def test_a_share_with_a_typing_error_is_refused(self):
        self.key.unlink()
        share = self.told.recovery_share
        prefix = len("postern-recovery-2:")
        for at in (prefix + 1, len(share) // 2, len(share) - 1):
            wrong = share[:at] + ("3" if share[at] != "3" else "4") + share[at + 1 :]
            with self.subTest(at):
                done = self._recover(wrong + "\n")
                self.assertNotEqual(done.returncode, 0)
                self.assertFalse(self.key.exists())
                self.assertNotIn(share[prefix + 4 : -4], done.stdout + done.stderr)

    def test_rubbish_and_nothing(self):
        self.key.unlink()
        prefixes = ("postern-recovery-1:", "postern-recovery-2:")
        for text in ("", "\n", *prefixes, prefixes[1] + "abc", "x" * 1_000_000):
            with self.subTest(text[:20]):
                done = self._recover(text)
                self.assertNotEqual(done.returncode, 0)
                self.assertFalse(self.key.exists())

    def test_the_share_of_another_installation(self):
        other = self.installation()
        share = other.init().recovery_share
        self.key.unlink()
        done = self._recover(share + "\n")
        self.assertNotEqual(done.returncode, 0)
        self.assertFalse(self.key.exists())

    def test_a_key_that_is_there_is_not_overwritten(self):
        before = self.key.read_bytes()
        self._recover(self.told.recovery_share + "\n")
        self.assertEqual(self.key.read_bytes(), before)

    def _recover(self, text: str) -> subprocess.CompletedProcess:
        return self.server.run("recover", "--data", str(self.server.data), stdin=text)


class CheckConfigTest(LabCase):
    def test_good_and_empty(self):
        for text in ("", '[egress]\nallow_private = ["10.0.0.0/8"]\n', 'regions = ["us"]\n'):
            with self.subTest(text):
                self.assertEqual(self._check(text).returncode, 0)

    def test_every_documented_key_is_accepted(self):
        done = self._check(
            'public_url = "https://postern.example"\ntrusted_proxies = ["127.0.0.1/32"]\n'
            'regions = ["us"]\n[egress]\nallow_private = ["127.0.0.1/32"]\n'
            '[[backup.site]]\nname = "a"\nkind = "directory"\npath = "/srv/a"\nregion = "us"\n'
            '[smtp]\nhost = "mail.brand.example"\nport = 587\n'
            'from = "postern@brand.example"\n'
        )
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_certificate_that_cannot_be_read_is_named(self):
        done = self._check('[tls]\ncertificate = "/nowhere/cert.pem"\nkey = "/nowhere/key.pem"\n')
        self.assertNotEqual(done.returncode, 0)
        for name in ("/nowhere/cert.pem", "/nowhere/key.pem"):
            self.assertIn(name, done.stdout + done.stderr)

    def test_an_unknown_key_names_the_nearest(self):
        for text, nearest in (
            ('public_ur = "https://x.example"\n', "public_url"),
            ("[egress]\nallow_privat = []\n", "allow_private"),
            ("[egres]\nallow_private = []\n", "egress"),
            ('region = ["us"]\n', "regions"),
        ):
            with self.subTest(text):
                done = self._check(text)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(nearest, done.stdout + done.stderr)

    def test_bad_values_name_key_and_line(self):
        for text, word in (
            ('[egress]\nallow_private = ["127.0.0.1/99"]\n', "allow_private"),
            ('[egress]\nallow_private = "x"\n', "allow_private"),
            ('public_url = "ftp://x"\n', "public_url"),
            ("public_url = 5\n", "public_url"),
            ("[egress\n", "1"),
        ):
            with self.subTest(text):
                done = self._check(text)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(word, done.stdout + done.stderr)

    def test_serve_refuses_what_check_config_refuses(self):
        server = self.installation(config='public_ur = "https://x.example"\n')
        server.init()
        server.spawn()
        self.assertNotEqual(server.wait_exit(), 0)
        self.assertIn("public_url", server.log())

    def _check(self, text: str) -> subprocess.CompletedProcess:
        server = self.installation(config=text)
        return server.run("check-config", "--config", str(server.config))


class DoctorTest(LabCase):
    def test_it_names_what_it_looked_at(self):
        server = self.installation()
        server.init()
        done = server.run("doctor", "--data", str(server.data))
        self.assertTrue(done.stdout.strip(), done.stderr)
        self.assertRegex(done.stdout, r"(?i)root key")
        self.assertRegex(done.stdout, r"(?i)isolat|landlock|uid")

    def test_root_key_beside_the_data_is_a_warning(self):
        server = self.installation()
        server.init()
        done = server.run("doctor", "--data", str(server.data))
        self.assertRegex(done.stdout + done.stderr, r"(?i)warn")


class UsageTest(LabCase):
    def test_unknown_commands_and_options(self):
        server = self.installation()
        for arguments in (("nonsense",), ("serve", "--nonsense"), ("init",), ("token",)):
            with self.subTest(arguments):
                done = server.run(*arguments)
                self.assertNotEqual(done.returncode, 0)
                self.assertTrue(done.stderr or done.stdout)

    def test_help_and_version(self):
        server = self.installation()
        self.assertIn("serve", server.command("--help"))
        self.assertTrue(re.search(r"\d+\.\d+", server.command("--version")))

    def test_nothing_is_written_to_standard_output_by_a_failing_command(self):
        server = self.installation()
        done = server.run(
            "token", "create", "--data", str(server.data), "--workspace", "B", "--role", "owner"
        )
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, "")


def _away(file: pathlib.Path) -> None:
    file.rename(file.with_name(file.name + ".away"))


def _back(file: pathlib.Path) -> None:
    file.with_name(file.name + ".away").rename(file)
