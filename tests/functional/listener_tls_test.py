"""A listener with a certificate, in a process that is fenced."""

from __future__ import annotations

import http.client
import ssl

from lab.case import LabCase
from lab.process import free_port
from lab.tls import Authority


class ListenerTlsTest(LabCase):
    def test_a_fenced_front_answers_under_tls(self):
        authority = Authority(self.scratch / "ca")
        pair = authority.issue("front")
        server = self.installation(
            config=f'[tls]\ncertificate = "{pair.cert}"\nkey = "{pair.key}"\n'
        )
        server.init()
        port = free_port()
        server.start("--listen", f"0.0.0.0:{port}")
        trust = ssl.create_default_context(cadata=authority.ca_pem)
        for _ in range(2):
            asked = http.client.HTTPSConnection("127.0.0.1", port, context=trust)
            asked.request("GET", "/readyz")
            answer = asked.getresponse()
            self.assertEqual(answer.status, 200, answer.read())
            asked.close()
        self.assertNotIn("forbidden_system_call", server.log())
