"""Passkeys that are not taken: of other sites and people, shown again, copied, too late. Chromium
makes each of them; whoever shows it learns no more than that it was not taken, and the audit record
has the reason."""

from __future__ import annotations

import base64
import concurrent.futures
import contextlib
import json
import sqlite3

from lab.api import Reply
from lab.browser import Refused
from lab.passkeys import SITE, PasskeyCase, decoded
from lab.person import Person, first_owner
from lab.postern import CONFIG

CHALLENGES_OF_A_PLACE = 100


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def told(answer: Reply) -> tuple:
    """All that it says but its own number."""
    return answer.status, {name: text for name, text in answer.json.items() if name != "instance"}


class PasskeyRefusedTest(PasskeyCase):
    def setUp(self) -> None:
        super().setUp()
        self.signed_in_with_passkey()
        self.stranger = self.somebody()

    def refused(self, shown: dict, reason: str) -> Reply:
        """As a sign-in without a password."""
        answer = self.send_sign_in(self.stranger, shown).expect(403, code="invalid_passkey")
        self.assertEqual(self.refusal(), ("session.refused", reason))
        self.assertNotIn("set-cookie", answer.headers)
        return answer

    def change_store(self, *statements: str) -> None:
        self.server.stop()
        with contextlib.closing(sqlite3.connect(self.server.data / "store" / "store.db")) as store:
            for statement in statements:
                store.execute(statement)
            store.commit()
        self.server.start()

    def test_other_sites_cannot_ask_for_it(self):
        for origin in ("https://evil.example", "https://postern.example.evil.example"):
            page = self.chromium.page(origin)
            page.add_authenticator()
            for ask, options in ((page.get, self.open_challenge()),
                                 (page.create, self.creation(self.olga))):
                with self.assertRaises(Refused) as caught:
                    ask(options)
                self.assertEqual(caught.exception.name, "SecurityError")

    def test_made_at_another_origin_of_the_same_party(self):
        """A page below the name, or at another port, may use it: the origin is ours to look at."""
        (mine,) = self.page.credentials(self.key)
        for origin in ("https://blog.postern.example", "https://postern.example:8443"):
            page = self.chromium.page(origin)
            key = page.add_authenticator()
            made = page.create(self.creation(self.olga))
            self.send_new(self.olga, made).expect(403, code="invalid_passkey")
            self.assertEqual(self.refusal(), ("factor.refused", "webauthn_wrong_origin"))
            page.put_credential(key, {**mine, "signCount": 1000})
            self.refused(page.get(self.open_challenge()), "webauthn_wrong_origin")
            shown = page.get(self.own_challenge(self.olga))
            self.send_proof(self.olga, shown).expect(403, code="invalid_passkey")
            self.assertEqual(self.refusal(), ("session.proof_refused", "webauthn_wrong_origin"))
        self.sign_in_alone(self.stranger).expect(201)

    def test_made_for_another_party_at_our_origin(self):
        server = self.installation(config=f'public_url = "https://app.postern.example"\n{CONFIG}')
        setup_token = server.init().setup_token
        server.start()
        olga = first_owner(server, setup_token)
        olga.sign_in()
        page = self.chromium.page("https://app.postern.example")
        key = page.add_authenticator()
        options = self.creation(olga)
        options["rp"]["id"] = "postern.example"
        self.send_new(olga, page.create(options)).expect(403, code="invalid_passkey")
        page.remove_authenticator(key)
        key = page.add_authenticator()
        self.add_passkey(olga, page)
        (mine,) = page.credentials(key)
        page.put_credential(key, {**mine, "rpId": "postern.example"})
        asked = olga.call("POST", "/v1/passkey-challenges").expect(200).json
        shown = page.get({**asked, "rpId": "postern.example"})
        self.send_sign_in(olga, shown).expect(403, code="invalid_passkey")
        facts = server.api(server.token("Brand", "auditor")).get("/v1/audit").expect(200)
        self.assertIn("webauthn_wrong_relying_party", facts.text)

    def test_shown_again(self):
        shown = self.page.get(self.open_challenge())
        self.send_sign_in(self.stranger, shown).expect(201)
        self.refused(shown, "challenge_unknown")
        proof = self.page.get(self.own_challenge(self.olga))
        self.send_proof(self.olga, proof).expect(200)
        self.send_proof(self.olga, proof).expect(403, code="invalid_passkey")
        self.assertEqual(self.refusal(), ("session.proof_refused", "challenge_unknown"))

    def test_good_one_after_a_bad_one_for_the_same_challenge(self):
        shown = self.page.get(self.open_challenge())
        bad = self.with_response(shown, signature=encoded(decoded(
            shown["response"]["signature"])[:-1]))
        self.refused(bad, "webauthn_wrong_signature")
        self.refused(shown, "challenge_unknown")

    def test_on_sixteen_connections_at_once(self):
        shown = self.page.get(self.open_challenge())
        people = [self.somebody() for _ in range(16)]
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda person: self.send_sign_in(person, shown), people))
        self.assertEqual(sorted(answer.status for answer in answers), [201] + [403] * 15)

    def test_sixteen_challenges_with_one_count(self):
        """Of sixteen copies of a key that are as far as each other, one gets in."""
        (mine,) = self.page.credentials(self.key)
        shown = []
        for _ in range(16):
            self.page.put_credential(self.key, mine)
            shown.append(self.page.get(self.open_challenge()))
        people = [self.somebody() for _ in shown]
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(self.send_sign_in, people, shown))
        self.assertEqual(sorted(answer.status for answer in answers), [201] + [403] * 15)
        reasons = {one["facts"].get("reason") for one in self.records()[:15]}
        self.assertLessEqual(reasons, {"webauthn_counter_not_grown", "counter_not_grown", None})

    def test_of_a_copy_whose_counter_is_behind(self):
        (copy,) = self.page.credentials(self.key)
        self.sign_in_alone(self.stranger).expect(201)
        self.sign_in_alone(self.stranger).expect(201)
        (ahead,) = self.page.credentials(self.key)
        self.page.put_credential(self.key, copy)
        self.refused(self.page.get(self.open_challenge()), "webauthn_counter_not_grown")
        self.show_passkey(self.olga).expect(403, code="invalid_passkey")
        self.page.put_credential(self.key, {**copy, "signCount": 0})
        self.refused(self.page.get(self.open_challenge()), "webauthn_counter_not_grown")
        self.page.put_credential(self.key, ahead)
        self.sign_in_alone(self.stranger).expect(201)

    def test_user_not_verified(self):
        """Beside a password that is enough, without one it is not, whatever the page asked for."""
        self.page.verify_user(self.key, False)
        with self.assertRaises(Refused):
            self.page.get(self.open_challenge())
        asked = {**self.open_challenge(), "userVerification": "discouraged"}
        self.refused(self.page.get(asked), "webauthn_user_not_verified")
        half = self.other_browser()
        half.sign_in()
        asked = {**self.own_challenge(half), "userVerification": "discouraged"}
        self.send_proof(half, self.page.get(asked)).expect(200)
        half.call("GET", "/v1/threads").expect(200)

    def test_user_not_verified_when_it_was_made(self):
        """Whoever finds a key without a PIN sets one: it is no sign-in by itself for that."""
        page = self.chromium.page(SITE)
        plain = page.add_authenticator(
            transport="usb", hasResidentKey=False, hasUserVerification=False, isUserVerified=False,
        )
        options = self.creation(self.olga)
        self.send_new(self.olga, page.create(options)).expect(201)
        (made,) = page.credentials(plain)
        page.remove_authenticator(plain)
        handle = base64.b64encode(decoded(options["user"]["id"])).decode()
        page.put_credential(page.add_authenticator(), {
            **made, "isResidentCredential": True, "userHandle": handle,
        })
        self.refused(page.get(self.open_challenge()), "user_not_verified_when_made")
        self.show_passkey(self.olga, page).expect(200)
        self.refused(page.get(self.open_challenge()), "user_not_verified_when_made")

    def test_somebody_elses_is_as_one_that_is_not_there(self):
        answers = []
        other = self.chromium.page(SITE)
        other_key = other.add_authenticator()
        (mine,) = self.page.credentials(self.key)
        unknown = encoded(bytes(32))
        other.put_credential(other_key, {**mine, "credentialId": base64.b64encode(
            bytes(32)).decode()})
        asked = self.own_challenge(self.olga)
        asked["allowCredentials"] = [{"type": "public-key", "id": unknown, "transports": []}]
        answers.append(self.send_proof(self.olga, other.get(asked)))
        self.assertEqual(self.refusal(), ("session.proof_refused", "credential_unknown"))
        shown = self.page.get(self.own_challenge(self.olga))
        answers.append(self.send_proof(self.olga, self.with_response(
            shown, userHandle=encoded(bytes(32)))))
        self.assertEqual(self.refusal(), ("session.proof_refused", "user_handle_of_other"))
        shown = self.page.get(self.own_challenge(self.olga))
        somebody = "X'" + "ab" * 16 + "'"
        self.change_store(
            "INSERT INTO people (workspace_id, person_id, address_token, address, password, "
            f"created_at_ms, user_handle) SELECT workspace_id, {somebody}, randomblob(32), "
            "address, password, created_at_ms, user_handle FROM people",
            f"UPDATE factors SET person_id = {somebody}",
        )
        answers.append(self.send_proof(self.olga, shown))
        self.assertEqual(self.refusal(), ("session.proof_refused", "credential_of_other"))
        self.assertEqual({json.dumps(told(answer)) for answer in answers},
                         {json.dumps(told(answers[0]))})

    def test_row_that_was_moved_to_somebody_else_signs_nobody_in(self):
        """As whoever has the files: whose a key is stands in what is sealed."""
        shown = self.page.get(self.open_challenge())
        somebody = "X'" + "ab" * 16 + "'"
        self.change_store(
            f"UPDATE people SET person_id = {somebody}",
            f"UPDATE factors SET person_id = {somebody}",
        )
        answer = self.send_sign_in(self.stranger, shown).expect(403, code="invalid_passkey")
        self.assertNotIn("set-cookie", answer.headers)

    def test_too_late(self):
        late = self.page.get(self.open_challenge())
        proof = self.page.get(self.own_challenge(self.olga))
        self.change_store("UPDATE passkey_challenges SET expires_at_ms = expires_at_ms - 300000")
        self.refused(late, "challenge_unknown")
        self.send_proof(self.olga, proof).expect(403, code="invalid_passkey")

    def test_of_another_purpose_or_session(self):
        proof = self.page.get(self.own_challenge(self.olga))
        self.refused(proof, "challenge_unknown")
        shown = self.page.get(self.open_challenge())
        self.send_proof(self.olga, shown).expect(403, code="invalid_passkey")
        other = self.other_browser()
        other.sign_in()
        theirs = self.page.get(self.own_challenge(other))
        self.send_proof(self.olga, theirs).expect(403, code="invalid_passkey")
        self.show_passkey(other).expect(200)
        asked = self.creation(self.olga)
        asked["challenge"] = self.open_challenge()["challenge"]
        asked["excludeCredentials"] = []
        self.send_new(self.olga, self.page.create(asked)).expect(403, code="invalid_passkey")
        self.assertEqual(self.refusal(), ("factor.refused", "challenge_unknown"))

    def test_client_data_that_was_changed(self):
        for changed, reason in (
            ({"type": "webauthn.create"}, "webauthn_wrong_type"),
            ({"type": "payment.get"}, "webauthn_wrong_type"),
            ({"origin": "https://evil.example"}, "webauthn_wrong_origin"),
            ({"crossOrigin": True}, "webauthn_cross_origin"),
            ({"topOrigin": "https://evil.example"}, "webauthn_cross_origin"),
            ({"more": 1}, "webauthn_wrong_signature"),
        ):
            shown = self.page.get(self.open_challenge())
            data = json.loads(decoded(shown["response"]["clientDataJSON"]))
            text = encoded(json.dumps({**data, **changed}).encode())
            self.refused(self.with_response(shown, clientDataJSON=text), reason)

    def test_whoever_may_not_add_one_cannot_ask_for_it(self):
        half = self.other_browser()
        half.sign_in()
        made = self.page.get(self.own_challenge(self.olga))
        for path, body in (("/v1/me/passkeys/options", None),
                           ("/v1/me/passkeys", {"name": "x", "credential": made})):
            half.call("POST", path, body).expect(403, code="second_factor_needed")
        self.change_store("UPDATE sessions SET password_at_ms = 0, factor_at_ms = 1")
        self.olga.call("POST", "/v1/me/passkeys/options").expect(403, code="fresh_proof_needed")

    def test_pages_of_other_sites_begin_nothing(self):
        shown = self.page.get(self.open_challenge())
        foreign = {"Origin": "https://evil.example"}
        for path, body in (("/v1/passkey-challenges", None),
                           ("/v1/sessions/passkey", {"credential": shown})):
            self.stranger.call("POST", path, body, headers=foreign).expect(
                403, code="foreign_origin")
        self.send_sign_in(self.stranger, shown).expect(201)

    @staticmethod
    def with_response(shown: dict, **changed: str) -> dict:
        return {**shown, "response": {**shown["response"], **changed}}
