"""Debian's Chromium without a screen, with authenticators that it plays: somebody else's half of
Web Authentication.

    with Chromium(scratch / "chromium") as chromium:
        page = chromium.page("https://postern.example")
        key = page.add_authenticator()
        credential = page.create(options)
"""

from __future__ import annotations

import base64
import http.client
import json
import pathlib
import subprocess
from typing import Any

from .devtools import DevTools, DevToolsError
from .process import eventually, spawn_child, stop_child

START_S = 60.0
# Nothing of the page itself is looked at: a document is needed for there to be an origin.
_DOCUMENT = base64.b64encode(b"<!doctype html><title>Postern</title>").decode()
_CREATE = """
navigator.credentials.create({
  publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(%s)
}).then(made => made.toJSON(), error => ({refused: error.name, why: error.message}))
"""
_GET = """
navigator.credentials.get({
  publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(%s)
}).then(shown => shown.toJSON(), error => ({refused: error.name, why: error.message}))
"""


class Refused(Exception):
    """The browser or its authenticator would not do it; `name` is the DOMException's."""

    def __init__(self, answer: dict) -> None:
        super().__init__(f"{answer['refused']}: {answer['why']}")
        self.name = answer["refused"]


class Chromium:
    """One browser with a profile of its own; it ends with its `with` block."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self._pages: list[Page] = []
        self._child: subprocess.Popen | None = None

    def __enter__(self) -> Chromium:
        self.folder.mkdir(parents=True)
        told = self.folder / "profile" / "DevToolsActivePort"
        # Its sandbox wants what root and containers do not give; it sees pages of this file only.
        self._child = spawn_child(
            [
                "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
                "--disable-dev-shm-usage", "--disable-background-networking",
                "--disable-component-update", "--disable-sync", "--no-default-browser-check",
                "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
                f"--user-data-dir={told.parent}", "--remote-debugging-address=127.0.0.1",
                "--remote-debugging-port=0", "about:blank",
            ],
            self.folder / "chromium.log", env=self._environment(),
        )
        eventually(lambda: self._has_told(told), "chromium's port", START_S)
        self._port = int(told.read_text().split("\n")[0])
        return self

    def __exit__(self, *_: object) -> None:
        for page in self._pages:
            page.close()
        if self._child:
            stop_child(self._child)

    @property
    def pid(self) -> int:
        if not self._child:
            raise AssertionError("chromium is not running")
        return self._child.pid

    def page(self, origin: str) -> Page:
        """A page of this origin, which the network is not asked for."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=START_S)
        try:
            connection.request("PUT", "/json/new?about:blank")
            target = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        page = Page(DevTools(target["webSocketDebuggerUrl"]))
        self._pages.append(page)
        page.open(origin)
        return page

    def _has_told(self, told: pathlib.Path) -> bool:
        if self._child and self._child.poll() is not None:
            log = (self.folder / "chromium.log").read_text(errors="replace")
            raise AssertionError(f"chromium ended with {self._child.returncode}:\n{log[-4000:]}")
        return told.exists() and "\n" in told.read_text()

    def _environment(self) -> dict[str, str]:
        home = str(self.folder)
        return {"PATH": "/usr/bin:/bin", "HOME": home, "TMPDIR": home, "XDG_CONFIG_HOME": home,
                "XDG_CACHE_HOME": home}


class Page:
    """A page, with the authenticators that its browser finds."""

    def __init__(self, tools: DevTools) -> None:
        self._tools = tools
        tools.on["Fetch.requestPaused"] = self._answer
        tools.call("Page.enable")
        tools.call("Runtime.enable")
        tools.call("Fetch.enable", patterns=[{"urlPattern": "*"}])
        tools.call("WebAuthn.enable")

    def open(self, origin: str) -> None:
        told = self._tools.call("Page.navigate", url=f"{origin}/")
        if "errorText" in told:
            raise DevToolsError(f"{origin}: {told['errorText']}")
        eventually(lambda: self.run("document.readyState") == "complete", f"a page of {origin}")
        if self.run("location.origin") != origin:
            raise DevToolsError(f"{origin}: the page is of {self.run('location.origin')}")

    def close(self) -> None:
        self._tools.close()

    def run(self, script: str) -> Any:
        """What the expression is, or what its promise comes to."""
        told = self._tools.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True,
            userGesture=True,
        )
        if "exceptionDetails" in told:
            raise DevToolsError(f"{script[:200]}: {told['exceptionDetails']}")
        return told["result"].get("value")

    def create(self, options: dict) -> dict:
        """A new credential as the browser says it. Raises Refused."""
        return _or_refused(self.run(_CREATE % json.dumps(options)))

    def get(self, options: dict) -> dict:
        """An assertion as the browser says it. Raises Refused."""
        return _or_refused(self.run(_GET % json.dumps(options)))

    def add_authenticator(self, **more: Any) -> str:
        """One that does at once what it is asked for; its id."""
        options = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
            "hasUserVerification": True, "isUserVerified": True,
            "automaticPresenceSimulation": True, **more,
        }
        return self._tools.call("WebAuthn.addVirtualAuthenticator", options=options)[
            "authenticatorId"
        ]

    def remove_authenticator(self, key: str) -> None:
        self._tools.call("WebAuthn.removeVirtualAuthenticator", authenticatorId=key)

    def verify_user(self, key: str, does: bool) -> None:
        self._tools.call("WebAuthn.setUserVerified", authenticatorId=key, isUserVerified=does)

    def credentials(self, key: str) -> list[dict]:
        """What is in it, private keys and all."""
        return self._tools.call("WebAuthn.getCredentials", authenticatorId=key)["credentials"]

    def put_credential(self, key: str, credential: dict) -> None:
        """In the place of the one with its id."""
        self._tools.call("WebAuthn.clearCredentials", authenticatorId=key)
        self._tools.call("WebAuthn.addCredential", authenticatorId=key, credential=credential)

    def _answer(self, paused: dict) -> None:
        is_page = paused["resourceType"] == "Document"
        self._tools.post(
            "Fetch.fulfillRequest", requestId=paused["requestId"],
            responseCode=200 if is_page else 404, body=_DOCUMENT if is_page else "",
            responseHeaders=[{"name": "Content-Type", "value": "text/html"}],
        )


def _or_refused(answer: dict) -> dict:
    if "refused" in answer:
        raise Refused(answer)
    return answer
