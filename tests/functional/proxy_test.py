"""Postern behind nginx, configured as docs/operating.md says."""

from __future__ import annotations

import http.client
import json
import ssl

from lab.api import Events
from lab.case import LabCase
from lab.creator import Creator
from lab.desk import Desk
from lab.nginx import Nginx
from lab.postern import CONFIG
from lab.tls import Authority

NAME = "postern.example"
PROXIED = 'public_url = "https://postern.example"\ntrusted_proxies = ["127.0.0.1/32"]\n' + CONFIG
PASSWORD = "correct horse battery staple"


class ProxyTest(LabCase):
    def behind_nginx(self, config: str):
        server = self.installation(config=config)
        self.setup_token = server.init().setup_token
        server.start()
        authority = Authority(self.scratch / "ca")
        pair = authority.issue("front", names=f"DNS:{NAME}")
        self.trust = ssl.create_default_context(cadata=authority.ca_pem)
        nginx = self.enterContext(Nginx(self.scratch / "nginx", pair, server.port))
        self.nginx_port = nginx.port
        return server

    def ask(self, method: str, path: str, body: dict | None = None, **headers: str):
        """One request over TLS under the public name; status, headers, body."""
        connection = _Named(self.nginx_port, self.trust)
        sent = {"Host": NAME, **{name.replace("_", "-"): value for name, value in headers.items()}}
        data = None
        if body is not None:
            sent["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        try:
            connection.request(method, path, body=data, headers=sent)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def sign_in(self) -> str:
        """Makes the owner through the proxy; the cookie that signing in sets."""
        owner = {"workspace": "Brand", "email": "olga@brand.example", "password": PASSWORD}
        status, _, said = self.ask("POST", "/v1/setup", {**owner, "token": self.setup_token})
        self.assertEqual(status, 201, said)
        del owner["workspace"]
        status, headers, said = self.ask("POST", "/v1/sessions", owner)
        self.assertEqual(status, 201, said)
        return headers["Set-Cookie"]

    def test_the_public_name_is_served_as_https(self):
        self.behind_nginx(PROXIED)
        cookie = self.sign_in()
        self.assertTrue(cookie.startswith("__Host-postern="), cookie.split("=")[0])
        self.assertIn("Secure", cookie)
        pair = cookie.split(";")[0]
        status, headers, _ = self.ask("GET", "/v1/me", Cookie=pair)
        self.assertEqual(status, 200)
        self.assertIn("max-age", headers["Strict-Transport-Security"])
        own, other = f"https://{NAME}", "https://elsewhere.example"
        for origin, wanted in ((other, 403), (own, 204)):
            status, _, said = self.ask(
                "DELETE", "/v1/sessions/current", Cookie=pair, Origin=origin
            )
            self.assertEqual(status, wanted, said)

    def test_pages_are_not_redirected_to_localhost(self):
        self.behind_nginx(PROXIED)
        status, _, page = self.ask("GET", f"/setup?token={self.setup_token}")
        self.assertEqual(status, 200)
        self.assertIn(b"<form", page)

    def test_metrics_stay_on_the_machine(self):
        server = self.behind_nginx(PROXIED)
        self.assertEqual(self.ask("GET", "/metrics")[0], 404)
        self.assertIn("postern_", server.metrics())

    def test_health_is_served(self):
        self.behind_nginx(PROXIED)
        self.assertEqual(self.ask("GET", "/healthz")[0], 200)
        self.assertEqual(self.ask("GET", "/readyz")[0], 200)

    def test_another_name_is_not_served(self):
        self.behind_nginx(PROXIED)
        self.assertEqual(self.ask("GET", "/v1/me", Host="elsewhere.example")[0], 421)

    def test_an_undeclared_proxy_is_not_believed(self):
        """Whoever writes the headers themselves gains nothing: the connection is what counts."""
        server = self.behind_nginx(CONFIG)
        token = server.token()
        answer = server.api(token).get("/v1/me", headers={
            "Host": f"localhost:{server.port}", "X-Forwarded-Proto": "https",
            "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": NAME,
        }).expect(200)
        self.assertNotIn("strict-transport-security", answer.headers)
        self.assertEqual(self.ask("GET", "/v1/me", Authorization=f"Bearer {token}")[0], 421)

    def test_events_come_through_as_they_happen(self):
        server = self.behind_nginx(PROXIED)
        token = server.token()
        desk = Desk(server.api(token), self.lab)
        integration = desk.connect(self.person())
        lea = Creator(self.lab, self.creator())
        connection = _Named(self.nginx_port, self.trust)
        connection.request("GET", "/v1/events", headers={
            "Host": NAME, "Authorization": f"Bearer {token}", "Accept": "text/event-stream",
        })
        with Events(connection) as events:
            thread = desk.write(integration, lea.account, "News", "Hello").expect(201)
            events.wait_for(
                lambda event: event.kind == "message.state" and event.names(thread["id"]), "sent"
            )


class _Named(http.client.HTTPSConnection):
    """Connects to nginx's port on loopback, and asks and checks for the public name."""

    def __init__(self, port: int, trust: ssl.SSLContext) -> None:
        super().__init__("127.0.0.1", port, timeout=60, context=trust)
        self._trust = trust

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        self.sock = self._trust.wrap_socket(self.sock, server_hostname=NAME)
