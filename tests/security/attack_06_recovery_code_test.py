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

    def test_16_spellings_of_one_code_at_once(self):
        self.olga.sign_in()
        _, told = self.olga.enrol()
        code = told["recovery_codes"][2]
        plain = code.replace("-", "")
        forms = [code, code.lower(), plain, plain.lower(), f" {code} ", code.replace("-", " "),
                 code.replace("-", "--"), "-".join(plain), " ".join(plain.lower()), code.title()]
        browsers = [self.other_browser() for _ in range(16)]
        for browser in browsers:
            browser.sign_in()
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(
                lambda at: browsers[at].show(forms[at % len(forms)]).status, range(16)
            ))
        self.assertEqual(answers.count(200), 1, answers)

    def test_use_while_others_take_the_place_of_the_old(self):
        """Either it was used before, or it was gone: never both sets count."""
        self.olga.sign_in()
        _, told = self.olga.enrol()
        old = told["recovery_codes"]
        browsers = [self.other_browser() for _ in range(3)]
        for browser in browsers:
            browser.sign_in()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            making = pool.submit(self.olga.call, "POST", "/v1/me/recovery-codes")
            shown = [
                pool.submit(browser.show, code)
                for browser, code in zip(browsers, old, strict=False)
            ]
            statuses = [done.result().status for done in shown]
            made = making.result().expect(201)["recovery_codes"]
        self.assertLessEqual(set(statuses), {200, 403})
        left = self.olga.call("GET", "/v1/me/factors").expect(200)["recovery_codes_left"]
        self.assertEqual(left, 10, "a code of before counts against the new ones")
        late = self.other_browser()
        late.sign_in()
        late.show(old[5]).expect(403, code="invalid_code")
        late.show(made[0]).expect(200)

    def test_used_code_stays_used_after_a_power_cut(self):
        self.olga.sign_in()
        _, told = self.olga.enrol()
        code = told["recovery_codes"][0]
        browser = self.other_browser()
        browser.sign_in()
        browser.show(code).expect(200)
        self.server.kill()
        self.server.start()
        browser.me().expect(200)
        browser.sign_in()
        browser.show(code).expect(403, code="invalid_code")

    def test_code_is_good_for_nothing_but_to_be_shown(self):
        self.olga.sign_in()
        _, told = self.olga.enrol()
        code = told["recovery_codes"][0]
        as_password = self.other_browser()
        as_password.password = code
        as_password.try_sign_in().expect(401, code="invalid_credentials")
        made = self.olga.call("POST", "/v1/me/factors", {"kind": "totp", "name": "Tablet"})
        path = f"/v1/me/factors/{made.expect(201)['id']}/confirm"
        self.olga.call("POST", path, {"code": code}).expect(403, code="invalid_code")
        self.server.api(code).get("/v1/me").expect(401)
        browser = self.other_browser()
        browser.sign_in()
        browser.show(code[:-1]).expect(403)
        browser.show(code + "A").expect(403)
        browser.show(code).expect(200)

    def test_codes_are_120_bits_each_and_none_comes_twice(self):
        self.olga.sign_in()
        _, told = self.olga.enrol()
        codes = told["recovery_codes"]
        for _ in range(9):
            made = self.olga.call("POST", "/v1/me/recovery-codes").expect(201)
            codes += made["recovery_codes"]
        self.assertEqual(len(set(codes)), 100)
        for code in codes:
            self.assertRegex(code, r"^[A-Z2-7]{6}(-[A-Z2-7]{6}){3}$")
        # Of a hundred codes no place has always the same few of 32 characters.
        for place in zip(*(code.replace("-", "") for code in codes), strict=True):
            self.assertGreater(len(set(place)), 16)
