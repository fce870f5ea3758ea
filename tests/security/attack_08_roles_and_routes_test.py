"""Every role on every route, and every id of another workspace: nobody does what their role does
not say, and nobody learns whether something of others is there."""

from __future__ import annotations

import dataclasses
import itertools
import pathlib
import re
import shutil
import tempfile
import unittest
from typing import Any

from lab import openapi
from lab.api import Api, Reply, new_key
from lab.fake_provider import shared_provider
from lab.person import Person, first_owner
from lab.postern import Postern
from lab.sign_in import provider_body
from lab.tenant import SECRET, Tenant

ROLES = ("owner", "manager", "reader", "privacy", "operator", "auditor")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

# Who may do what: the roles, and the routes that are theirs.
OPEN = (
    "POST /v1/setup", "POST /v1/sessions", "POST /v1/sessions/passkey",
    "POST /v1/invitations/accept", "POST /v1/password-resets", "POST /v1/password-resets/use",
)
# Open, and without anything that could be wrong with what is sent.
OPEN_TO_ASK = ("POST /v1/passkey-challenges",)
# Of whoever signs in, whatever their role; no token has a person's factors and sessions.
OF_A_PERSON = (
    "GET /v1/me/factors", "POST /v1/me/factors", "DELETE /v1/me/factors/{factor}",
    "POST /v1/me/factors/{factor}/confirm", "POST /v1/me/recovery-codes", "POST /v1/me/password",
    "POST /v1/me/passkeys/options", "POST /v1/me/passkeys",
    "GET /v1/sessions", "DELETE /v1/sessions", "DELETE /v1/sessions/{session}",
    "POST /v1/people/{person}/password-reset",
    "POST /v1/me/leave", "GET /v1/me/workspaces", "POST /v1/me/workspaces", "POST /v1/workspaces",
    "GET /v1/me/provider-links", "POST /v1/me/provider-links",
    "DELETE /v1/me/provider-links/{link}", "POST /v1/sessions/current/provider-proof",
)
OF_PEOPLE = ("factor", "session", "link")
MAY = (
    (ROLES, (
        "GET /v1/me", "POST /v1/sessions/current/proof", "DELETE /v1/sessions/current",
        "POST /v1/sessions/current/passkey-challenge",
        "GET /v1/workspace", "GET /v1/catalogue", "GET /v1/seal-key", "GET /v1/events",
        "GET /v1/integrations", "GET /v1/integrations/{integration}",
        "GET /v1/integrations/{integration}/holders",
    )),
    (("owner",), (
        "PATCH /v1/workspace",
        "GET /v1/tokens", "POST /v1/tokens", "DELETE /v1/tokens/{token}",
        "PATCH /v1/people/{person}", "DELETE /v1/people/{person}",
        "DELETE /v1/people/{person}/sessions", "DELETE /v1/people/sessions",
        "POST /v1/invitations", "DELETE /v1/invitations/{invitation}", "POST /v1/access-review",
        "GET /v1/identity-providers", "POST /v1/identity-providers",
        "PATCH /v1/identity-providers/{provider}", "DELETE /v1/identity-providers/{provider}",
        "GET /v1/unattended-threads", "POST /v1/unattended-threads/{thread}/share",
        "POST /v1/unattended-threads/{thread}/take-over",
    )),
    (("owner", "manager", "privacy", "auditor"), ("GET /v1/people", "GET /v1/invitations")),
    (("owner", "privacy", "auditor"), ("GET /v1/access-review",)),
    (("owner", "manager"), (
        "POST /v1/integrations", "POST /v1/integrations/discover",
        "PATCH /v1/integrations/{integration}",
        "POST /v1/integrations/{integration}/unlock",
        "POST /v1/integrations/{integration}/grants",
        "POST /v1/integrations/{integration}/holders",
        "DELETE /v1/integrations/{integration}/holders/{holder}",
        "POST /v1/integrations/{integration}/reseal",
        "POST /v1/integrations/{integration}/reconnect",
        "POST /v1/integrations/{integration}/verify",
        "POST /v1/integrations/{integration}/sync",
        "POST /v1/threads", "POST /v1/threads/{thread}/messages",
        "PUT /v1/threads/{thread}/people/{person}", "DELETE /v1/threads/{thread}/people/{person}",
        "POST /v1/threads/{thread}/share",
        "POST /v1/messages/{message}/resolve",
        "POST /v1/held/{held}/accept", "POST /v1/held/{held}/refuse",
    )),
    (("owner", "manager", "privacy", "operator"), (
        "POST /v1/integrations/seal-all",
        "POST /v1/integrations/{integration}/lock",
        "DELETE /v1/integrations/{integration}/grants/{grant}",
        "POST /v1/integrations/{integration}/cut-off",
        "DELETE /v1/integrations/{integration}",
    )),
    (("owner", "manager", "privacy"), (
        "GET /v1/threads/{thread}", "GET /v1/messages/{message}/raw",
        "GET /v1/messages/{message}/attachments/{attachment}",
    )),
    (("owner", "manager", "reader", "privacy"), (
        "GET /v1/threads", "GET /v1/threads/{thread}/messages",
        "GET /v1/held", "GET /v1/creators", "GET /v1/creators/{creator}",
    )),
    (("owner", "manager", "privacy", "operator", "auditor"), ("GET /v1/receipts/{receipt}",)),
    (("owner", "manager", "privacy", "auditor"), (
        "GET /v1/integrations/{integration}/read-ledger",
    )),
    (("owner", "auditor"), ("GET /v1/audit", "GET /v1/audit/export")),
)
ROUTES = [route for _, routes in MAY for route in routes]
# An id that a token may otherwise ask about: it learns nothing here whatever the id.
RESET = "POST /v1/people/{person}/password-reset"
WITH_IDS = [route for route in (*ROUTES, *OF_A_PERSON) if "{" in route and route != RESET]
# Names nothing that could be unknown, and is carried out at the end of all others.
EVERYBODYS_SESSIONS = "DELETE /v1/people/sessions"
# Ends only when somebody ends it.
STREAM = "GET /v1/events"
LEDGER = "GET /v1/integrations/{integration}/read-ledger"

