"""API tokens over the API of a real server: scopes, networks, expiry, names."""

from __future__ import annotations

import re
import zlib

from lab.case import LabCase
from lab.postern import CONFIG
from lab.process import eventually

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def checksum(text: str) -> str:
    number, out = zlib.crc32(text.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        out = ALPHABET[digit] + out
    return out


class TokenTest(LabCase):
    def setUp(self) -> None:
        super().setUp()
        self.server, self.desk = self.running()
        self.owner = self.desk.api

    def make(self, **wish):
        return self.owner.post("/v1/tokens", {"role": "owner", **wish}).expect(201)

    def test_text_is_shown_once_and_known_by_its_checksum(self):
        made = self.make(name="Nightly export")
        text = made["token"]
        self.assertRegex(text, r"^pst_[A-Za-z0-9_-]{43}[A-Za-z0-9]{6}$")
        self.assertEqual(checksum(text[:-6]), text[-6:])
        self.assertEqual(checksum(self.owner.token[:-6]), self.owner.token[-6:])
        listed = self.owner.get("/v1/tokens").expect(200)
        self.assertNotIn(text, listed.text)
        (mine,) = [item for item in listed["items"] if item["id"] == made["id"]]
        self.assertEqual(mine["name"], "Nightly export")
        self.assertNotIn("used_at", mine)
        self.server.api(text).get("/v1/me").expect(200)
        listed = self.owner.get("/v1/tokens").expect(200)
        (mine,) = [item for item in listed["items"] if item["id"] == made["id"]]
        self.assertTrue(re.search(r":00:00", mine["used_at"]), mine)

    def test_weighty_acts_want_their_scope(self):
        plain = self.server.api(self.make()["token"])
        scoped = self.server.api(self.make(scopes=["cut_off", "reseal"])["token"])
        acts = (
            ("POST", "/v1/integrations/int_x/cut-off", None, "cut_off"),
            ("DELETE", "/v1/integrations/int_x", None, "cut_off"),
            ("POST", "/v1/integrations/int_x/reseal", {}, "reseal"),
            ("POST", "/v1/integrations/int_x/holders", {}, "reseal"),
            ("POST", "/v1/tokens", {"role": "reader"}, "tokens"),
            ("PATCH", "/v1/workspace", {"second_factor_from": None}, "workspace"),
            ("GET", "/v1/audit/export", None, "export"),
        )
        for method, path, body, scope in acts:
            plain.call(method, path, body).expect(403, code="scope_needed")
            answer = scoped.call(method, path, body)
            if scope in ("cut_off", "reseal"):
                answer.expect(404, 422)
            else:
                answer.expect(403, code="scope_needed")
        plain.post("/v1/integrations/int_x/lock").expect(404)

    def test_token_of_the_host_has_all(self):
        self.assertEqual(
            [item["scopes"] for item in self.owner.get("/v1/tokens").expect(200)["items"]],
            [["reseal", "cut_off", "tokens", "workspace", "people", "export"]],
        )

    def test_nobody_gives_more_than_they_have(self):
        scoped = self.server.api(self.make(scopes=["tokens"])["token"])
        scoped.post("/v1/tokens", {"role": "owner", "scopes": ["cut_off"]}).expect(
            403, code="beyond_own_rights"
        )
        scoped.post("/v1/tokens", {"role": "reader", "scopes": ["tokens"]}).expect(201)

    def test_expired_token_is_good_for_nothing(self):
        wish = {"role": "reader", "expires_in": "PT10S"}
        made = self.owner.post("/v1/tokens", wish).expect(201)
        self.assertIn("expires_at", made.json)
        reader = self.server.api(made["token"])
        reader.get("/v1/me").expect(200)
        with reader.events() as events:
            self.assertTrue(events.closed.wait(120))
        eventually(lambda: reader.get("/v1/me").status == 401, "the token has expired")

    def test_token_is_good_in_its_networks_only(self):
        """A forged header says nothing: no proxy is declared."""
        inside = self.server.api(self.make(networks=["127.0.0.0/8", "::1"])["token"])
        outside = self.server.api(self.make(networks=["192.0.2.0/24"])["token"])
        inside.get("/v1/me").expect(200)
        outside.get("/v1/me").expect(401, code="unauthenticated")
        for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
            value = "for=192.0.2.7" if header == "Forwarded" else "192.0.2.7"
            outside.get("/v1/me", headers={header: value}).expect(401)

    def test_bad_input(self):
        for wish in (
            {"role": "king"}, {"role": 1}, {"scopes": "reseal"}, {"scopes": ["all"]},
            {"scopes": ["x"]}, {"scopes": [1]}, {"scopes": ["reseal"] * 33},
            {"scopes": {"reseal": True}}, {"networks": ["10.0.0.1/8"]}, {"networks": ["x"]},
            {"networks": ["10.0.0.0/33"]}, {"networks": [None]}, {"networks": ["::1"] * 33},
            {"expires_in": "PT9S"}, {"expires_in": "P367D"}, {"expires_in": "soon"},
            {"expires_in": -1}, {"name": "a\r\nb"}, {"name": "x" * 201}, {"name": 1},
            {"name": "\u0000"}, {"scopes": ["reseal\u0000"]}, {"token": "mine"},
            {"workspace_id": "wks_x"},
        ):
            answer = self.owner.post("/v1/tokens", {"role": "reader", **wish})
            answer.expect(422, code="invalid_request")
            (field,) = wish
            self.assertTrue(any(name.startswith(field) for name in answer.field_codes), answer)

    def test_repeated_request_makes_one_token(self):
        wish = {"role": "reader", "name": "One"}
        first = self.owner.post("/v1/tokens", wish, key="k" * 20).expect(201)
        again = self.owner.post("/v1/tokens", wish, key="k" * 20).expect(201)
        self.assertEqual(again["id"], first["id"])
        self.assertNotIn("token", again.json)


class BehindProxyTest(LabCase):
    def test_network_of_the_client_counts_behind_a_declared_proxy(self):
        config = 'trusted_proxies = ["127.0.0.1/32"]\n' + CONFIG
        server, desk = self.running(config=config)
        wish = {"role": "reader", "networks": ["192.0.2.0/24"]}
        text = desk.api.post("/v1/tokens", wish).expect(201)["token"]
        api = server.api(text)
        api.get("/v1/me", headers={"X-Forwarded-For": "192.0.2.7"}).expect(200)
        api.get("/v1/me", headers={"X-Forwarded-For": "198.51.100.7"}).expect(401)
        api.get("/v1/me", headers={"X-Forwarded-For": "192.0.2.7, 198.51.100.7"}).expect(401)
