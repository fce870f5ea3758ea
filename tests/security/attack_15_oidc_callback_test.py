"""The way back from an identity provider: foreign states and codes, replays, other issuers, scripts
in what is sent back, and tokens that are not for this sign-in. What is refused makes nobody, opens
nothing, and shows nothing of what was sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import unittest
from typing import Any

from lab.api import Reply
from lab.fake_provider import SECRET, Asked, FakeProvider, Key, coded
from lab.person import PeopleCase, first_owner
from lab.sign_in import CALLBACK, Guest, provider_body
from lab.tls import Authority

SCRIPT = "<script>alert(1)</script>"
REFUSED_FROM_A_NETWORK = 60


class CallbackCase(PeopleCase):
    def setUp(self) -> None:
        super().setUp()
        self.olga.sign_in()
        self.authority = Authority(self.scratch / "ca")
        self.idp = self.fake("idp")
        self.provider = self.add(self.idp)

    def fake(self, name: str, **more: Any) -> FakeProvider:
        provider = FakeProvider(self.scratch / name, self.authority, **more)
        self.addCleanup(provider.close)
        return provider

    def add(self, idp: FakeProvider, **more: Any) -> dict:
        body = provider_body(idp, client_secret=SECRET, **more)
        return self.olga.call("POST", "/v1/identity-providers", body).expect(201).json

    def path(self) -> str:
        return f"/v1/identity-providers/{self.provider['id']}"

    def begin(self) -> tuple[Guest, str]:
        guest = Guest(self.server)
        return guest, guest.begin(self.provider["id"])

    def arrive(self, subject: str = "lea", **sent: str) -> tuple[Reply, Guest]:
        """A whole sign-in, with what is sent back changed."""
        guest, url = self.begin()
        page = guest.come_back({**self.idp.grant(url, subject), **sent})
        return page, guest

    def refused(self, page: Reply, guest: Guest, status: int = 403) -> Reply:
        page.expect(status)
        self.inert(page)
        self.assertEqual(guest.cookie, "", page)
        return page

    def inert(self, page: Reply) -> None:
        self.assertEqual(page.headers["content-type"], "text/html; charset=utf-8")
        policy = page.headers["content-security-policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("script-src", policy)
        self.assertEqual(page.headers["referrer-policy"], "no-referrer")
        self.assertEqual(page.headers["cache-control"], "no-store")
        for foreign in ("<script", "alert(", "onerror", "javascript:"):
            self.assertNotIn(foreign, page.text)

    def people(self) -> list[str]:
        listed = self.olga.call("GET", "/v1/audit?limit=100").expect(200)["items"]
        return [record["action"] for record in listed if record["action"] == "person.added"]


class CallbackTest(CallbackCase):
    def test_the_positive_control(self):
        page, guest = self.arrive()
        self.inert(page.expect(200))
        self.assertEqual(guest.me()["email"], "lea@brand.example")
        self.assertEqual(self.idp.refused, [])
        self.assertEqual(len(self.people()), 1)

    def test_state_of_another_browser(self):
        """Somebody's own code and state, slipped to a browser of somebody else (login CSRF)."""
        thief, url = self.begin()
        sent = self.idp.grant(url, "thief")
        victim, victims = self.begin()
        self.refused(victim.come_back(sent), victim)
        fresh = Guest(self.server)
        self.refused(fresh.come_back(sent), fresh)
        mixed = {**self.idp.grant(victims, "lea"), "state": sent["state"]}
        self.refused(victim.come_back(mixed), victim)
        self.assertEqual([path for path in self.idp.seen if path == "/token"], [])
        self.assertEqual(self.people(), [])
        # What was tried elsewhere has not spent it.
        thief.come_back(sent).expect(200)

    def test_code_of_another_sign_in(self):
        """The verifier belongs to the browser that began: a code that was seen is worth nothing."""
        _, theirs = self.begin()
        seen = self.idp.grant(theirs, "lea")["code"]
        guest, url = self.begin()
        page = guest.come_back({"code": seen, "state": Asked(url)["state"]})
        self.refused(page, guest)
        self.assertEqual(self.idp.refused, ["verifier"])

    def test_replay(self):
        guest, url = self.begin()
        away, sent = guest.away, self.idp.grant(url, "lea")
        guest.come_back(sent).expect(200)
        for cookie in (away, guest.away):
            again = Guest(self.server)
            self.refused(again.come_back(sent, cookie), again)
        # Also where the first one failed.
        guest, url = self.begin()
        away = guest.away
        guest.come_back({"error": "access_denied", "state": Asked(url)["state"]}).expect(403)
        self.refused(guest.come_back(self.idp.grant(url, "lea"), away), guest)

    def test_refusals_without_end_fill_no_record(self):
        """Anybody may come, and each that is judged leaves a record."""
        statuses = []
        for _ in range(REFUSED_FROM_A_NETWORK + 20):
            guest, url = self.begin()
            page = guest.come_back({"error": "x", "state": Asked(url)["state"]})
            statuses.append(page.status)
        self.assertEqual(statuses, [403] * REFUSED_FROM_A_NETWORK + [429] * 20)
        items = self.olga.call("GET", "/v1/audit?limit=100").expect(200)["items"]
        told = [one for one in items if one["action"] == "session.refused"]
        self.assertEqual(len(told), REFUSED_FROM_A_NETWORK)

    def test_issuer_of_the_answer(self):
        self.arrive(iss=self.idp.issuer)[0].expect(200)
        for issuer in ("https://evil.example", self.idp.issuer + "/", SCRIPT):
            self.refused(*self.arrive(iss=issuer))
        tokens = self.idp.seen.count("/token")
        self.idp.metadata["authorization_response_iss_parameter_supported"] = True
        self.olga.call("PATCH", self.path(), {"look_again": True}).expect(200)
        self.refused(*self.arrive())
        self.assertEqual(self.idp.seen.count("/token"), tokens)
        self.arrive(iss=self.idp.issuer)[0].expect(200)

    def test_scripts_and_nonsense_in_what_is_sent_back(self):
        for fields in (
            {"error": SCRIPT, "error_description": SCRIPT, "error_uri": "javascript:alert(1)"},
            {"error": "access_denied\r\nSet-Cookie: postern=x"}, {"code": ""}, {"code": "x" * 2001},
            {"code": SCRIPT}, {"code": "a\x01b"}, {"state": ""}, {"state": SCRIPT},
            {"state": "x" * 5000}, {"scope": SCRIPT, "session_state": SCRIPT, "code": "1"},
        ):
            with self.subTest(fields):
                guest, url = self.begin()
                self.refused(guest.come_back({"state": Asked(url)["state"], **fields}), guest)
        for query in (
            "", "?", "?state", "?state=a&state=b&code=c", "?" + "a=b&" * 40, "?code=%3Cscript%3E",
        ):
            with self.subTest(query):
                guest, _ = self.begin()
                self.refused(guest.page(CALLBACK + query), guest)
        # What is no address is not even looked at.
        for query in ("?code=%zz&state=%", "?code=a%00b"):
            guest, _ = self.begin()
            guest.page(CALLBACK + query).expect(400, code="malformed_request")
            self.assertEqual(guest.cookie, "")

    def test_cookies_that_are_none(self):
        _, url = self.begin()
        sent = self.idp.grant(url, "lea")
        for cookie in ("", "postern-away=", "postern-away=x", "postern-away=" + "A" * 43,
                       "postern-away=" + "A" * 4000, f"postern-away={SCRIPT}"):
            with self.subTest(cookie):
                guest = Guest(self.server)
                self.refused(guest.come_back(sent, cookie), guest)

    def test_nothing_secret_is_in_the_address(self):
        guest, url = self.begin()
        asked = Asked(url)
        kept = guest.away.partition("=")[2]
        self.assertNotIn(kept, url)
        self.assertEqual(asked["code_challenge_method"], "S256")
        self.assertEqual(asked["response_type"], "code")
        for name in ("state", "nonce", "code_challenge"):
            self.assertGreaterEqual(len(asked[name]), 43)
            self.assertNotEqual(asked[name], coded(hashlib.sha256(kept.encode()).digest()))

    def test_addresses_of_providers_tell_nothing(self):
        unknown = self.provider["id"][:-4] + "0000"
        pages = [
            Guest(self.server).page(f"/sign-in/oidc/{name}").expect(404)
            for name in (unknown, "idp_x", "x" * 60, self.olga.me()["workspace"]["id"])
        ]
        self.olga.call("PATCH", self.path(), {"enabled": False}).expect(200)
        pages.append(Guest(self.server).page(f"/sign-in/oidc/{self.provider['id']}").expect(404))
        self.assertEqual(len({page.text for page in pages}), 1)


