"""Bad input gets a clear error with a stable code, and nothing is lost: settings and requests."""

from __future__ import annotations

import concurrent.futures
import contextlib
import datetime
import json
import pathlib
import shutil
import socket
import sqlite3

from lab import codes, faults
from lab.case import LabCase
from lab.creator import Creator
from lab.desk import Connected, Desk
from lab.postern import CONFIG, Postern
from lab.process import eventually
from lab.scripted_smtp import CLOSE, HANG, ScriptedSmtp
from lab.tls import Authority

WRONG_TRIES_MAX = 100


class WrongSecretTest(LabCase):
    def test_one_answer_whatever_is_wrong_with_it(self):
        _, desk, integration = self.connected()
        near = integration.secret[:-1] + ("2" if integration.secret[-1] != "2" else "3")
        wrong = ("x", "not the secret at all", integration.secret * 2, near)
        answers = {(a.status, a.text) for a in (desk.unlock(integration, word) for word in wrong)}
        bodies = {(status, json.loads(text)["code"]) for status, text in answers}
        self.assertEqual(len(bodies), 1, answers)
        self.assertEqual(bodies.pop()[1], codes.WRONG_SECRET)

    def test_a_generated_secret_may_be_typed_without_dashes_and_in_capitals(self):
        _, desk, integration = self.connected()
        for typed in (integration.secret.upper(), integration.secret.replace("-", "")):
            desk.unlock(integration, typed).expect(200)

    def test_attempts_run_out_and_stay_so_over_a_restart(self):
        server, desk, integration = self.connected(grant=True)
        refused = self._use_up(desk, integration)
        self.assertGreater(int(refused.headers["retry-after"]), 0)
        server.kill()
        server.start()
        again = desk.unlock(integration, "still wrong, still guessing").expect(429)
        self.assertGreater(int(again.headers["retry-after"]), 0)
        self.assertEqual(again.code, codes.ATTEMPTS_USED_UP)
        # A guesser must not be able to keep the owner from cutting off, nor stop the grant.
        self.assertEqual(desk.state(integration), "granted")
        desk.act(integration, "cut-off").expect(200)

    def test_attempts_are_counted_for_each_integration_alone(self):
        _, desk, integration = self.connected()
        other = desk.connect(self.person("otto"))
        self._use_up(desk, integration)
        desk.unlock(other).expect(200)

    def _use_up(self, desk: Desk, integration: Connected):
        for number in range(WRONG_TRIES_MAX):
            answer = desk.unlock(integration, f"wrong guess number {number}")
            if answer.status == 429:
                return answer
            answer.expect(401, 403, code=codes.WRONG_SECRET)
        raise AssertionError(f"{WRONG_TRIES_MAX} guesses and no end")


class WeakSecretTest(LabCase):
    def test_weak_typed_secrets_are_refused_before_the_mailbox_is_asked(self):
        _, desk = self.running()
        maya = self.person()
        for weak in ("", "a", "password", "maya2026", "a" * 24, "1234567890123456"):
            with self.subTest(weak):
                body = desk.integration_body(maya, shared_secret=weak)
                answer = desk.api.post("/v1/integrations", body).expect(400, 422)
                self.assertEqual(answer.code, codes.WEAK_SECRET)
        self.assertEqual(self.lab.sessions(maya), [])
        self.assertEqual(desk.api.get("/v1/integrations").json["items"], [])

    def test_neither_or_both_ways_to_a_secret(self):
        _, desk = self.running()
        typed = "pelican-orchid-thunder-velvet-41"
        body = desk.integration_body(self.person(), shared_secret=typed)
        desk.api.post("/v1/integrations", {**body, "generate": True}).expect(400, 422)
        del body["shared_secret"]
        desk.api.post("/v1/integrations", body).expect(400, 422)


