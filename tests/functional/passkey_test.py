"""Passkeys over the API of a real server, made and shown by Debian's Chromium."""

from __future__ import annotations

import base64
import contextlib
import copy
import json
import sqlite3

from lab.browser import Refused
from lab.passkeys import PasskeyCase, decoded
from lab.person import first_owner
from lab.postern import CONFIG

class PasskeyTest(PasskeyCase):
    def test_second_factor_after_a_password(self):
        self.olga.sign_in()
        told = self.add_passkey(self.olga, name="Laptop")
        self.assertEqual(len(told["recovery_codes"]), 10)
        self.assertEqual(told["kind"], "passkey")
        self.assertEqual(self.olga.me()["standing"], "whole")
        again = self.other_browser()
        self.assertTrue(again.sign_in()["second_factor_needed"])
        half = again.cookie
        again.call("GET", "/v1/threads").expect(403, code="second_factor_needed")
        asked = self.own_challenge(again)
        self.assertEqual([one["id"] for one in asked["allowCredentials"]],
                         [self._credential_id()])
        self.send_proof(again, self.page.get(asked)).expect(200)
        self.assertNotEqual(again.cookie, half)
        again.call("GET", "/v1/threads").expect(200)
        again.cookie = half
        again.me().expect(401)
        (listed,) = self.olga.call("GET", "/v1/me/factors").expect(200)["items"]
        self.assertEqual((listed["kind"], listed["name"]), ("passkey", "Laptop"))
        self.assertIn("used_at", listed)

    def test_sign_in_without_a_password_is_whole_and_fresh_at_once(self):
        self.signed_in_with_passkey()
        again = self.other_browser()
        asked = self.open_challenge()
        self.assertEqual(asked["allowCredentials"], [])
        self.assertEqual(asked["userVerification"], "required")
        told = self.send_sign_in(again, self.page.get(asked)).expect(201)
        self.assertFalse(told["second_factor_needed"])
        me = again.me()
        self.assertEqual((me["standing"], me["is_fresh"]), ("whole", True))
        self.assertEqual(me["workspace"]["name"], "Brand")
        again.call("POST", "/v1/tokens", {"role": "reader"}).expect(201)
        started = [one for one in self.records() if one["action"] == "session.started"][0]
        self.assertEqual(started["facts"]["by_id"], me["person_id"])
        self.assertIn("factor_id", started["facts"])

    def test_step_up(self):
        self.signed_in_with_passkey()
        self._age_proofs()
        self.olga.call("POST", "/v1/tokens", {"role": "reader"}).expect(403)
        before = self.olga.cookie
        self.show_passkey(self.olga).expect(200)
        self.assertEqual(self.olga.cookie, before)
        self.olga.call("POST", "/v1/tokens", {"role": "reader"}).expect(201)
        self.assertEqual(self.records()[1]["action"], "session.proven")

    def test_of_a_security_key_that_does_not_verify_its_user(self):
        """Good beside a password, and not instead of one."""
        self.olga.sign_in()
        for protocol in ("ctap2", "u2f"):
            with self.subTest(protocol):
                self.page.remove_authenticator(self.key)
                self.key = self.page.add_authenticator(
                    protocol=protocol, transport="usb", hasResidentKey=False,
                    hasUserVerification=False, isUserVerified=False,
                )
                self.add_passkey(self.olga)
                again = self.other_browser()
                again.sign_in()
                asked = self.own_challenge(again)
                self.show_passkey(again).expect(200)
                alone = {**asked, **self.open_challenge(), "userVerification": "discouraged"}
                alone["allowCredentials"] = asked["allowCredentials"]
                shown = self.page.get(alone)
                self.send_sign_in(again, shown).expect(403, code="invalid_passkey")
                self.assertEqual(self.refusal(), ("session.refused", "user_handle_missing"))

    def test_same_authenticator_makes_no_second_one(self):
        self.signed_in_with_passkey()
        with self.assertRaises(Refused) as caught:
            self.page.create(self.creation(self.olga))
        self.assertEqual(caught.exception.name, "InvalidStateError")

    def test_credential_that_is_known_is_not_taken_again(self):
        self.olga.sign_in()
        made = self.page.create(self.creation(self.olga))
        self.send_new(self.olga, made).expect(201)
        self.send_new(self.olga, made).expect(403, code="invalid_passkey")
        self.assertEqual(self.refusal(), ("factor.refused", "challenge_unknown"))

    def test_deleted_one_is_nothing_any_more(self):
        self.signed_in_with_passkey()
        (only,) = self.olga.call("GET", "/v1/me/factors").expect(200)["items"]
        asked = self.open_challenge()
        self.olga.call("DELETE", f"/v1/me/factors/{only['id']}").expect(204)
        self.send_sign_in(self.other_browser(), self.page.get(asked)).expect(403)
        self.assertEqual(
            self.olga.call("POST", "/v1/sessions/current/passkey-challenge").status, 404
        )

    def test_enrolment_that_a_workspace_demands(self):
        self.olga.sign_in()
        demanded = {"second_factor_from": "2026-01-01T00:00:00Z"}
        self.olga.call("PATCH", "/v1/workspace", demanded).expect(200)
        self.olga.call("GET", "/v1/threads").expect(403, code="second_factor_enrolment_needed")
        self.add_passkey(self.olga)
        self.olga.call("GET", "/v1/threads").expect(200)
        (only,) = self.olga.call("GET", "/v1/me/factors").expect(200)["items"]
        self.olga.call("DELETE", f"/v1/me/factors/{only['id']}").expect(409, code="last_factor")

    def test_survives_a_restart(self):
        self.signed_in_with_passkey()
        asked = self.open_challenge()
        self.server.stop()
        self.server.start()
        self.send_sign_in(self.other_browser(), self.page.get(asked)).expect(201)

    def test_names_ids_and_challenges_are_nowhere_in_clear(self):
        self.olga.sign_in()
        asked = self.creation(self.olga)
        made = self.page.create(asked)
        self.send_new(self.olga, made, "A name nobody reads").expect(201)
        waiting = self.open_challenge()
        needles = [b"A name nobody reads", decoded(made["id"]), made["id"].encode()]
        for text in (asked["challenge"], waiting["challenge"]):
            needles += [text.encode(), decoded(text)]
        self.server.stop()
        for path in self.server.data.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                for needle in needles:
                    self.assertNotIn(needle, content, path)

    def test_bad_input(self):
        self.olga.sign_in()
        made = self.page.create(self.creation(self.olga))
        for path, value in BAD_PARTS:
            changed = with_part(made, path, value)
            with self.subTest(f"{path} {value!r:.40}"):
                self.send_new(self.olga, changed).expect(422, code="invalid_request")
                if path[-1] not in ("attestationObject", "transports"):
                    shown = with_part(SHOWN, path, value)
                    self.send_proof(self.olga, shown).expect(422, code="invalid_request")
                    self.send_sign_in(self.somebody(), shown).expect(422, code="invalid_request")
        for body in (
            {}, {"credential": made}, {"name": "x"}, {"name": "", "credential": made},
            {"name": "a\r\nb", "credential": made}, {"name": "x" * 201, "credential": made},
            {"name": 7, "credential": made}, {"name": "x", "credential": made, "more": 1},
            {"name": "x", "credential": [made]}, {"name": "x", "credential": json.dumps(made)},
        ):
            self.olga.call("POST", "/v1/me/passkeys", body).expect(422, code="invalid_request")
        self.olga.call("POST", "/v1/me/passkeys", raw=b'{"name":"x","name":"y"}').expect(400)
        self.send_new(self.olga, made).expect(201)

    def test_parts_that_are_well_formed_and_wrong(self):
        """Each says invalid_passkey, and the record why."""
        self.olga.sign_in()
        for part, value, reason in (
            ("clientDataJSON", "e30", "challenge_unknown"),
            ("clientDataJSON", "AAAA", "challenge_unknown"),
            ("attestationObject", "AAAA", "webauthn_malformed_attestation"),
            ("attestationObject", "oA", "webauthn_malformed_attestation"),
        ):
            made = self.page.create(self.creation(self.olga))
            self.page.remove_authenticator(self.key)
            self.key = self.page.add_authenticator()
            changed = with_part(made, ("response", part), value)
            self.send_new(self.olga, changed).expect(403, code="invalid_passkey")
            self.assertEqual(self.refusal(), ("factor.refused", reason))

    def test_at_this_machine_without_a_public_address(self):
        server = self.installation(config=CONFIG)
        told = server.init()
        server.start()
        olga = first_owner(server, told.setup_token)
        olga.sign_in()
        page = self.chromium.page(f"http://localhost:{server.port}")
        page.add_authenticator()
        self.assertEqual(self.creation(olga)["rp"]["id"], "localhost")
        self.add_passkey(olga, page)
        asked = olga.call("POST", "/v1/passkey-challenges").expect(200).json
        self.send_sign_in(olga, page.get(asked)).expect(201)
        other = self.chromium.page("http://localhost:1")
        other.add_authenticator()
        made = other.create(self.creation(olga))
        self.send_new(olga, made).expect(403, code="invalid_passkey")

    def _credential_id(self) -> str:
        (only,) = self.page.credentials(self.key)
        return base64.urlsafe_b64encode(base64.b64decode(only["credentialId"])).decode().rstrip("=")

    def _age_proofs(self) -> None:
        self.server.stop()
        with contextlib.closing(sqlite3.connect(self.server.data / "store" / "store.db")) as store:
            aged = "password_at_ms = password_at_ms - 400000, factor_at_ms = factor_at_ms - 400000"
            store.execute(f"UPDATE sessions SET {aged}")
            store.commit()
        self.server.start()


