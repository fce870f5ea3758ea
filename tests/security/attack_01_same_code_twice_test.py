"""A time code counts once: on several connections at once, and after a restart."""

from __future__ import annotations

import concurrent.futures

from lab.person import PeopleCase


class SameCodeTwiceTest(PeopleCase):
    def setUp(self) -> None:
        super().setUp()
        self.olga.sign_in()
        self.app, _ = self.olga.enrol()

    def test_16_at_once(self):
        code = self.app.code()
        browsers = [self.other_browser() for _ in range(4)]
        for browser in browsers:
            browser.sign_in()
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda at: browsers[at % 4].show(code).status, range(16)))
        self.assertEqual(answers.count(200), 1, answers)
        self.assertLessEqual(set(answers), {200, 401, 403, 429})

    def test_after_a_restart(self):
        code = self.app.code()
        browser = self.other_browser()
        browser.sign_in()
        browser.show(code).expect(200)
        for end in (self.server.stop, self.server.kill):
            end()
            self.server.start()
            browser.sign_in()
            browser.show(code).expect(403, code="invalid_code")

    def test_code_that_was_never_shown_but_is_older_than_one_that_was(self):
        older, newer = self.app.code(), self.app.code()
        browser = self.other_browser()
        browser.sign_in()
        browser.show(newer).expect(200)
        browser.sign_in()
        browser.show(older).expect(403, code="invalid_code")

    def test_code_that_confirmed_the_app(self):
        _, first = self.other_app()
        browser = self.other_browser()
        browser.sign_in()
        browser.show(first).expect(403, code="invalid_code")

    def other_app(self) -> tuple[str, str]:
        """A second app of Olga's: its key, and the code that confirmed it."""
        body = {"kind": "totp", "name": "Tablet"}
        made = self.olga.call("POST", "/v1/me/factors", body).expect(201)
        app = type(self.app)(made["key"])
        code = app.code()
        path = f"/v1/me/factors/{made['id']}/confirm"
        self.olga.call("POST", path, {"code": code}).expect(200)
        return app.key, code