class CertificateTest(LabCase):
    """No setting ignores a bad certificate, and no word is said to such a server."""

    def setUp(self) -> None:
        super().setUp()
        _, self.desk = self.running()
        self.maya = self.person()

    def test_issuer_not_trusted(self):
        self._refused(codes.CERTIFICATE_UNTRUSTED, config={"tls_ca_pem": None})

    def test_certificate_of_another_ca_than_the_pinned_one(self):
        other = Authority(self.scratch / "other", "Somebody else")
        self._refused(codes.CERTIFICATE_UNTRUSTED, config={"tls_ca_pem": other.ca_pem})

    def test_certificate_for_another_name_hears_no_password(self):
        pair = self.lab.authority.issue("othername", names="DNS:mail.other.example")
        with faults.TlsTrap(pair) as trap:
            self._refused(codes.CERTIFICATE_WRONG_NAME, imap={"port": trap.port})
            self.assertGreater(trap.connections, 0)
            self.assertEqual(trap.heard, b"")

    def test_expired_certificate_hears_no_password(self):
        pair = self.lab.authority.issue("expired", days=-1)
        with faults.TlsTrap(pair) as trap:
            self._refused(codes.CERTIFICATE_EXPIRED, imap={"port": trap.port})
            self.assertEqual(trap.heard, b"")

    def test_smtp_certificate_is_checked_too(self):
        pair = self.lab.authority.issue("othersmtp", names="DNS:mail.other.example")
        with ScriptedSmtp(pair) as smtp:
            self._refused(codes.CERTIFICATE_WRONG_NAME, smtp={"port": smtp.port})
            self.assertNotIn("auth", smtp.stages)

    def test_starttls_stripped_hears_no_password(self):
        with ScriptedSmtp(self.lab.pair, offer_tls=False) as smtp:
            self._refused(codes.TLS_NOT_OFFERED, smtp={"port": smtp.port})
            self.assertNotIn("auth", smtp.stages)

    def test_no_field_turns_the_check_off(self):
        for field in ("tls_verify", "insecure", "tls_skip_verify"):
            body = self.desk.integration_body(self.maya, config={field: False})
            answer = self.desk.api.post("/v1/integrations", body).expect(400, 422)
            self.assertIn(codes.UNKNOWN_FIELD, answer.field_codes.values())
        for mode in ("none", "plain", "optional"):
            body = self.desk.integration_body(self.maya, imap={"tls": mode})
            self.desk.api.post("/v1/integrations", body).expect(400, 422)

    def test_garbage_as_pinned_ca(self):
        for pem in ("", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
            body = self.desk.integration_body(self.maya, config={"tls_ca_pem": pem})
            self.desk.api.post("/v1/integrations", body).expect(400, 422)

    def _refused(self, code: str | tuple[str, ...], **changes) -> None:
        body = self.desk.integration_body(self.maya, **changes)
        answer = self.desk.api.post("/v1/integrations", body).expect(422, 502, code=code)
        self.assertNotIn(self.maya.password, answer.text)
        self.assertEqual(self.desk.api.get("/v1/integrations").json["items"], [])


class EndlessServerTest(LabCase):
    """A mail server of one workspace that does not stop talking, and another's mailbox."""

    def test_others_work_while_a_server_talks_without_end(self):
        server, desk = self.running()
        integration = desk.connect(self.person())
        lea = Creator(self.lab, self.creator())
        for line in (b"* OK still here\r\n", b"* SEARCH 1 2 3 4 5 6 7 8 9\r\n",
                     b"* 7 FETCH (UID 7 FLAGS ())\r\n"):
            with self.subTest(line), faults.Flood(self.lab.pair, line) as flood:
                other = Desk(server.api(server.token("Other")), self.lab)
                body = other.integration_body(self.person(), imap={"port": flood.port})
                with concurrent.futures.ThreadPoolExecutor() as pool:
                    connecting = pool.submit(other.api.post, "/v1/integrations", body)
                    eventually(lambda: flood.connections > 0, "the flood is listened to")
                    desk.act(integration, "sync").expect(200)
                    subject = f"Meanwhile {line[2:4]!r}"
                    thread = desk.write(integration, lea.account, subject, "x").expect(201)
                    desk.sent(thread["id"])
                    # Given up by itself: no deadline of ours had to end it.
                    refused = connecting.result(60)
                    self.assertEqual(refused.status, 422, refused.json)


class ConnectTest(LabCase):
    def test_wrong_mailbox_password(self):
        _, desk = self.running()
        maya = self.person()
        body = desk.integration_body(maya, credential={"password": "not hers"})
        answer = desk.api.post("/v1/integrations", body).expect(422, code=codes.SIGN_IN_REFUSED)
        self.assertNotIn("not hers", answer.text)
        self.assertEqual(desk.api.get("/v1/integrations").json["items"], [])

    def test_private_address_without_leave(self):
        _, desk = self.running(config="")
        for host in ("127.0.0.1", "localhost", "127.1", "[::ffff:127.0.0.1]", "169.254.169.254"):
            with self.subTest(host):
                body = desk.integration_body(self.person(), imap={"host": host})
                answer = desk.api.post("/v1/integrations", body)
                self.assertIn(answer.status, (400, 403, 422), str(answer))
        body = desk.integration_body(self.person())
        desk.api.post("/v1/integrations", body).expect(403, 422, code=codes.EGRESS_REFUSED)

    def test_a_region_that_the_operator_does_not_keep_data_in(self):
        _, desk = self.running(config='regions = ["us", "eu"]\n' + CONFIG)
        maya = self.person()
        body = desk.integration_body(maya, config={"region": "mars"})
        desk.api.post("/v1/integrations", body).expect(422, code=codes.REGION_NOT_ALLOWED)
        integration = desk.connect(maya, config={"region": "eu"})
        self.assertEqual(integration.answer["config"]["region"], "eu")
        body = {
            "credential": {"password": maya.password}, "generate": True,
            "config": desk.integration_body(maya, config={"region": "mars"})["config"],
        }
        desk.act(integration, "reconnect", body).expect(422, code=codes.REGION_NOT_ALLOWED)
        self.assertEqual(desk.state(integration), "leased")

    def test_a_lease_longer_than_the_operator_allows(self):
        _, desk = self.running(config=CONFIG + "[lease]\ndefault_s = 600\nlongest_s = 3600\n")
        integration = desk.connect(self.person())
        self.assertLessEqual(_minutes_until(integration.answer["lease"]["until"]), 10.1)
        desk.unlock(integration, lasting="PT2H").expect(400, 422)
        desk.unlock(integration, lasting="").expect(422)
        answer = desk.unlock(integration, lasting="PT1H").expect(200)
        self.assertAlmostEqual(_minutes_until(answer["until"]), 60, delta=1)

    def test_an_end_of_a_grant_that_is_no_duration_is_refused_before_anything_is_done(self):
        _, desk = self.running()
        maya = self.person()
        integration = desk.connect(maya)
        wish = {"verbs": ["send"], "expires_in": ""}
        credential = {"credential": {"password": maya.password}, "generate": True}
        asked = {
            "expires_in": desk.act(
                integration, "grants", {"shared_secret": integration.secret, **wish}
            ),
            "keep_working.expires_in": desk.act(
                integration, "reconnect", {**credential, "keep_working": wish}
            ),
        }
        for field, answer in asked.items():
            with self.subTest(field):
                answer.expect(422, code="invalid_request")
                self.assertEqual([error["field"] for error in answer["errors"]], [field])
        body = desk.integration_body(self.person("otto"), keep_working=wish)
        desk.api.post("/v1/integrations", body).expect(422, code="invalid_request")
        (only,) = desk.api.get("/v1/integrations").expect(200)["items"]
        self.assertEqual((only["id"], only["epoch"], only["grants"]), (integration.id, 1, []))

    def test_a_grant_that_could_not_be_made_beside_a_connection_is_told_of(self):
        server, desk = self.running()
        server.stop()
        with contextlib.closing(sqlite3.connect(server.data / "store" / "store.db")) as store:
            store.execute(
                "CREATE TRIGGER refuse BEFORE INSERT ON grants "
                "BEGIN SELECT RAISE(ABORT, 'x'); END"
            )
        server.start()
        maya = self.person()
        wish = {"verbs": ["send"], "expires_in": "P1D"}
        made = desk.connect(maya, keep_working=wish)
        body = {"credential": {"password": maya.password}, "generate": True, "keep_working": wish}
        again = desk.act(made, "reconnect", body).expect(200).json
        for answer in (made.answer, again):
            self.assertEqual((answer["state"], answer["grants"]), ("leased", []))
            self.assertLessEqual({"code", "text"}, set(answer["keep_working_refused"]))
        body.pop("keep_working")
        unasked = desk.act(made, "reconnect", body).expect(200).json
        self.assertNotIn("keep_working_refused", unasked)

    def test_nobody_listens(self):
        _, desk = self.running()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        body = desk.integration_body(self.person(), imap={"port": port})
        answer = desk.api.post("/v1/integrations", body)
        self.assertIn(answer.status, (422, 502, 504), str(answer))
        self.assertTrue(answer.code)

    def test_line_breaks_in_settings_and_mail(self):
        _, desk, integration = self.connected()
        for field, value in (("username", "a\r\nb LOGOUT"), ("address", "a@b.example\r\nBcc: x")):
            config = {field: value}
            body = desk.integration_body(self.person(), config=config)
            desk.api.post("/v1/integrations", body).expect(400, 422)
        lea = self.creator()
        for more in (
            {"subject": "x\r\nBcc: thief@elsewhere.example"},
            {"to": [{"name": "L", "address": "a@b.example>\r\nRCPT TO:<x@y.example"}]},
            {"to": [{"name": "L\nBcc: x@y.example", "address": lea.address}]},
            {"to": []},
            {"to": [{"address": "not an address"}]},
        ):
            with self.subTest(str(more)):
                body = {
                    "integration_id": integration.id, "subject": "s", "text": "t",
                    "to": [{"name": "Lea", "address": lea.address}], **more,
                }
                desk.api.post("/v1/threads", body).expect(400, 422)


def _minutes_until(moment: str) -> float:
    ends = datetime.datetime.fromisoformat(moment.replace("Z", "+00:00"))
    return (ends - datetime.datetime.now(datetime.timezone.utc)).total_seconds() / 60


class SmtpRefusalTest(LabCase):
    """4xx and 5xx at each stage of a send."""

    STAGES = ("banner", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "dot")

    def setUp(self) -> None:
        super().setUp()
        self.smtp = ScriptedSmtp(self.lab.pair)
        self.addCleanup(self.smtp.close)
        _, self.desk = self.running()

    def test_a_final_refusal_of_the_mail_is_told(self):
        integration = self._connect()
        for stage in ("mail", "rcpt", "data", "dot"):
            with self.subTest(stage):
                self.smtp.script = {stage: "554 5.7.1 we do not want this"}
                thread = self._write(integration, stage)
                self.assertEqual(self.desk.settled(thread)["state"], "failed")
        self.assertFalse([mail for mail in self.smtp.mails if mail.accepted])

    def test_a_refusal_for_now_is_tried_again_or_told_and_never_doubled(self):
        refused = {}
        for stage in ("banner", "mail", "rcpt", "data", "dot"):
            smtp = self.enterContext(ScriptedSmtp(self.lab.pair))
            integration = self.desk.connect(self.person(), smtp={"port": smtp.port})
            smtp.stages.clear()
            smtp.script = {stage: "451 4.3.0 try again later"}
            refused[stage] = smtp, self._write(integration, stage)
        for stage, (smtp, _) in refused.items():
            smtp.reached(stage)
            smtp.script = {}
        for stage, (smtp, thread) in refused.items():
            with self.subTest(stage):
                message = self.desk.settled(thread, deadline_s=180)
                self.assertIn(message["state"], ("sent", "failed"))
                accepted = [mail for mail in smtp.mails if mail.accepted]
                self.assertEqual(len(accepted), 1 if message["state"] == "sent" else 0)

    def test_a_refused_sign_in_is_not_tried_again_by_itself(self):
        integration = self._connect()
        self.smtp.stages.clear()
        self.smtp.script = {"auth": "535 5.7.8 no longer"}
        thread = self._write(integration, "auth")
        self.smtp.reached("auth")
        eventually(
            lambda: self.desk.state(integration) in ("broken", "access_removed"), "state tells it"
        )
        self.assertEqual(self.smtp.stages.count("auth"), 1)
        # The integration is told first: what became of the mail is written down after it.
        eventually(
            lambda: self.desk.thread(thread)["messages"][0]["state"] in ("queued", "failed"),
            "the mail waits for a person, or is told as failed",
        )
        self.assertEqual(self.smtp.stages.count("auth"), 1)

    def test_a_sign_in_that_is_refused_for_now_is_tried_again_by_itself(self):
        integration = self._connect()
        self.smtp.stages.clear()
        self.smtp.script = {"auth": "454 4.7.0 temporary authentication failure"}
        thread = self._write(integration, "auth")
        self.smtp.reached("auth")
        eventually(
            lambda: self.desk.thread(thread)["messages"][0]["state"] == "queued", "it waits"
        )
        self.assertEqual(self.desk.state(integration), "leased")
        self.smtp.script = {}
        self.assertEqual(self.desk.settled(thread, deadline_s=180)["state"], "sent")
        self.assertEqual(self.desk.state(integration), "leased")

    def test_a_sign_in_that_is_refused_for_now_at_connect_is_told_as_passing(self):
        self.smtp.script = {"auth": "454 4.7.0 temporary authentication failure"}
        body = self.desk.integration_body(self.person(), smtp={"port": self.smtp.port})
        answer = self.desk.api.post("/v1/integrations", body)
        self.assertEqual(answer.status, 422, str(answer))
        self.assertIn("sign_in_unavailable", str(answer.json))

    def test_one_of_two_recipients_refused(self):
        """Nobody is dropped in silence: with one refusal the whole mail is refused."""
        integration = self._connect()
        self.smtp.script = {"rcpt": "550 5.1.1 unknown"}
        to = [{"address": self.creator().address}, {"address": self.creator("noa").address}]
        body = {"integration_id": integration.id, "to": to, "subject": "Both", "text": "x"}
        thread = self.desk.api.post("/v1/threads", body).expect(201)
        self.assertEqual(self.desk.settled(thread["id"])["state"], "failed")

    def test_refused_at_connect(self):
        for stage in self.STAGES[:4]:
            for reply in ("554 5.0.0 no", "421 4.3.2 not now", CLOSE):
                with self.subTest(f"{stage} {reply}"):
                    self.smtp.script = {stage: reply}
                    body = self.desk.integration_body(self.person(), smtp={"port": self.smtp.port})
                    answer = self.desk.api.post("/v1/integrations", body)
                    self.assertIn(answer.status, (422, 502, 503, 504), str(answer))
                    self.assertTrue(answer.code)

    def test_a_silent_server_at_connect_is_given_up(self):
        self.smtp.script = {"banner": HANG}
        body = self.desk.integration_body(self.person(), smtp={"port": self.smtp.port})
        answer = self.desk.api.post("/v1/integrations", body, deadline_s=120)
        self.assertIn(answer.status, (422, 502, 504), str(answer))

    def test_a_bounce_by_the_real_server_does_not_end_anything(self):
        integration = self.desk.connect(self.person("bea"))
        body = {
            "integration_id": integration.id, "subject": "Nobody", "text": "x",
            "to": [{"address": "nobody-here@creators.example"}],
        }
        thread = self.desk.api.post("/v1/threads", body).expect(201)
        self.assertEqual(self.desk.settled(thread["id"])["state"], "sent")
        lea = Creator(self.lab, self.creator())
        self.desk.write(integration, lea.account, "Somebody", "x").expect(201)
        lea.received("Somebody")

    def _connect(self) -> Connected:
        self.smtp.script = {}
        return self.desk.connect(self.person(), smtp={"port": self.smtp.port})

    def _write(self, integration: Connected, subject: str) -> str:
        return self.desk.write(integration, self.creator(), subject, "x").expect(201)["id"]


class RequestTest(LabCase):
    def setUp(self) -> None:
        super().setUp()
        self.server, self.desk = self.running()
        self.api = self.desk.api

    def test_malformed_json(self):
        for raw in (
            b"", b"{", b'{"kind":"imap",}', b"[1,2", b"nul", b'{"a":"\xff"}', b'{"a":"\\ud800"}',
            b'{"a":1}{"b":2}', b"\x00" * 100, b'{"a":' + b"9" * 5000 + b"}", b"'x'",
            b"\xef\xbb\xbf{}",
        ):
            with self.subTest(raw[:40]):
                answer = self.api.post("/v1/integrations", raw=raw).expect(400, 422)
                self.assertTrue(answer.code)
        self.api.post("/v1/integrations", raw=b"{").expect(400, code=codes.MALFORMED_JSON)

    def test_nesting_without_end(self):
        for depth in (200, 100_000):
            self.api.post("/v1/integrations", raw=b'{"a":' * depth).expect(400, 413, 422)
            self.api.post("/v1/integrations", raw=b"[" * depth).expect(400, 413, 422)
        self.assertTrue(self.server.running)

    def test_unknown_and_duplicate_fields_are_named(self):
        body = self.desk.integration_body(self.person())
        for extra in ("workspace_id", "role", "tenant_id", "__proto__", "Name"):
            answer = self.api.post("/v1/integrations", {**body, extra: "x"}).expect(400, 422)
            self.assertEqual(answer.field_codes, {extra: codes.UNKNOWN_FIELD})
        raw = json.dumps(body)[:-1] + ',"kind":"imap"}'
        answer = self.api.post("/v1/integrations", raw=raw.encode())
        answer.expect(400, 422, code=codes.DUPLICATE_FIELD)
        self.assertEqual(self.api.get("/v1/integrations").json["items"], [])

    def test_wrong_types_and_values_name_their_field(self):
        body = self.desk.integration_body(self.person())
        for field, value in (
            ("kind", 1), ("kind", "pop3"), ("name", None), ("name", ["x"]), ("config", "x"),
            ("config", None), ("credential", {}), ("generate", "yes"), ("level", "all"),
            ("name", ""), ("name", "x" * 100_000),
        ):
            with self.subTest(f"{field}={str(value)[:20]}"):
                answer = self.api.post("/v1/integrations", {**body, field: value}).expect(400, 422)
                self.assertTrue(any(field in name for name in answer.field_codes), str(answer))
        for port in (0, -1, 65536, "993", 9.5, True):
            changed = self.desk.integration_body(self.person(), imap={"port": port})
            self.api.post("/v1/integrations", changed).expect(400, 422)

    def test_a_body_over_the_limit(self):
        big = b'{"text":"' + b"x" * (64 << 20) + b'"}'
        try:
            answer = self.api.post("/v1/threads", raw=big)
            answer.expect(413, code=codes.BODY_TOO_LARGE)
        except ConnectionError:
            pass  # The server may close before it has read all; what counts is that it goes on.
        self.assertEqual(self._says_length(1 << 50).split()[1], b"413")
        self.api.get("/v1/me").expect(200)

    def test_other_content_types(self):
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            self.api.post(
                "/v1/integrations", raw=b"{}", headers={"Content-Type": kind}
            ).expect(400, 415, 422)

    def test_no_answer_shows_what_was_inside(self):
        answer = self.api.get("/v1/threads/thr_" + "0" * 26)
        answer.expect(404, code=codes.NOT_FOUND)
        for word in ("sqlite", "SELECT", "/tmp/", "src/", ".cpp"):
            self.assertNotIn(word, answer.text)

    def _says_length(self, length: int) -> bytes:
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=30) as connection:
            head = (
                "POST /v1/threads HTTP/1.1", "Host: localhost", "Content-Type: application/json",
                f"Authorization: Bearer {self.api.token}", f"Content-Length: {length}", "", "",
            )
            connection.sendall("\r\n".join(head).encode())
            return connection.recv(65536)


