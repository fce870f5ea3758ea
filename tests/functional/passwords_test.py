"""Passwords: what is taken, how it is changed, and what a flood of sign-ins does to the rest."""

from __future__ import annotations

import pathlib
import re
import threading

from lab import codes
from lab.api import Api, Reply
from lab.case import LabCase
from lab.postern import CONFIG, Postern

EMAIL = "olga@brand.example"
PASSWORD = "correct horse battery staple"
NEXT = "another horse, another battery"
# The cost of one password where nothing else is configured, and how many are computed at a time.
HASH_KIB = 64 * 1024
AT_A_TIME = 1
# Connections, requests and answers of the flood itself.
SLACK_KIB = 32 * 1024


class Session(Api):
    """A browser that signed in: a cookie, and an origin of ours."""

    def __init__(self, server: Postern, answer: Reply) -> None:
        super().__init__("127.0.0.1", server.port)
        self.cookie = answer.headers["set-cookie"].partition(";")[0]

    def _headers(self) -> dict[str, str]:
        return {"Cookie": self.cookie, "Origin": f"http://127.0.0.1:{self.port}"}

    def change(self, current: str, following: str) -> Reply:
        body = {"current_password": current, "new_password": following}
        return self.post("/v1/me/password", body)


class PasswordsCase(LabCase):
    def begin(self, password: str = PASSWORD, config: str = CONFIG) -> Postern:
        """A server with its owner; `self.token` is an API token."""
        server = self.installation(config=config)
        told = server.init()
        server.start()
        self.setup = {
            "token": told.setup_token, "workspace": "Brand of Olga", "email": EMAIL,
            "password": password,
        }
        self.token = server.api().post("/v1/setup", self.setup).expect(201)["token"]
        return server

    def sign_in(self, server: Postern, password: str = PASSWORD, email: str = EMAIL) -> Reply:
        return server.api().post("/v1/sessions", {"email": email, "password": password})

    def session(self, server: Postern, password: str = PASSWORD) -> Session:
        return Session(server, self.sign_in(server, password).expect(201))


