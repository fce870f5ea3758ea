"""Somebody who signs in with a browser: a cookie, a page of this server, an authenticator app."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
import time
from typing import Any

from .api import Api, Reply
from .case import LabCase
from .postern import Postern
from .process import eventually

STEP_S = 30


def time_step() -> int:
    return int(time.time()) // STEP_S


def time_code(key: str, step: int, digits: int = 6) -> str:
    """RFC 6238 with HMAC-SHA-1, by nothing of ours."""
    mac = hmac.new(base64.b32decode(key), struct.pack(">q", step), hashlib.sha1).digest()
    at = mac[-1] & 15
    number = struct.unpack(">I", mac[at : at + 4])[0] & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


class App:
    """An authenticator app that never shows a code twice: the first is of this step, the second of
    the next, which a server takes, too, and the one after that is waited for. None is of the step
    before: on a slow machine that one would be too old when it comes."""

    def __init__(self, key: str) -> None:
        self.key = key
        self._last = time_step() - 1

    def code(self) -> str:
        step = max(self._last + 1, time_step())
        eventually(lambda: time_step() + 1 >= step, "the next time step", 2 * STEP_S, 0.2)
        self._last = step
        return time_code(self.key, step)


class Browser(Api):
    """A page of this server that asks it. `cookie` is what the last answer set."""

    cookie = ""
    agent = ""

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> Reply:
        answer = super().call(method, path, body, **more)
        if made := answer.headers.get("set-cookie"):
            self.cookie = made.split(";")[0]
        return answer

    def _headers(self) -> dict[str, str]:
        page = f"localhost:{self.port}"
        cookie = {"Cookie": self.cookie} if self.cookie else {}
        agent = {"User-Agent": self.agent} if self.agent else {}
        return {"Host": page, "Origin": f"http://{page}", **cookie, **agent}


class Person:
    """Somebody at one browser."""

    def __init__(self, server: Postern, email: str, password: str) -> None:
        self.server = server
        self.email = email
        self.password = password
        self._browser = Browser("127.0.0.1", server.port)

    @property
    def cookie(self) -> str:
        return self._browser.cookie

    @cookie.setter
    def cookie(self, text: str) -> None:
        self._browser.cookie = text

    @property
    def agent(self) -> str:
        return self._browser.agent

    @agent.setter
    def agent(self, text: str) -> None:
        self._browser.agent = text

    @property
    def api(self) -> Api:
        """Where the server listens now."""
        self._browser.port = self.server.port
        return self._browser

    def try_sign_in(self) -> Reply:
        self.cookie = ""
        body = {"email": self.email, "password": self.password}
        return self.call("POST", "/v1/sessions", body)

    def sign_in(self) -> Reply:
        return self.try_sign_in().expect(201)

    def show(self, code: str) -> Reply:
        return self.call("POST", "/v1/sessions/current/proof", {"code": code})

    def show_password(self, password: str = "") -> Reply:
        body = {"password": password or self.password}
        return self.call("POST", "/v1/sessions/current/proof", body)

    def me(self) -> Reply:
        return self.call("GET", "/v1/me")

    def enrol(self, name: str = "Phone") -> tuple[App, dict]:
        """Adds an app; what its confirmation answered."""
        body = {"kind": "totp", "name": name}
        made = self.call("POST", "/v1/me/factors", body).expect(201)
        app = App(made["key"])
        told = self.call("POST", f"/v1/me/factors/{made['id']}/confirm", {"code": app.code()})
        return app, told.expect(200).json

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> Reply:
        return self.api.call(method, path, body, **more)


def first_owner(server: Postern, setup_token: str, workspace: str = "Brand") -> Person:
    """Through the set-up link; not signed in yet."""
    owner = Person(server, "olga@brand.example", "correct horse battery staple")
    body = {
        "token": setup_token, "workspace": workspace, "email": owner.email,
        "password": owner.password,
    }
    server.api().post("/v1/setup", body).expect(201)
    return owner


class PeopleCase(LabCase):
    """A server with its first owner, who has no second factor yet."""

    def setUp(self) -> None:
        super().setUp()
        self.server = self.installation()
        told = self.server.init()
        self.server.start()
        self.olga = first_owner(self.server, told.setup_token)

    def other_browser(self) -> Person:
        """Olga again, not signed in."""
        return Person(self.server, self.olga.email, self.olga.password)
