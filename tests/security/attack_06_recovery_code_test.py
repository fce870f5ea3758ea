"""A recovery code counts once, whoever is quickest."""

from __future__ import annotations

import concurrent.futures

from lab.person import PeopleCase


class RecoveryCodeTest(PeopleCase):
    def test_16_uses_at_once(self):
        self.olga.sign_in()
        _, told = self.olga.enrol()
        code = told["recovery_codes"][4]
        browsers = [self.other_browser() for _ in range(16)]
        for browser in browsers:
            browser.sign_in()
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda browser: browser.show(code).status, browsers))
        self.assertEqual(answers.count(200), 1, answers)
        self.assertLessEqual(set(answers), {200, 403, 429})
        (whole,) = [b for b, status in zip(browsers, answers, strict=True) if status == 200]
        left = whole.call("GET", "/v1/me/factors").expect(200)["recovery_codes_left"]
        self.assertEqual(left, 9)

    def test_codes_of_before_are_gone_with_new_ones(self):
        self.olga.sign_in()
        _, told = self.olga.enrol()
        made = self.olga.call("POST", "/v1/me/recovery-codes").expect(201)
        self.assertFalse(set(made["recovery_codes"]) & set(told["recovery_codes"]))
        browser = self.other_browser()
        browser.sign_in()
        browser.show(told["recovery_codes"][0]).expect(403, code="invalid_code")
        browser.show(made["recovery_codes"][9]).expect(200)