class PasswordsTest(PasswordsCase):
    def test_a_change_ends_every_other_session_and_its_events_at_once(self):
        server = self.begin()
        mine, other = self.session(server), self.session(server)
        before = mine.cookie
        with other.events() as heard, server.api(self.token).events() as of_token:
            changed = mine.change(PASSWORD, NEXT).expect(200)
            self.assertTrue(heard.closed.wait(30), "the other session's events go on")
            self.assertFalse(of_token.closed.is_set(), "the token's events ended")
        self.assertNotIn("pss_", changed.text)
        mine.get("/v1/me").expect(401, code=codes.UNAUTHENTICATED)
        other.get("/v1/me").expect(401, code=codes.UNAUTHENTICATED)
        fresh = Session(server, changed)
        self.assertNotEqual(fresh.cookie, before)
        self.assertEqual(fresh.get("/v1/me").expect(200)["email"], EMAIL)
        self.sign_in(server).expect(401, code="invalid_credentials")
        self.sign_in(server, NEXT).expect(201)
        server.api(self.token).get("/v1/me").expect(200)

    def test_a_change_wants_a_session_its_own_page_and_the_current_one(self):
        server = self.begin()
        mine = self.session(server)
        body = {"current_password": PASSWORD, "new_password": NEXT}
        server.api(self.token).post("/v1/me/password", body).expect(403, code="forbidden")
        server.api().post("/v1/me/password", body).expect(401, code=codes.UNAUTHENTICATED)
        elsewhere = {"Origin": "https://elsewhere.example"}
        mine.post("/v1/me/password", body, headers=elsewhere).expect(403, code="foreign_origin")
        for _ in range(5):
            mine.change("not the current one", NEXT).expect(401, code="invalid_credentials")
        slowed = mine.change(PASSWORD, NEXT).expect(429, code=codes.ATTEMPTS_USED_UP)
        self.assertGreater(int(slowed.headers["retry-after"]), 0)
        self.sign_in(server).expect(429)
        mine.get("/v1/me").expect(200)

    def test_weak_ones_are_refused_with_the_reason(self):
        server = self.begin()
        mine = self.session(server)
        for weak, reason in (
            ("", "too_short"), ("elevenchars", "too_short"), ("\N{HORSE}" * 11, "too_short"),
            ("x" * 12, "one_character"), ("\0" * 40, "one_character"),
            ("\N{HORSE}" * 12, "one_character"), ("qwerty123456", "too_common"),
            ("LeaveMeAlone", "too_common"), (EMAIL, "is_your_address"),
            (EMAIL.upper(), "is_your_address"), ("BRAND of Olga", "is_workspace_name"),
        ):
            with self.subTest(weak=weak):
                refused = mine.change(PASSWORD, weak).expect(422, code="weak_password")
                self.assertEqual(refused.field_codes, {"new_password": reason})
        long = mine.change(PASSWORD, "x1" * 501).expect(422)
        self.assertEqual(long.field_codes, {"new_password": "too_long"})
        mine.get("/v1/me").expect(200)

    def test_set_up_refuses_the_same_and_its_link_stays_good(self):
        server = self.installation()
        told = server.init()
        server.start()
        body = {"token": told.setup_token, "workspace": "Brand of Olga", "email": EMAIL}
        for weak, reason in (("brand of olga", "is_workspace_name"), ("short", "too_short")):
            refused = server.api().post("/v1/setup", {**body, "password": weak})
            self.assertEqual(refused.expect(422, code="weak_password").field_codes,
                             {"password": reason})
        server.api().post("/v1/setup", {**body, "password": PASSWORD}).expect(201)

    def test_every_byte_counts_as_it_was_typed(self):
        composed, apart = "caf\u00e9 del mar 1987", "cafe\u0301 del mar 1987"
        longest = "b" + "a" * 999
        server = self.begin("correct horse\0 battery")
        current = "correct horse\0 battery"
        for typed, other in (
            (current, "correct horse"), (composed, apart), (apart, composed),
            (longest, longest[:-1]), ("  two spaces at both ends  ", "two spaces at both ends"),
        ):
            with self.subTest(typed=typed[:30]):
                if typed != current:
                    self.session(server, current).change(current, typed).expect(200)
                self.sign_in(server, other).expect(401)
                self.sign_in(server, typed).expect(201)
                current = typed

    def test_another_cost_lets_everybody_in_as_before(self):
        """How a stored hash is raised is seen by unit tests: from the outside nothing shows."""
        cheap = "\n[sign_in]\nargon2_memory_kib = 19456\nargon2_passes = 2\n"
        server = self.begin(config=CONFIG + cheap)
        self.sign_in(server).expect(201)
        server.stop()
        server.config.write_text(server.config.read_text().replace(cheap, ""))
        server.start()
        for _ in range(2):
            self.sign_in(server).expect(201)
            self.sign_in(server, "not the right one").expect(401)

    def test_a_cost_that_is_too_low_is_refused(self):
        low = "\n[sign_in]\nargon2_memory_kib = 19456\nargon2_passes = 1\n"
        server = self.installation(config=CONFIG + low)
        done = server.run("check-config", "--config", str(server.config))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("sign_in.argon2_passes", done.stdout + done.stderr)

    def test_doctor_says_how_long_one_takes(self):
        server = self.installation()
        server.init()
        said = server.run("doctor", "--data", str(server.data)).stdout
        self.assertRegex(said, r"a password hash takes \d+ ms here, with 64 MiB and 3 passes")


class FloodTest(PasswordsCase):
    SIGN_INS = 60

    def test_a_flood_of_sign_ins_takes_bounded_memory_and_nothing_else_waits(self):
        server = self.begin()
        front = server.process("front")
        desk = server.api(self.token)
        # Linux: the peak begins anew.
        pathlib.Path(f"/proc/{front}/clear_refs").write_text("5")
        before_kib = _status_kib(front, "VmRSS")
        answers: list[Reply] = []
        threads = [
            threading.Thread(target=lambda number=number: answers.append(self.one(server, number)))
            for number in range(self.SIGN_INS)
        ]
        for thread in threads:
            thread.start()
        asked = 0
        while any(thread.is_alive() for thread in threads):
            desk.get("/v1/me").expect(200)
            asked += 1
        for thread in threads:
            thread.join()
        self.assertEqual(len(answers), self.SIGN_INS)
        statuses = {answer.status for answer in answers}
        self.assertLessEqual(statuses, {201, 401, 429, 503}, [str(answer) for answer in answers])
        self.assertLessEqual({401, 503}, statuses, "the pool was never full")
        for answer in answers:
            if answer.status in (429, 503):
                self.assertGreater(int(answer.headers["retry-after"]), 0, str(answer))
        self.assertGreater(asked, 1)
        most_kib = before_kib + AT_A_TIME * HASH_KIB + SLACK_KIB
        self.assertLess(_status_kib(front, "VmHWM"), most_kib)
        # What came of it: nobody was locked out, and the queue is empty again.
        self.sign_in(server).expect(201)
        self.assertEqual(server.process("front"), front)

    def one(self, server: Postern, number: int) -> Reply:
        """A third from the owner, a third at one stranger's address, a third at one each."""
        guessed = {0: EMAIL, 1: "nobody@brand.example"}.get(number % 3, f"p{number}@brand.example")
        return self.sign_in(server, PASSWORD, guessed)


def _status_kib(pid: int, name: str) -> int:
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+) kB$", text, re.MULTILINE)[1])
