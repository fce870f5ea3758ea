"""The audit record's second place at a log server: a real rsyslog, by syslog over TLS."""

from __future__ import annotations

import contextlib
import pathlib
import re
import socket
import time

from lab.anchor_case import AnchorCase
from lab.case import LabCase
from lab.postern import CONFIG
from lab.process import eventually
from lab.rsyslog import Rsyslog
from lab.tls import Authority, Pair

LINE = r"postern-anchor-1 wks_\w+ \d+ [0-9a-f]{64} \d+ [0-9a-f]{64}"


class SyslogCase(AnchorCase):
    """With a log server as the only second place."""

    def setUp(self) -> None:
        LabCase.setUp(self)
        self.authority = Authority(self.scratch / "ca")
        self.logs = self.log_server("logs").start()
        self.server = self.installation(config=self.syslog_config())
        self.server.init()
        self.server.start()
        self.api = self.server.api(self.server.token())
        self.workspace = self.api.get("/v1/workspace").expect(200)["id"]

    def log_server(
        self, name: str, *, names: str = "DNS:localhost,IP:127.0.0.1", **more
    ) -> Rsyslog:
        pair = self.authority.issue(name, names=names)
        logs = Rsyslog(self.scratch / name, pair, self.authority.pair.cert, **more)
        self.addCleanup(logs.stop)
        return logs

    def syslog_config(
        self, port: int = 0, *, ca: pathlib.Path | None = None, ours: Pair | None = None,
        file: pathlib.Path | None = None,
    ) -> str:
        text = f"""{CONFIG}
[audit]
anchor_syslog = "localhost:{port or self.logs.port}"
anchor_syslog_ca_file = "{ca or self.authority.pair.cert}"
"""
        if ours:
            text += f'anchor_syslog_certificate_file = "{ours.cert}"\n'
            text += f'anchor_syslog_key_file = "{ours.key}"\n'
        return text + (f'anchor_file = "{file}"\n' if file else "")

    def restart(self, config: str) -> None:
        self.server.stop()
        self.server.config.write_text(config)
        self.server.start()

    def numbers(self, logs: Rsyslog | None = None) -> list[int]:
        """That the log server has been told of our workspace."""
        words = [line.split(" ") for line in (logs or self.logs).lines()]
        return [int(line[2]) for line in words if line[1] == self.workspace]

    def await_number(self, number: int, logs: Rsyslog | None = None) -> None:
        eventually(lambda: number in self.numbers(logs), f"number {number}", 60)

    def doctor(self) -> str:
        where = ("--data", str(self.server.data), "--config", str(self.server.config))
        return self.server.run("doctor", *where).stdout

    def expect_told(self, what: str) -> None:
        eventually(lambda: self.ready() == "trouble", "told", 60)
        eventually(
            lambda: re.search(f"warning audit record at a second place: log server: {what}",
                              self.doctor()), f"doctor says {what}", 60,
        )
        self.assertIn("audit_log_server", self.server.log())

    def fetched(self, text: str | None = None, name: str = "fetched") -> pathlib.Path:
        """What the operator fetched from their log server."""
        path = self.scratch / name
        path.write_text(self.logs.text() if text is None else text)
        return path

    def verify_with(self, path: pathlib.Path):
        return self.audit("verify", "--anchors", str(path))

    def expect_fault(self, path: pathlib.Path, text: str) -> None:
        done = self.verify_with(path)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("audit_broken", done.stderr)
        self.assertRegex(done.stdout, f"(?m)^log: .*{text}")

    def anchored(self, count: int = 1) -> int:
        """Acts, and waits until the log server has the newest."""
        self.act(count)
        newest = self.newest()
        self.await_number(newest)
        return newest