def with_part(credential: dict, path: tuple[str, ...], value) -> dict:
    changed = copy.deepcopy(credential)
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return changed


SHOWN = {
    "type": "public-key", "id": "AAAA", "rawId": "AAAA", "clientExtensionResults": {},
    "response": {"clientDataJSON": "AAAA", "authenticatorData": "AAAA", "signature": "AAAA"},
}
BAD_PARTS = (
    (("type",), "password"), (("type",), 1), (("type",), None), (("type",), "x" * 33),
    (("id",), None), (("id",), ""), (("id",), "A" * 1365), (("id",), "AA+A"), (("id",), "A"),
    (("id",), 7), (("id",), "AAAA\r\n"), (("id",), "AAAA\u0000"), (("id",), "\u202eAAAA"),
    (("id",), []), (("id",), True), (("response",), None), (("response",), []),
    (("response",), "AAAA"), (("response", "clientDataJSON"), None),
    (("response", "clientDataJSON"), "A" * 10924), (("response", "clientDataJSON"), "{}"),
    (("response", "clientDataJSON"), {}), (("response", "attestationObject"), None),
    (("response", "attestationObject"), "A" * 43692), (("response", "attestationObject"), "AA=="),
    (("response", "transports"), "usb"), (("response", "transports"), ["USB"]),
    (("response", "transports"), ["usb"] * 9), (("response", "transports"), [1]),
)
