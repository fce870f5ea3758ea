"""A copied cookie is worth nothing once its session is over, and what it held open ends."""

from __future__ import annotations

import http.client
import json
import sqlite3

from lab import stored
from lab.person import PeopleCase, Person

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

    def test_after_a_change_of_password_with_a_stream_open(self):
        self.olga.sign_in()
        thief = self.other_browser()
        thief.cookie = self.olga.cookie
        body = {
            "current_password": self.olga.password, "new_password": "a fresh pair of oars",
        }
        with thief.api.events() as events:
            self.olga.call("POST", "/v1/me/password", body).expect(200)
            self.assertTrue(events.closed.wait(STREAM_ENDS_S))
        thief.me().expect(401)
        self.olga.me().expect(200)

    def test_ended_session_stays_so_after_a_power_cut(self):
        self.olga.sign_in()
        thief = self.other_browser()
        thief.cookie = self.olga.cookie
        self.olga.call("DELETE", "/v1/sessions/current").expect(204)
        self.server.kill()
        self.server.start()
        thief.me().expect(401)

    def test_on_a_connection_that_stays_open(self):
        """What a request showed is asked for again by the next one on the same connection."""
        self.olga.sign_in()
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        self.addCleanup(connection.close)
        headers = {"Host": f"localhost:{self.server.port}", "Cookie": self.olga.cookie}
        self.assertEqual(self.asked(connection, headers), 200)
        self.assertEqual(self.asked(connection, {"Host": headers["Host"]}), 401)
        self.assertEqual(self.asked(connection, headers), 200)
        self.olga.call("DELETE", "/v1/sessions/current").expect(204)
        self.assertEqual(self.asked(connection, headers), 401)

    def asked(self, connection: http.client.HTTPConnection, headers: dict[str, str]) -> int:
        connection.request("GET", "/v1/me", headers=headers)
        answer = connection.getresponse()
        json.loads(answer.read())
        return answer.status

    def test_in_other_spellings(self):
        self.olga.sign_in()
        name, _, text = self.olga.cookie.partition("=")
        thief = self.other_browser()
        for changed in (
            f"{name}={text.upper()}", f"{name}={text[:-1]}", f"{name}={text}=", f"{name}={text}A",
            f"{name}={text[4:]}", f"{name}=pst_{text[4:]}", f"{name}=%70ss_{text[4:]}",
            f"{name}={text},{text}", f"__Host-{name}={text}",
            f"__Secure-{name}={text}", f"{name.upper()}={text}",
        ):
            with self.subTest(changed.replace(text, "...")):
                thief.call("GET", "/v1/me", headers={"Cookie": changed}).expect(400, 401)
        self.olga.call("DELETE", "/v1/sessions/current").expect(204)
        thief.call("GET", "/v1/me", headers={"Cookie": f"{name}={text}"}).expect(401)

    def test_stream_is_not_resumed_with_an_ended_session(self):
        self.olga.sign_in()
        thief = self.other_browser()
        thief.cookie = self.olga.cookie
        self.olga.call("DELETE", "/v1/sessions/current").expect(204)
        for last in ("0", "1"):
            thief.call("GET", "/v1/events", headers={"Last-Event-ID": last}).expect(401)

    def test_of_another_workspace(self):
        """A cookie names a person; in a workspace that is not theirs it is as in none."""
        self.olga.sign_in()
        foreign = self.server.api(self.server.token("Other")).get("/v1/workspace")["id"]
        answers = []
        for workspace in (foreign, "wks_00000000000000000000000000", "x", ""):
            answer = self.olga.call(
                "GET", "/v1/workspace", headers={"Postern-Workspace": workspace}
            )
            answers.append((answer.status, answer.code))
        self.assertEqual(set(answers), {(404, "not_found")})

    def test_of_another_installation(self):
        self.olga.sign_in()
        other = self.installation(name="other")
        told = other.init()
        other.start()
        body = {
            "token": told.setup_token, "workspace": "Brand", "email": self.olga.email,
            "password": self.olga.password,
        }
        other.api().post("/v1/setup", body).expect(201)
        stranger = Person(other, self.olga.email, self.olga.password)
        stranger.cookie = self.olga.cookie
        stranger.me().expect(401)

    def test_role_that_is_lowered_in_the_store_holds_for_what_is_open(self):
        """Nothing is told to the running server: it asks again by itself."""
        self.olga.sign_in()
        self.olga.call("GET", "/v1/tokens").expect(200)
        with self.olga.api.events() as events:
            self.lower("reader")
            self.olga.call("GET", "/v1/tokens").expect(403, code="forbidden")
            self.assertEqual(self.olga.me()["role"], "reader")
            self.assertTrue(events.closed.wait(STREAM_ENDS_S))
        self.lower("owner")
        with self.olga.api.events() as events:
            self.assertFalse(events.closed.is_set())

    def lower(self, role: str) -> None:
        store = sqlite3.connect(self.server.data / "store" / "store.db", timeout=30)
        with store:
            store.execute("UPDATE memberships SET role = ?", (role,))
        store.close()

    def test_person_who_is_no_member_any_more(self):
        self.olga.sign_in()
        stored.change(self.server, "DELETE FROM memberships")
        for path in ("/v1/me", "/v1/threads", "/v1/workspace", "/v1/sessions"):
            self.olga.call("GET", path).expect(401, 403, 404)
        self.other_browser().try_sign_in().expect(201, 401, 403, 404)

    def test_session_of_nobody(self):
        """A row that is left of a person who is not there."""
        self.olga.sign_in()
        stored.change(
            self.server, "DELETE FROM memberships", "DELETE FROM people",
        )
        self.olga.me().expect(401, 404)
        self.other_browser().try_sign_in().expect(401, code="invalid_credentials")
