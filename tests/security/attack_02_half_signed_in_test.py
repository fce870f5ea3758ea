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
                "/v1/me/factors", "/v1/me/recovery-codes", "/v1/me/provider-links", "/v1/sessions",
            ))
        }
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
