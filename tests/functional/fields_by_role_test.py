"""What a role may ask for it sees whole: every field that the owner sees, and it may send
the same. docs/fields.md has the rule and its exceptions, docs/roles.md who may ask for what."""

from __future__ import annotations

import copy
import json
import pathlib
import re
import shutil
import tempfile
import unittest
from typing import Any, Iterator

from lab import openapi
from lab.api import Api, Reply
from lab.person import Person, first_owner
from lab.postern import Postern
from lab.tenant import SECRET, SECRET_OF_IDA, Tenant

ROLES = ("owner", "manager", "reader", "privacy", "operator", "auditor")
ROLES_PAGE = openapi.PROJECT / "docs" / "roles.md"
FIELDS_PAGE = openapi.PROJECT / "docs" / "fields.md"
PASSWORD = "nine green bottles on a wall"
STREAM = "GET /v1/events"
# About whoever asks: what a person is told of themselves, and what a token of itself.
ME = "GET /v1/me"
ONLY_A_PERSON = {("person_id", "text"), ("email", "text"), ("is_fresh", "boolean")}
ONLY_A_TOKEN = {("token_id", "text")}
# Public, though something secret has the same name elsewhere.
PUBLIC = {
    "GET /v1/receipts/{}": {"key", "link"}, "GET /v1/seal-key": {"key"},
    # Of a mailbox, in its config.
    "GET /v1/integrations": {"tls_ca_pem"}, "GET /v1/integrations/{}": {"tls_ca_pem"},
}
KINDS = {"people": "person", "identity-providers": "provider"}
NO_FACTOR = "fac_00000000000000000000000000"
# What no field takes: it would change nothing even where a name is right.
WRONG = {"nothing": 1}

Shape = set[tuple[str, str]]


def shape(value: Any, at: str = "") -> Shape:
    """Each field by its way, with the kind of what it holds: nothing and an empty text are kinds of
    their own, so that a field which is blanked differs from one that is told."""
    if isinstance(value, dict):
        found = {(at, "object")} if at else set()
        for name, member in value.items():
            found |= shape(member, f"{at}.{name}" if at else name)
        return found
    if isinstance(value, list):
        found = {(at, "list")}
        for member in value:
            found |= shape(member, f"{at}[]")
        return found
    if isinstance(value, bool):
        return {(at, "boolean")}
    if isinstance(value, str):
        return {(at, "text" if value else "empty text")}
    return {(at, "null" if value is None else "number")}


def seen(answer: Reply) -> Any:
    """Of an answer: its JSON, or the bytes that it is."""
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if kind == "application/jsonl":
        return [json.loads(line) for line in answer.text.splitlines()]
    return answer.json if kind.endswith("json") else answer.body


def same(one: Any, other: Any) -> bool:
    if isinstance(one, bytes) or isinstance(other, bytes):
        return one == other
    return shape(one) == shape(other)


