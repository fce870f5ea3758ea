"""Bad input where people sign in: fields over their limits, with control characters and marks of
direction; a clock that is wrong by more than a year, and right again."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import Any

from lab import stored
from lab.api import Reply
from lab.case import LabCase
from lab.person import PeopleCase, time_code, time_step

YEAR_AND_MORE = 400
WRONG = "wrong horse battery staple"
# What no name holds: ends of lines, NUL, escape sequences, marks that turn the writing round.
ODD = ("a\r\nb", "a\nb", "a\u0000b", "a\u001b[2Jb", "a\u007fb", "a\u202eb", "a\u2066b", "a\u200fb",
       "a\u0085b", "a\u2028b")


class FirstTest(LabCase):
    def test_nobody_and_no_token_is_there_from_the_start(self):
        server = self.installation()
        server.init()
        server.start()
        server.stop()
        with contextlib.closing(sqlite3.connect(server.data / "store" / "store.db")) as store:
            for table in ("people", "memberships", "sessions", "api_tokens", "workspaces"):
                (count,) = store.execute(f"SELECT COUNT(*) FROM {table}").fetchone()
                self.assertEqual(count, 0, table)


class SilentLogTest(PeopleCase):
    def test_nothing_that_lets_somebody_in_is_logged(self):
        self.olga.sign_in()
        app, told = self.olga.enrol()
        browser = self.other_browser()
        browser.sign_in()
        half = browser.cookie
        code = app.code()
        browser.show(code).expect(200)
        token = browser.call("POST", "/v1/tokens", {"role": "owner"}).expect(201)["token"]
        guess = self.other_browser()
        guess.password = WRONG
        guess.try_sign_in().expect(401)
        self.server.api(token + "x").get("/v1/me").expect(401)
        browser.call("POST", "/v1/sessions", raw=b'{"password":"' + WRONG.encode()).expect(400)
        change = {"current_password": self.olga.password, "new_password": "a fresh pair of oars"}
        browser.call("POST", "/v1/me/password", change).expect(200)
        self.server.stop()
        log = self.server.log()
        self.assertIn("ready http", log)
        cookies = (self.olga.cookie, half, browser.cookie)
        for secret in (
            self.olga.password, WRONG, "a fresh pair of oars", token, token[4:-6], app.key, code,
            self.olga.email, *(cookie.partition("=")[2] for cookie in cookies),
            *told["recovery_codes"],
        ):
            self.assertNotIn(secret, log)


class LimitsTest(PeopleCase):
    def setUp(self) -> None:
        super().setUp()
        self.olga.sign_in()

    def refused(self, answer: Reply, field: str, *codes: str) -> None:
        answer.expect(422, code="invalid_request")
        self.assertEqual(list(answer.field_codes), [field], answer)
        self.assertIn(answer.field_codes[field], codes)

    def test_every_field_over_its_limit(self):
        proof, password = "/v1/sessions/current/proof", "/v1/me/password"
        key = self.olga.call("POST", "/v1/me/factors", {"kind": "totp", "name": "x"}).expect(201)
        confirm = f"/v1/me/factors/{key['id']}/confirm"
        token = {"role": "reader"}
        setup = {"token": "x", "workspace": "x", "email": "x@brand.example", "password": WRONG}
        for method, path, body, field, limit in (
            ("POST", "/v1/setup", setup, "token", 100),
            ("POST", "/v1/setup", setup, "workspace", 200),
            ("POST", "/v1/setup", setup, "email", 320),
            ("POST", "/v1/sessions", {"email": "x", "password": WRONG}, "email", 320),
            ("POST", "/v1/sessions", {"email": "x", "password": WRONG}, "password", 1000),
            ("POST", proof, {}, "code", 64),
            ("POST", proof, {}, "password", 1000),
            ("POST", confirm, {}, "code", 64),
            ("POST", "/v1/me/factors", {"kind": "totp"}, "name", 200),
            ("POST", "/v1/me/factors", {"name": "x"}, "kind", 32),
            ("POST", password, {"new_password": WRONG}, "current_password", 1000),
            ("POST", "/v1/tokens", token, "role", 64), ("POST", "/v1/tokens", token, "name", 200),
            ("POST", "/v1/tokens", token, "expires_in", 64),
            ("PATCH", "/v1/workspace", {}, "second_factor_from", 40),
        ):
            for text in ("x" * (limit + 1), "\u20ac" * (limit // 3 + 1), "x" * 60_000):
                with self.subTest(f"{path} {field} {len(text)}"):
                    self.refused(
                        self.olga.call(method, path, {**body, field: text}), field, "too_long",
                        "invalid", "out_of_range",
                    )

    def test_demand_of_a_factor_is_taken_back_by_saying_so(self):
        """Null is not the same as nothing."""
        day = "2099-01-01T00:00:00Z"
        for wanted in (day, None):
            body = {"second_factor_from": wanted}
            said = self.olga.call("PATCH", "/v1/workspace", body).expect(200)["second_factor_from"]
            self.assertEqual(said is None, wanted is None)
        self.olga.call("PATCH", "/v1/workspace", {}).expect(422, code="invalid_request")

    def test_keys_of_two_apps_differ(self):
        keys = set()
        for number in range(5):
            body = {"kind": "totp", "name": f"App {number}"}
            keys.add(self.olga.call("POST", "/v1/me/factors", body).expect(201)["key"])
        self.assertEqual(len(keys), 5)
        self.assertEqual({len(key) for key in keys}, {32})

    def test_body_over_its_limit(self):
        for path in ("/v1/sessions", "/v1/setup", "/v1/sessions/current/proof", "/v1/me/factors",
                     "/v1/me/password", "/v1/tokens"):
            self.olga.call("POST", path, {"name": "x" * 2_000_000}).expect(413)
        self.olga.me().expect(200)

    def test_names_with_what_no_name_holds(self):
        for odd in ODD:
            with self.subTest(repr(odd)):
                made = self.olga.call("POST", "/v1/me/factors", {"kind": "totp", "name": odd})
                self.refused(made, "name", "invalid")
                made = self.olga.call("POST", "/v1/tokens", {"role": "reader", "name": odd})
                self.refused(made, "name", "invalid")

    def test_words_with_what_no_word_holds(self):
        for odd in ("owner\r\n", "owner\u0000", "\u202eowner", "OWNER", " owner", "owner,reader",
                    "ow\u200bner", "\uff4fwner"):
            with self.subTest(repr(odd)):
                self.refused(self.olga.call("POST", "/v1/tokens", {"role": odd}), "role", "invalid")
                wish: dict[str, Any] = {"role": "reader", "scopes": [odd]}
                self.refused(self.olga.call("POST", "/v1/tokens", wish), "scopes", "invalid")
                wish = {"role": "reader", "networks": [odd]}
                self.refused(self.olga.call("POST", "/v1/tokens", wish), "networks", "invalid")
        for odd in ("2027-01-01T00:00:00Z\r\n", "2027-01-01T00:00:00Z\u0000", "\u0662027-01-01",
                    "2027-01-01", "99999-01-01T00:00:00Z", "2027-02-30T00:00:00Z"):
            body = {"second_factor_from": odd}
            self.refused(self.olga.call("PATCH", "/v1/workspace", body), "second_factor_from",
                         "invalid")

    def test_headers_with_what_no_header_holds(self):
        """What reaches the list of sessions and the record of who did what is one line of text."""
        phone = self.other_browser()
        phone.agent = "Phone\x1b[2J"
        phone.try_sign_in().expect(400)
        phone.agent = "Phone\u0085 \xff" + "x" * 5000
        phone.sign_in()
        newest = self.olga.call("GET", "/v1/sessions").expect(200)["items"][0]
        self.assertLessEqual(len(newest["device"]), 256)
        self.assertTrue(newest["device"].isprintable(), newest)
        for header in ({"Postern-Workspace": "x" * 5000}, {"Authorization": "Bearer " + "x" * 5000},
                       {"Cookie": "postern=" + "x" * 5000}, {"Idempotency-Key": "x" * 5000}):
            with self.subTest(next(iter(header))):
                self.olga.call("POST", "/v1/tokens", {"role": "reader"}, headers=header).expect(
                    400, 401, 404, 422, 431
                )
        self.assertEqual(self.server.log().count("\x1b"), 0)


class WrongClockTest(PeopleCase):
    """The stored times are moved, since the processes take theirs from the kernel."""

    def setUp(self) -> None:
        super().setUp()
        self.olga.sign_in()
        self.app, told = self.olga.enrol()
        self.codes = iter(told["recovery_codes"])

    def whole(self) -> Any:
        browser = self.other_browser()
        browser.sign_in()
        browser.show(next(self.codes)).expect(200)
        return browser

    def test_ahead_and_right_again(self):
        asleep = self.other_browser()
        asleep.cookie = self.olga.cookie
        stored.move_clock(self.server, YEAR_AND_MORE)
        asleep.me().expect(401)
        # Whoever signs in meanwhile, guesses, or makes a token.
        ahead = self.whole()
        made = ahead.call("POST", "/v1/tokens", {"role": "reader", "expires_in": "P1D"})
        lasting = ahead.call("POST", "/v1/tokens", {"role": "reader"}).expect(201)["token"]
        short = made.expect(201)["token"]
        self.guess()
        self.other_browser().try_sign_in().expect(429)
        stored.move_clock(self.server, -YEAR_AND_MORE)
        ahead.me().expect(401)
        self.server.api(short).get("/v1/me").expect(401)
        self.server.api(lasting).get("/v1/me").expect(200)
        # Nobody is shut out for a year.
        self.whole().me().expect(200)

    def test_back_and_right_again(self):
        made = self.olga.call("POST", "/v1/tokens", {"role": "reader", "expires_in": "P1D"})
        short = self.server.api(made.expect(201)["token"])
        short.get("/v1/me").expect(200)
        old = self.other_browser()
        old.cookie = self.olga.cookie
        stored.move_clock(self.server, 2)
        old.me().expect(401)
        short.get("/v1/me").expect(401)
        stored.move_clock(self.server, -YEAR_AND_MORE)
        # What had ended has not begun again.
        old.me().expect(401)
        short.get("/v1/me").expect(401)
        self.guess()
        self.other_browser().try_sign_in().expect(429)
        browser = self.other_browser()
        stored.move_clock(self.server, YEAR_AND_MORE - 2)
        browser.sign_in()
        browser.show(next(self.codes)).expect(200)
        self.assertTrue(browser.me()["is_fresh"])

    def test_nothing_is_fresh_by_it(self):
        for days in (YEAR_AND_MORE, -YEAR_AND_MORE):
            browser = self.whole()
            self.assertTrue(browser.me()["is_fresh"])
            stored.move_clock(self.server, days)
            browser.call("POST", "/v1/tokens", {"role": "reader"}).expect(401, 403)
            stored.move_clock(self.server, -days)

    def test_codes_of_an_app(self):
        """One that was shown to a clock that ran ahead keeps the app shut until it has caught up;
        the recovery codes are for that."""
        code = self.app.code()
        browser = self.other_browser()
        browser.sign_in()
        browser.show(code).expect(200)
        stored.move_clock(self.server, -YEAR_AND_MORE)
        browser.sign_in()
        browser.show(code).expect(403, code="invalid_code")
        browser.show(time_code(self.app.key, time_step() + 1)).expect(403, code="invalid_code")
        browser.show(next(self.codes)).expect(200)
        stored.move_clock(self.server, YEAR_AND_MORE)
        browser.sign_in()
        browser.show(code).expect(403, code="invalid_code")
        browser.show(self.app.code()).expect(200)

    def guess(self) -> None:
        thief = self.other_browser()
        thief.password = WRONG
        for _ in range(5):
            thief.try_sign_in().expect(401, 429)