class TokenTest(CallbackCase):
    """What a provider, or somebody in its place, could say of a sign-in."""

    def refused_with(self, **claims: Any) -> None:
        self.idp.claims = claims
        self.refused(*self.arrive())
        self.idp.claims = {}

    def test_claims_of_another_sign_in(self):
        now = int(time.time())
        for claims in (
            {"nonce": "another"}, {"nonce": None}, {"nonce": ""}, {"aud": "other"}, {"aud": None},
            {"aud": ["postern", "other"]}, {"aud": []}, {"azp": "other"},
            {"iss": "https://evil.example"}, {"iss": self.idp.issuer + "/"}, {"iss": None},
            {"exp": now - 61}, {"exp": None}, {"exp": "never"}, {"iat": now + 600},
            {"iat": now - 3600}, {"iat": None}, {"sub": None}, {"sub": ""}, {"sub": "x" * 256},
            {"sub": ["lea"]}, {"sub": "l\u00e9a"},
        ):
            with self.subTest(claims):
                self.refused_with(**claims)
        self.assertEqual(self.people(), [])
        self.arrive()[0].expect(200)

    def test_addresses_that_are_none(self):
        for claims in (
            {"email": None}, {"email": "lea"}, {"email": "lea@brand.example, eve@other.example"},
            {"email": "lea@brand.example.evil.example"}, {"email": "lea@other.example"},
            {"email": "lea@brand.example\r\nx"}, {"email": ["lea@brand.example"]},
            {"email": "x" * 250 + "@brand.example"}, {"email_verified": "true"},
            {"email_verified": 1}, {"email_verified": None},
        ):
            with self.subTest(claims):
                self.refused_with(**claims)
        self.assertEqual(self.people(), [])

    def test_signatures(self):
        key, other = self.idp.key, Key(self.scratch / "idp", "other")
        modulus = json.dumps(key.public()).encode()

        def unsigned(token: str) -> str:
            return token.rpartition(".")[0] + "."

        def changed(token: str) -> str:
            head, payload, signature = token.split(".")
            claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
            return f"{head}.{coded(json.dumps({**claims, 'sub': 'olga'}).encode())}.{signature}"

        def symmetric(token: str) -> str:
            signed = coded(b'{"alg":"HS256","kid":"key-1"}') + "." + token.split(".")[1]
            return f"{signed}.{coded(hmac.new(modulus, signed.encode(), 'sha256').digest())}"

        def of_another(token: str) -> str:
            claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
            return other.sign({"alg": "RS256", "kid": key.id}, claims)

        def with_its_key(token: str) -> str:
            claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
            return other.sign({"alg": "RS256", "jwk": other.public()}, claims)

        for spoil in (
            unsigned, changed, symmetric, of_another, with_its_key, lambda token: token[:-4],
            lambda token: token + "AAAA", lambda _: "", lambda _: SCRIPT, lambda _: "a.b.c",
            lambda token: token + "x" * 20_000,
        ):
            self.idp.spoil = spoil
            self.refused(*self.arrive())
        self.idp.spoil = lambda token: token
        for header in (
            {"alg": "none"}, {"alg": "HS256"}, {"alg": "ES256"}, {"alg": None}, {"kid": "key-2"},
            {"crit": ["exp"]}, {"typ": "at+jwt"}, {"kid": "../../etc/passwd"}, {"b64": False},
        ):
            with self.subTest(header):
                self.idp.header = header
                self.refused(*self.arrive())
        self.idp.header = {}
        self.assertEqual(self.people(), [])
        self.arrive()[0].expect(200)

    def test_keys_that_change(self):
        self.arrive()[0].expect(200)
        self.idp.key = Key(self.scratch / "idp", "key-2")
        self.refused(*self.arrive())  # not published yet
        self.idp.published.append(self.idp.key)
        self.arrive()[0].expect(200)
        # Unknown ones have the keys fetched a few times a minute, and no more.
        fetched = self.idp.seen.count("/keys")
        self.idp.header = {"kid": "unknown"}
        for _ in range(8):
            self.refused(*self.arrive())
        self.assertLessEqual(self.idp.seen.count("/keys") - fetched, 3)

    def test_proof_that_is_no_sign_in_of_now(self):
        page, guest = self.arrive()
        page.expect(200)
        for claims in ({"auth_time": None}, {"auth_time": int(time.time()) - 3600},
                       {"auth_time": int(time.time()) + 3600}, {"auth_time": "now"}):
            with self.subTest(claims):
                url = guest.ask("POST", "/v1/sessions/current/provider-proof")
                self.assertEqual(Asked(url)["max_age"], "0")
                self.idp.claims = claims
                self.inert(guest.come_back(self.idp.grant(url, "lea")).expect(403))
        self.idp.claims = {}
        url = guest.ask("POST", "/v1/sessions/current/provider-proof")
        guest.come_back(self.idp.grant(url, "lea")).expect(200)
        # A sign-in of somebody else there does not become this session.
        url = guest.ask("POST", "/v1/sessions/current/provider-proof")
        self.inert(guest.come_back(self.idp.grant(url, "eve")).expect(403))
        self.assertEqual(guest.me()["email"], "lea@brand.example")


