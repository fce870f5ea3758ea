"""The pages with forms: what is typed into a field for a secret is hidden and sent nowhere else, a
password manager may fill it in, and no page has a script."""

from __future__ import annotations

import dataclasses
import html.parser
import re
import urllib.parse

from lab import openapi
from lab.api import Reply
from lab.person import PeopleCase

ROLES_PAGE = openapi.PROJECT / "docs" / "roles.md"
PASSWORD = "nine green bottles on a wall"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NO_LINK = "psl_" + "A" * 43
# Open, and no page: text and JSON for machines.
NO_PAGES = {"GET /healthz", "GET /readyz", "GET /metrics"}
# Where somebody types nothing.
WITHOUT_FORM = {"GET /", "GET /sign-in/oidc/callback", "GET /sign-in/oidc/{provider}"}
WITH_FORM = {"GET /setup", "GET /invitation", "GET /reset"}
SENDS = {"POST /setup", "POST /invitation", "POST /reset"}

SPEAKS_OF_SECRET = re.compile(r"pass(word|phrase|code)|secret|\bpin\b|\bcode\b", re.IGNORECASE)
FILLED_IN = {"new-password", "current-password"}
# As many characters as a generated password may have, and more (ASVS 6.2.9).
LENGTH_LEAST = 64
HINDERS = {"readonly", "disabled", "pattern", "inputmode"}


@dataclasses.dataclass
class Field:
    attributes: dict[str, str]
    form: dict[str, str]
    label: str = ""

    @property
    def kind(self) -> str:
        return self.attributes.get("type", "text")

    @property
    def autocomplete(self) -> str:
        """Its own, else its form's; empty where neither says anything, which means on."""
        return self.attributes.get("autocomplete", self.form.get("autocomplete", ""))

    @property
    def is_secret(self) -> bool:
        spoken = " ".join((self.label, *(self.attributes.get(n, "") for n in ("name", "id"))))
        return self.kind == "password" or bool(SPEAKS_OF_SECRET.search(spoken))


