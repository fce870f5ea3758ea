"""Sign-in through npm's oidc-provider: who comes for the first time, who links, what still counts,
and what ends it."""

from __future__ import annotations

import datetime
import sqlite3
import unittest

from lab.oidc_provider import OidcProvider, Visitor
from lab.person import PeopleCase
from lab.sign_in import CALLBACK, Guest, provider_body
from lab.tls import Authority

SECRET = "a secret of the client's, long enough"


class OidcTest(PeopleCase):
    def setUp(self) -> None:
        super().setUp()
        self.olga.sign_in()
        authority = Authority(self.scratch / "ca")
        self.idp = OidcProvider(self.scratch / "idp", authority)
        self.addCleanup(self.idp.close)
        self.callback = f"http://localhost:{self.server.port}{CALLBACK}"
        self.idp.add_client(self.callback)
        self.idp.people = {
            "eve": {"email": "eve@other.example"},
            "sub": {"email": "sub@mail.brand.example"},
            "unverified": {"email_verified": False},
        }
        self.idp.start()
        self.provider = self.add()

    def add(self, **more) -> dict:
        body = provider_body(self.idp, client_secret=SECRET, **more)
        body = {name: value for name, value in body.items() if value is not None}
        return self.olga.call("POST", "/v1/identity-providers", body).expect(201).json

    def arrive(self, login: str, guest: Guest | None = None, provider: str = ""):
        """Begins, signs in there, comes back; the page, and the browser."""
        guest = guest or Guest(self.server)
        url = guest.begin(provider or self.provider["id"])
        return guest.come_back(Visitor(self.idp.ca_pem).sign_in(url, login)), guest

    def sign_in(self, login: str, provider: str = "") -> Guest:
        page, guest = self.arrive(login, provider=provider)
        page.expect(200)
        return guest

    def age_proofs(self) -> None:
        self.server.stop()
        with sqlite3.connect(self.server.data / "store" / "store.db") as store:
            store.execute(
                "UPDATE sessions SET password_at_ms = password_at_ms - 400000, "
                "provider_at_ms = provider_at_ms - 400000"
            )
        store.close()
        self.server.start()

    def actions(self) -> list[dict]:
        return self.olga.call("GET", "/v1/audit?limit=100").expect(200)["items"]

    def test_who_comes_for_the_first_time_is_made(self):
        self.assertEqual(self.provider["callback_url"], self.callback)
        lea = self.sign_in("lea")
        me = lea.me().expect(200)
        self.assertEqual((me["role"], me["email"]), ("manager", "lea@brand.example"))
        self.assertEqual(me["standing"], "whole")
        lea.call("GET", "/v1/threads").expect(200)
        again = self.sign_in("lea")
        self.assertEqual(again.me()["person_id"], me["person_id"])
        self.assertNotEqual(again.cookie, lea.cookie)
        names = [record["action"] for record in self.actions()]
        self.assertEqual(names.count("person.added"), 1)
        self.assertEqual(names.count("session.started"), 3)
        (link,) = lea.call("GET", "/v1/me/provider-links").expect(200)["items"]
        self.assertEqual(link["provider_name"], "Company")
        path = f"/v1/me/provider-links/{link['id']}"
        lea.call("DELETE", path).expect(409, code="last_way_in")
        self.server.command("audit", "verify", "--data", str(self.server.data))

    def test_no_password_is_the_answer_of_everybody_unknown(self):
        self.sign_in("lea")
        known, unknown = (
            self.server.api().post("/v1/sessions", {"email": email, "password": password})
            for email, password in (("lea@brand.example", ""), ("nobody@brand.example", ""))
        )
        told = known.expect(401, code="invalid_credentials").json
        self.assertEqual(told | {"instance": ""}, unknown.expect(401).json | {"instance": ""})

    def test_page_leads_on_by_itself_and_cookies_are_strict(self):
        page, guest = self.arrive("lea")
        self.assertIn('http-equiv="refresh"', page.expect(200).text)
        self.assertNotIn("<script", page.text)
        self.assertEqual(guest.away, "")
        self.assertTrue(guest.cookie.startswith("postern=pss_"))

    def test_others_are_not_made(self):
        for login in ("eve", "sub", "unverified"):
            with self.subTest(login):
                page, guest = self.arrive(login)
                self.assertIn("this workspace does not", page.expect(403).text)
                self.assertEqual(guest.cookie, "")
        reasons = [
            record["facts"].get("reason") for record in self.actions()
            if record["action"] == "session.refused"
        ]
        self.assertEqual(reasons, ["nobody_here"] * 3)
        nobodys = f"/v1/identity-providers/{self.provider['id']}"
        self.olga.call("PATCH", nobodys, {"domains": []}).expect(200)
        self.arrive("lea")[0].expect(403)

    def test_an_address_alone_joins_nobody(self):
        """Olga has hers here already: the account there becomes hers by a link."""
        page, _ = self.arrive("olga")
        self.assertIn("Somebody in this workspace has your address", page.expect(403).text)
        browser = Guest.of(self.olga)
        url = browser.ask("POST", "/v1/me/provider-links", {"provider_id": self.provider["id"]})
        visitor = Visitor(self.idp.ca_pem)
        browser.come_back(visitor.sign_in(url, "olga")).expect(200)
        olga = self.sign_in("olga")
        self.assertEqual(olga.me()["person_id"], self.olga.me()["person_id"])
        self.assertEqual(olga.me()["role"], "owner")
        # Who has a password shows it for what cannot be undone.
        self.assertFalse(olga.me()["is_fresh"])
        olga.call("POST", "/v1/tokens", {"role": "reader"}).expect(403, code="fresh_proof_needed")
        olga.show_password(self.olga.password).expect(200)
        olga.call("POST", "/v1/tokens", {"role": "reader"}).expect(201)
        other = self.sign_in("olga")
        (link,) = olga.call("GET", "/v1/me/provider-links").expect(200)["items"]
        olga.call("DELETE", f"/v1/me/provider-links/{link['id']}").expect(204)
        self.arrive("olga")[0].expect(403)
        # What came of the account there ends; she who unlinked it, and who has a password, stay.
        other.call("GET", "/v1/me").expect(401)
        olga.me()
        self.olga.me()

    def test_an_account_is_one_persons(self):
        self.sign_in("lea")
        browser = Guest.of(self.olga)
        url = browser.ask("POST", "/v1/me/provider-links", {"provider_id": self.provider["id"]})
        page = browser.come_back(Visitor(self.idp.ca_pem).sign_in(url, "lea"))
        self.assertIn("somebody else", page.expect(403).text)
        self.assertEqual(self.olga.call("GET", "/v1/me/provider-links").expect(200)["items"], [])

    def test_link_ends_with_the_session_that_asked_for_it(self):
        browser = Guest.of(self.olga)
        url = browser.ask("POST", "/v1/me/provider-links", {"provider_id": self.provider["id"]})
        back = Visitor(self.idp.ca_pem).sign_in(url, "olga")
        self.olga.call("DELETE", "/v1/sessions/current").expect(204)
        self.assertIn("Your session has ended", browser.come_back(back).expect(403).text)

    def test_second_provider_of_another_kind(self):
        """A public client, and tokens signed with ES256."""
        self.idp.close()
        self.idp.add_client(
            self.callback, "public", token_endpoint_auth_method="none", client_secret=None,
            id_token_signed_response_alg="ES256",
        )
        self.idp.start()
        body = provider_body(self.idp, client_id="public", default_role="reader", name="Agency")
        second = self.olga.call("POST", "/v1/identity-providers", body).expect(201)
        self.assertFalse(second["has_secret"])
        tom = self.sign_in("tom", second["id"])
        self.assertEqual(tom.me()["role"], "reader")
        # Of one issuer the same account is the same person.
        self.assertEqual(self.sign_in("tom").me()["person_id"], tom.me()["person_id"])
        listed = self.olga.call("GET", "/v1/identity-providers").expect(200)["items"]
        self.assertEqual([one["name"] for one in listed], ["Company", "Agency"])
        self.assertNotIn(SECRET, str(listed))

    def test_second_factor_is_still_asked_for(self):
        lea = self.sign_in("lea")
        app, _ = lea.enrol()
        again = self.sign_in("lea")
        self.assertEqual(again.me()["standing"], "second_factor_needed")
        again.call("GET", "/v1/threads").expect(403, code="second_factor_needed")
        again.call("POST", "/v1/sessions/current/provider-proof").expect(
            403, code="second_factor_needed")
        again.show(app.code()).expect(200)
        again.call("GET", "/v1/threads").expect(200)

    def test_workspace_that_demands_a_factor_demands_it_of_them(self):
        lea = self.sign_in("lea")
        past = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC).isoformat()
        self.olga.call("PATCH", "/v1/workspace", {"second_factor_from": past}).expect(200)
        lea.call("GET", "/v1/threads").expect(403, code="second_factor_enrolment_needed")
        tom = self.sign_in("tom")
        self.assertEqual(tom.me()["standing"], "second_factor_enrolment_needed")
        tom.enrol()
        tom.call("GET", "/v1/threads").expect(200)

    def test_fresh_proof_by_the_provider(self):
        lea = self.sign_in("lea")
        self.assertTrue(lea.me()["is_fresh"])
        self.age_proofs()
        self.assertFalse(lea.me()["is_fresh"])
        body = {"kind": "totp", "name": "Phone"}
        lea.call("POST", "/v1/me/factors", body).expect(403, code="fresh_proof_needed")
        lea.call("POST", "/v1/sessions/current/proof", {"password": "x" * 12}).expect(401)
        other = lea.ask("POST", "/v1/sessions/current/provider-proof")
        page = lea.come_back(Visitor(self.idp.ca_pem).sign_in(other, "tom"))
        self.assertIn("somebody else", page.expect(403).text)
        self.assertFalse(lea.me()["is_fresh"])
        url = lea.ask("POST", "/v1/sessions/current/provider-proof")
        self.assertIn("prompt=login", url)
        before = lea.cookie
        lea.come_back(Visitor(self.idp.ca_pem).sign_in(url, "lea")).expect(200)
        self.assertEqual(lea.cookie, before)
        self.assertTrue(lea.me()["is_fresh"])
        lea.call("POST", "/v1/me/factors", body).expect(201)
        self.olga.call("POST", "/v1/sessions/current/provider-proof").expect(
            409, code="session_not_by_provider")

    def test_provider_that_is_deleted_ends_what_came_of_it(self):
        lea = self.sign_in("lea")
        waiting = Guest(self.server)
        url = waiting.begin(self.provider["id"])
        with lea.api.events() as events:
            path = f"/v1/identity-providers/{self.provider['id']}"
            self.olga.call("DELETE", path).expect(204)
            self.assertTrue(events.closed.wait(60))
        lea.me().expect(401)
        self.assertEqual(self.olga.me().expect(200)["role"], "owner")
        waiting.come_back(Visitor(self.idp.ca_pem).sign_in(url, "tom")).expect(403)
        Guest(self.server).page(f"/sign-in/oidc/{self.provider['id']}").expect(404)
        # Another one of that issuer brings the same people.
        back = self.sign_in("lea", self.add()["id"])
        self.assertEqual(back.me()["email"], "lea@brand.example")

    def test_provider_that_is_off(self):
        lea = self.sign_in("lea")
        path = f"/v1/identity-providers/{self.provider['id']}"
        self.idp.close()  # and down
        self.olga.call("PATCH", path, {"enabled": False}).expect(200)
        lea.me().expect(401)
        Guest(self.server).page(f"/sign-in/oidc/{self.provider['id']}").expect(404)
        self.idp.start()
        self.olga.call("PATCH", path, {"enabled": True, "name": "Again"}).expect(200)
        self.sign_in("lea")

    def test_what_came_back_counts_once(self):
        guest = Guest(self.server)
        back = Visitor(self.idp.ca_pem).sign_in(guest.begin(self.provider["id"]), "lea")
        away = guest.away
        guest.come_back(back).expect(200)
        page = guest.come_back(back, away)
        self.assertIn("finished already", page.expect(403).text)

    def test_keys_of_the_provider_change(self):
        self.sign_in("lea")
        self.idp.close()
        self.idp.start()
        self.sign_in("lea")

    def test_provider_is_down(self):
        guest = Guest(self.server)
        back = Visitor(self.idp.ca_pem).sign_in(guest.begin(self.provider["id"]), "lea")
        self.idp.close()
        page = guest.come_back(back)
        self.assertIn("could not be asked", page.expect(502).text)
        self.assertEqual(guest.cookie, "")
        body = provider_body(self.idp, client_secret=SECRET)
        self.olga.call("POST", "/v1/identity-providers", body).expect(502, code="connection_failed")
        self.assertEqual(self.olga.me().expect(200)["role"], "owner")
        self.assertNotIn("process_ended", self.server.log())

    def test_secret_is_a_secret_also_in_a_restart(self):
        self.server.stop()
        for place in self.server.data.rglob("*"):
            if place.is_file():
                self.assertNotIn(SECRET.encode(), place.read_bytes(), place)
        self.server.start()
        self.sign_in("lea")


if __name__ == "__main__":
    unittest.main()
