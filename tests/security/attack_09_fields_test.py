"""Fields that nobody asked for, twice the same, or of another type, wherever people sign in and
look after themselves: refused, and nothing of them is applied."""

from __future__ import annotations

import json
import re
from typing import Any, Iterator

from lab import openapi
from lab.api import Reply
from lab.person import PeopleCase

WRONG = "wrong horse battery staple"
MADE = {
    "type": "public-key", "id": "AAAA",
    "response": {"clientDataJSON": "AAAA", "attestationObject": "AAAA"},
}
SHOWN = {
    "type": "public-key", "id": "AAAA",
    "response": {"clientDataJSON": "AAAA", "authenticatorData": "AAAA", "signature": "AAAA"},
}
# What would give more to whoever sends it, if it were taken.
EXTRA = {
    "workspace_id": "wks_00000000000000000000000000", "tenant_id": 1, "workspace": "Other",
    "role": "owner", "roles": ["owner"], "is_admin": True, "person_id": "per_x", "id": "x",
    "scopes": ["tokens"], "standing": "whole", "is_fresh": True, "expires_at": None,
    "factor_at_ms": 9, "__proto__": {"role": "owner"}, "constructor": {"prototype": {"role": 1}},
    "": "", "role\u0000": "owner", "Role": "owner", "$ne": "", "email[]": "x",
}
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 1.5, 1e400, 9223372036854775808, [], {}, [None], {"$ne": ""},
    ["x"], {"sealed": 1}, {"sealed": ""}, {"0": "x"}, [["x"]],
)
NAMED = ("POST", "PATCH", "PUT")
OPTIONAL = (
    "name", "expires_in", "second_factor_from", "client_secret", "tls_ca_pem", "default_role",
)
UNKNOWN_PROVIDER = "idp_" + "0" * 26
NOWHERE = "https://localhost:1"


