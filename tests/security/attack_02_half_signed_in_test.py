"""A cookie after the password and before the second factor, on every route there is."""

from __future__ import annotations

import re

from lab import openapi
from lab.person import PeopleCase, Person

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
# Open to everybody, or to whoever has a session: what there is to show who one is.
OPEN = {
    ("POST", "/v1/setup"), ("POST", "/v1/sessions"), ("GET", "/v1/me"), ("HEAD", "/v1/me"),
    ("POST", "/v1/sessions/current/proof"), ("DELETE", "/v1/sessions/current"),
    ("POST", "/v1/sessions/current/passkey-challenge"), ("POST", "/v1/sessions/passkey"),
    ("POST", "/v1/passkey-challenges"), ("POST", "/v1/invitations/accept"),
    ("POST", "/v1/password-resets"), ("POST", "/v1/password-resets/use"),
}


def routes() -> list[tuple[str, str]]:
    """Every documented path below /v1 with every method, documented or not."""
    paths = [path for path in openapi.document()["paths"] if path.startswith("/v1/")]
    return [(method, path) for path in paths for method in METHODS]


class HalfSignedInTest(PeopleCase):
    def setUp(self) -> None:
        super().setUp()
        self.olga.sign_in()

    def closed_to(self, person: Person, code: str, also_open: set[tuple[str, str]]) -> None:
        tried = 0
        for method, path in routes():
            if (method, path) in OPEN | also_open:
                continue
            filled = re.sub(r"\{[^}]*\}", "x", path)
            documented = method.lower() in openapi.document()["paths"][path]
            answer = person.call(method, filled, {} if method in ("POST", "PUT", "PATCH") else None)
            with self.subTest(f"{method} {path}"):
                if documented:
                    answer.expect(403, code=code)
                else:
                    answer.expect(403, 405)
            tried += documented
        self.assertGreater(tried, 35)

    def test_second_factor_not_shown(self):
        self.olga.enrol()
        half = self.other_browser()
        half.sign_in()
        self.closed_to(half, "second_factor_needed", set())
        self.assertNotIn("workspace", half.me().json)

    def test_second_factor_demanded_and_not_there(self):
        demanded = {"second_factor_from": "2026-01-01T00:00:00Z"}
        self.olga.call("PATCH", "/v1/workspace", demanded).expect(200)
        enrolling = {
            (method, path) for method, path in routes()
            if path.startswith((
                "/v1/me/factors", "/v1/me/passkeys", "/v1/me/recovery-codes",
                "/v1/me/provider-links", "/v1/sessions",
            ))
        }
        enrolling |= {("GET", "/v1/me/workspaces"), ("HEAD", "/v1/me/workspaces")}
        self.closed_to(self.olga, "second_factor_enrolment_needed", enrolling)

    def test_neither_header_nor_workspace_help(self):
        workspace = self.olga.me()["workspace"]["id"]
        self.olga.enrol()
        half = self.other_browser()
        half.sign_in()
        for headers in (
            {"Postern-Workspace": workspace}, {"Authorization": "Bearer "},
            {"Authorization": f"Bearer {half.cookie.partition('=')[2]}"},
        ):
            half.call("GET", "/v1/threads", headers=headers).expect(401, 403)

    def test_no_method_and_no_override_gets_round(self):
        """Whatever a proxy or a framework would make of it."""
        self.olga.enrol()
        half = self.other_browser()
        half.sign_in()
        paths = sorted({path for _, path in routes()})
        self.assertGreater(len(paths), 30)
        for path in paths:
            filled = re.sub(r"\{[^}]*\}", "x", path)
            for method in ("OPTIONS", "TRACE", "QUERY", "PROPFIND", "get", "Post"):
                with self.subTest(f"{method} {path}"):
                    half.call(method, filled).expect(400, 403, 404, 405, 501)
        for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
            for method in ("GET", "POST", "DELETE"):
                # As GET /v1/me, which is open, it answers what that answers and nothing else.
                answer = half.call("GET", "/v1/me", headers={name: method}).expect(200)
                self.assertEqual(answer["standing"], "second_factor_needed")
                half.call("POST", "/v1/me?_method=" + method, {}, headers={name: method}).expect(
                    403, 405
                )
                half.call("GET", "/v1/threads?_method=" + method, headers={name: method}).expect(
                    403, code="second_factor_needed"
                )
        self.assertEqual(half.me()["standing"], "second_factor_needed")

    def test_two_cookies_are_no_more_than_the_first(self):
        """The whole one behind the half one does not count, nor the other way round does a third
        one, whatever its name looks like."""
        self.olga.enrol()
        whole = self.olga.cookie
        half = self.other_browser()
        half.sign_in()
        mine = half.cookie
        for cookies in (
            f"{mine}; {whole}", f"{mine}; postern={'x' * 40}", f"{mine}; __Host-postern=x; {whole}",
            f" {mine}", f"POSTERN={whole.partition('=')[2]}; {mine}",
        ):
            with self.subTest(cookies.count(";")):
                half.call("GET", "/v1/threads", headers={"Cookie": cookies}).expect(
                    403, code="second_factor_needed"
                )
        for cookies in (f"postern=; {whole}", f'postern="{whole.partition("=")[2]}"', f"x{whole}",
                        f"postern =; {whole.replace('=', ' =')}"):
            half.call("GET", "/v1/threads", headers={"Cookie": cookies}).expect(401)
        self.olga.call("GET", "/v1/threads", headers={"Cookie": f"{whole}; {mine}"}).expect(200)

    def test_cookie_and_token_both_are_the_token(self):
        """A good cookie makes no bad token good, nor adds to what a good one may do."""
        made = self.olga.call("POST", "/v1/tokens", {"role": "auditor"}).expect(201)
        self.olga.enrol()
        half = self.other_browser()
        half.sign_in()
        for person in (half, self.olga):
            person.call("GET", "/v1/audit", headers={"Authorization": "Bearer pst_x"}).expect(401)
            person.call("GET", "/v1/audit", headers={"Authorization": "Basic b2xnYTp4"}).expect(401)
            auditor = {"Authorization": f"Bearer {made['token']}"}
            person.call("GET", "/v1/threads", headers=auditor).expect(403, code="forbidden")
            person.call("GET", "/v1/me/factors", headers=auditor).expect(403)
            self.assertEqual(
                person.call("GET", "/v1/me", headers=auditor).expect(200)["role"], "auditor"
            )

    def test_what_shows_who_one_is_stands_in_no_url_and_no_body(self):
        made = self.olga.call("POST", "/v1/tokens", {"role": "owner"}).expect(201)
        text, cookie = made["token"], self.olga.cookie.partition("=")[2]
        nobody = self.server.api()
        for query in (
            f"access_token={text}", f"token={text}", f"api_key={text}", f"bearer={text}",
            f"authorization=Bearer%20{text}", f"postern={cookie}", f"session={cookie}",
        ):
            nobody.get(f"/v1/threads?{query}").expect(401, code="unauthenticated")
            nobody.post(f"/v1/tokens?{query}", {"role": "owner", "access_token": text}).expect(401)
        for name in ("X-API-Key", "X-Auth-Token", "X-Access-Token", "Proxy-Authorization",
                     "X-Forwarded-User", "X-Remote-User", "Remote-User"):
            nobody.get("/v1/threads", headers={name: f"Bearer {text}"}).expect(401)
        nobody.get("/v1/threads", headers={"Authorization": f"Bearer {text}"}).expect(200)

    def test_key_of_a_request_of_ones_whole_session_is_no_way_to_its_answer(self):
        key = "k" * 24
        self.olga.call("POST", "/v1/tokens", {"role": "reader"}, key=key).expect(201)
        self.olga.enrol()
        half = self.other_browser()
        half.sign_in()
        half.call("POST", "/v1/tokens", {"role": "reader"}, key=key).expect(
            403, code="second_factor_needed"
        )

    def test_page_of_somewhere_else_signs_nobody_in(self):
        """As somebody that its owner chose, whose work they would read afterwards."""
        body = {"email": self.olga.email, "password": self.olga.password}
        victim = self.other_browser()
        for origin in ("https://elsewhere.example", "null", "http://localhost:1",
                       f"http://localhost.elsewhere.example:{self.server.port}"):
            answer = victim.call("POST", "/v1/sessions", body, headers={"Origin": origin})
            answer.expect(403, code="foreign_origin")
            self.assertNotIn("set-cookie", answer.headers)
        answer = victim.call(
            "POST", "/v1/sessions", body, headers={"Sec-Fetch-Site": "cross-site"}
        )
        self.assertNotIn("set-cookie", answer.expect(403, code="foreign_origin").headers)
        victim.call("POST", "/v1/sessions", body).expect(201)