# What ends something, in an order in which each still finds what it ends.
ENDING = (
    "DELETE /v1/integrations/{integration}/grants/{grant}",
    "DELETE /v1/integrations/{integration}/holders/{holder}",
    "POST /v1/integrations/{integration}/lock",
    "POST /v1/integrations/{integration}/reseal",
    "POST /v1/integrations/{integration}/cut-off",
    "POST /v1/integrations/{integration}/reconnect",
    "DELETE /v1/tokens/{token}",
    "DELETE /v1/invitations/{invitation}",
    "DELETE /v1/people/{person}",
    "DELETE /v1/identity-providers/{provider}",
    "DELETE /v1/integrations/{integration}",
    EVERYBODYS_SESSIONS,
)

PREFIXES = {
    "integration": "int_", "grant": "grt_", "holder": "hld_", "thread": "thr_", "message": "msg_",
    "held": "msg_", "creator": "cre_", "receipt": "rcp_", "token": "tok_", "factor": "fac_",
    "session": "ses_", "person": "per_", "invitation": "inv_",
    "provider": "idp_", "link": "lnk_",
}
NO_ATTACHMENT = "att_77"
NO_LINK = "lnk_01jqz0000000000000000000ab"
NONSENSE = "x"
LISTS = (
    "/v1/integrations", "/v1/integrations?idle_for=PT0S", "/v1/threads", "/v1/held",
    "/v1/creators", "/v1/tokens", "/v1/people", "/v1/invitations",
    "/v1/creators", "/v1/tokens", "/v1/identity-providers",
)
PAGED = ("/v1/threads", "/v1/creators")
FILTERS = (
    "/v1/threads?creator={creator}", "/v1/threads?integration={integration}",
    "/v1/held?thread={thread}",
)
NEW_SECRET = "seven paper lanterns adrift"
WRONG = "grey heron on one leg"
# More wrong secrets than a holder is allowed before nobody may try for a while.
GUESSES = 8


def slots(pattern: str) -> list[str]:
    """The kinds of id that a route asks for."""
    return re.findall(r"\{([a-z]+)\}", pattern)


def unnamed(route: str) -> str:
    """A route as it is whatever its ids are called."""
    return re.sub(r"\{[^}]*\}", "{}", route)


def documented() -> dict[str, list[str]]:
    """path below /v1 -> its methods."""
    paths = openapi.document()["paths"].items()
    return {
        path: [method.upper() for method in operations if method.upper() in METHODS]
        for path, operations in paths if path.startswith("/v1/")
    }


