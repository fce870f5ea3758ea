"""A copied cookie is worth nothing once its session is over, and what it held open ends."""

from __future__ import annotations

from lab.person import PeopleCase

STREAM_ENDS_S = 30


class ReplayedCookieTest(PeopleCase):
    def test_after_signing_out_with_a_stream_open(self):
        self.olga.sign_in()
        thief = self.other_browser()
        thief.cookie = self.olga.cookie
        with thief.api.events() as events:
            self.olga.call("DELETE", "/v1/sessions/current").expect(204)
            thief.me().expect(401)
            self.assertTrue(events.closed.wait(STREAM_ENDS_S))
        thief.call("GET", "/v1/threads").expect(401)

    def test_cookie_of_before_the_second_factor(self):
        """What was seen of a session before it was whole is worth nothing afterwards."""
        self.olga.sign_in()
        app, _ = self.olga.enrol()
        browser, thief = self.other_browser(), self.other_browser()
        browser.sign_in()
        thief.cookie = browser.cookie
        browser.show(app.code()).expect(200)
        thief.me().expect(401)
        browser.me().expect(200)

    def test_other_sessions_go_on(self):
        self.olga.sign_in()
        other = self.other_browser()
        other.sign_in()
        self.olga.call("DELETE", "/v1/sessions/current").expect(204)
        other.me().expect(200)
