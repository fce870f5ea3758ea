"""What the gate refuses stands in the server's log: who by id, what and why, and no more of it."""

from __future__ import annotations

import re

from lab.case import LabCase
from lab.person import Person

PASSWORD = "nine green bottles on a wall"


class RefusedActsTest(LabCase):
    def setUp(self) -> None:
        super().setUp()
        self.server = self.installation()
        setup = self.server.init().setup_token
        self.server.start()
        self.olga = Person(self.server, "olga@brand.example", PASSWORD)
        body = {
            "token": setup, "workspace": "Brand", "email": self.olga.email, "password": PASSWORD,
        }
        self.server.api().post("/v1/setup", body).expect(201)
        self.olga.sign_in()

    def lines(self, event: str = "act_refused") -> list[str]:
        return re.findall(rf" {event} (.*)", self.server.log())

    def reader(self) -> tuple[str, str]:
        """Id and text of a token that may only read."""
        made = self.olga.call("POST", "/v1/tokens", {"role": "reader"}).expect(201)
        return made["id"], made["token"]

    def test_who_was_refused_what_stands_in_the_log_and_nothing_else(self):
        self.assertEqual(self.lines(), [])
        token_id, token = self.reader()
        api = self.server.api(token)
        secret = "pelican-7f3a"
        api.post(f"/v1/integrations?x={secret}", {"display_name": secret}).expect(403)
        api.get("/v1/audit").expect(403)
        lines = self.lines()
        self.assertEqual(len(lines), 2, lines)
        self.assertRegex(
            lines[0], rf"^actor={token_id} workspace=wks_\w+ permission=manage_integrations "
                      r"method=POST route=/v1/integrations error=forbidden$")
        self.assertRegex(
            lines[1], r"permission=see_audit method=GET route=/v1/audit error=forbidden$")
        # What a token cannot do at all, and what names an object of somebody's.
        api.get("/v1/sessions").expect(403)
        api.delete("/v1/integrations/int_00000000fc8000000000000000").expect(403)
        self.assertIn("permission=see_own_sign_in method=GET route=/v1/sessions", self.lines()[2])
        self.assertIn("route=/v1/integrations/{id}", self.lines()[3])
        # Who is not signed in was refused nothing that is theirs, and unknown tokens are no actors.
        self.server.api().get("/v1/audit").expect(401)
        self.server.api(token[:-1] + "x").get("/v1/audit").expect(401)
        self.assertEqual(len(self.lines()), 4)
        for text in (secret, token, self.olga.email, "int_00000000fc8000000000000000"):
            self.assertNotIn(text, self.server.log())

    def test_a_flood_leaves_few_lines(self):
        _, first = self.reader()
        other_id, other = self.reader()
        for _ in range(40):
            self.server.api(first).get("/v1/audit").expect(403)
        self.assertLessEqual(len(self.lines()), 10, "five a minute")
        self.assertGreaterEqual(len(self.lines()), 5)
        self.server.api(other).get("/v1/audit").expect(403)
        self.assertIn(f"actor={other_id} ", self.lines()[-1])