def nobodys(ids: dict[str, str]) -> dict[str, str]:
    """Ids as well formed as these, that were never given out."""
    changed = {kind: text[:-4] + text[-4:][::-1].translate(_OTHERS) for kind, text in ids.items()}
    return {**changed, "attachment": NO_ATTACHMENT}


_OTHERS = str.maketrans("0123456789abcdefghjkmnpqrstvwxyz", "123456789abcdefghjkmnpqrstvwxyz0")


def told(answer: Reply) -> tuple:
    """All that an answer says but its own number and time."""
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    body: Any = answer.body
    if headers.get("content-type", "").partition(";")[0].endswith("json"):
        body = {name: value for name, value in answer.json.items() if name != "instance"}
    return answer.status, body, headers


def ask(api: Api | Person, route: str, ids: dict[str, str], body: Any = None, **more) -> Reply:
    method, _, pattern = route.partition(" ")
    return api.call(method, pattern.format(**ids), body, **more)


def bodies_of(tenant: Tenant) -> dict[str, Any]:
    """route -> what its owner would send; other routes take nothing."""
    proof = {"shared_secret": tenant.integration.secret}
    mine = "/v1/integrations/{integration}"
    return {
        "POST /v1/integrations": tenant.desk.integration_body(tenant.maya),
        "POST /v1/integrations/discover": {"address": "maya@gmail.com"},
        "POST /v1/integrations/seal-all": {"grants": True},
        f"PATCH {mine}": {"name": "Renamed"},
        f"POST {mine}/unlock": {**proof, "for": "PT1H"},
        f"POST {mine}/grants": {**proof, "verbs": ["send"], "expires_in": "P1D"},
        f"POST {mine}/holders": {**proof, "name": "Eve", "new_shared_secret": WRONG},
        f"DELETE {mine}/holders/{{holder}}": proof,
        f"POST {mine}/reseal": {**proof, "new_shared_secret": NEW_SECRET},
        f"POST {mine}/reconnect": {
            "credential": {"password": tenant.maya.password}, "shared_secret": NEW_SECRET,
        },
        "POST /v1/threads": tenant.new_thread(tenant.integration.id),
        "POST /v1/threads/{thread}/messages": {"text": "One more thing"},
        "POST /v1/messages/{message}/resolve": {"state": "sent"},
        "PATCH /v1/workspace": {"second_factor_from": None},
        "POST /v1/tokens": {"role": "reader"},
        "PATCH /v1/people/{person}": {"role": "manager"},
        "POST /v1/invitations": {"email": "noor@brand.example", "role": "reader"},
        "POST /v1/me/workspaces": {"invitation": "psi_" + "A" * 43},
        "POST /v1/workspaces": {"name": "Of their own"},
        "POST /v1/identity-providers": provider_body(shared_provider(), client_secret=SECRET),
        "PATCH /v1/identity-providers/{provider}": {"name": "Renamed"},
        "POST /v1/me/provider-links": {"provider_id": tenant.ids["provider"]},
        "POST /v1/me/factors": {"kind": "totp", "name": "Phone"},
        "POST /v1/me/factors/{factor}/confirm": {"code": "000000"},
        "POST /v1/me/password": {"current_password": WRONG, "new_password": NEW_SECRET},
        "POST /v1/sessions/current/proof": {"code": "000000"},
    }


def all_there_is(tenant: Tenant) -> dict[str, Any]:
    """path -> what its owner sees there; without the read ledger, which grows by itself."""
    paths = [
        route.removeprefix("GET ") for route in WITH_IDS
        if route.startswith("GET ") and route != LEDGER
    ]
    asked = [path.format(**tenant.ids) for path in (*paths, *LISTS, *FILTERS, "/v1/workspace")]
    return {path: _lasting(tenant.api.get(path).expect(200)) for path in asked}


def ledger_of(tenant: Tenant) -> dict[int, dict]:
    """number -> line."""
    lines = ask(tenant.api, f"{LEDGER}?limit=100", tenant.ids).expect(200)["items"]
    return {line["number"]: line for line in lines}