def leaves(value: Any, at: tuple = ()) -> Iterator[tuple]:
    """The way to every field."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield (*at, name)
            yield from leaves(member, (*at, name))
    if isinstance(value, list):
        for index, member in enumerate(value):
            yield from leaves(member, (*at, index))


def without(value: Any, way: tuple) -> Any:
    """A copy in which every item of a list lacks the field of this way."""
    changed = copy.deepcopy(value)
    parts = [changed]
    for step in way[:-1]:
        if isinstance(step, int):
            parts = [member for part in parts for member in part]
        else:
            parts = [part[step] for part in parts if isinstance(part, dict) and part.get(step)]
    for part in parts:
        if isinstance(part, dict):
            part.pop(way[-1], None)
    return changed


def unnamed(route: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", route)


def routes_of_roles() -> dict[str, tuple[str, ...]]:
    """route -> the roles that may ask for it, of those that ask for a permission."""
    page = ROLES_PAGE.read_text()
    may: dict[str, tuple[str, ...]] = {}
    for permission, cells in re.findall(r"^\| `(\w+)`[^|]*\|(.*)\|$", page, re.MULTILINE):
        answers = [cell.strip() for cell in cells.split("|")]
        if len(answers) == len(ROLES):
            may[permission] = tuple(
                role for role, answer in zip(ROLES, answers, strict=True) if answer == "yes"
            )
    found = re.findall(r"^\| `([A-Z]+ /v1/[^`]*)` \| `(\w+)`", page, re.MULTILINE)
    return {unnamed(route): may[permission] for route, permission in found}


def fields_of(section: str) -> set[str]:
    """The fields that the table of a section of docs/fields.md has at its left."""
    text = FIELDS_PAGE.read_text().partition(f"## {section}\n")[2].partition("\n## ")[0]
    firsts = re.findall(r"^\| ([^|]*`)", text, re.MULTILINE)
    return {name for first in firsts for name in re.findall(r"`(\w+)`", first)}


def names_in(value: Any) -> set[str]:
    return {step for way in leaves(value) for step in way if isinstance(step, str)}


def documented() -> list[tuple[str, dict]]:
    """`METHOD /v1/...` with its operation."""
    return [
        (f"{method.upper()} {path}", operation)
        for path, operations in openapi.document()["paths"].items()
        for method, operation in operations.items()
        if path.startswith("/v1/") and method in ("get", "post", "put", "patch", "delete")
    ]


def fields_told(operation: dict) -> set[str]:
    """By the answers of an operation, at any depth."""
    found: set[str] = set()
    waiting = [
        part["schema"] for answer in operation["responses"].values()
        for part in openapi._resolved(answer).get("content", {}).values()
    ]
    while waiting:
        schema = waiting.pop()
        for name, part in openapi._properties(schema).items():
            found.add(name)
            waiting.append(part)
        if items := openapi._part(schema, "items"):
            waiting.append(items)
    return found


def fields_taken(operation: dict) -> set[str]:
    body = operation.get("requestBody")
    if not body or "application/json" not in openapi._resolved(body)["content"]:
        return set()
    return set(openapi._properties(openapi._schema(body, "application/json")))


class FieldsTest(unittest.TestCase):
    """One workspace with one of everything, and somebody of each role: a token and a person."""

    maxDiff = None
    server: Postern
    theirs: Tenant
    tokens: dict[str, Api]
    people: dict[str, Person]
    may: dict[str, tuple[str, ...]]

    @classmethod
    def setUpClass(cls) -> None:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="pst-", dir="/tmp"))
        folder.chmod(0o755)
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.server = Postern(folder)
        cls.addClassCleanup(cls.server.close)
        told = cls.server.init()
        cls.server.start()
        olga = first_owner(cls.server, told.setup_token, "Brand")
        olga.sign_in()
        olga.enrol()
        cls.theirs = Tenant(cls.server, "Brand")
        cls.tokens = {role: cls.server.api(cls.server.token("Brand", role)) for role in ROLES}
        others = {role: cls.person_of(role) for role in ROLES[1:]}
        cls.people = {"owner": olga, **others}
        cls.may = routes_of_roles()
        # When a token was used last, and the rest of what looking changes, is there from here on.
        for role in ROLES:
            for route in cls.to_see():
                for who in (cls.tokens[role], cls.people[role]):
                    cls.ask(who, route)

    @classmethod
    def person_of(cls, role: str) -> Person:
        email = f"{role}@brand.example"
        invited = cls.theirs.api.post("/v1/invitations", {"email": email, "role": role})
        body = {"token": invited.expect(201)["link"].partition("token=")[2], "password": PASSWORD}
        cls.server.api().post("/v1/invitations/accept", body).expect(201)
        person = Person(cls.server, email, PASSWORD)
        person.sign_in()
        person.enrol()
        return person

    @classmethod
    def to_see(cls) -> list[str]:
        return [
            route for route, _ in documented()
            if route.startswith("GET ") and route != STREAM and unnamed(route) in cls.may
        ]

    @classmethod
    def ask(cls, who: Api | Person, route: str, body: Any = None) -> Reply:
        method, _, path = route.partition(" ")
        # What an id is of stands before it: /v1/threads/{...}
        filled = re.sub(r"([a-z-]+)/\{[^}]*\}", lambda at: f"{at[1]}/{cls.id_of(at[1])}", path)
        return who.call(method, filled, body)

    @classmethod
    def id_of(cls, things: str) -> str:
        kind = KINDS.get(things, things.removesuffix("s"))
        return NO_FACTOR if kind == "factor" else cls.theirs.ids[kind]

    def who_may(self, route: str) -> list[tuple[str, Api | Person]]:
        """(role, who) of everybody who gets an answer; of a person's own things no token does."""
        found: list[tuple[str, Api | Person]] = []
        for role in ROLES:
            for who in (self.tokens[role], self.people[role]):
                answer = self.ask(who, route)
                is_token = isinstance(who, Api)
                if role in self.may[unnamed(route)] and not (is_token and answer.status == 403):
                    answer.expect(200)
                    found.append((role, who))
                elif not is_token or role not in self.may[unnamed(route)]:
                    answer.expect(403, code="forbidden")
                else:
                    answer.expect(403, code=("session_needed", "forbidden"))
        return found

    def test_every_route_that_shows_something_is_asked(self):
        documented_to_see = {
            unnamed(route) for route, _ in documented() if route.startswith("GET ")
        }
        asked = {unnamed(route) for route in self.to_see()} | {STREAM}
        self.assertEqual(documented_to_see, asked, "no permission in docs/roles.md")
        self.assertGreater(len(asked), 20)

    def test_each_role_sees_the_fields_that_the_owner_sees(self):
        compared = 0
        for route in self.to_see():
            owners = {
                type(who): seen(self.ask(who, route))
                for role, who in self.who_may(route) if role == "owner"
            }
            self.assertTrue(owners, route)
            for role, who in self.who_may(route):
                with self.subTest(f"{role}, {type(who).__name__}: {route}"):
                    theirs = seen(self.ask(who, route).expect(200))
                    if isinstance(theirs, bytes):
                        self.assertEqual(theirs, owners[type(who)])
                    else:
                        self.assertEqual(shape(theirs), shape(owners[type(who)]))
                    compared += 1
        self.assertGreater(compared, 150)

    def test_a_token_sees_what_a_person_of_its_role_sees(self):
        for route in self.to_see():
            by_kind = {
                type(who): seen(self.ask(who, route))
                for role, who in self.who_may(route) if role == "owner"
            }
            if Api not in by_kind or isinstance(by_kind[Api], bytes):
                continue
            with self.subTest(route):
                token, person = shape(by_kind[Api]), shape(by_kind[Person])
                self.assertEqual(person - token, ONLY_A_PERSON if route == ME else set())
                self.assertEqual(token - person, ONLY_A_TOKEN if route == ME else set())

    def test_a_field_that_is_missing_or_blank_would_be_found(self):
        """Or what is found equal above says nothing."""
        tried = 0
        for route in self.to_see():
            whole = seen(self.ask(self.people["owner"], route).expect(200))
            if isinstance(whole, bytes):
                self.assertFalse(same(whole, whole[:-1]))
                continue
            for way in leaves(whole):
                with self.subTest(f"{route} {way}"):
                    self.assertFalse(same(whole, without(whole, way)))
                tried += 1
        self.assertGreater(tried, 200)
        for blank in (None, "", [], 0):
            self.assertFalse(same({"items": [{"address": "lea"}]}, {"items": [{"address": blank}]}))

    def test_each_role_follows_the_same_events(self):
        self.assertEqual(self.may[STREAM], ROLES)
        told = {}
        for role in ROLES:
            for who in (self.tokens[role], self.people[role].api):
                with who.events(last_id="0") as events:
                    last = events.wait_for(
                        lambda event: event.names(self.theirs.ids["held"]), "the held mail"
                    )
                    known = events.seen[: events.seen.index(last) + 1]
                    told[role, type(who)] = [(one.kind, one.cursor, one.data) for one in known]
        owners = told["owner", Api]
        self.assertGreater(len(owners), 5)
        for who, events in told.items():
            self.assertEqual(events, owners, who)

    def test_each_role_may_send_the_fields_that_the_owner_may(self):
        """All fields of a route at once, each with what it cannot hold, and one that is not there:
        the same are refused for the same reason, and nothing changes."""
        compared = 0
        for route, operation in documented():
            fields = fields_taken(operation)
            roles = self.may.get(unnamed(route), ())
            if not fields or len(roles) < 2 or route.startswith("DELETE "):
                continue
            body = dict.fromkeys((*fields, "no_such_field"), WRONG)
            owners = self.ask(self.people["owner"], route, body).expect(422).field_codes
            self.assertEqual(owners["no_such_field"], "unknown_field", route)
            for role in roles:
                with self.subTest(f"{role}: {route}"):
                    answer = self.ask(self.people[role], route, body).expect(422)
                    self.assertEqual(answer.field_codes, owners)
                    compared += 1
        self.assertGreater(compared, 25)

    def test_what_is_written_or_shown_once_is_never_told(self):
        once, never = fields_of("Shown once"), fields_of("Written, never answered")
        changes = [operation for route, operation in documented() if not route.startswith("GET ")]
        # Or the page names what there is not.
        self.assertEqual(once - set().union(*map(fields_told, changes)), set())
        self.assertEqual(never - set().union(*map(fields_taken, changes)), set())
        self.assertGreater(len(once | never), 10)
        secrets = [
            SECRET, SECRET_OF_IDA, PASSWORD, self.theirs.maya.password,
            *(person.password for person in self.people.values()),
            *(person.cookie.partition("=")[2] for person in self.people.values()),
            *(api.token for api in self.tokens.values()),
        ]
        self.assertNotIn("", secrets)
        asked = 0
        for route in self.to_see():
            answer = self.ask(self.people["owner"], route).expect(200)
            value = seen(answer)
            with self.subTest(route):
                if not isinstance(value, bytes):
                    told = names_in(value) - PUBLIC.get(unnamed(route), set())
                    self.assertEqual(told & (once | never), set())
                for secret in secrets:
                    self.assertNotIn(secret.encode(), answer.body)
            asked += 1
        self.assertGreater(asked, 20)
        made = self.theirs.api.post("/v1/tokens", {"role": "reader"}).expect(201)
        self.assertEqual(names_in(made.json) & (once | never), {"token"}, "it is shown once")
