"""npm's oidc-provider as an identity provider over TLS on loopback, and a browser without scripts
that signs somebody in there."""

from __future__ import annotations

import html.parser
import http.client
import json
import pathlib
import shutil
import ssl
import subprocess
import urllib.parse
from typing import Any

from .postern import PROJECT
from .process import accepts, eventually, free_port, spawn_child, stop_child
from .tls import Authority

PACKAGES = PROJECT / "build" / "npm-tests" / "node_modules"
READY_S = 60.0
STEPS_MAX = 20


class OidcProvider:
    """Ends with close(). `people`: login -> claims that differ from those of everybody."""

    def __init__(self, folder: pathlib.Path, authority: Authority) -> None:
        folder.mkdir()
        self.folder = folder
        self.ca_pem = authority.ca_pem
        self.port = free_port()
        self.issuer = f"https://localhost:{self.port}"
        self.clients: list[dict[str, Any]] = []
        self.people: dict[str, dict[str, Any]] = {}
        self._pair = authority.issue("oidc-provider")
        self._generation = 0
        self._child: subprocess.Popen | None = None

    def add_client(self, redirect_uri: str, name: str = "postern", **more: Any) -> dict[str, Any]:
        client = {
            "client_id": name, "client_secret": "a secret of the client's, long enough",
            "redirect_uris": [redirect_uri], "response_types": ["code"],
            "grant_types": ["authorization_code"], **more,
        }
        self.clients.append({key: value for key, value in client.items() if value is not None})
        return self.clients[-1]

    def start(self) -> OidcProvider:
        """With keys that no start before had."""
        node = shutil.which("node")
        if not node or not (PACKAGES / "oidc-provider").exists():
            raise AssertionError(f"no node, or no oidc-provider in {PACKAGES}: run ./dev test once")
        self._generation += 1
        settings = self.folder / "settings.json"
        settings.write_text(json.dumps({
            "port": self.port, "cert": str(self._pair.cert), "key": str(self._pair.key),
            "clients": self.clients, "people": self.people, "generation": self._generation,
        }))
        script = pathlib.Path(__file__).with_suffix(".mjs")
        with open(settings, "rb") as stdin:
            self._child = spawn_child(
                [node, str(script), str(PACKAGES)], self.folder / "provider.log", stdin=stdin,
            )
        eventually(lambda: accepts(self.port), "oidc-provider listens", READY_S)
        return self

    def close(self) -> None:
        if self._child:
            stop_child(self._child)
            self._child = None


class Forms(html.parser.HTMLParser):
    """The first form of a page: where it goes, and its fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self._is_over = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "form" and not self.action:
            self.action = named.get("action") or ""
        if tag == "input" and self.action and not self._is_over and named.get("name"):
            self.fields[named["name"]] = named.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        self._is_over = self._is_over or tag == "form"


class Visitor:
    """A browser at the provider: cookies, redirects and forms, nothing else."""

    def __init__(self, ca_pem: str) -> None:
        self._context = ssl.create_default_context(cadata=ca_pem)
        self._cookies: dict[str, str] = {}

    def sign_in(self, url: str, login: str) -> str:
        """Signs in at the provider; the address that it sends the browser back to."""
        home = urllib.parse.urlsplit(url).netloc
        sent: dict[str, str] | None = None
        for _ in range(STEPS_MAX):
            status, place, page = self._ask(url, sent)
            sent = None
            if 300 <= status < 400:
                url = urllib.parse.urljoin(url, place)
                if urllib.parse.urlsplit(url).netloc != home:
                    return url
                continue
            form = Forms(page)
            if status != 200 or not form.action:
                raise AssertionError(f"{url}: {status} {page[:2000]}")
            sent = {**form.fields}
            if "login" in sent:
                sent.update(login=login, password="anything")
            url = urllib.parse.urljoin(url, form.action)
        raise AssertionError(f"still at the provider: {url}")

    def _ask(self, url: str, sent: dict[str, str] | None) -> tuple[int, str, str]:
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPSConnection(
            "localhost", parts.port, context=self._context, timeout=30
        )
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self._cookies.items())}
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        try:
            if sent is None:
                connection.request("GET", target, headers=headers)
            else:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
                connection.request("POST", target, urllib.parse.urlencode(sent), headers)
            answer = connection.getresponse()
            for cookie in answer.headers.get_all("Set-Cookie") or ():
                name, _, value = cookie.split(";")[0].partition("=")
                self._cookies[name] = value
                if not value:
                    del self._cookies[name]
            page = answer.read().decode(errors="replace")
            return answer.status, answer.headers.get("Location", ""), page
        finally:
            connection.close()