def _lasting(answer: Reply) -> Any:
    """Without when a token was last used, which looking changes."""
    if not answer.headers["content-type"].partition(";")[0].endswith("json"):
        return answer.body
    seen = answer.json
    for item in seen.get("items", ()):
        item.pop("used_at", None)
    return seen


class TenantsCase(unittest.TestCase):
    """One server with a tenant. Whatever a test tries, what the tenant has stays as it was."""

    maxDiff = None
    server: Postern
    theirs: Tenant
    olga: Person

    @classmethod
    def setUpClass(cls) -> None:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="pst-", dir="/tmp"))
        folder.chmod(0o755)
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.server = Postern(folder)
        cls.addClassCleanup(cls.server.close)
        setup_token = cls.server.init().setup_token
        cls.server.start()
        cls.olga = first_owner(cls.server, setup_token, "Brand")
        cls.olga.sign_in()
        cls.olga.enrol()
        cls.theirs = Tenant(cls.server, "Brand")
        cls.theirs.ids["factor"] = cls.factors()["items"][0]["id"]
        sessions = cls.olga.call("GET", "/v1/sessions").expect(200)
        cls.theirs.ids["session"] = sessions["items"][0]["id"]
        cls.theirs.ids["link"] = NO_LINK

    @classmethod
    def factors(cls) -> dict:
        return cls.olga.call("GET", "/v1/me/factors").expect(200).json

    def setUp(self) -> None:
        self.before = (all_there_is(self.theirs), self.factors())
        self.lines = ledger_of(self.theirs)

    def tearDown(self) -> None:
        self.assertEqual((all_there_is(self.theirs), self.factors()), self.before)
        lines = ledger_of(self.theirs)
        self.assertEqual({number: lines.get(number) for number in self.lines}, self.lines)


