"""10,000 guesses at a password, each from another forged address: they are slowed down all the
same, and the person whose password it is gets in with a passkey while they go on."""

from __future__ import annotations

import collections
import http.client
import json
import threading

from lab.api import Api, Reply
from lab.case import LabCase
from lab.passkeys import PasskeyCase
from lab.person import first_owner, time_code, time_step
from lab.postern import CONFIG

GUESSES = 10_000
THREADS = 4
FREE = 5
PLACE_CHALLENGES = 100
PLACE_TRIES = 30
WRONG_FROM_A_NETWORK = 60
ELSEWHERE = "127.0.0.2"


class Elsewhere(Api):
    """Somebody at another address."""

    def statuses(self, path: str, body: dict | None, count: int) -> list[tuple[int, str]]:
        found = []
        for _ in range(count):
            connection = http.client.HTTPConnection(
                self.host, self.port, timeout=60, source_address=(ELSEWHERE, 0)
            )
            connection.request(
                "POST", path, None if body is None else json.dumps(body),
                {"Host": f"localhost:{self.port}", "Content-Type": "application/json"},
            )
            answer = connection.getresponse()
            answer.read()
            found.append((answer.status, answer.getheader("Retry-After", "")))
            connection.close()
        return found


class GuessesAndAPasskeyTest(PasskeyCase):
    def setUp(self) -> None:
        super().setUp()
        self.signed_in_with_passkey()

    def test_forged_addresses_help_nobody_and_the_person_gets_in(self):
        counted: collections.Counter[int] = collections.Counter()
        without_pause: list[int] = []
        lock = threading.Lock()
        half_way = threading.Event()

        def guess(first: int) -> None:
            connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
            for number in range(first, GUESSES, THREADS):
                forged = f"{number % 223 + 1}.{number >> 8 & 255}.{number & 255}.7"
                body = {"email": self.olga.email, "password": f"correct horse battery {number}"}
                connection.request("POST", "/v1/sessions", json.dumps(body), {
                    "Host": f"localhost:{self.server.port}", "Content-Type": "application/json",
                    "X-Forwarded-For": forged, "X-Real-IP": forged,
                    "Forwarded": f"for={forged}",
                })
                answer = connection.getresponse()
                answer.read()
                with lock:
                    counted[answer.status] += 1
                    if answer.status == 429 and not int(answer.getheader("Retry-After", "0")):
                        without_pause.append(number)
                    if counted.total() == GUESSES // 2:
                        half_way.set()
            connection.close()

        guessers = [threading.Thread(target=guess, args=(first,)) for first in range(THREADS)]
        for guesser in guessers:
            guesser.start()
        self.assertTrue(half_way.wait(300))
        self.sign_in_alone(self.somebody()).expect(201)
        for guesser in guessers:
            guesser.join(300)
        self.assertEqual(counted.total(), GUESSES)
        self.assertLessEqual(counted[401], FREE + 3, counted)
        self.assertEqual(set(counted), {401, 429})
        self.assertEqual(without_pause, [])
        self.other_browser().try_sign_in().expect(429, code="too_many_attempts")
        again = self.somebody()
        self.sign_in_alone(again).expect(201)
        self.assertEqual(again.me()["standing"], "whole")
        # Nothing that the guesser wrote stands in the record as where they are.
        refused = [one for one in self.records() if one["action"] == "session.refused"]
        self.assertEqual(len(refused), counted[401])
        self.assertEqual({one["from"] for one in refused}, {"127.0.0.1"})

    def test_guesses_at_codes_do_not_keep_the_passkey_out(self):
        app, _ = self.olga.enrol()
        thief = self.other_browser()
        thief.sign_in()
        answers = [thief.show(f"{number:06}").status for number in range(12)]
        self.assertIn(429, answers)
        mine = self.other_browser()
        mine.sign_in()
        mine.show(time_code(app.key, time_step() + 1)).expect(429)
        self.show_passkey(mine).expect(200)

    def test_passkeys_that_are_made_up_hold_up_only_whoever_shows_them(self):
        elsewhere = Elsewhere("127.0.0.1", self.server.port)
        made_up = {"credential": {"type": "public-key", "id": "AAAA", "response": {
            "clientDataJSON": "AAAA", "authenticatorData": "AAAA", "signature": "AAAA",
        }}}
        answers = elsewhere.statuses("/v1/sessions/passkey", made_up, PLACE_TRIES + 5)
        self.assertEqual([status for status, _ in answers], [403] * PLACE_TRIES + [429] * 5)
        self.assertGreater(int(answers[-1][1]), 0)
        self.sign_in_alone(self.somebody()).expect(201)

    def test_challenges_that_nobody_answers_hold_up_only_whoever_asks(self):
        elsewhere = Elsewhere("127.0.0.1", self.server.port)
        answers = elsewhere.statuses("/v1/passkey-challenges", None, PLACE_CHALLENGES + 5)
        self.assertEqual([status for status, _ in answers], [200] * PLACE_CHALLENGES + [429] * 5)
        self.assertLessEqual(int(answers[-1][1]), 300)
        self.sign_in_alone(self.somebody()).expect(201)

    def test_half_sessions_do_not_push_out_the_challenges_of_others(self):
        mine = self.other_browser()
        mine.sign_in()
        asked = self.own_challenge(mine)
        thief = self.other_browser()
        thief.sign_in()
        for _ in range(40):
            self.own_challenge(thief)
        self.send_proof(mine, self.page.get(asked)).expect(200)


class SprayedTest(LabCase):
    """One common password at many people's addresses, so that none of them has a pause."""

    def setUp(self) -> None:
        super().setUp()
        self.server = self.installation(config='trusted_proxies = ["127.0.0.1/32"]\n' + CONFIG)
        told = self.server.init()
        self.server.start()
        self.olga = first_owner(self.server, told.setup_token)

    def try_as(self, email: str, password: str, forwarded: str) -> Reply:
        body = {"email": email, "password": password}
        headers = {"X-Forwarded-For": forwarded}
        return self.server.api().post("/v1/sessions", body, headers=headers)

    def test_network_that_guesses_everywhere_is_not_listened_to(self):
        for number in range(WRONG_FROM_A_NETWORK):
            guess = self.try_as(f"p{number}@brand.example", "Spring2026!", f"192.0.2.{number}")
            guess.expect(401, code="invalid_credentials")
        # Whoever the proxy says that the client says that they are.
        for forwarded in ("192.0.2.200", "198.51.100.1, 192.0.2.201"):
            paused = self.try_as("p1000@brand.example", "Spring2026!", forwarded)
            paused.expect(429, code="too_many_attempts")
            self.assertLessEqual(int(paused.headers["retry-after"]), 300)
        self.try_as(self.olga.email, self.olga.password, "192.0.2.9").expect(429)
        self.try_as(self.olga.email, self.olga.password, "198.51.100.1").expect(201)
        self.olga.sign_in()
