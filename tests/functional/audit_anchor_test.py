"""The audit record at its second place: one that is whole by itself and not as far as it was."""

from __future__ import annotations

import shutil

from lab import faults
from lab.anchor_case import AnchorCase
from lab.process import eventually


class AuditAnchorTest(AnchorCase):
    def test_it_is_as_far_there_soon_after_the_newest_record_and_at_a_clean_end(self):
        self.act()
        newest = self.newest()
        eventually(lambda: f" {newest} " in self.anchors.read_text(), "anchored", 30)
        self.assertEqual(self.ready(), "anchored")
        self.assertEqual(self.anchors.stat().st_mode & 0o777, 0o600)
        self.act()
        self.server.stop()
        self.assertIn(f" {newest + 1} ", self.anchors.read_text())
        self.assertRegex(self.verified(), r"second place: \d+ anchors\n")
        for line in self.anchors.read_text().splitlines():
            self.assertRegex(line, r"^postern-anchor-1 wks_\w+ \d+ [0-9a-f]{64} \d+ [0-9a-f]{64}$")

    def test_a_cut_tail_a_store_set_back_and_a_deleted_chain_are_found(self):
        self.act(3)
        self.server.stop()
        self.verified()
        older = self.scratch / "older"
        self.copy_store(self.server.data / "store", older)
        # A tail.
        newest = "(SELECT MAX(number) FROM audit_records)"
        self.change_store(f"DELETE FROM audit_records WHERE number = {newest}")
        self.expect_broken(r"second place: wks_\w+: the record ends at number \d+, and number \d+")
        self.server.start()
        eventually(lambda: self.ready() == "trouble", "told by the server", 30)
        self.assertIn("audit_anchors", self.server.log())
        doctor = self.server.run(
            "doctor", "--data", str(self.server.data), "--config", str(self.server.config)
        )
        self.assertRegex(doctor.stdout, "warning audit record at a second place: wks_")
        self.server.stop()
        # The whole store is set back, and written on.
        self.copy_store(older, self.server.data / "store")
        self.server.start()
        self.act(4)
        self.server.stop()
        self.copy_store(older, self.server.data / "store")
        self.expect_broken(r"the record ends at number \d+, and number \d+ stood there")
        self.server.start()
        self.act(8)
        self.expect_broken(r"another number \d+ stood there")
        self.server.stop()
        # Everything about one workspace.
        self.change_store("DELETE FROM audit_records", "DELETE FROM audit_anchors")
        self.expect_broken(r"there is no record, and number \d+")

    def test_a_second_place_that_was_changed_shortened_or_emptied_is_told(self):
        self.act(2)
        self.server.stop()
        whole = self.anchors.read_text()
        lines = whole.splitlines(keepends=True)
        first = lines[-1].split(" ")
        first[2] = str(int(first[2]) - 1)
        self.anchors.write_text("".join(lines[:-1]) + " ".join(first))
        self.expect_broken(r"the anchor of number \d+ was changed")
        self.anchors.write_text("".join(lines[:-1]))
        self.expect_broken(r"number \d+ is missing at the second place")
        self.anchors.unlink()
        self.expect_broken(r"number \d+ is missing at the second place")
        self.anchors.write_text(whole + "x\x1b[31m\n")
        self.expect_broken(rf"line {len(lines) + 1} is none")
        self.anchors.write_text(whole)
        self.verified()

    def test_one_that_cannot_be_written_is_told_and_stops_nothing(self):
        self.server.stop()
        shutil.rmtree(self.place)
        self.server.start()
        self.act()
        eventually(lambda: self.ready() == "trouble", "told", 30)
        doctor = self.server.run(
            "doctor", "--data", str(self.server.data), "--config", str(self.server.config)
        )
        self.assertRegex(doctor.stdout, "warning audit record at a second place: not written")
        self.assertEqual(self.audit("verify").returncode, 1)

    def test_a_full_disk_there_stops_nothing(self):
        self.server.stop()
        with faults.small_disk(self.scratch / "small", "1m") as small:
            self.server.config.write_text(self.config_of(small / "anchors"))
            self.audit("accept")
            anchors = small / "anchors"
            # To the end of its last block: lines that end in "~" are none.
            room = -anchors.stat().st_size % 4096
            with anchors.open("a") as file:
                file.write("~" * (room - 1) + "\n")
            filler = faults.fill_disk(small)
            self.server.start()
            self.act()
            eventually(lambda: self.ready() == "trouble", "told", 30)
            self.act()
            filler.unlink()
            self.server.stop()
            self.assertRegex(self.verified(), r"second place: \d+ anchors\n")

    def test_an_operator_accepts_what_differs_and_that_is_recorded(self):
        self.act(3)
        self.server.stop()
        newest = "(SELECT MAX(number) FROM audit_records)"
        self.change_store(f"DELETE FROM audit_records WHERE number = {newest}")
        self.server.start()
        self.assertEqual(self.audit("verify").returncode, 1)
        accepted = self.audit("accept")
        self.assertEqual(accepted.returncode, 0, accepted.stderr)
        self.verified()
        eventually(lambda: self.ready() == "anchored", "good again", 30)
        self.assertTrue((self.place / "anchors.accepted-1").exists())
        told = self.audit("export", "--workspace", "installation").stdout
        self.assertIn('"action":"anchors.accepted"', told)

    def test_without_one_it_is_said(self):
        server = self.installation(name="alone")
        server.init()
        server.start()
        self.assertEqual(server.api().get("/readyz").expect(200)["audit"], "not anchored")
        self.assertIn("second place: none", server.command("audit", "verify", "--data",
                                                            str(server.data)))

