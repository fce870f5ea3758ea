"""An identity provider that does whatever a test says: what OpenID Connect Core 1.0 (sections 2 and
3.1) and RFC 6749 (sections 4.1 and 5) forbid, besides what they ask for. Written from those texts.

Nobody signs in there: `grant()` gives a code for the address that Postern sent a browser to.
"""

from __future__ import annotations

import atexit
import base64
import hashlib
import http.server
import json
import pathlib
import shutil
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse
import uuid
from typing import Any, Callable

from .process import free_port
from .tls import Authority, Pair

CLIENT_ID = "postern"
SECRET = "a secret: of the client's & more"


def coded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """An RSA key of its own, by the openssl command."""

    def __init__(self, folder: pathlib.Path, name: str) -> None:
        self.id = name
        self._file = folder / f"{name}.pem"
        subprocess.run(
            ["openssl", "genrsa", "-out", str(self._file), "2048"], check=True, capture_output=True,
        )
        shown = subprocess.run(
            ["openssl", "rsa", "-in", str(self._file), "-noout", "-modulus"], check=True,
            capture_output=True, text=True,
        ).stdout
        self._modulus = bytes.fromhex(shown.strip().removeprefix("Modulus="))

    def public(self) -> dict[str, str]:
        return {
            "kty": "RSA", "kid": self.id, "use": "sig", "alg": "RS256", "e": "AQAB",
            "n": coded(self._modulus),
        }

    def sign(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        signed = f"{coded(json.dumps(header).encode())}.{coded(json.dumps(claims).encode())}"
        signature = subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign", str(self._file)], input=signed.encode(),
            check=True, capture_output=True,
        ).stdout
        return f"{signed}.{coded(signature)}"


_shared: FakeProvider | None = None


def shared_provider() -> FakeProvider:
    """One that nothing is changed of, for as long as this test process lives."""
    global _shared
    if _shared is None:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="pst-", dir="/tmp"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        _shared = FakeProvider(folder / "idp", Authority(folder / "ca"))
        atexit.register(_shared.close)
    return _shared


class Asked:
    """What Postern sent a browser to the provider with."""

    def __init__(self, url: str) -> None:
        self.url = url
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
        self.fields = {name: values[0] for name, values in query.items()}

    def __getitem__(self, name: str) -> str:
        return self.fields[name]


class FakeProvider:
    """Serves from a thread until close(). What a test changes holds from the next request on."""

    def __init__(
        self, folder: pathlib.Path, authority: Authority, pair: Pair | None = None
    ) -> None:
        folder.mkdir()
        self.port = free_port()
        self.issuer = f"https://localhost:{self.port}"
        self.ca_pem = authority.ca_pem
        self.key = Key(folder, "key-1")
        self.published = [self.key]
        self.metadata: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }
        # What a token says besides, what its header says, what becomes of it, what is answered.
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.spoil: Callable[[str], str] = lambda token: token
        self.answer: Callable[[http.server.BaseHTTPRequestHandler], bool] = lambda _: False
        self.codes: dict[str, tuple[Asked, str]] = {}
        self.refused: list[str] = []  # why the token endpoint gave nothing
        self.seen: list[str] = []  # paths that were asked for
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        own = pair or authority.issue("fake-provider")
        context.load_cert_chain(own.cert, own.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def grant(self, url: str, subject: str) -> dict[str, str]:
        """As if that person had signed in there: what comes back in the address."""
        asked = Asked(url)
        code = uuid.uuid4().hex
        self.codes[code] = (asked, subject)
        return {"code": code, "state": asked["state"]}

    def token(self, asked: Asked, subject: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer, "sub": subject, "aud": CLIENT_ID, "iat": now, "exp": now + 300,
            "nonce": asked["nonce"], "auth_time": now, "email": f"{subject}@brand.example",
            "email_verified": True, **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": "RS256", "typ": "JWT", "kid": self.key.id, **self.header}
        return self.spoil(self.key.sign(header, claims))

    def exchange(self, authorization: str, form: dict[str, str]) -> str:
        """The token for a code (RFC 6749 section 4.1.3, RFC 7636 section 4.6); empty: refused."""
        basic = base64.b64encode(
            f"{CLIENT_ID}:{urllib.parse.quote(SECRET, safe='')}".encode()).decode()
        asked, subject = self.codes.pop(form.get("code", ""), (None, ""))
        if authorization != f"Basic {basic}":
            return self._refuse("client")
        if asked is None:
            return self._refuse("code")
        if form.get("redirect_uri") != asked["redirect_uri"]:
            return self._refuse("redirect_uri")
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if coded(verifier) != asked["code_challenge"]:
            return self._refuse("verifier")
        return self.token(asked, subject)

    def _refuse(self, why: str) -> str:
        self.refused.append(why)
        return ""

    def _handler(provider) -> type[http.server.BaseHTTPRequestHandler]:
        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

            def reply(self, status: int, body: dict[str, Any]) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self) -> None:
                provider.seen.append(self.path)
                if provider.answer(self):
                    return
                if self.path == "/.well-known/openid-configuration":
                    return self.reply(200, provider.metadata)
                if self.path == "/keys":
                    return self.reply(200, {"keys": [key.public() for key in provider.published]})
                self.reply(404, {})

            def do_POST(self) -> None:
                provider.seen.append(self.path)
                sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
                if provider.answer(self):
                    return
                form = {name: values[0] for name, values in urllib.parse.parse_qs(sent).items()}
                token = provider.exchange(self.headers.get("Authorization", ""), form)
                if not token:
                    return self.reply(400, {"error": "invalid_grant"})
                self.reply(200, {
                    "access_token": "not-for-postern", "token_type": "Bearer", "id_token": token,
                })

        return Handler