class RolesTest(TenantsCase):
    apis: dict[str, Api]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.apis = {role: cls.server.api(cls.server.token("Brand", role)) for role in ROLES}

    def test_every_documented_route_stands_in_the_table_once(self):
        known = [unnamed(route) for route in (*ROUTES, *OPEN, *OPEN_TO_ASK, *OF_A_PERSON)]
        there = [
            unnamed(f"{method} {path}") for path, methods in documented().items()
            for method in methods
        ]
        self.assertEqual(sorted(set(there) - set(known)), [], "say in MAY who may do this")
        self.assertEqual(sorted(set(known) - set(there)), [], "in the table, not documented")
        self.assertEqual(len(known), len(set(known)), "twice in the table")

    def test_whoever_may_not_is_told_so_whatever_they_send(self):
        ids, bodies = self.theirs.ids, bodies_of(self.theirs)
        tried = 0
        for role, route in self.pairs(may=False):
            nonsense = dict.fromkeys(ids, NONSENSE)
            api, good = self.apis[role], bodies.get(route)
            with self.subTest(f"{role}: {route}"):
                for answer in (
                    ask(api, route, ids, good), ask(api, route, ids, good, key=new_key()),
                    ask(api, route, ids), ask(api, route, nobodys(ids), good),
                    ask(api, route, nonsense, good), ask(api, route, ids, raw=b"{"),
                    ask(api, route, nonsense, {"no_such_field": 1}),
                ):
                    answer.expect(403, code="forbidden")
                if route.startswith("GET "):
                    ask(api, route.replace("GET", "HEAD"), ids).expect(403)
            tried += 1
        self.assertGreater(tried, 90)

    def test_whoever_may_is_never_told_that_they_may_not(self):
        """By requests that change nothing: of ids that nobody has, or with what is not understood.
        What only reads is asked for what is there."""
        ids = self.theirs.ids
        tried = 0
        for role, route in self.pairs(may=True):
            if route == EVERYBODYS_SESSIONS:
                continue
            with self.subTest(f"{role}: {route}"):
                for answer in (
                    ask(self.apis[role], route, nobodys(ids), {"no_such_field": 1}),
                    ask(self.apis[role], route, nobodys(ids), raw=b"{"),
                ):
                    answer.expect(200, 400, 404, 422)
                if route.startswith("GET "):
                    ask(self.apis[role], route, ids).expect(200)
            tried += 1
        self.assertGreater(tried, 100)

    def test_every_role_may_follow_the_events(self):
        self.assertEqual([roles for roles, routes in MAY if STREAM in routes], [ROLES])
        for role in ROLES:
            with self.apis[role].events() as events:
                self.assertFalse(events.closed.is_set())

    def test_second_factors_are_a_persons_and_no_tokens(self):
        ids, bodies = self.theirs.ids, bodies_of(self.theirs)
        for role, route in ((role, route) for role in ROLES for route in OF_A_PERSON):
            with self.subTest(f"{role}: {route}"):
                for which in (ids, nobodys(ids)):
                    ask(self.apis[role], route, which, bodies.get(route)).expect(403)
                    ask(self.apis[role], route, which, raw=b"{").expect(400, 403)

    def test_without_a_token_only_the_open_routes_are_open(self):
        nobody = self.server.api()
        for route in (*ROUTES, *OF_A_PERSON):
            with self.subTest(route):
                answer = ask(nobody, route, self.theirs.ids, bodies_of(self.theirs).get(route))
                answer.expect(401, code="unauthenticated")
        for route in OPEN:
            ask(nobody, route, {}, {}).expect(422, code="invalid_request")
        for route in OPEN_TO_ASK:
            ask(nobody, route, {}).expect(200)

    def test_methods_that_are_not_documented_do_nothing(self):
        for path, methods in documented().items():
            filled = re.sub(r"\{[^}]*\}", self.theirs.ids["integration"], path)
            for role, method in itertools.product(("owner", "reader"), METHODS):
                if method not in methods:
                    with self.subTest(f"{role}: {method} {path}"):
                        self.apis[role].call(method, filled, {}).expect(403, 404, 405)

    def test_other_spellings_of_a_path_are_no_way_in(self):
        for path in (
            "/v1/tokens/", "//v1/tokens", "/v1//tokens", "/v1/./tokens", "/v1/me/../tokens",
            "/v1/%74okens", "/v1/tokens%00", "/v1/tokens%2f", "/V1/tokens", "/v1/Tokens",
            "/v1/tokens;role=owner", "/v1/tokens?role=owner", "/v1/tokens#",
        ):
            with self.subTest(path):
                self.apis["reader"].get(path).expect(400, 403, 404)

    def test_key_of_a_request_of_the_owner_is_no_way_to_its_answer(self):
        wish = {"role": "reader", "name": "Export"}
        for role in ROLES[1:]:
            answer = self.apis[role].post("/v1/tokens", wish, key=self.theirs.key)
            answer.expect(403, code="forbidden")
        again = self.theirs.token_made()
        self.assertEqual(again["id"], self.theirs.ids["token"])

    def test_attachment_is_of_a_documented_type(self):
        path = "/v1/messages/{message}/attachments/att_1".format(**self.theirs.ids)
        answer = self.theirs.api.get(path).expect(200)
        self.assertEqual(answer.headers["content-type"], "image/png")

    def pairs(self, may: bool) -> list[tuple[str, str]]:
        return [
            (role, route) for roles, routes in MAY for route in routes for role in ROLES
            if (role in roles) == may and route != STREAM
        ]