class FieldsTest(PeopleCase):
    """Each body here is refused for what it says, and by nothing else, or it would prove nothing:
    `good` is what the route takes."""

    def setUp(self) -> None:
        super().setUp()
        self.olga.sign_in()
        self.unconfirmed = self.olga.call(
            "POST", "/v1/me/factors", {"kind": "totp", "name": "Phone"}
        ).expect(201)["id"]
        self.before = self.there()

    def tearDown(self) -> None:
        self.assertEqual(self.there(), self.before)

    def there(self) -> list[Any]:
        """All that could have changed."""
        paths = ("/v1/me", "/v1/workspace", "/v1/me/factors", "/v1/tokens")
        found = [self.olga.call("GET", path).expect(200).json for path in paths]
        sessions = self.olga.call("GET", "/v1/sessions").expect(200)["items"]
        return [*found, [item["id"] for item in sessions]]

    def routes(self) -> dict[str, dict[str, Any]]:
        """route -> a body that it takes for well formed."""
        return {
            "POST /v1/setup": {
                "token": "x", "workspace": "Brand", "email": self.olga.email, "password": WRONG,
            },
            "POST /v1/sessions": {"email": "nobody@brand.example", "password": WRONG},
            "POST /v1/sessions/current/proof": {"password": WRONG},
            "POST /v1/me/factors": {"kind": "totp", "name": "Tablet"},
            f"POST /v1/me/factors/{self.unconfirmed}/confirm": {"code": "000000"},
            "POST /v1/me/password": {"current_password": WRONG, "new_password": WRONG},
            "POST /v1/tokens": {
                "role": "reader", "name": "x", "scopes": [], "networks": [], "expires_in": "PT1H",
            },
            "PATCH /v1/workspace": {"second_factor_from": None},
            "POST /v1/me/passkeys": {"name": "Key", "credential": MADE},
            "POST /v1/sessions/passkey": {"credential": SHOWN},
            "POST /v1/me/workspaces": {"invitation": "psi_" + "A" * 43},
            "POST /v1/invitations": {"email": "noor@brand.example", "role": "reader"},
            "POST /v1/invitations/accept": {"token": "psi_" + "A" * 43, "password": WRONG},
            "POST /v1/me/provider-links": {"provider_id": UNKNOWN_PROVIDER},
            "POST /v1/identity-providers": {
                "name": "Brand", "issuer": NOWHERE, "client_id": "postern",
                "client_secret": "a secret of the client's", "domains": ["brand.example"],
                "default_role": "reader", "tls_ca_pem": "", "enabled": False,
            },
            f"PATCH /v1/identity-providers/{UNKNOWN_PROVIDER}": {
                "name": "Brand", "client_secret": "a secret of the client's",
                "domains": ["brand.example"], "default_role": "reader", "enabled": False,
                "look_again": False,
            },
            "POST /v1/password-resets": {"email": self.olga.email},
            "POST /v1/password-resets/use": {"token": "psr_" + "A" * 43, "password": WRONG},
        }

    def send(self, route: str, body: Any = None, raw: bytes | None = None) -> Reply:
        method, path = route.split(" ")
        return self.olga.call(method, path, body, raw=raw)

    def test_every_route_that_takes_a_body_is_here(self):
        mine = (
            "/v1/setup", "/v1/sessions", "/v1/me", "/v1/tokens", "/v1/workspace",
            "/v1/invitations", "/v1/password-resets", "/v1/identity-providers",
        )
        there = {
            f"{method.upper()} {path}"
            for path, operations in openapi.document()["paths"].items()
            for method, operation in operations.items()
            if method.upper() in NAMED and "requestBody" in operation
            and any(path == one or path.startswith(one + "/") for one in mine)
        }
        known = {
            route.replace(self.unconfirmed, "{factor}").replace(UNKNOWN_PROVIDER, "{provider}")
            for route in self.routes()
        }
        self.assertEqual({self.unnamed(route) for route in there},
                         {self.unnamed(route) for route in known})

    def unnamed(self, route: str) -> str:
        return "/".join("{}" if "{" in part else part for part in route.split("/"))

    def test_field_that_nobody_asked_for_is_refused_by_name(self):
        for route, good in self.routes().items():
            for name, value in EXTRA.items():
                if name in good:
                    continue
                with self.subTest(f"{route} {name!r}"):
                    answer = self.send(route, {**good, name: value})
                    answer.expect(422, code="invalid_request")
                    self.assertEqual(answer.field_codes, {name: "unknown_field"})

    def test_field_that_is_there_twice_is_refused(self):
        """Whichever of the two would have been taken."""
        for route, good in self.routes().items():
            for raw in self.doubled(good):
                with self.subTest(f"{route} {raw[:60]!r}"):
                    self.send(route, raw=raw).expect(400, code="duplicate_field")

    def doubled(self, good: dict[str, Any]) -> Iterator[bytes]:
        text = json.dumps(good)
        for name, value in good.items():
            again = json.dumps({name: value})
            escaped = again.replace(f'"{name}"', '"' + "".join(f"\\u{ord(c):04x}" for c in name)
                                    + '"', 1)
            for other in (again, escaped, json.dumps({name: "owner"}), json.dumps({name: None})):
                yield f"{text[:-1]},{other[1:]}".encode()
                yield f"{other[:-1]},{text[1:]}".encode()
        yield text[:-1].encode() + b',"role":"owner","role":"reader"}'
        yield text[:-1].encode() + b',"__proto__":{},"__proto__":{}}'
        yield text[:-1].encode() + b',"x":{"role":1,"role":2}}'

    def test_value_of_another_type_is_refused_by_name(self):
        for route, good in self.routes().items():
            for name in good:
                for value in VALUES:
                    if self.is_meant(name, value):
                        continue
                    with self.subTest(f"{route} {name} {value!r}"):
                        raw = json.dumps({**good, name: value}).replace("Infinity", "1e400")
                        answer = self.send(route, raw=raw.encode())
                        answer.expect(422, code="invalid_request")
                        named = {re.split(r"[.\[]", field)[0] for field in answer.field_codes}
                        self.assertTrue(named and named <= self.fields_of(name, value), answer)

    def is_meant(self, name: str, value: Any) -> bool:
        """Of what these fields do take."""
        if name in ("scopes", "networks"):
            return value in ([], None) and not isinstance(value, bool) and value != 0
        if name == "domains":
            return value is None or value in ([], ["x"])
        if name in ("enabled", "look_again"):
            return value is None or isinstance(value, bool)
        return value is None and name in OPTIONAL

    def fields_of(self, name: str, value: Any) -> set[str]:
        """Which of them is named: a field that says null counts as one that is not there, and of
        a proof there is one of two."""
        return {name, "code"} if value is None else {name}

    def test_body_that_is_no_object_is_refused(self):
        for route in self.routes():
            for raw in (b"", b"null", b"true", b"1", b'"x"', b"[]", b"[{}]", b"{", b"{}{}", b"{} x",
                        b"\xef\xbb\xbf{}", b"{'role':'owner'}", b"{role:1}", b'{"a":1,}',
                        b"/**/{}", b"[" * 2000 + b"]" * 2000, b'{"a":' * 2000 + b"1" + b"}" * 2000,
                        b"NaN", b'{"a":NaN}', b'{"a":01}', b'{"a":"\\x00"}', b'{"a":"\x00"}'):
                with self.subTest(f"{route} {raw[:20]!r}"):
                    self.send(route, raw=raw).expect(400, 415, 422)

    def test_body_of_another_type_is_refused(self):
        """A form that another site's page could send, without being asked first."""
        for route, good in self.routes().items():
            method, path = route.split(" ")
            for kind in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data",
                         "application/xml", "application/jsonx", "", "text/plain;application/json"):
                with self.subTest(f"{route} {kind}"):
                    answer = self.olga.call(method, path, good, headers={"Content-Type": kind})
                    answer.expect(415)

    def test_ids_in_paths_are_ids(self):
        for path in ("/v1/me/factors/{}", "/v1/sessions/{}", "/v1/tokens/{}"):
            for wrong in ("true", "0", "1", "null", "-1", "x" * 64, "x" * 65, "*", "[]", "all",
                          "%2e%2e", "a%00", "1;role=owner", "ses_" + "0" * 26, "current%20"):
                with self.subTest(path.format(wrong)):
                    self.olga.call("DELETE", path.format(wrong)).expect(400, 404)

    def test_fields_in_the_query_are_not_taken_for_the_body(self):
        before = len(self.olga.call("GET", "/v1/tokens").expect(200)["items"])
        made = self.olga.call("POST", "/v1/tokens?role=owner&scopes=tokens", {"role": "reader"})
        self.assertEqual((made.expect(201)["role"], made["scopes"]), ("reader", []))
        self.olga.call("POST", "/v1/tokens?role=owner", {}).expect(422)
        self.olga.call("DELETE", f"/v1/tokens/{made['id']}?id=x").expect(204)
        self.assertEqual(len(self.olga.call("GET", "/v1/tokens")["items"]), before)

    def test_the_same_bodies_without_their_fault_are_taken(self):
        """Or what was refused above says nothing: refused here is only what they say."""
        codes = {
            "POST /v1/setup": (404, 409, 403, 410), "POST /v1/sessions": (401,),
            "POST /v1/sessions/current/proof": (401,),
            f"POST /v1/me/factors/{self.unconfirmed}/confirm": (403,),
            "POST /v1/me/password": (401,), "PATCH /v1/workspace": (200,),
            "POST /v1/me/passkeys": (403,), "POST /v1/sessions/passkey": (403,),
            "POST /v1/me/workspaces": (403,), "POST /v1/invitations/accept": (403,),
            "POST /v1/password-resets": (409,), "POST /v1/password-resets/use": (403,),
            "POST /v1/me/provider-links": (404,), "POST /v1/identity-providers": (502,),
            f"PATCH /v1/identity-providers/{UNKNOWN_PROVIDER}": (404,),
        }
        for route, good in self.routes().items():
            if route in ("POST /v1/tokens", "POST /v1/me/factors", "POST /v1/invitations"):
                continue
            with self.subTest(route):
                self.send(route, good).expect(*codes[route])
        invited = self.routes()["POST /v1/invitations"]
        made = self.send("POST /v1/invitations", invited).expect(201)
        self.olga.call("DELETE", f"/v1/invitations/{made['id']}").expect(204)
        made = self.send("POST /v1/tokens", self.routes()["POST /v1/tokens"]).expect(201)
        self.olga.call("DELETE", f"/v1/tokens/{made['id']}").expect(204)
