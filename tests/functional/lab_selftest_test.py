"""The lab proves itself: a test tool that cannot see a fault would pass every product."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import smtplib
import socket
import ssl
import subprocess
import sys
import threading
import unittest

from lab import canary, creator, faults
from lab.api import Api
from lab.browser import Chromium, Refused
from lab.case import LabCase
from lab.mailbox import Mail
from lab.mail_servers import Account
from lab.passkeys import decoded
from lab.postern import ROLES
from lab.process import TimedOut, alive, descendants, eventually, free_port, kill_tree
from lab.scripted_smtp import CLOSE, CLOSE_AFTER, STAGES, ScriptedSmtp
from lab.tls import Authority

LETTER = b"From: a@elsewhere.example\r\nTo: b@brand.example\r\nSubject: %s\r\n\r\n%s\r\n"


class MailServersTest(LabCase):
    def test_a_submitted_mail_arrives(self):
        maya, lea = self.person(), self.creator()
        self.lab.submit(maya, [lea.address], LETTER % (b"first words", b"hello"))
        (mail,) = self.lab.arrived(lea, 'SUBJECT "first words"')
        self.assertIn(b"hello", mail.raw)
        self.assertIn("ESMTPSA", mail.parsed.get_all("Received")[1])

    def test_submission_refuses_plain_text_and_a_wrong_password(self):
        maya = self.person()
        with smtplib.SMTP("localhost", self.lab.postfix.submission_port) as smtp:
            with self.assertRaises(smtplib.SMTPSenderRefused):
                smtp.sendmail(maya.address, [maya.address], "x")
            smtp.starttls(context=ssl.create_default_context(cadata=self.lab.ca_pem))
            with self.assertRaises(smtplib.SMTPAuthenticationError):
                smtp.login(maya.name, "not the password")

    def test_delivery_and_flags(self):
        maya = self.person()
        self.lab.deliver(maya, *[LETTER % (b"n%d" % n, b"x") for n in range(50)])
        box = self.lab.mailbox(maya)
        self.assertEqual(box.count(), 50)
        before = box.flags()
        box.mails()
        self.assertEqual(box.flags().keys(), before.keys())
        self.assertFalse(any("\\Seen" in flags for flags in box.flags().values()))

    def test_special_folders(self):
        folders = self.lab.mailbox(self.person()).folders()
        for name in ("Sent", "Junk", "Archive"):
            self.assertIn(f"\\{name}", folders[name])

    def test_ten_thousand_old_mails(self):
        maya = self.person()
        self.lab.fill(maya, [LETTER % (b"old %d" % n, b"x" * 500) for n in range(10_000)])
        self.assertEqual(self.lab.mailbox(maya).count(), 10_000)

    def test_the_wire_log_is_exact_and_leaves_the_lab_out(self):
        maya = self.person()
        word = canary.Family().token().encode()
        long_line = b"y" * 30_000 + word
        self.lab.deliver(maya, LETTER % (b"seen", long_line))
        self.lab.mailbox(maya).mails()
        self.assertEqual(self.lab.sessions(maya), [])

        before = len(self.lab.dovecot.sessions(maya.name))
        said = _raw_imap(self.lab, maya, b"a EXAMINE INBOX\r\n", b"b UID FETCH 1 BODY.PEEK[]\r\n")
        self.assertEqual(len(self.lab.dovecot.sessions(maya.name)), before + 1)
        (session,) = self.lab.sessions(maya)
        self.assertIn(long_line, session.from_server)
        self.assertTrue(session.from_server.endswith(said), "not the bytes that came over the wire")
        self.assertEqual(
            session.from_client,
            b"a EXAMINE INBOX\r\nb UID FETCH 1 BODY.PEEK[]\r\nz LOGOUT\r\n",
        )

    def test_a_new_password_counts_and_the_old_one_does_not(self):
        lea = self.creator()
        old = self.lab.mailbox(lea)
        self.lab.change_password(lea, "another one")
        self.assertEqual(self.lab.mailbox(lea).count(), 0)
        with self.assertRaises(Exception):
            old.count()

    def test_restart_keeps_mail_and_ports(self):
        maya = self.person()
        self.lab.deliver(maya, LETTER % (b"kept", b"x"))
        ports = self.lab.describe()["imaps"]["port"]
        self.lab.restart()
        self.assertEqual(self.lab.describe()["imaps"]["port"], ports)
        self.assertEqual(self.lab.mailbox(maya).count(), 1)

    def test_command_line_serves_until_stdin_closes(self):
        here = pathlib.Path(__file__).parent
        child = subprocess.Popen(
            [
                sys.executable, "-m", "lab.mail_servers", "--dir", str(self.scratch / "m"),
                "--account", "maya@brand.example",
            ],
            cwd=here, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        told = json.loads(child.stdout.readline())
        self.assertEqual(told["accounts"][0]["address"], "maya@brand.example")
        below = descendants(child.pid)
        self.assertTrue(below)
        child.communicate(timeout=30)
        self.assertEqual(child.returncode, 0)
        self.assertFalse([pid for pid in below if alive(pid)])

    def test_without_root_it_says_why(self):
        here = pathlib.Path(__file__).parent
        done = subprocess.run(
            [
                "/usr/bin/setpriv", "--reuid", "65534", "--clear-groups", "/usr/bin/python3", "-B",
                "-m", "lab.mail_servers", "--dir", "/tmp/never-made",
            ],
            cwd=here, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )
        if "No module named" in done.stderr:
            self.skipTest("the checkout cannot be read by another user")
        self.assertEqual(done.returncode, 1)
        self.assertIn("needs root", done.stderr)


class CreatorTest(LabCase):
    def test_every_client_answers_in_a_form_that_parses(self):
        for client in creator.CLIENTS:
            with self.subTest(client.name):
                lea = Account("lea", "lea@x.example", "")
                raw = creator.compose(client, _letter(), lea, "Oh yes!")
                mail = Mail("INBOX", 1, frozenset(), raw).parsed
                self.assertEqual([part.defects for part in mail.walk() if part.defects], [])
                texts = "".join(
                    part.get_content() for part in mail.walk()
                    if part.get_content_type() == "text/plain"
                )
                self.assertIn("Oh yes!", texts)
                self.assertIn(client.says, texts)
                names = {part.get_filename() for part in mail.walk()}
                self.assertLessEqual(set(client.attachments), names)
                self.assertEqual(mail.get_body(("html",)) is not None, client.html)
                self.assertIn("<root@box.example>", str(mail["References"]))
                self.assertIn("<ptn1@box.example>", str(mail["In-Reply-To"]))
                self.assertLess(max(map(len, raw.split(b"\r\n"))), 999)

    def test_answers_travel_through_postfix(self):
        maya, lea = self.person(), creator.Creator(self.lab, self.creator())
        self.lab.submit(maya, [lea.account.address], _letter(maya.address).raw)
        (mail,) = lea.received("Collab?")
        lea.answer(mail, "gmail_web", "with pleasure")
        lea.answer_with_swaks(mail, "plain words")
        answers = self.lab.arrived(maya, 'SUBJECT "Re: Collab?"', count=2)
        self.assertEqual(
            [answer.header("In-Reply-To") for answer in answers], ["<ptn1@box.example>"] * 2
        )


class CanaryTest(LabCase):
    def setUp(self) -> None:
        super().setUp()
        self.family = canary.Family("t")
        self.scanner = canary.Scanner(self.family)

    def test_every_planted_form_is_found(self):
        planted = canary.plant(self.family.token(), self.scratch)
        wanted = {"raw", "utf16le", "base64_0", "base64_1", "base64_2", "gzip"}
        self.assertLessEqual(wanted, set(planted))
        for form, path in planted.items():
            with self.subTest(form):
                self.assertTrue(self.scanner.scan_file(path))
        self.assertGreaterEqual(len(self.scanner.scan_tree(self.scratch)), len(planted))

    def test_zstd_is_found_where_the_tool_is_here(self):
        planted = canary.plant(self.family.token(), self.scratch)
        if "zstd" not in planted:
            self.skipTest("the zstd command is not installed")
        self.assertTrue(self.scanner.scan_file(planted["zstd"]))

    def test_another_family_and_noise_are_no_hits(self):
        canary.plant(canary.Family("o").token(), self.scratch)
        (self.scratch / "noise").write_bytes(os.urandom(4 << 20))
        self.assertEqual(self.scanner.scan_tree(self.scratch), [])

    def test_across_a_chunk_boundary_and_in_a_name(self):
        path = self.scratch / "large"
        path.write_bytes(bytes((16 << 20) - 7) + self.family.token().encode())
        self.assertTrue(self.scanner.scan_file(path))
        path.unlink()
        (self.scratch / self.family.token()).touch()
        self.assertTrue(self.scanner.scan_tree(self.scratch))

    def test_in_sqlite_and_its_log_and_across_overflow_pages(self):
        import sqlite3

        path = self.scratch / "store.db"
        base = sqlite3.connect(path)
        base.execute("PRAGMA journal_mode=WAL")
        base.execute("PRAGMA wal_autocheckpoint=0")
        base.execute("CREATE TABLE t(a)")
        base.execute("INSERT INTO t VALUES (?)", (self.family.token(),))
        base.commit()
        self.assertTrue(self.scanner.scan_file(pathlib.Path(f"{path}-wal")))
        self.assertTrue(self.scanner.scan_file(path), "rows that are in the log only")

        # Cut at each offset in turn, one of these crosses from one overflow page to the next.
        long = "".join(self.family.token().ljust(61, ".") for _ in range(400))
        base.execute("DELETE FROM t")
        base.execute("INSERT INTO t VALUES (?)", (long,))
        base.commit()
        rows = [seen for seen in self.scanner.scan_file(path) if "table t" in seen.place]
        self.assertTrue(rows)
        base.close()

    def test_in_the_memory_of_a_process(self):
        if refusal := faults.ptrace_refusal():
            self.skipTest(refusal)
        # Put together in the child, so that neither its command line nor its file holds it.
        half = len(self.family.stem) // 2
        program = (
            f"import sys; kept = {self.family.stem[:half]!r} + {self.family.stem[half:]!r};"
            "print('up', flush=True); sys.stdin.read()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as child:
            child.stdout.readline()
            self.assertTrue(self.scanner.scan_process(child.pid, self.scratch))
            child.stdin.close()


class FaultsTest(LabCase):
    def setUp(self) -> None:
        super().setUp()
        self.file = self.scratch / "file"

    def test_a_process_is_killed_at_its_third_sync(self):
        if refusal := faults.ptrace_refusal():
            self.skipTest(refusal)
        child = self._writer()
        with faults.Strace([child.pid], self.scratch, inject="signal=SIGKILL:when=3") as trace:
            child.stdin.write(b"\n")
            child.stdin.flush()
            self.assertEqual(child.wait(20), -9)
        self.assertEqual(self.file.read_text(), "012")
        self.assertEqual([call for _, call in trace.calls()], ["fsync"] * 3)

    def test_a_sync_fails_with_an_error(self):
        if refusal := faults.ptrace_refusal():
            self.skipTest(refusal)
        child = self._writer()
        with faults.Strace([child.pid], self.scratch, inject="error=EIO:when=2"):
            child.stdin.write(b"\n")
            child.stdin.flush()
            self.assertEqual(child.wait(20), 1)
        self.assertEqual(self.file.read_text(), "01")

    def test_detached_processes_run_on(self):
        if refusal := faults.ptrace_refusal():
            self.skipTest(refusal)
        child = self._writer()
        with faults.Strace([child.pid], self.scratch, inject="signal=SIGKILL:when=99"):
            pass
        child.stdin.write(b"\n")
        child.stdin.flush()
        self.assertEqual(child.wait(20), 0)
        self.assertEqual(len(self.file.read_text()), 10)

    def test_a_small_disk_fills(self):
        with faults.small_disk(self.scratch / "disk", "1m") as disk:
            filler = faults.fill_disk(disk)
            with self.assertRaises(OSError):
                (disk / "more").write_bytes(bytes(8192))
            filler.unlink()
            (disk / "more").write_bytes(bytes(8192))
        self.assertEqual(list((self.scratch / "disk").iterdir()), [])

    def test_chaos_proxy_cuts_refuses_and_freezes(self):
        with ScriptedSmtp(self.lab.pair) as server, faults.ChaosProxy(server.port) as proxy:
            with smtplib.SMTP("127.0.0.1", proxy.port) as smtp:
                self.assertEqual(smtp.noop()[0], 250)
            proxy.cut_after_server = 2
            with self.assertRaises(smtplib.SMTPException):
                smtplib.SMTP("127.0.0.1", proxy.port, timeout=10)
            proxy.cut_after_server = None
            proxy.refuse = True
            with self.assertRaises((smtplib.SMTPException, OSError)):
                smtplib.SMTP("127.0.0.1", proxy.port, timeout=10)
            proxy.refuse = False
            proxy.freeze()
            with self.assertRaises(OSError):
                smtplib.SMTP("127.0.0.1", proxy.port, timeout=0.3)

    def test_tls_trap_hears_what_a_careless_client_says(self):
        authority = Authority(self.scratch / "tls", "Somebody else")
        pair = authority.issue("evil", names="DNS:evil.example")
        with faults.TlsTrap(pair) as trap:
            with self.assertRaises(ssl.SSLError):
                ssl.create_default_context(cadata=self.lab.ca_pem).wrap_socket(
                    socket.create_connection(("127.0.0.1", trap.port)), server_hostname="localhost"
                )
            careless = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            careless.check_hostname = False
            careless.verify_mode = ssl.CERT_NONE
            with careless.wrap_socket(socket.create_connection(("127.0.0.1", trap.port))) as said:
                said.sendall(b"a LOGIN maya secret\r\n")
                eventually(lambda: b"secret" in trap.heard, "the trap hears")

    def _writer(self) -> subprocess.Popen:
        """Writes ten digits, one sync after each, when told to."""
        program = (
            "import os, sys; print('up', flush=True); sys.stdin.readline()\n"
            f"file = open({str(self.file)!r}, 'wb', buffering=0)\n"
            "for number in range(10): file.write(b'%d' % number); os.fsync(file)\n"
        )
        child = subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.addCleanup(child.communicate)
        child.stdout.readline()
        return child


class ScriptedSmtpTest(LabCase):
    def test_each_stage_can_refuse(self):
        for stage in STAGES:
            with self.subTest(stage), ScriptedSmtp(self.lab.pair) as server:
                server.script[stage] = "554 5.0.0 no"
                with self.assertRaises(smtplib.SMTPException):
                    self._send(server.port)
                self.assertFalse([mail for mail in server.mails if mail.accepted])

    def test_a_cut_after_the_final_dot_is_told_from_one_before(self):
        with ScriptedSmtp(self.lab.pair) as server:
            server.script["dot"] = CLOSE_AFTER
            with self.assertRaises(smtplib.SMTPException):
                self._send(server.port)
            server.script = {"data": CLOSE}
            with self.assertRaises(smtplib.SMTPException):
                self._send(server.port)
            server.script = {}
            self._send(server.port)
            self.assertEqual([mail.accepted for mail in server.mails], [True, True])
            self.assertEqual(server.mails[1].raw, b"Subject: x\r\n\r\n.dot\r\n")
            self.assertEqual(server.mails[1].recipients, ["b@x.example", "c@x.example"])

    def _send(self, port: int) -> None:
        with smtplib.SMTP("localhost", port, timeout=10) as smtp:
            smtp.starttls(context=ssl.create_default_context(cadata=self.lab.ca_pem))
            smtp.login("maya", "password")
            refused = smtp.sendmail(
                "a@x.example", ["b@x.example", "c@x.example"], b"Subject: x\r\n\r\n.dot\r\n"
            )
            if refused:
                raise smtplib.SMTPRecipientsRefused(refused)


class BrowserTest(LabCase):
    """Chromium and its authenticators: what the tests of passkeys rest on."""

    REQUEST = {"challenge": "AAAA", "rpId": "postern.example", "allowCredentials": []}
    CREATION = {
        "rp": {"id": "postern.example", "name": "x"}, "challenge": "AAAA", "attestation": "none",
        "user": {"id": "AQID", "name": "x", "displayName": "x"},
        "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
        "authenticatorSelection": {"residentKey": "required", "userVerification": "required"},
    }

    def test_keys_are_made_shown_counted_and_of_one_party(self):
        with Chromium(self.scratch / "chromium") as chromium:
            page = chromium.page("https://postern.example")
            self.assertTrue(page.run("isSecureContext"))
            key = page.add_authenticator()
            made = page.create(self.CREATION)
            shown = page.get({**self.REQUEST, "userVerification": "required"})
            self.assertEqual(shown["id"], made["id"])
            self.assertEqual(shown["response"]["userHandle"], "AQID")
            said = json.loads(decoded(shown["response"]["clientDataJSON"]))
            self.assertEqual((said["type"], said["challenge"], said["origin"]),
                             ("webauthn.get", "AAAA", "https://postern.example"))
            data = decoded(shown["response"]["authenticatorData"])
            self.assertEqual(data[:32], hashlib.sha256(b"postern.example").digest())
            self.assertEqual(data[32] & 5, 5, "present and verified")
            (inside,) = page.credentials(key)
            self.assertEqual(int.from_bytes(data[33:37]), inside["signCount"])
            with self.assertRaises(Refused):
                page.get({**self.REQUEST, "rpId": "other.example"})
            page.verify_user(key, False)
            with self.assertRaises(Refused):
                page.get({**self.REQUEST, "userVerification": "required"})
            said = page.get({**self.REQUEST, "userVerification": "discouraged"})
            self.assertEqual(decoded(said["response"]["authenticatorData"])[32] & 5, 1)
            child = chromium.pid
        self.assertFalse(alive(child))


class EventsTest(unittest.TestCase):
    """The event reader against a server of three lines."""

    def setUp(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listener.close)
        threading.Thread(target=self._serve, daemon=True).start()

    def test_events_are_parsed_and_the_end_is_seen(self):
        events = Api("127.0.0.1", self.listener.getsockname()[1], "pst_x").events("41")
        first = events.wait_for(lambda event: event.names("thr_1"), "the first one")
        self.assertEqual((first.kind, first.cursor, first.data["n"]), ("message.received", "42", 2))
        self.assertTrue(events.closed.wait(10))
        with self.assertRaises(AssertionError):
            events.wait_for(lambda event: event.kind == "none", "never sent")
        events.close()
        self.assertIn(b"Last-Event-ID: 41", self.request)
        self.assertIn(b"Authorization: Bearer pst_x", self.request)

    def _serve(self) -> None:
        connection, _ = self.listener.accept()
        self.request = connection.recv(65536)
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: hello\n\nid: 42\n"
            b'event: message.received\ndata: {"thread_id":"thr_1",\ndata: "n":2}\n\n'
        )
        connection.close()


class PosternHarnessTest(LabCase):
    """The class that runs the product, against a stand-in with the same outside."""

    def setUp(self) -> None:
        super().setUp()
        fake = self.scratch / "postern"
        fake.write_text(STAND_IN)
        fake.chmod(0o755)
        before = os.environ.get("POSTERN_BIN")
        self.addCleanup(_set_environment, "POSTERN_BIN", before)
        os.environ["POSTERN_BIN"] = str(fake)

    def test_commands_are_understood(self):
        server = self.installation()
        told = server.init()
        self.assertEqual(told.setup_token, "abc-DEF_1")
        self.assertEqual(told.recovery_share, "postern-recovery-2: AAAAA-BBBBB")
        self.assertEqual(server.token(), "pst_x")
        with self.assertRaisesRegex(AssertionError, "nonsense"):
            server.command("nonsense")

    def test_start_roles_stop_and_kill(self):
        server = self.installation()
        server.init()
        server.start()
        roles = server.processes()
        self.assertEqual(roles["supervisor"], [server.pid])
        self.assertEqual({role for role in roles if len(roles[role]) == 1}, {*ROLES, "supervisor"})
        self.assertIn("postern_up 1", server.metrics())
        self.assertEqual(server.stop(), 0)
        server.start()
        children = [pid for pids in server.processes().values() for pid in pids]
        server.kill()
        self.assertFalse([pid for pid in children if alive(pid)])
        copy = self.copy(server, "copy")
        self.assertEqual((copy.data / "root.key").read_bytes(), b"key")

    def test_a_server_that_ends_at_once_is_told_from_a_slow_one(self):
        server = self.installation()
        with self.assertRaisesRegex(AssertionError, "run postern init first"):
            server.start()


# Prints what the product prints, answers /readyz, and starts a process for each role.
STAND_IN = '''#!/usr/bin/python3
import http.server, os, pathlib, signal, subprocess, sys
words = sys.argv[1:]
data = pathlib.Path(words[words.index("--data") + 1]) if "--data" in words else None
if words[0] == "init":
    data.mkdir()
    (data / "root.key").write_bytes(b"key")
    print("Set up: http://localhost:8080/setup#abc-DEF_1")
    print("postern-recovery-2: AAAAA-BBBBB")
elif words[0] == "token":
    print("pst_x")
elif words[0] == "serve":
    if not (data / "root.key").exists():
        sys.exit("run postern init first")
    children = [
        subprocess.Popen(["postern-" + role, "600"], executable="/usr/bin/sleep")
        for role in ("front", "keeper", "courier", "reader")
    ]
    def end(*_):
        for child in children:
            child.kill()
            child.wait()
        os._exit(0)
    signal.signal(signal.SIGTERM, end)
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"postern_up 1\\n")
    host, port = words[words.index("--listen") + 1].split(":")
    server = http.server.HTTPServer((host, int(port)), Handler)
    print(f"ready http://{host}:{port}", flush=True)
    server.serve_forever()
else:
    sys.exit("nonsense")
'''


class ProcessTest(LabCase):
    def test_eventually_gives_up_with_a_reason(self):
        with self.assertRaisesRegex(TimedOut, "the moon"):
            eventually(lambda: None, "the moon", 0.1, 0.01)

    def test_free_ports_are_free(self):
        socket.create_server(("127.0.0.1", free_port())).close()

    def test_a_whole_tree_is_killed(self):
        with subprocess.Popen(["sh", "-c", "sleep 600 & sleep 600 & wait"]) as shell:
            below = eventually(lambda: descendants(shell.pid), "children")
            kill_tree(shell.pid)
            shell.wait(10)
            eventually(lambda: not [pid for pid in below if alive(pid)], "children gone")


def _set_environment(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def _letter(sender: str = "maya@brand.example") -> Mail:
    raw = (
        f'From: "Maya Brand" <{sender}>\r\nTo: lea@creators.example\r\nSubject: Collab?\r\n'
        "Message-ID: <ptn1@box.example>\r\nReferences: <root@box.example>\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\nHello Léa,\r\nwant to try it?\r\n"
    )
    return Mail("INBOX", 1, frozenset(), raw.encode())


def _raw_imap(lab, account: Account, *commands: bytes) -> bytes:
    """Signs in by hand and returns every byte after the sign-in's own answer."""
    context = ssl.create_default_context(cadata=lab.ca_pem)
    with socket.create_connection(("127.0.0.1", lab.dovecot.imaps_port)) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as secure:
            file = secure.makefile("rwb")
            file.readline()
            file.write(f"s LOGIN {account.name} {account.password}\r\n".encode())
            file.flush()
            while not file.readline().startswith(b"s OK"):
                pass
            said = b""
            for command in (*commands, b"z LOGOUT\r\n"):
                file.write(command)
                file.flush()
                tag = command.split()[0]
                while not (line := file.readline()).startswith(tag + b" "):
                    said += line
                said += line
            return said


if __name__ == "__main__":
    unittest.main()
