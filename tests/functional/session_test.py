"""Sessions of a person: listed, and ended one by one or all at once with what they hold open."""

from __future__ import annotations

from lab.person import PeopleCase


class SessionTest(PeopleCase):
    def sessions(self, person):
        return person.call("GET", "/v1/sessions").expect(200)["items"]

    def test_sessions_are_listed_and_ended(self):
        self.olga.sign_in()
        phone = self.other_browser()
        phone.agent = "Phone/1.0 (\xe9)"
        phone.sign_in()
        newest, mine = self.sessions(self.olga)
        self.assertTrue(mine["is_current"])
        self.assertFalse(newest["is_current"])
        self.assertEqual(newest["device"], "Phone/1.0 (?)")
        self.assertIn(newest["address"], ("127.0.0.1", "::1"))
        with phone.api.events() as events:
            self.olga.call("DELETE", f"/v1/sessions/{newest['id']}").expect(204)
            self.assertTrue(events.closed.wait(30))
        phone.me().expect(401)
        self.olga.call("DELETE", f"/v1/sessions/{newest['id']}").expect(404)
        self.assertEqual([item["id"] for item in self.sessions(self.olga)], [mine["id"]])

    def test_all_others_are_ended(self):
        self.olga.sign_in()
        others = [self.other_browser() for _ in range(3)]
        for other in others:
            other.sign_in()
        others[1].call("DELETE", "/v1/sessions").expect(204)
        self.olga.me().expect(401)
        others[0].me().expect(401)
        others[1].me().expect(200)
        self.assertEqual(len(self.sessions(others[1])), 1)

    def test_ids_that_are_none_of_ones_own(self):
        self.olga.sign_in()
        for wrong in ("ses_00000000000000000000000000", "x", "tok_x", "SES_X", "curren"):
            self.olga.call("DELETE", f"/v1/sessions/{wrong}").expect(404)
        self.olga.me().expect(200)

    def test_half_signed_in_sees_and_ends_none(self):
        self.olga.sign_in()
        self.olga.enrol()
        half = self.other_browser()
        half.sign_in()
        half.call("GET", "/v1/sessions").expect(403, code="second_factor_needed")
        half.call("DELETE", "/v1/sessions").expect(403, code="second_factor_needed")
        self.olga.me().expect(200)

    def test_becoming_whole_is_the_same_session(self):
        self.olga.sign_in()
        app, _ = self.olga.enrol()
        phone = self.other_browser()
        phone.sign_in()
        before = [item["id"] for item in self.sessions(self.olga)]
        phone.show(app.code()).expect(200)
        self.assertEqual([item["id"] for item in self.sessions(phone)], before)