class ProviderTest(CallbackCase):
    """A provider that answers what it should not."""

    def test_answers_without_end_and_elsewhere(self):
        elsewhere = self.fake("elsewhere")

        def huge(handler) -> bool:
            handler.send_response(200)
            handler.end_headers()
            try:
                for _ in range(10_000):
                    handler.wfile.write(b"x" * 1000)
            except OSError:
                pass
            return True

        def redirect(handler) -> bool:
            handler.send_response(307)
            handler.send_header("Location", f"{elsewhere.issuer}{handler.path}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return True

        def no_json(handler) -> bool:
            handler.send_response(200)
            handler.send_header("Content-Length", "4")
            handler.end_headers()
            handler.wfile.write(b"{{{{")
            return True

        for answer, status in ((huge, 502), (redirect, 403), (no_json, 403)):
            with self.subTest(answer.__name__):
                guest, url = self.begin()
                sent = self.idp.grant(url, "lea")
                self.idp.answer = answer
                self.refused(guest.come_back(sent), guest, status)
                self.idp.answer = lambda _: False
        self.assertEqual(elsewhere.seen, [])
        for answer in (huge, redirect, no_json):
            self.idp.answer = answer
            body = provider_body(self.idp, client_secret=SECRET)
            answered = self.olga.call("POST", "/v1/identity-providers", body)
            answered.expect(422, 502, code=("provider_unsuitable", "protocol_violation"))
        self.assertEqual(elsewhere.seen, [])
        self.idp.answer = lambda _: False
        self.arrive()[0].expect(200)

    def test_a_secret_is_not_sent_where_the_provider_says_later(self):
        thief = self.fake("thief")
        self.idp.metadata["token_endpoint"] = f"{thief.issuer}/token"
        self.olga.call("PATCH", self.path(), {"look_again": True}).expect(
            409, code="provider_secret_needed")
        self.arrive()[0].expect(200)
        self.assertEqual(thief.seen, [])

    def test_what_it_says_of_itself(self):
        good = dict(self.idp.metadata)
        for change in (
            {"issuer": "https://evil.example"}, {"issuer": self.idp.issuer + "/"},
            {"token_endpoint": "http://localhost/token"}, {"jwks_uri": "file:///etc/passwd"},
            {"authorization_endpoint": "javascript:alert(1)"}, {"jwks_uri": None},
            {"id_token_signing_alg_values_supported": ["HS256"]},
            {"code_challenge_methods_supported": ["plain"]},
            {"response_types_supported": ["id_token"]},
        ):
            with self.subTest(change):
                self.idp.metadata = {**good, **change}
                body = provider_body(self.idp, client_secret=SECRET)
                self.olga.call("POST", "/v1/identity-providers", body).expect(
                    422, code="provider_unsuitable")

    def test_fields_that_are_none(self):
        good = provider_body(self.idp, client_secret=SECRET)
        for field, wrong in (
            ("issuer", "http://localhost"), ("issuer", "https://a@b.example"), ("issuer", ""),
            ("issuer", "https://a.example?x=y"), ("issuer", "https://" + "a" * 600),
            ("client_id", "a b"), ("client_id", ""), ("client_id", "x" * 256), ("name", "a\nb"),
            ("name", ""), ("default_role", "owner"), ("default_role", "king"), ("domains", ["*"]),
            ("domains", ["@brand.example"]), ("domains", "brand.example"), ("domains", [1]),
            ("domains", ["a.example"] * 51), ("client_secret", 7), ("client_secret", "x" * 1001),
            ("enabled", "yes"), ("tls_ca_pem", 1), ("other", 1),
        ):
            with self.subTest(f"{field}: {wrong!r}"[:80]):
                answer = self.olga.call("POST", "/v1/identity-providers", {**good, field: wrong})
                answer.expect(422, code="invalid_request")
                self.assertTrue(any(name.startswith(field) for name in answer.field_codes), answer)

    def test_certificate_of_somebody_else(self):
        other = Authority(self.scratch / "other")
        body = provider_body(self.idp, client_secret=SECRET, tls_ca_pem=other.ca_pem)
        self.olga.call("POST", "/v1/identity-providers", body).expect(
            502, code="certificate_untrusted")
        wrong = self.fake("wrong", pair=self.authority.issue("wrong", names="DNS:other.example"))
        body = provider_body(wrong, client_secret=SECRET)
        self.olga.call("POST", "/v1/identity-providers", body).expect(
            502, code="certificate_wrong_name")
        self.assertEqual(wrong.seen, [])


class PrivateAddressTest(PeopleCase):
    def test_private_addresses_are_not_asked(self):
        server = self.installation(config="", name="strict")
        told = server.init()
        server.start()
        owner = first_owner(server, told.setup_token)
        owner.sign_in()
        idp = FakeProvider(self.scratch / "idp", Authority(self.scratch / "ca"))
        self.addCleanup(idp.close)
        body = provider_body(idp, client_secret=SECRET)
        for issuer in (idp.issuer, f"https://127.0.0.1:{idp.port}", "https://169.254.169.254",
                       "https://2130706433", "https://0x7f.1"):
            owner.call("POST", "/v1/identity-providers", {**body, "issuer": issuer}).expect(
                422, code="address_refused")
        self.assertEqual(idp.seen, [])


if __name__ == "__main__":
    unittest.main()