class ThingsOfOthersTest(TenantsCase):
    """The owner of one workspace, with the ids of another: `theirs` and `mine`."""

    mine: Tenant

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.mine = Tenant(cls.server, "Other")

    def setUp(self) -> None:
        super().setUp()
        self.mine_before = all_there_is(self.mine)

    def tearDown(self) -> None:
        super().tearDown()
        self.assertEqual(all_there_is(self.mine), self.mine_before)

    def same(self, route: str, one: dict[str, str], other: dict[str, str], **more: Any) -> Reply:
        """Two ways to name nothing, which are answered alike; the first answer."""
        answer = ask(self.mine.api, route, one, **more)
        self.assertEqual(told(answer), told(ask(self.mine.api, route, other, **more)))
        self.assertGreaterEqual(answer.status, 400, answer)
        return answer

    def test_ids_of_others_are_as_ids_of_nothing(self):
        """With all that their owner knows, secret and password too."""
        ids, unknown = self.theirs.ids, nobodys(self.theirs.ids)
        for route in WITH_IDS:
            good = bodies_of(self.theirs).get(route)
            with self.subTest(route):
                answer = self.same(route, ids, unknown, body=good)
                if route not in OF_A_PERSON:
                    answer.expect(404, code="not_found")
                self.same(route, ids, unknown, body=good or {}, key=new_key())
                self.same(route, ids, unknown)
                self.same(route, ids, unknown, body={"no_such_field": 1})
                self.same(route, ids, unknown, raw=b"{")

    def test_parts_of_others_below_ones_own_and_the_other_way_round(self):
        theirs, mine, unknown = self.theirs.ids, self.mine.ids, nobodys(self.theirs.ids)
        tried = 0
        for route in WITH_IDS:
            body = bodies_of(self.mine).get(route)
            for kind in slots(route)[1:]:
                with self.subTest(route):
                    part = {kind: mine[kind]}
                    self.same(route, {**theirs, **part}, {**unknown, **part}, body=body)
                    if kind != "attachment":  # those of every message have the same names
                        one, other = {kind: theirs[kind]}, {kind: unknown[kind]}
                        self.same(route, {**mine, **one}, {**mine, **other}, body=body).expect(404)
                tried += 1
        self.assertGreaterEqual(tried, 3)

    def test_attachments_that_are_not_there(self):
        path = f"/v1/messages/{self.mine.ids['message']}/attachments/"
        for name in (NO_ATTACHMENT, "att_", "ATT_0", "att_-1", "att_4294967296", "att_0x", "0"):
            with self.subTest(name):
                self.mine.api.get(path + name).expect(404, code="not_found")

    def test_ids_that_are_not_quite_right(self):
        """Of others and of one's own: upper case, cut short, longer, bare."""
        for route in WITH_IDS:
            for kind in slots(route):
                if kind in ("attachment", *OF_PEOPLE):
                    continue
                body = bodies_of(self.mine).get(route)
                nonsense = {**self.mine.ids, **dict.fromkeys((*OF_PEOPLE, kind), NONSENSE)}
                for text in (self.theirs.ids[kind], self.mine.ids[kind]):
                    for form in (
                        text.upper(), text[:4].upper() + text[4:], text[:4] + text[4:].upper(),
                        text[:-1], text[:5], text[:4], text + "0", text[4:], text + "-", "_" + text,
                    ):
                        with self.subTest(f"{route} {form}"):
                            answer = self.same(route, {**nonsense, kind: form}, nonsense, body=body)
                            answer.expect(404, code="not_found")

    def test_ids_of_another_kind(self):
        for route in WITH_IDS:
            for kind, other in itertools.product(slots(route), PREFIXES):
                if kind in ("attachment", *OF_PEOPLE) or other in (kind, *OF_PEOPLE):
                    continue
                body = bodies_of(self.mine).get(route)
                for owner in (self.mine, self.theirs):
                    with self.subTest(f"{route} {owner.name} {other}"):
                        self.another_kind(route, kind, owner.ids[other], body)

    def another_kind(self, route: str, kind: str, text: str, body: Any) -> None:
        """As it is, and with the prefix of the kind that is asked for."""
        unknown = nobodys(self.theirs.ids)
        swapped = PREFIXES[kind] + text[4:]
        if text != swapped:
            nonsense = {**self.mine.ids, kind: NONSENSE}
            self.same(route, {**nonsense, kind: text}, nonsense, body=body).expect(404)
        nothing = {**self.mine.ids, kind: unknown[kind]}
        self.same(route, {**nothing, kind: swapped}, nothing, body=body).expect(404)

    def test_ids_in_bodies(self):
        unknown = nobodys(self.theirs.ids)
        wrote = [
            self.mine.api.post("/v1/threads", self.theirs.new_thread(ids["integration"]))
            for ids in (self.theirs.ids, unknown)
        ]
        self.assertEqual(told(wrote[0]), told(wrote[1]))
        wrote[0].expect(404)
        opened = [
            self.mine.desk.act(self.mine.integration, "unlock", {
                "shared_secret": SECRET, "holder_id": ids["holder"],
            }) for ids in (self.theirs.ids, unknown)
        ]
        self.assertEqual(told(opened[0]), told(opened[1]))
        opened[0].expect(403, code="wrong_secret")

    def test_lists_hold_ones_own_only(self):
        """However they are filtered, and with the cursors of others."""
        unknown = nobodys(self.theirs.ids)
        for path in FILTERS:
            self.same_list(path.format(**self.theirs.ids), path.format(**unknown))
        address = f"/v1/creators?address={self.theirs.lea.address}"
        self.same_list(address, "/v1/creators?address=nobody@creators.example")
        cursors = [self.theirs.api.get(f"{path}?limit=1")["next_cursor"] for path in PAGED]
        paged = [f"{path}?cursor={cursor}" for path, cursor in zip(PAGED, cursors, strict=True)]
        self.assertNotIn(None, cursors)
        for path in (*LISTS, *paged):
            found = self.mine.api.get(path).expect(200)
            self.assertTrue(found["items"] or path in paged, path)
            for kind, text in self.theirs.ids.items():
                if kind != "attachment":
                    self.assertNotIn(text[4:], found.text, path)

    def same_list(self, one: str, other: str) -> None:
        found = self.mine.api.get(one).expect(200)
        self.assertEqual(found["items"], [])
        self.assertEqual(told(found), told(self.mine.api.get(other)))

    def test_workspace_of_others_is_as_one_that_is_not_there(self):
        theirs = self.theirs.api.get("/v1/workspace").expect(200)["id"]
        unknown = nobodys({"workspace": theirs})["workspace"]
        answers = [
            self.mine.api.get("/v1/threads", headers={"Postern-Workspace": text})
            for text in (theirs, unknown)
        ]
        self.assertEqual(told(answers[0]), told(answers[1]))
        answers[0].expect(404, code="not_found")
        mine = self.mine.api.get("/v1/workspace").expect(200)["id"]
        answers = [
            self.olga.call("GET", "/v1/threads", headers={"Postern-Workspace": text})
            for text in (mine, unknown)
        ]
        self.assertEqual(told(answers[0]), told(answers[1]))
        answers[0].expect(404, code="not_found")

    def test_guesses_from_outside_do_not_lock_the_holders_out(self):
        guess = {"shared_secret": WRONG}
        of_ida = {**guess, "holder_id": self.theirs.ids["holder"]}
        for body in (guess, of_ida):
            for _ in range(GUESSES):
                answer = self.mine.desk.act(self.theirs.integration, "unlock", body)
                answer.expect(404, code="not_found")
        for _ in range(GUESSES):
            answer = self.mine.desk.act(self.mine.integration, "unlock", of_ida)
            answer.expect(403, 429, code=("wrong_secret", "too_many_attempts"))
        # One guess of their own still counts as the first.
        for body in (guess, of_ida):
            answer = self.theirs.desk.act(self.theirs.integration, "unlock", body)
            answer.expect(403, code="wrong_secret")

    def test_key_of_a_request_of_others_is_ones_own(self):
        wish = {"role": "reader", "name": "Export"}
        made = self.mine.api.post("/v1/tokens", wish, key=self.theirs.key).expect(201)
        self.assertNotEqual(made["id"], self.theirs.ids["token"])
        self.assertIn("token", made.json)
        self.mine.api.delete(f"/v1/tokens/{made['id']}").expect(204)

    def test_events_from_the_beginning_are_ones_own(self):
        with self.mine.api.events(last_id="0") as events:
            events.wait_for(lambda event: event.names(self.mine.integration.id), "one of mine")
            events.wait_for(lambda event: event.names(self.mine.ids["held"]), "the last of mine")
            for kind, text in self.theirs.ids.items():
                if kind != "attachment":
                    self.assertFalse([one for one in events.seen if one.names(text[4:])], kind)

    def test_same_requests_of_their_owner_are_carried_out(self):
        """Or what was refused above says nothing."""
        owner = Tenant(self.server, "Third")
        others = {
            "POST /v1/messages/{message}/resolve": 409, "POST /v1/held/{held}/refuse": 404,
            # Everybody sees the thread.
            "PUT /v1/threads/{thread}/people/{person}": 409,
            "DELETE /v1/threads/{thread}/people/{person}": 409,
            "POST /v1/threads/{thread}/share": 409,
            "POST /v1/unattended-threads/{thread}/share": 404,
            "POST /v1/unattended-threads/{thread}/take-over": 404,
        }
        routes = [route for route in WITH_IDS if route not in OF_A_PERSON]
        for route in [*(route for route in routes if route not in ENDING), *ENDING]:
            with self.subTest(route):
                answer = ask(owner.api, route, owner.ids, bodies_of(owner).get(route))
                answer.expect(*((others[route],) if route in others else (200, 201, 204)))
                if route.endswith("/reseal"):
                    owner.integration.secret = NEW_SECRET
