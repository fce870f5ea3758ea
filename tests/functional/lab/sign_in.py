"""Somebody who signs in through an identity provider, at Postern's side of it."""

from __future__ import annotations

import http.client
import urllib.parse
from typing import Any

from .api import Reply
from .person import Person
from .postern import Postern

CALLBACK = "/sign-in/oidc/callback"


def provider_body(provider: Any, **more: Any) -> dict[str, Any]:
    """What an owner sends to add it; `provider` has an issuer and a certificate authority."""
    return {
        "name": "Company", "issuer": provider.issuer, "client_id": "postern",
        "default_role": "manager", "domains": ["brand.example"], "tls_ca_pem": provider.ca_pem,
        **more,
    }


class Guest(Person):
    """A browser of somebody who has no password here. Pages, as a browser gets them from another
    site: without the strict cookie."""

    def __init__(self, server: Postern) -> None:
        super().__init__(server, "", "")
        self.away = ""

    @classmethod
    def of(cls, person: Person) -> Guest:
        """The browser of somebody who is signed in."""
        guest = cls(person.server)
        guest.cookie = person.cookie
        return guest

    def page(self, target: str, cookie: str | None = None) -> Reply:
        """As from another site: of the cookies only the one of who is away is sent."""
        port = self.server.port
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        sent = self.away if cookie is None else cookie
        headers = {"Host": f"localhost:{port}", "Sec-Fetch-Site": "cross-site",
                   "User-Agent": "Guest/1", **({"Cookie": sent} if sent else {})}
        try:
            connection.request("GET", target, headers=headers)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            for made in answer.headers.get_all("Set-Cookie") or ():
                self.take(made)
            return Reply(f"GET {target}", answer.status, found, answer.read())
        finally:
            connection.close()

    def take(self, made: str) -> None:
        pair, *attributes = made.split("; ")
        name, _, value = pair.partition("=")
        if name == "postern-away":
            if "SameSite=Lax" not in attributes or "HttpOnly" not in attributes:
                raise AssertionError(made)
            self.away = pair if value else ""
        else:
            if name != "postern" or "SameSite=Strict" not in attributes:
                raise AssertionError(made)
            self.cookie = pair

    def begin(self, provider_id: str) -> str:
        """Where the provider is, and what it is asked."""
        return self.page(f"/sign-in/oidc/{provider_id}").expect(302).headers["location"]

    def ask(self, method: str, path: str, body: Any = None) -> str:
        """A link or a proof, asked for in the session: where the browser has to go."""
        session = self.cookie
        answer = self.call(method, path, body).expect(200, 201)
        self.cookie = session
        self.take(answer.headers["set-cookie"])
        return answer["url"]

    def come_back(self, fields: dict[str, str] | str, cookie: str | None = None) -> Reply:
        """With these fields, or at this whole address."""
        if isinstance(fields, dict):
            return self.page(f"{CALLBACK}?{urllib.parse.urlencode(fields)}", cookie)
        parts = urllib.parse.urlsplit(fields)
        if parts.path != CALLBACK:
            raise AssertionError(fields)
        return self.page(f"{parts.path}?{parts.query}", cookie)
