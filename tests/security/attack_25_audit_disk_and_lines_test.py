"""A full disk under the audit record, and line breaks and terminal escapes in what comes from
outside: what would go unrecorded is not done, what ends access is, and a line stays one line."""

from __future__ import annotations

import contextlib
import json
import socket

from lab import codes, faults
from lab.api import Reply
from lab.case import LabCase
from lab.desk import Desk
from lab.person import PeopleCase
from lab.postern import Postern
from lab.process import eventually


class FullAuditDiskTest(LabCase):
    def setUp(self) -> None:
        super().setUp()
        disk = contextlib.ExitStack()
        self.addCleanup(disk.close)
        place = disk.enter_context(faults.small_disk(self.scratch / "disk", "192m"))
        self.server = self.adopt(Postern(place / "postern"))
        self.addCleanup(self.server.close)
        self.server.init()
        token = self.server.token()
        self.server.start()
        self.desk = Desk(self.server.api(token), self.lab)
        self.api = self.desk.api
        self.integration = self.desk.connect(self.person())
        self.granted = self.desk.grant(self.integration)["id"]
        self.thread = self.desk.write(self.integration, self.creator(), "Kept", "x").json["id"]
        self.message = self.desk.sent(self.thread)["id"]
        self.filler = faults.fill_disk(place)
        # To the last page that the log still has.
        self.eventually_full("POST", "/v1/tokens", {"role": "reader"})

    def eventually_full(self, method: str, path: str, body: dict | None) -> None:
        answer = eventually(
            lambda: _refused(self.api.call(method, path, body)), f"{method} {path} is refused"
        )
        answer.expect(503, code=codes.STORAGE_FULL)

    def actions(self) -> list[str]:
        return [item["action"] for item in self.api.get("/v1/audit?limit=100").expect(200)["items"]]

    def test_changes_and_openings_are_refused_and_lists_go_on(self):
        of = f"/v1/integrations/{self.integration.id}"
        secret = self.integration.secret
        for method, path, body in (
            ("POST", f"{of}/unlock", {"shared_secret": secret}),
            ("POST", f"{of}/grants",
             {"shared_secret": secret, "verbs": ["send"], "expires_in": "P1D"}),
            ("PATCH", of, {"name": "Other"}),
            ("POST", f"{of}/sync", {}),
            ("POST", f"{of}/verify", {}),
            ("POST", "/v1/tokens", {"role": "reader"}),
            ("GET", f"/v1/threads/{self.thread}", None),
            ("GET", f"/v1/messages/{self.message}/raw", None),
            ("GET", "/v1/audit/export", None),
        ):
            with self.subTest(f"{method} {path}"):
                self.eventually_full(method, path, body)
        for path in ("/v1/threads", "/v1/integrations", "/v1/audit", "/v1/tokens", of):
            with self.subTest(path):
                self.api.get(path).expect(200)

    def test_what_ends_access_goes_on_and_is_recorded_when_there_is_room(self):
        self.desk.act(self.integration, "lock").expect(204)
        self.assertIn("audit_record_owed", self.server.log())
        self.assertNotIn("integration.locked", self.actions())
        self.desk.act(self.integration, "cut-off").expect(200)
        self.assertEqual(self.desk.state(self.integration), "cut_off")
        self.filler.unlink()
        eventually(
            lambda: self.api.post("/v1/tokens", {"role": "reader"}).status == 201, "room again"
        )
        items = self.api.get("/v1/audit?action=integration.locked").expect(200)["items"]
        self.assertEqual([item["facts"].get("recorded") for item in items], ["late"])
        self.assertEqual(items[0]["facts"]["by"], "token")
        self.assertIn("integration.cut_off", self.actions())
        done = self.server.command("audit", "verify", "--data", str(self.server.data))
        self.assertNotIn("number", done)


def _refused(answer: Reply) -> Reply | None:
    return answer if answer.status >= 400 else None


class LinesTest(PeopleCase):
    ESCAPES = "Mozilla \x1b[31mred\x1b]0;title\x07 \x9b2J \u202e \u2028 \x7f"

    def test_line_breaks_in_a_user_agent_are_no_lines_of_ours(self):
        body = json.dumps({"email": self.olga.email, "password": self.olga.password})
        for agent in (b"a\r\nX-Injected: yes", b"a\nX-Injected: yes", b"a\rb", b"a\0b"):
            with self.subTest(agent), socket.create_connection(
                ("127.0.0.1", self.server.port), 10
            ) as wire:
                wire.sendall(
                    b"POST /v1/sessions HTTP/1.1\r\nHost: localhost:%d\r\nUser-Agent: %s\r\n"
                    b"Origin: http://localhost:%d\r\n"
                    b"Content-Type: application/json\r\nContent-Length: %d\r\n"
                    b"Connection: close\r\n\r\n%s"
                    % (self.server.port, agent, self.server.port, len(body), body.encode())
                )
                while wire.recv(65536):
                    pass
        self.expect_plain_lines()

    def test_terminal_escapes_reach_no_terminal(self):
        self.olga.agent = self.ESCAPES.encode("utf-8", "surrogateescape").decode("latin-1")
        self.olga.try_sign_in()
        self.olga.agent = "Mozilla"
        self.olga.sign_in()
        guess = self.other_browser()
        guess.email = f"{self.ESCAPES}@brand.example"
        guess.try_sign_in()
        self.olga.call("GET", "/v1/audit?about=%1b%5b31m").expect(422)
        self.olga.call("GET", "/v1/audit?action=a%0d%0ab").expect(422)
        self.expect_plain_lines()

    def expect_plain_lines(self) -> None:
        """Of everything that shows the record: each line is one, of printable characters."""
        texts = {"log": self.server.log()}
        for workspace in ("Brand", "installation"):
            told = self.server.command(
                "audit", "export", "--data", str(self.server.data), "--workspace", workspace
            )
            for line in told.splitlines():
                self.assertEqual(json.loads(line)["facts"].get("X-Injected"), None)
            texts[workspace] = told
        texts["verify"] = self.server.command("audit", "verify", "--data", str(self.server.data))
        for name, text in texts.items():
            bad = [c for c in text if (ord(c) < 32 and c != "\n") or ord(c) in range(0x7F, 0xA0)]
            self.assertEqual(bad, [], name)
            self.assertFalse([line for line in text.split("\n") if line.startswith("X-Inj")], name)
