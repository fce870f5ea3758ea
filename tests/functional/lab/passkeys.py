"""People with passkeys: what a page of the console will do, by Debian's Chromium."""

from __future__ import annotations

import base64
import pathlib
import shutil
import tempfile

from .api import Api, Reply
from .browser import Chromium, Page
from .person import PeopleCase, Person
from .postern import CONFIG, Postern

SITE = "https://postern.example"
PROOF = "/v1/sessions/current/proof"


def decoded(text: str) -> bytes:
    """Of base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class PasskeyCase(PeopleCase):
    """A server at a public address, Olga, and a page of it with one authenticator."""

    chromium: Chromium
    auditor: Api
    config = f'public_url = "{SITE}"\n{CONFIG}'

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        folder = pathlib.Path(tempfile.mkdtemp(prefix="pst-", dir="/tmp"))
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.chromium = cls.enterClassContext(Chromium(folder / "chromium"))

    def setUp(self) -> None:
        super().setUp()
        self.auditor = self.server.api(self.server.token("Brand", "auditor"))
        self.page = self.chromium.page(SITE)
        self.addCleanup(self.page.close)
        self.key = self.page.add_authenticator()

    def installation(self, *, config: str = "", name: str = "") -> Postern:
        return super().installation(config=config or self.config, name=name)

    # What a page of the console will do.

    def creation(self, person: Person) -> dict:
        return person.call("POST", "/v1/me/passkeys/options").expect(200).json

    def send_new(self, person: Person, credential: dict, name: str = "Key") -> Reply:
        body = {"name": name, "credential": credential}
        return person.call("POST", "/v1/me/passkeys", body)

    def add_passkey(self, person: Person, page: Page | None = None, name: str = "Key") -> Reply:
        made = (page or self.page).create(self.creation(person))
        return self.send_new(person, made, name).expect(201)

    def own_challenge(self, person: Person) -> dict:
        return person.call("POST", "/v1/sessions/current/passkey-challenge").expect(200).json

    def send_proof(self, person: Person, credential: dict) -> Reply:
        return person.call("POST", PROOF, {"passkey": credential})

    def show_passkey(self, person: Person, page: Page | None = None) -> Reply:
        return self.send_proof(person, (page or self.page).get(self.own_challenge(person)))

    def open_challenge(self) -> dict:
        return self.somebody().call("POST", "/v1/passkey-challenges").expect(200).json

    def send_sign_in(self, person: Person, credential: dict) -> Reply:
        person.cookie = ""
        return person.call("POST", "/v1/sessions/passkey", {"credential": credential})

    def sign_in_alone(self, person: Person, page: Page | None = None) -> Reply:
        return self.send_sign_in(person, (page or self.page).get(self.open_challenge()))

    def somebody(self) -> Person:
        """At a browser that nobody signed in with."""
        return self.other_browser()

    def signed_in_with_passkey(self) -> Person:
        self.olga.sign_in()
        self.add_passkey(self.olga)
        return self.olga

    def records(self) -> list[dict]:
        """Newest first."""
        return self.auditor.get("/v1/audit?limit=100").expect(200)["items"]

    def refusal(self) -> tuple[str, str]:
        """The newest record: what was refused, and why."""
        newest = self.records()[0]
        return newest["action"], newest["facts"].get("reason", "")
