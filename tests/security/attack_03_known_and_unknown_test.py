"""Somebody who guesses addresses learns nothing: a person who is there and one who is not are
answered alike, for the same work. How long it takes is compared in bench/."""

from __future__ import annotations

import re
from typing import Any

from lab.api import Reply
from lab.person import PeopleCase

KNOWN, UNKNOWN = "olga@brand.example", "olgo@brand.example"
WRONG = "wrong horse battery staple"
FREE = 5


def told(answer: Reply) -> tuple:
    """All that an answer says but its own number, its time, and how long a pause still is."""
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    if "retry-after" in headers:
        headers["retry-after"] = str(int(headers["retry-after"]) > 0)
    body: Any = {name: value for name, value in answer.json.items() if name != "instance"}
    return answer.status, body, headers


class KnownAndUnknownTest(PeopleCase):
    def try_at(self, email: Any, password: Any = WRONG) -> Reply:
        body = {"email": email, "password": password}
        return self.server.api().post("/v1/sessions", body)

    def hashes(self) -> int:
        """How many passwords were compared since the start."""
        found = re.search(r"^postern_passwords_compared_total (\d+)$", self.server.metrics(), re.M)
        return int(found[1])

    def test_same_answer_for_the_same_work_until_both_are_slowed_down(self):
        for number in range(1, FREE + 3):
            answers, works = [], []
            for email in (KNOWN, UNKNOWN):
                before = self.hashes()
                answers.append(self.try_at(email))
                works.append(self.hashes() - before)
            self.assertEqual(told(answers[0]), told(answers[1]), number)
            slowed = number > FREE
            self.assertEqual(works, [0, 0] if slowed else [1, 1], number)
            if slowed:
                answers[0].expect(429, code="too_many_attempts")
            else:
                answers[0].expect(401, code="invalid_credentials")

    def test_address_that_cannot_be_one_is_as_one_that_nobody_has(self):
        unknown = told(self.try_at(UNKNOWN))
        for email in ("x", "@", "olga", "olga@brand.example ", "olga@brand.example\n",
                      "olga@brand.example\u0000", "\u202eolga@brand.example",
                      "ol\u0261a@brand.example", "'; DROP TABLE people; --"):
            before = self.hashes()
            with self.subTest(email):
                self.assertEqual(told(self.try_at(email)), unknown)
                self.assertEqual(self.hashes() - before, 1)

    def test_password_of_any_length_costs_the_same_work(self):
        for password in ("", "x", "x" * 1000, "\u0000" * 1000):
            for email in (KNOWN, UNKNOWN):
                before = self.hashes()
                with self.subTest(f"{email} {len(password)}"):
                    self.try_at(email, password).expect(401, 429)
                    self.assertLessEqual(self.hashes() - before, 1)
        for email in (KNOWN, UNKNOWN):
            before = self.hashes()
            answers = [self.try_at(email, "x" * 1001), self.try_at(email, 1)]
            for answer in answers:
                answer.expect(422, code="invalid_request")
            self.assertEqual(self.hashes(), before)

    def test_person_with_a_second_factor_is_as_one_without_until_the_password_is_right(self):
        plain = told(self.try_at(KNOWN))
        self.olga.sign_in()
        self.olga.enrol()
        self.assertEqual(told(self.try_at(KNOWN)), plain)
        self.assertEqual(told(self.try_at(UNKNOWN)), plain)

    def test_repeated_with_a_key_it_is_no_different(self):
        answers = [
            self.server.api().post(
                "/v1/sessions", {"email": email, "password": WRONG}, key="k" * 20
            )
            for email in (KNOWN, UNKNOWN, KNOWN)
        ]
        self.assertEqual(told(answers[0]), told(answers[1]))
        self.assertEqual(told(answers[0]), told(answers[2]))
