"""How the API answers: idempotency, cursors, events, problem documents, names, methods."""

from __future__ import annotations

import concurrent.futures
import http.client
import socket

from lab import codes
from lab.api import Api, Reply, new_key
from lab.case import LabCase
from lab.creator import Creator
from lab.process import eventually, free_port

# The random part of an id that was never given out.
NOBODY = "0" * 26


class IdempotencyTest(LabCase):
    def setUp(self) -> None:
        super().setUp()
        self.server, self.desk, self.integration = self.connected(grant=True)
        self.lea = Creator(self.lab, self.creator())

    def test_the_same_request_again_is_the_same_answer_and_one_mail(self):
        key = new_key()
        first = self._write("Same", key).expect(201)
        again = self._write("Same", key).expect(201)
        self.assertEqual(again["id"], first["id"])
        self.assertEqual(again["messages"][0]["id"], first["messages"][0]["id"])
        self._one_mail("Same")

    def test_it_holds_over_a_kill(self):
        key = new_key()
        first = self._write("Kill", key).expect(201)
        self.desk.sent(first["id"])
        self.server.kill()
        self.server.start()
        self.assertEqual(self._write("Kill", key).expect(201)["id"], first["id"])
        self._one_mail("Kill")

    def test_another_body_under_the_same_key_is_422(self):
        key = new_key()
        self._write("One", key).expect(201)
        self._write("Two", key).expect(422, code=codes.KEY_REUSED)
        self._one_mail("One")
        self.assertEqual(self.lea.count("Two"), 0)

    def test_at_the_same_time_one_effect(self):
        key = new_key()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: self._write("Together", key), range(8)))
        made = {answer["id"] for answer in answers if answer.status == 201}
        self.assertEqual(len(made), 1)
        for answer in answers:
            answer.expect(201, 409)
            if answer.status == 409:
                self.assertEqual(answer.code, codes.KEY_IN_PROGRESS)
        self._one_mail("Together")

    def test_a_refused_request_may_be_repaired_under_its_key(self):
        key = new_key()
        self.desk.api.post("/v1/threads", {"subject": "incomplete"}, key=key).expect(400, 422)
        self._write("Whole", key).expect(201, 422)

    def test_keys_of_another_workspace_are_others(self):
        key = new_key()
        first = self._write("Mine", key).expect(201)
        other = self.server.api(self.server.token("Other"))
        answer = other.post("/v1/threads", {"integration_id": self.integration.id}, key=key)
        self.assertNotIn(first["id"], answer.text)

    def test_strange_keys(self):
        for key in ("x" * 10_000, "é", "a b", "\t"):
            with self.subTest(key[:10]):
                sent = {"Idempotency-Key": key.encode().decode("latin1")}
                answer = self.desk.api.call("POST", "/v1/threads", {}, headers=sent)
                answer.expect(400, 422, 431)

    def test_unlock_is_never_recorded(self):
        key = new_key()
        body = {"shared_secret": self.integration.secret, "for": "PT1H"}
        self.desk.act(self.integration, "unlock", body, key=key).expect(200)
        self.desk.act(self.integration, "lock").expect(200, 204)
        self.desk.act(self.integration, "unlock", body, key=key).expect(200)
        self.assertEqual(self.desk.state(self.integration), "leased")

    def _write(self, subject: str, key: str) -> Reply:
        return self.desk.write(self.integration, self.lea.account, subject, "x", key=key)

    def _one_mail(self, subject: str) -> None:
        """A later mail on the same way shows that no second copy is coming."""
        self.lea.received(subject)
        thread = self._write(f"After all {new_key()}", new_key()).expect(201)
        self.desk.sent(thread["id"])
        self.lea.received("After all")
        self.assertEqual(self.lea.count(subject), 1)


