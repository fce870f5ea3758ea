"""Second factors over the API of a real server: nothing is open without one, and no code counts
twice."""

from __future__ import annotations

import base64
import datetime
import sqlite3
import unittest
import urllib.parse

from lab import qr
from lab.person import PeopleCase, time_code


class SecondFactorTest(PeopleCase):
    def test_rfc_6238_vectors_of_the_lab_itself(self):
        key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        for second, code in ((59, "94287082"), (1111111109, "07081804"), (2000000000, "69279037")):
            self.assertEqual(time_code(key, second // 30, 8), code)

    def test_sign_in_with_a_second_factor(self):
        self.olga.sign_in()
        app, told = self.olga.enrol("Olga's phone")
        self.assertEqual(len(told["recovery_codes"]), 10)
        self.assertEqual(self.olga.me()["standing"], "whole")
        again = self.other_browser()
        self.assertTrue(again.sign_in()["second_factor_needed"])
        half = again.cookie
        self.assertNotIn("workspace", again.me().json)
        again.call("GET", "/v1/threads").expect(403, code="second_factor_needed")
        again.show("000000").expect(403, code="invalid_code")
        again.show(app.code()).expect(200)
        self.assertNotEqual(again.cookie, half)
        self.assertEqual(again.me()["workspace"]["name"], "Brand")
        again.call("GET", "/v1/threads").expect(200)
        again.cookie = half
        again.me().expect(401)

    def test_qr_code_and_key_are_one(self):
        self.olga.sign_in()
        made = self.olga.call("POST", "/v1/me/factors", {"kind": "totp", "name": "Phone"})
        uri = urllib.parse.urlsplit(made.expect(201)["uri"])
        self.assertEqual((uri.scheme, uri.netloc), ("otpauth", "totp"))
        self.assertEqual(urllib.parse.unquote(uri.path), f"/Postern:{self.olga.email}")
        self.assertEqual(urllib.parse.parse_qs(uri.query),
                         {"issuer": ["Postern"], "secret": [made["key"]]})
        self.assertEqual(qr.code_of_picture(made["qr_svg"]), made["uri"])

    def test_code_does_not_count_again_after_a_restart(self):
        self.olga.sign_in()
        app, _ = self.olga.enrol()
        code = app.code()
        browser = self.other_browser()
        browser.sign_in()
        browser.show(code).expect(200)
        self.server.stop()
        self.server.start()
        browser.sign_in()
        browser.show(code).expect(403, code="invalid_code")

    def test_guessing_is_slowed_down(self):
        self.olga.sign_in()
        app, _ = self.olga.enrol()
        thief = self.other_browser()
        thief.sign_in()
        answers = [thief.show(f"{number:06}") for number in range(12)]
        refused = [answer for answer in answers if answer.status == 429]
        self.assertGreaterEqual(len(refused), 7)
        self.assertGreater(int(refused[0].headers["retry-after"]), 0)
        thief.show(app.code()).expect(429)

    def test_weighty_acts_ask_for_a_proof_of_these_minutes(self):
        """The session is older than the proof lasts only for who sets its row back."""
        self.olga.sign_in()
        app, _ = self.olga.enrol()
        self._age_proofs()
        self.assertFalse(self.olga.me()["is_fresh"])
        for method, path, body in (
            ("POST", "/v1/tokens", {"role": "reader"}),
            ("PATCH", "/v1/workspace", {"second_factor_from": None}),
            ("POST", "/v1/me/recovery-codes", None),
            ("POST", "/v1/integrations/int_x/cut-off", None),
            ("POST", "/v1/integrations/int_x/reseal", {}),
            ("DELETE", "/v1/integrations/int_x", None),
        ):
            self.olga.call(method, path, body).expect(403, code="fresh_proof_needed")
        self.olga.call("POST", "/v1/integrations/int_x/lock").expect(404)
        before = self.olga.cookie
        self.olga.show(app.code()).expect(200)
        self.assertEqual(self.olga.cookie, before)
        self.olga.call("POST", "/v1/tokens", {"role": "reader"}).expect(201)

    def test_workspace_demands_a_factor_from_a_date_on(self):
        self.olga.sign_in()
        soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
        said = self.olga.call("PATCH", "/v1/workspace", {"second_factor_from": soon.isoformat()})
        self.assertIsNotNone(said.expect(200)["second_factor_from"])
        self.olga.call("GET", "/v1/threads").expect(200)
        self.olga.call("PATCH", "/v1/workspace", {"second_factor_from": "2026-01-01T00:00:00Z"})
        self.olga.call("GET", "/v1/threads").expect(403, code="second_factor_enrolment_needed")
        self.assertEqual(self.olga.me()["standing"], "second_factor_enrolment_needed")
        app, _ = self.olga.enrol()
        self.olga.call("GET", "/v1/threads").expect(200)
        (only,) = self.olga.call("GET", "/v1/me/factors").expect(200)["items"]
        self.olga.call("DELETE", f"/v1/me/factors/{only['id']}").expect(409, code="last_factor")
        self.assertTrue(app.key)

    def test_stream_of_events_ends_when_a_factor_is_demanded(self):
        """What was open to a password alone is open no longer."""
        self.olga.sign_in()
        watcher = self.other_browser()
        watcher.sign_in()
        with watcher.api.events() as events:
            self.olga.enrol()
            self.assertTrue(events.closed.wait(60))
        watcher.call("GET", "/v1/events").expect(403, code="second_factor_needed")

    def test_lost_phone(self):
        self.olga.sign_in()
        _, told = self.olga.enrol()
        browser = self.other_browser()
        browser.sign_in()
        browser.show(told["recovery_codes"][0].lower()).expect(200)
        (lost,) = browser.call("GET", "/v1/me/factors").expect(200)["items"]
        fresh, more = browser.enrol("New phone")
        self.assertNotIn("recovery_codes", more)
        browser.call("DELETE", f"/v1/me/factors/{lost['id']}").expect(204)
        listed = browser.call("GET", "/v1/me/factors").expect(200)
        self.assertEqual([item["name"] for item in listed["items"]], ["New phone"])
        self.assertEqual(listed["recovery_codes_left"], 9)
        self.olga.sign_in()
        self.olga.show(fresh.code()).expect(200)

    def test_bad_input(self):
        self.olga.sign_in()
        for body in (
            {}, {"kind": "sms", "name": "x"}, {"kind": "totp"}, {"kind": "totp", "name": ""},
            {"kind": "totp", "name": "a\r\nb"}, {"kind": "totp", "name": "x" * 201},
            {"kind": "totp", "name": 7}, {"kind": 1, "name": "x"},
            {"kind": "totp", "name": "x", "more": 1},
        ):
            self.olga.call("POST", "/v1/me/factors", body).expect(422, code="invalid_request")
        proof = "/v1/sessions/current/proof"
        for body in (
            {}, {"code": 1}, {"code": "x" * 65}, {"code": "1", "password": "2"},
            {"password": {"sealed": "AAAA"}}, {"password": 1}, {"code": None},
        ):
            self.olga.call("POST", proof, body).expect(422, code="invalid_request")
        for code in ("", "\u0000", "12345", "1234567", "\u202e123456", "x" * 64, "１２３４５６"):
            self.olga.call("POST", proof, {"code": code}).expect(403, 429)
        for wanted in ("soon", "2026-13-01T00:00:00Z", 5, "", "1969-01-01T00:00:00Z", []):
            body = {"second_factor_from": wanted}
            self.olga.call("PATCH", "/v1/workspace", body).expect(422, code="invalid_request")

    def test_a_page_of_somewhere_else_proves_nothing(self):
        self.olga.sign_in()
        app, _ = self.olga.enrol()
        foreign = {"Origin": "https://elsewhere.example"}
        self.olga.call(
            "POST", "/v1/sessions/current/proof", {"code": app.code()}, headers=foreign
        ).expect(403, code="foreign_origin")

    def test_keys_and_codes_are_nowhere_in_clear(self):
        self.olga.sign_in()
        app, told = self.olga.enrol("A name nobody reads")
        needles = [app.key.encode(), base64.b32decode(app.key), b"A name nobody reads"]
        needles += [code.encode() for code in told["recovery_codes"]]
        needles += [code.replace("-", "").encode() for code in told["recovery_codes"]]
        self.server.stop()
        for path in self.server.data.rglob("*"):
            if not path.is_file():
                continue
            content = path.read_bytes()
            for needle in needles:
                self.assertNotIn(needle, content, path)

    def _age_proofs(self) -> None:
        self.server.stop()
        with sqlite3.connect(self.server.data / "store" / "store.db") as store:
            aged = "password_at_ms = password_at_ms - 400000, factor_at_ms = factor_at_ms - 400000"
            store.execute(f"UPDATE sessions SET {aged}")
        store.close()
        self.server.start()