class LinesTest(SyslogCase):
    def test_lines_arrive_byte_for_byte_and_are_good_raw_and_bare(self):
        newest = self.anchored(2)
        self.assertEqual(self.ready(), "anchored")
        self.assertIn("good    audit record at a second place", self.doctor())
        self.server.stop()
        for line in self.logs.text().splitlines():
            self.assertRegex(
                line, r"^\S+ 127\.0\.0\.1 <109>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z - postern "
                      rf"- anchor - {LINE}$")
        raw = self.verify_with(self.fetched())
        self.assertEqual(raw.returncode, 0, raw.stdout + raw.stderr)
        self.assertRegex(
            raw.stdout, rf"log: wks_\w+: \d+ anchors, the farthest says number {newest} at .*; its "
                        rf"record is at number {newest}\n")
        bare = self.verify_with(self.fetched("\n".join(self.logs.lines())))
        self.assertEqual(bare.returncode, 0, bare.stdout + bare.stderr)
        # Which anchors are sent to, without the file, is said.
        self.assertIn("second place: a log server, whose lines this server cannot read",
                      self.verified())

    def test_file_and_log_server_say_the_same(self):
        self.anchors = self.scratch / "anchors"
        self.restart(self.syslog_config(file=self.anchors))
        newest = self.anchored()
        eventually(lambda: f" {newest} " in self.anchors.read_text(), "in the file", 30)
        done = self.verify_with(self.fetched())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"second place: \d+ anchors\n")
        self.assertRegex(done.stdout, rf"the farthest says number {newest} ")
        # One that has trouble is told although the other has none.
        self.logs.stop()
        self.act()
        self.expect_told("connection_refused")
        newest = self.newest()
        eventually(lambda: f" {newest} " in self.anchors.read_text(), "in the file", 30)

    def test_a_log_server_that_comes_back_has_the_newest_of_each_workspace_again(self):
        first = self.anchored()
        other = self.server.api(self.server.token("Other"))
        other.post("/v1/tokens", {"role": "reader"}).expect(201)
        self.logs.stop()
        self.act(2)
        self.expect_told("connection_refused")
        # What it had is lost, too.
        self.logs.kept.unlink()
        self.logs.start()
        self.await_number(first + 2)
        eventually(lambda: self.ready() == "anchored", "good again", 60)
        self.assertIn("audit_log_server_good", self.server.log())
        workspaces = {line.split(" ")[1] for line in self.logs.lines()}
        self.assertEqual(len(workspaces), 3, "two and the installation's own")
        self.assertEqual(self.numbers(), [first + 2], "the newest is all that waits")

    def test_the_claim_says_what_a_log_server_alone_does_not_show(self):
        self.anchored()
        done = self.server.run(
            "trust", "check", "--claim", "P7.audited", "--data", str(self.server.data),
            "--config", str(self.server.config),
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"anchors are sent to a log server \(last at \d{4}-")
        self.assertIn("which acknowledges none", done.stdout)


class RefusedTest(SyslogCase):
    def test_another_authority_and_another_name_are_refused_and_told(self):
        self.anchored()
        other = Authority(self.scratch / "other-ca", "Another CA")
        self.server.stop()
        before = self.logs.text()
        self.restart(self.syslog_config(ca=other.pair.cert))
        self.expect_told("certificate_untrusted")
        self.act()
        self.assertEqual(self.logs.text(), before)
        elsewhere = self.log_server("elsewhere", names="DNS:elsewhere.example").start()
        self.restart(self.syslog_config(elsewhere.port))
        self.expect_told("certificate_wrong_name")
        self.act()
        self.assertEqual(elsewhere.text(), "")

    def test_a_private_address_needs_the_operators_word(self):
        self.restart(self.syslog_config().replace(CONFIG, ""))
        self.expect_told("refused_private_address")

    def test_one_that_demands_a_certificate_is_shown_ours(self):
        strict = self.log_server("strict", demands_certificate=True).start()
        self.restart(self.syslog_config(strict.port))
        self.act()
        self.expect_told(r"\w+")
        self.assertEqual(strict.text(), "")
        ours = self.authority.issue("ours", names="DNS:postern.example")
        self.restart(self.syslog_config(strict.port, ours=ours))
        self.act()
        self.await_number(self.newest(), strict)
        eventually(lambda: self.ready() == "anchored", "good", 60)

    def test_files_that_are_not_there_are_told_at_the_start(self):
        self.server.stop()
        self.server.config.write_text(self.syslog_config(ca=self.scratch / "no.pem"))
        self.server.spawn()
        self.assertNotEqual(self.server.wait_exit(), 0)
        self.assertIn("log_server_unreadable", self.server.log())