class StoreTest(LabCase):
    def test_a_second_serve_on_the_same_store(self):
        server, desk = self.running()
        second = self.adopt(Postern(self.scratch / "second"))
        second.data = server.data
        second.spawn()
        self.assertNotEqual(second.wait_exit(), 0)
        self.assertRegex(second.log(), r"(?i)already|in use|locked|another")
        desk.api.get("/v1/me").expect(200)

    def test_a_store_of_a_newer_version(self):
        server = self.installation()
        server.init()
        store = _bulk_database(server)
        _raise_version(store)
        before = store.read_bytes()
        server.spawn()
        self.assertNotEqual(server.wait_exit(), 0)
        self.assertRegex(server.log(), r"(?i)newer|version")
        self.assertEqual(store.read_bytes(), before, "the newer store was changed")

    def test_a_wrong_root_key_names_the_one_it_wants(self):
        server, other = self.installation(), self.installation()
        server.init()
        other.init()
        key = server.data / "root.key"
        right = key.read_bytes()
        key.unlink()
        shutil.copy2(other.data / "root.key", key)
        server.spawn()
        self.assertNotEqual(server.wait_exit(), 0)
        self.assertRegex(server.log(), r"(?i)root key")
        self.assertRegex(server.log(), r"\b[0-9a-f]{32}\b", "no fingerprint named")
        key.unlink()
        key.write_bytes(right)
        key.chmod(0o400)
        server.start()

    def test_a_missing_or_damaged_root_key(self):
        for damage in (None, b"", b"x", b"\0" * 32, b"y" * 1_000_000):
            with self.subTest(str(damage)[:20]):
                server = self.installation()
                server.init()
                (server.data / "root.key").unlink()
                if damage is not None:
                    (server.data / "root.key").write_bytes(damage)
                    (server.data / "root.key").chmod(0o400)
                server.spawn()
                self.assertNotEqual(server.wait_exit(), 0)
                self.assertRegex(server.log(), r"(?i)root key")

    def test_a_damaged_database_is_refused_or_told(self):
        server = self.installation()
        server.init()
        store = _bulk_database(server)
        store.write_bytes(b"SQLite format 3\0" + b"\xff" * 8000)
        server.spawn()
        self.assertNotEqual(server.wait_exit(), 0)
        self.assertTrue(server.log())


