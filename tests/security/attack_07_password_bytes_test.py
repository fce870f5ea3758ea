"""Passwords are compared as they were typed, to the last byte: nothing is cut, folded or ended at a
NUL, whoever hashes or stores them."""

from __future__ import annotations

import unicodedata

from lab.person import PeopleCase, Person

LONG = "a steep path of many words that go on, and on, beyond the seventy-second, "
COMPOSED = unicodedata.normalize("NFC", "Ångström café résumé")
APART = unicodedata.normalize("NFD", COMPOSED)


def differing(password: str, at: int) -> str:
    """Another in one byte."""
    return password[:at] + ("b" if password[at] != "b" else "c") + password[at + 1 :]


class PasswordBytesTest(PeopleCase):
    def setUp(self) -> None:
        super().setUp()
        self.olga.sign_in()

    def change_to(self, password: str) -> None:
        body = {"current_password": self.olga.password, "new_password": password}
        self.olga.call("POST", "/v1/me/password", body).expect(200)
        self.olga.password = password

    def opens(self, password: str) -> bool:
        person = Person(self.server, self.olga.email, password)
        return person.try_sign_in().expect(201, 401).status == 201

    def only(self, password: str, *others: str) -> None:
        """At most four, or guessing is slowed down; the right one forgets them."""
        self.change_to(password)
        for other in others:
            self.assertFalse(self.opens(other), repr(other))
        self.assertTrue(self.opens(password), repr(password))

    def test_bytes_after_the_72nd_count(self):
        """bcrypt looks at no more than 72."""
        whole = (LONG * 2)[:100]
        self.only(whole, whole[:72], differing(whole, 72), differing(whole, 99), whole + "x")
        # As many characters, more bytes: the 72nd byte is in the middle of one.
        wide = "é" * 35 + "ab" * 20
        self.only(wide, wide[:37], wide[:-1] + "c", differing(wide, 36))

    def test_bytes_after_the_longest_block_of_a_hash_count(self):
        """HMAC hashes a key that is longer than its block: then that hash would do, too."""
        whole = (LONG * 20)[:1000]
        self.only(whole, whole[:128], whole[:255], whole[:999], differing(whole, 999))
        self.only(whole[:129], whole[:128], whole[:130])

    def test_nul_is_a_byte_like_any_other(self):
        with_nul = "before and\u0000after it"
        self.only(with_nul, "before and", "before and\u0000", "before and\u0000after xx",
                  "before andafter it")
        self.only("\u0000first and then more", "\u0000", "first and then more")
        self.only("at the very end\u0000", "at the very end", "at the very end\u0000\u0000")

    def test_forms_of_one_text_are_different_passwords(self):
        self.assertNotEqual(COMPOSED, APART)
        self.only(COMPOSED, APART, unicodedata.normalize("NFKC", COMPOSED).upper())
        self.only(APART, COMPOSED)
        # Compatibility forms, and letters that look alike.
        self.only("ﬁre and water 2½ times", "fire and water 2½ times", "fire and water 21/2 times")
        self.only("pаypal of the north", "paypal of the north")

    def test_spaces_and_marks_of_direction_count(self):
        self.only(" a space before and after ", "a space before and after",
                  "\u00a0a space before and after\u00a0")
        self.only("left\u202eright and so on", "leftright and so on")
        self.only("ends in a line\r\n", "ends in a line", "ends in a line\n", "ends in a line\r")
        self.only("\ufeffbegins with a mark", "begins with a mark")

    def test_case_counts(self):
        self.only("Straße am Horizont", "straße am horizont", "STRASSE AM HORIZONT",
                  "Strasse am Horizont")

    def test_set_up_takes_them_as_they_are_too(self):
        server = self.installation()
        told = server.init()
        server.start()
        password = (LONG * 2)[:90] + "\u0000" + APART
        body = {
            "token": told.setup_token, "workspace": "Other", "email": self.olga.email,
            "password": password,
        }
        server.api().post("/v1/setup", body).expect(201)
        for other in (password[:72], password[:90], password[:91] + COMPOSED):
            Person(server, self.olga.email, other).try_sign_in().expect(401)
        Person(server, self.olga.email, password).sign_in()

    def test_proof_of_a_password_is_as_exact(self):
        whole = (LONG * 2)[:90]
        self.change_to(whole)
        for other in (whole[:72], whole + "\u0000", whole[:-1]):
            self.olga.show_password(other).expect(401, code="invalid_credentials")
        self.olga.show_password(whole).expect(200)

    def test_text_that_is_no_text_is_refused(self):
        """Half of a pair would be stored as something else than what was typed."""
        path, start = "/v1/sessions", b'{"email":"olga@brand.example","password":"'
        for typed in (rb"\ud800 half of a pair", b"\xff\xfe not utf-8", b"\xc0\x80 overlong nul",
                      b"\xed\xa0\x80 a surrogate"):
            with self.subTest(typed):
                self.server.api().call("POST", path, raw=start + typed + b'"}').expect(400)
        self.assertTrue(self.opens(self.olga.password))