class HangTest(SyslogCase):
    def test_one_that_hangs_holds_up_no_change_and_no_end(self):
        self.anchored()
        self.logs.hang()
        began = time.monotonic()
        self.act(20)
        self.assertLess(time.monotonic() - began, 15)
        self.server.stop()
        self.logs.go_on()

    def test_one_that_takes_connections_and_never_answers_is_told(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            self.restart(self.syslog_config(silent.getsockname()[1]))
            began = time.monotonic()
            self.act(20)
            self.assertLess(time.monotonic() - began, 15)
            self.expect_told("timed_out")
            self.act()
            self.server.stop()


class ComparedTest(SyslogCase):
    def test_a_cut_tail_and_a_store_set_back_are_found_with_the_log_alone(self):
        self.anchored(3)
        self.server.stop()
        older = self.scratch / "older"
        self.copy_store(self.server.data / "store", older)
        self.change_store(
            "DELETE FROM audit_records WHERE number = (SELECT MAX(number) FROM audit_records)")
        ends = r"the record ends at number \d+, and number \d+ stood there at "
        self.expect_fault(self.fetched(), ends)
        self.copy_store(older, self.server.data / "store")
        done = self.verify_with(self.fetched())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        # The whole store is set back, and written on.
        self.server.start()
        self.anchored(3)
        self.server.stop()
        self.copy_store(older, self.server.data / "store")
        self.verified()
        self.expect_fault(self.fetched(), ends)
        # With no second place set any more, too, and the server running.
        self.server.config.write_text(CONFIG)
        self.expect_fault(self.fetched(), ends)
        self.server.start()
        self.act(6)
        self.expect_fault(self.fetched(), r"another number \d+ stood there")
        self.server.stop()
        self.change_store("DELETE FROM audit_records", "DELETE FROM audit_anchors")
        self.expect_fault(self.fetched(), r"there is no record, and number \d+")

    def test_lines_that_were_changed_or_made_up_are_told(self):
        newest = self.anchored(2)
        self.server.stop()
        whole = self.logs.text()
        self.assertEqual(self.verify_with(self.fetched()).returncode, 0)
        number = self.fetched(whole.replace(f" {newest} ", f" {newest + 7} "), "number")
        self.expect_fault(number, f"the anchor of number {newest + 7} was changed")
        torn = self.fetched(whole + whole.splitlines()[-1][:-9] + "\n", "torn")
        self.expect_fault(torn, rf"line {len(whole.splitlines()) + 1} is no anchor")
        mac = self.fetched(re.sub(r"[0-9a-f]{64}\n$", "ab" * 32 + "\n", whole), "mac")
        self.expect_fault(mac, r"the anchor of number \d+ was changed")
        # Lines of others, and bytes that are no text, are passed over.
        others = self.scratch / "others"
        others.write_bytes(b"\xff\x00\x1b[2J\n" + whole.encode() + b"x" * 100_000 + b"\n")
        done = self.verify_with(others)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("log: 1 of them are too long and were not looked at", done.stdout)

    def test_what_is_no_file_or_too_large_is_refused(self):
        self.server.stop()
        for path, code in ((self.scratch / "none", "file_not_found"),
                           (self.scratch, "no_permission")):
            done = self.verify_with(path)
            self.assertEqual(done.returncode, 1)
            self.assertIn(code, done.stderr)
        large = self.scratch / "large"
        with contextlib.closing(large.open("wb")) as file:
            file.truncate((1 << 30) + 1)
        done = self.verify_with(large)
        self.assertEqual(done.returncode, 1)
        self.assertIn("log_too_large", done.stderr)