class Page(html.parser.HTMLParser):
    """The fields of a page, and what of it could run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: list[Field] = []
        self.scripts: list[str] = []
        self._form: dict[str, str] = {}
        self._labelled = ""
        self._labels: dict[str, str] = {}
        self.feed(text)
        self.close()
        for field in self.fields:
            field.label = self._labels.get(field.attributes.get("id", ""), "")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag in ("script", "iframe", "object", "embed", "base", "link"):
            self.scripts.append(tag)
        self.scripts += [name for name in attributes if name.startswith("on")]
        self.scripts += [
            value for value in attributes.values() if value.strip().lower().startswith("javascript")
        ]
        if tag == "form":
            self._form = attributes
        if tag == "label":
            self._labelled = attributes.get("for", "")
        if tag in ("input", "textarea", "select"):
            self.fields.append(Field(attributes, self._form))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = {}
        if tag == "label":
            self._labelled = ""

    def handle_data(self, data: str) -> None:
        if self._labelled:
            self._labels[self._labelled] = self._labels.get(self._labelled, "") + data


def faults(text: str) -> list[str]:
    """What is not as it should be about a page."""
    page = Page(text)
    found = [f"could run: {script}" for script in page.scripts]
    secrets = [field for field in page.fields if field.is_secret]
    for field in secrets:
        name = field.attributes.get("name", "")
        if field.kind != "password":
            found.append(f"{name} can be read while it is typed")
        if "value" in field.attributes:
            found.append(f"{name} is filled in by the page")
        if field.autocomplete and field.autocomplete not in FILLED_IN:
            found.append(f"{name} keeps password managers out: {field.autocomplete}")
        found += [f"{name} is {hinders}" for hinders in sorted(HINDERS & set(field.attributes))]
        if int(field.attributes.get("maxlength", LENGTH_LEAST)) < LENGTH_LEAST:
            found.append(f"{name} is too short")
        if field.form.get("method", "get").lower() != "post":
            found.append(f"{name} would stand in an address")
    # What a password manager keeps it under.
    for field in page.fields if secrets else ():
        if field.kind == "email" and field.autocomplete != "username":
            found.append("the address is not told to be what one signs in with")
    return found


class PagesTest(PeopleCase):
    def setUp(self) -> None:
        super().setUp()
        self.olga.sign_in()

    def get(self, target: str) -> Reply:
        return self.olga.api.get(target)

    def send(self, target: str, **fields: str) -> Reply:
        body = urllib.parse.urlencode(fields).encode()
        return self.olga.api.call("POST", target, raw=body, headers=FORM)

    def good(self, page: Reply, *statuses: int, fields: int = 0) -> Page:
        """With so many fields for secrets."""
        page.expect(*statuses)
        self.assertEqual(page.headers["content-type"], "text/html; charset=utf-8", page)
        self.assertEqual(faults(page.text), [], page)
        policy = dict(
            part.strip().partition(" ")[::2]
            for part in page.headers["content-security-policy"].split(";")
        )
        self.assertEqual(policy["default-src"], "'none'")
        self.assertEqual(set(policy) & {"script-src", "script-src-elem", "script-src-attr"}, set())
        read = Page(page.text)
        self.assertEqual(len([field for field in read.fields if field.is_secret]), fields, page)
        return read

    def links(self) -> dict[str, str]:
        """page -> the token of a link to it that is good."""
        made = self.olga.call(
            "POST", "/v1/invitations", {"email": "maya@brand.example", "role": "reader"}
        ).expect(201)
        first = made["link"].partition("token=")[2]
        body = {"token": first, "password": PASSWORD}
        joined = self.server.api().post("/v1/invitations/accept", body).expect(201)
        reset = self.olga.call("POST", f"/v1/people/{joined['person_id']}/password-reset")
        made = self.olga.call(
            "POST", "/v1/invitations", {"email": "noor@brand.example", "role": "reader"}
        ).expect(201)
        return {
            "/invitation": made["link"].partition("token=")[2],
            "/reset": reset.expect(201)["link"].partition("token=")[2],
        }

    def test_every_page_that_there_is_is_looked_at(self):
        routes = re.findall(r"^\| `((?:GET|POST) /[^`]*)` \|", ROLES_PAGE.read_text(), re.MULTILINE)
        pages = {route for route in routes if not route.split()[1].startswith("/v1/")}
        self.assertEqual(pages, NO_PAGES | WITHOUT_FORM | WITH_FORM | SENDS)

    def test_the_form_of_the_set_up(self):
        server = self.installation()
        token = server.init().setup_token
        server.start()
        host = {"Host": f"localhost:{server.port}"}
        page = server.api().get(f"/setup?token={token}", headers=host)
        read = self.good(page, 200, fields=1)
        (password,) = [field for field in read.fields if field.is_secret]
        self.assertEqual(password.autocomplete, "new-password")
        fields = {"token": token, "workspace": "Brand", "email": "olga@brand.example"}
        for typed, status, asked in (("short", 422, 1), (PASSWORD, 201, 0)):
            body = urllib.parse.urlencode({**fields, "password": typed}).encode()
            told = server.api().call("POST", "/setup", raw=body, headers={**FORM, **host})
            self.good(told, status, fields=asked)
            self.assertNotIn(typed, told.text.replace("too short", ""))
        self.good(server.api().get(f"/setup?token={token}", headers=host), 409)

    def test_the_forms_behind_links(self):
        for path, token in self.links().items():
            read = self.good(self.get(f"{path}?token={token}"), 200, fields=1)
            (password,) = [field for field in read.fields if field.is_secret]
            self.assertEqual(password.autocomplete, "new-password")
            again = self.send(path, token=token, password="seven")
            self.good(again, 422, fields=1)
            self.assertNotIn("seven", again.text)
            done = self.send(path, token=token, password=PASSWORD + " green")
            self.good(done, 200, 201)
            self.assertNotIn(PASSWORD, done.text)
            self.good(self.get(f"{path}?token={token}"), 403)

    def test_pages_without_a_form(self):
        self.good(self.get("/"), 200)
        for path in ("/setup", "/invitation", "/reset"):
            # What is set up already says so.
            refused = 409 if path == "/setup" else 403
            self.good(self.get(f"{path}?token={NO_LINK}"), refused)
            self.good(self.get(path), refused)
        unknown = "/sign-in/oidc/idp_00000000000000000000000000"
        self.good(self.get(unknown), 404)
        self.good(self.get("/sign-in/oidc/callback?code=x&state=y"), 403, 404)

    def test_a_page_that_is_not_so_would_be_found(self):
        """Or what is found good above says nothing."""
        token = self.links()["/reset"]
        page = self.get(f"/reset?token={token}").expect(200).text
        self.assertEqual(faults(page), [])
        field = 'name="password" type="password"'
        self.assertEqual(page.count(field), 1)
        for instead in (
            'name="password" type="text"', 'name="password"', 'name="secret" type="text"',
            'id="code" type="tel"', f'{field} onpaste="return false"', f"{field} readonly",
            f'{field} value="seven"', f'{field} pattern="[a-z]+"',
        ):
            self.assertNotEqual(faults(page.replace(field, instead)), [], instead)
        for one, other in (
            ('autocomplete="new-password"', 'autocomplete="off"'),
            ('maxlength="1000"', 'maxlength="63"'),
            ('method="post"', 'method="get"'), ('action="/reset"', 'action="javascript:f()"'),
            ("<main>", "<main><script>f()</script>"), ("<main>", '<main onclick="f()">'),
            ("<label", '<input type="email" autocomplete="off"><label'),
        ):
            self.assertIn(one, page)
            self.assertNotEqual(faults(page.replace(one, other)), [], other)
        bare = page.replace('autocomplete="new-password"', "")
        self.assertEqual(faults(bare), [])
        self.assertNotEqual(faults(bare.replace("<form", '<form autocomplete="off"')), [])
