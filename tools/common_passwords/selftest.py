#!/usr/bin/env python3
"""What table.py keeps, what it makes of it, and that it refuses a list that is none."""
import hashlib
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import table

RULES = pathlib.Path(__file__).resolve().parents[2] / "src/features/identity/password_rules.h"


class TableTest(unittest.TestCase):
    def test_short_ones_and_other_cases_of_one_are_left_out(self):
        lines = [b"password", b"Qwerty123456\r\n", b"qwerty123456", b"elevenchars",
                 "passwörter".encode(), "passwörter12".encode()]
        self.assertEqual(table.kept(lines), {b"qwerty123456", "passwörter12".encode()})

    def test_table_has_the_prefix_of_each_in_order(self):
        numbers = table.prefixes({b"qwerty123456", b"motherfucker", b"123456123456"})
        self.assertEqual(numbers, sorted(numbers))
        digest = hashlib.sha256(b"qwerty123456").hexdigest()
        self.assertIn(int(digest[:16], 16), numbers)
        found = re.findall(r"0x([0-9a-f]{16}),", table.source_of(numbers))
        self.assertEqual([int(text, 16) for text in found], numbers)

    def test_server_and_table_mean_the_same_length(self):
        said = re.search(r"k_password_characters_min = (\d+);", RULES.read_text())
        self.assertEqual(int(said[1]), table.CHARACTERS_MIN)

    def test_a_list_that_is_too_small_fails_the_build(self):
        with tempfile.TemporaryDirectory() as folder:
            listed = pathlib.Path(folder) / "list.txt"
            listed.write_text("qwerty123456\n")
            done = subprocess.run([sys.executable, "-B", table.__file__, listed, f"{folder}/o.cpp"],
                                  capture_output=True, text=True, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("wanted are 3000", done.stderr)
            self.assertFalse(pathlib.Path(folder, "o.cpp").exists())


if __name__ == "__main__":
    unittest.main()