class FullDiskTest(LabCase):
    def setUp(self) -> None:
        super().setUp()
        self._disk = contextlib.ExitStack()
        self.addCleanup(self._disk.close)
        place = self._disk.enter_context(faults.small_disk(self.scratch / "disk", "192m"))
        self.server = self.adopt(Postern(place / "postern"))
        self.addCleanup(self.server.close)
        self.server.init()
        token = self.server.token()
        self.server.start()
        self.desk = Desk(self.server.api(token), self.lab)
        self.integration = self.desk.connect(self.person())
        self.desk.grant(self.integration)
        lea = self.creator()
        self.kept = self.desk.write(self.integration, lea, "Kept", "x").expect(201)["id"]
        self.desk.sent(self.kept)
        self.filler = faults.fill_disk(place)

    def test_mutations_answer_503_and_what_was_acknowledged_stays(self):
        lea = self.creator()
        answer = eventually(
            lambda: _refused(self.desk.write(self.integration, lea, "Full", "x" * 50_000)),
            "a write is refused",
        )
        answer.expect(503, code=codes.STORAGE_FULL)
        # Who opens what somebody wrote is recorded first; lists go on.
        kept = self.desk.api.get(f"/v1/threads/{self.kept}")
        kept.expect(503, code=codes.STORAGE_FULL)
        (listed,) = self.desk.api.get("/v1/threads").expect(200)["items"]
        self.assertEqual(listed["id"], self.kept)
        self.filler.unlink()
        eventually(
            lambda: self.desk.write(self.integration, lea, "Room", "x").status == 201, "room again"
        )
        self.server.kill()
        self.server.start()
        self.assertEqual(self.desk.thread(self.kept)["messages"][0]["state"], "sent")

    def test_lock_works(self):
        self.desk.act(self.integration, "lock").expect(200, 204)
        self.assertNotEqual(self.desk.state(self.integration), "leased")

    def test_sealing_everything_works(self):
        sealed = self.desk.api.post("/v1/integrations/seal-all", {"grants": True}).expect(200).json
        self.assertEqual((sealed["leases_ended"], sealed["grants_ended"]), (1, 1))
        self.assertEqual(self.desk.state(self.integration), "sealed")
        self.server.kill()
        self.server.start()
        self.assertEqual(self.desk.state(self.integration), "sealed")

    def test_cut_off_works_and_lasts(self):
        receipt = self.desk.act(self.integration, "cut-off").expect(200).json
        self.assertEqual(receipt["kind"], "cut_off")
        self.assertEqual(self.desk.state(self.integration), "cut_off")
        self.server.kill()
        self.server.start()
        self.assertEqual(self.desk.state(self.integration), "cut_off")