class ListsAndEventsTest(LabCase):
    def setUp(self) -> None:
        super().setUp()
        self.server, self.desk, self.integration = self.connected(grant=True)
        self.lea = Creator(self.lab, self.creator())

    def test_cursors_walk_every_item_once(self):
        made = {self._write(f"Page {n}") for n in range(7)}
        seen, cursor = [], ""
        for _ in range(20):
            page = self.desk.api.get(f"/v1/threads?limit=2{cursor}").expect(200).json
            self.assertLessEqual(len(page["items"]), 2)
            seen += [item["id"] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        self.assertEqual(sorted(seen), sorted(made))

    def test_bad_cursors_and_limits(self):
        for query in ("limit=0", "limit=-1", "limit=x", "limit=9999999", "cursor=%00", "cursor=z"):
            with self.subTest(query):
                self.desk.api.get(f"/v1/threads?{query}").expect(400, 422)

    def test_events_resume_after_the_last_one_seen(self):
        with self.desk.api.events() as events:
            first_id = self._write("First")
            first = events.wait_for(lambda e: e.names(first_id) and e.names("sent"), "sent")
        second_id = self._write("Second")
        self.desk.sent(second_id)
        with self.desk.api.events(last_id=first.cursor) as events:
            events.wait_for(lambda e: e.names(second_id) and e.names("sent"), "what came meanwhile")
            self.assertFalse([e for e in events.seen if e.names(first_id) and e.names("sent")])

    def test_events_are_of_the_own_workspace_only(self):
        other = self.server.api(self.server.token("Other"))
        with other.events() as theirs, self.desk.api.events() as ours:
            thread_id = self._write("Ours")
            ours.wait_for(lambda e: e.names(thread_id) and e.names("sent"), "our event")
            self.assertFalse([e for e in theirs.seen if e.names(thread_id)])

    def test_state_changes_are_announced(self):
        with self.desk.api.events() as events:
            self.desk.act(self.integration, "lock").expect(200, 204)
            events.wait_for(
                lambda e: e.kind == "integration.state" and e.names(self.integration.id)
                and e.names("granted"), "granted",
            )
            self.desk.act(self.integration, "cut-off").expect(200)
            events.wait_for(
                lambda e: e.kind == "integration.state" and e.names("cut_off"), "cut off"
            )

    def _write(self, subject: str) -> str:
        return self.desk.write(self.integration, self.lea.account, subject, "x").expect(201)["id"]


class AnswersTest(LabCase):
    def setUp(self) -> None:
        super().setUp()
        self.server, self.desk = self.running()
        self.api = self.desk.api

    def test_problems_have_every_member(self):
        answer = self.api.get(f"/v1/threads/thr_{NOBODY}").expect(404)
        self.assertIn("application/problem+json", answer.headers["content-type"])
        self.assertLessEqual(
            {"type", "title", "status", "code", "detail", "instance"}, set(answer.json)
        )
        self.assertEqual(answer["status"], 404)

    def test_every_route_but_the_open_ones_wants_a_token(self):
        for method, path in (
            ("GET", "/v1/me"), ("GET", "/v1/integrations"), ("POST", "/v1/integrations"),
            ("GET", "/v1/threads"), ("POST", "/v1/threads"), ("GET", "/v1/held"),
            ("GET", "/v1/creators"), ("GET", "/v1/events"), ("GET", "/v1/audit"),
            ("POST", "/v1/tokens"), ("POST", "/v1/integrations/int_x/cut-off"),
        ):
            with self.subTest(f"{method} {path}"):
                answer = self.server.api().call(method, path)
                answer.expect(401, code=codes.UNAUTHENTICATED)
        for token in ("pst_", "x", "pst_" + "A" * 5000, self.api.token[:-1]):
            self.server.api(token).get("/v1/me").expect(400, 401, 431)

    def test_ids_of_another_workspace_answer_as_unknown(self):
        integration = self.desk.connect(self.person())
        thread = self.desk.write(integration, self.creator(), "Private", "x").expect(201)
        other = self.server.api(self.server.token("Other"))
        message = thread["messages"][0]
        for path, unknown in (
            (f"/v1/integrations/{integration.id}", f"/v1/integrations/int_{NOBODY}"),
            (f"/v1/threads/{thread['id']}", f"/v1/threads/thr_{NOBODY}"),
            (f"/v1/messages/{message['id']}/raw", f"/v1/messages/msg_{NOBODY}/raw"),
        ):
            with self.subTest(path):
                theirs, nobodys = other.get(path).expect(404), other.get(unknown).expect(404)
                self.assertEqual(theirs.code, nobodys.code)
                self.assertEqual(theirs["title"], nobodys["title"])
        for act in ("cut-off", "lock", "unlock", "sync", "verify", "reseal", "reconnect", "grants"):
            with self.subTest(act):
                body = {"unlock": {"shared_secret": integration.secret},
                        "reseal": {"shared_secret": integration.secret, "generate": True},
                        "reconnect": {"credential": {"password": "x"}, "generate": True},
                        "grants": {"shared_secret": integration.secret, "verbs": ["send"],
                                   "expires_in": "P1D"}}.get(act, {})
                other.post(f"/v1/integrations/{integration.id}/{act}", body).expect(404)
        other.get(f"/v1/integrations/{integration.id}/read-ledger").expect(404)
        other.delete(f"/v1/integrations/{integration.id}").expect(404)
        self.assertEqual(other.get("/v1/threads").json["items"], [])
        self.assertEqual(self.desk.state(integration), "leased")

    def test_replies_still_come_after_another_workspace_named_the_mailbox(self):
        integration = self.desk.connect(self.person())
        lea = Creator(self.lab, self.creator())
        thread = self.desk.write(integration, lea.account, "Private", "x").expect(201)
        (mail,) = lea.received("Private")
        other = self.server.api(self.server.token("Other"))
        other.post(f"/v1/integrations/{integration.id}/lock", {}).expect(404)
        lea.answer(mail, "gmail_android", "still here")
        self.desk.incoming(thread["id"])

    def test_a_cut_off_is_not_replayed_once_the_mailbox_is_back(self):
        person = self.person()
        integration = self.desk.connect(person)
        path = f"/v1/integrations/{integration.id}/cut-off"
        key = new_key()
        first = self.api.post(path, {}, key=key).expect(200)
        self.assertEqual(self.api.post(path, {}, key=key).expect(200)["id"], first["id"])
        body = {"credential": {"password": person.password}, "generate": True}
        self.desk.act(integration, "reconnect", body).expect(200)
        again = self.api.post(path, {}, key=key).expect(410)
        self.assertEqual(again.code, "idempotency_result_gone")
        self.assertEqual(self.desk.state(integration), "leased")
        ended = self.api.post(path, {}, key=new_key()).expect(200)
        now = self.api.get(f"/v1/integrations/{integration.id}").expect(200)
        self.assertEqual((now["state"], now["epoch"]), ("cut_off", ended["epoch"]))

    def test_unknown_paths_and_methods(self):
        self.api.get("/v1/nothing").expect(404)
        self.api.get("/v2/me").expect(404)
        wrong = self.api.call("DELETE", "/v1/me").expect(405)
        self.assertIn("GET", wrong.headers["allow"])
        for path in ("/v1/../v1/me", "/v1/%2e%2e/v1/me", "//v1/me", "/v1/me/", "/v1/threads/%00"):
            with self.subTest(path):
                self.assertIn(self.api.get(path).status, (400, 404, 301, 308))

    def test_health_and_readiness_are_open(self):
        self.server.api().get("/healthz").expect(200)
        self.server.api().get("/readyz").expect(200)

    def test_metrics_hold_no_personal_data(self):
        integration = self.desk.connect(self.person())
        self.desk.write(integration, self.creator(), "Counted", "x").expect(201)
        text = self.server.metrics()
        self.assertRegex(text, r"(?m)^# TYPE postern_")
        for word in ("@", "Counted", integration.id, self.api.token):
            self.assertNotIn(word, text)

    def test_an_edit_on_an_old_version_is_refused(self):
        integration = self.desk.connect(self.person())
        path = f"/v1/integrations/{integration.id}"
        tag = self.api.get(path).expect(200).headers["etag"]
        self.api.patch(path, {"name": "One"}, headers={"If-Match": tag}).expect(200)
        self.api.patch(path, {"name": "Two"}, headers={"If-Match": tag}).expect(412)
        self.assertEqual(self.api.get(path)["name"], "One")

    def test_of_edits_of_one_version_at_once_one_is_made(self):
        integration = self.desk.connect(self.person())
        path = f"/v1/integrations/{integration.id}"
        tag = self.api.get(path).expect(200).headers["etag"]

        def rename(name: str) -> Reply:
            return self.api.patch(path, {"name": name}, headers={"If-Match": tag})

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(rename, (f"Name {n}" for n in range(8))))
        self.assertEqual([answer.status for answer in answers].count(200), 1)
        for answer in answers:
            answer.expect(200, 409, 412)

    def test_a_second_request_on_one_connection(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        headers = {"Authorization": f"Bearer {self.api.token}"}
        for _ in range(3):
            connection.request("GET", "/v1/me", headers=headers)
            answer = connection.getresponse()
            self.assertEqual((answer.status, bool(answer.read())), (200, True))
        connection.close()


class NamesTest(LabCase):
    def setUp(self) -> None:
        super().setUp()
        self.server, self.desk = self.running()

    def test_api_and_health_answer_on_both_names(self):
        for name in ("localhost", "127.0.0.1"):
            with self.subTest(name):
                host = {"Host": f"{name}:{self.server.port}"}
                self.desk.api.get("/v1/me", headers=host).expect(200)
                self.server.api().get("/healthz", headers=host).expect(200)
                self.server.api().get("/readyz", headers=host).expect(200)

    def test_only_gets_of_pages_are_redirected_to_localhost(self):
        host = {"Host": f"127.0.0.1:{self.server.port}"}
        page = self.server.api().get("/setup", headers=host).expect(301, 302, 303, 307, 308)
        start = f"http://localhost:{self.server.port}/"
        self.assertTrue(page.headers["location"].startswith(start), page.headers)
        posted = self.server.api().post("/setup", {}, headers=host)
        self.assertNotIn(posted.status, (301, 302, 307, 308))
        self.assertEqual(self.desk.api.get("/v1/me", headers=host).status, 200)

    def test_a_foreign_host_name_is_not_served(self):
        """A page of another site that points its name at 127.0.0.1 must get nothing."""
        port = self.server.port
        for host in ("evil.example", f"evil.example:{port}", "", "a b", "localhost.evil.example"):
            with self.subTest(host):
                self.assertIn(
                    self.desk.api.get("/v1/me", headers={"Host": host}).status, (400, 403, 404, 421)
                )

    def test_ipv6_loopback(self):
        if not _has_ipv6():
            self.skipTest("no ::1 on this machine")
        server = self.installation()
        server.init()
        token = server.token()
        port = free_port("::1")
        server.spawn(listen=f"[::1]:{port}")
        api = Api("::1", port, token)
        eventually(lambda: _answers(api), "ready on ::1")
        api.get("/v1/me").expect(200)

    def test_another_address_demands_a_certificate(self):
        server = self.installation()
        server.init()
        server.spawn(listen=f"0.0.0.0:{free_port()}")
        self.assertNotEqual(server.wait_exit(), 0)
        self.assertRegex(server.log(), r"(?i)certificate|tls")


class SmugglingTest(LabCase):
    """What stands between two proxies' readings of one request is refused and the line closed."""

    def test_ambiguous_requests(self):
        server, desk = self.running()
        token = f"Authorization: Bearer {desk.api.token}\r\n".encode()
        tail = b"Host: localhost\r\n" + token
        for name, request in {
            "CL and TE": b"POST /v1/threads HTTP/1.1\r\n" + tail
            + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "two CL": b"POST /v1/threads HTTP/1.1\r\n" + tail
            + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
            "folded header": b"GET /v1/me HTTP/1.1\r\n" + tail + b"X-A: b\r\n c\r\n\r\n",
            "bare LF": b"GET /v1/me HTTP/1.1\nHost: localhost\n\n",
            "chunked with a tail": b"POST /v1/threads HTTP/1.1\r\n" + tail
            + b"Transfer-Encoding: chunked\x0b\r\n\r\n0\r\n\r\n",
            "no host": b"GET /v1/me HTTP/1.1\r\n" + token + b"\r\n",
            "two hosts": b"GET /v1/me HTTP/1.1\r\nHost: evil.example\r\n" + tail + b"\r\n",
            "h2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "endless header": b"GET /v1/me HTTP/1.1\r\n" + tail + b"X-A: " + b"a" * 1_000_000,
        }.items():
            with self.subTest(name):
                status, closed = _exchange(server.port, request)
                self.assertIn(status, (b"400", b"413", b"431", b"501", b"505", b""), name)
                self.assertTrue(closed, f"{name}: the connection stays open")
        desk.api.get("/v1/me").expect(200)


def _exchange(port: int, request: bytes) -> tuple[bytes, bool]:
    """The status of the only answer, and whether the server then closed the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        said = b""
        try:
            connection.sendall(request)
            while data := connection.recv(65536):
                said += data
        except TimeoutError:
            return said[9:12], False
        except ConnectionError:
            pass
        return said[9:12], said.count(b"HTTP/1.1 ") <= 1


def _answers(api: Api) -> bool:
    try:
        return api.get("/readyz").status == 200
    except OSError:
        return False


def _has_ipv6() -> bool:
    try:
        free_port("::1")
        return True
    except OSError:
        return False