def _refused(answer):
    return answer if answer.status >= 400 else None


def _bulk_database(server: Postern) -> pathlib.Path:
    """The store that is not the keyring: the largest database below the data folder."""
    found = [
        path for path in server.data.rglob("*.db")
        if not path.name.startswith(("keyring", "index"))
    ]
    if not found:
        raise AssertionError(f"no database below {server.data}")
    return max(found, key=lambda path: path.stat().st_size)


def _raise_version(store: pathlib.Path) -> None:
    """Makes the store look as if a later release had migrated it."""
    base = sqlite3.connect(store)
    base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    version = base.execute("PRAGMA user_version").fetchone()[0]
    if version:
        base.execute(f"PRAGMA user_version = {version + 1000}")
    tables = [
        name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        if "migration" in name or "version" in name
    ]
    for table in tables:
        columns = [row[1] for row in base.execute(f'PRAGMA table_info("{table}")')]
        number = next((c for c in columns if c in ("number", "version", "id")), columns[0])
        row = list(base.execute(f'SELECT * FROM "{table}" ORDER BY "{number}" DESC').fetchone())
        row[columns.index(number)] += 1000
        marks = ", ".join("?" * len(row))
        base.execute(f'INSERT INTO "{table}" VALUES ({marks})', row)
    base.commit()
    base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    base.close()
    if not tables and not version:
        raise AssertionError("found no place where the store keeps its version")
