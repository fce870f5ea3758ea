"""Bad networks before the name server and both database servers. POSTERN_CHAOS_SEED=... plays one
seed again; a failure prints its seed and schedule."""

from __future__ import annotations

from lab.chaos_case import ROUNDS_MAX, SEED, ChaosCase
from lab.chaos_dns import ChaosDns
from lab.creator import Creator
from lab.desk import Desk
from lab.fake_dns import FakeDns
from lab.postern import CONFIG
from lab.postgres import END_SESSIONS, PostgresPair
from lab.process import eventually
from lab.tls import Authority

WRITTEN_MIN = 4
# Signing in over TLS takes some 4 KB: most harm comes later.
DATABASE = {"harm": 0.9, "bytes_min": 3_000, "bytes_max": 20_000}


class DnsTest(ChaosCase):
    """Connecting by address, which asks over UDP, and over TCP what did not fit."""

    def test_discovery_ends_in_the_right_servers_or_in_none(self):
        dns = FakeDns()
        self.addCleanup(dns.close)
        chaos = self.adopt_proxy(ChaosDns(dns.port, seed=f"{SEED or '1'}/dns"))
        self.proxies.append(chaos.tcp)
        for domain in ("short.example", "long.example"):
            dns.srv(f"_imaps._tcp.{domain}", f"imap.{domain}", 993)
            dns.srv(f"_submissions._tcp.{domain}", f"smtp.{domain}", 465)
        for service in ("imaps", "imap", "submissions", "submission"):
            dns.trick[f"_{service}._tcp.long.example"] = "truncated"
        config = f'{CONFIG}name_servers = ["127.0.0.1:{chaos.port}"]\n'
        server, desk = self.running(config=config)

        def ask(number: int) -> None:
            domain = ("short.example", "long.example")[number % 2]
            self._right_or_none(self._discovered(desk, domain), domain)
            if not chaos.unstruck():
                chaos.calm()

        self.until_all_struck(chaos, chaos.tcp, go_on=ask)
        self.calm()
        for domain in ("short.example", "long.example"):
            found = self._discovered(desk, domain)
            self.assertEqual((found["source"], found["notices"]), ("srv", []))
            self.assertEqual(found["config"]["imap"]["host"], f"imap.{domain}")
            self.assertEqual(found["config"]["smtp"]["host"], f"smtp.{domain}")
        self.assertTrue(server.running)

    def _discovered(self, desk: Desk, domain: str) -> dict:
        body = {"address": f"maya@{domain}"}
        return desk.api.post("/v1/integrations/discover", body).expect(200).json

    def _right_or_none(self, found: dict, domain: str) -> None:
        """DNS has no checksum of its own: a bit that flips in a port is a port, in a letter it is
        the letter's case, and in anything else it must have been noticed."""
        if found["config"] is None:
            self.assertIn("dns_unreachable", [notice["code"] for notice in found["notices"]])
            return
        for name in ("imap", "smtp"):
            host = (found["config"].get(name) or {}).get("host")
            if host is not None:
                self.assertEqual(host.lower(), f"{name}.{domain}")


class PostgresTest(ChaosCase):
    """Both stores are reached over TCP and TLS: nothing acknowledged is lost or doubled."""

    def test_stores_over_bad_networks(self):
        seed = SEED or "1"
        authority = Authority(self.scratch / "ca", "Database CA")
        pair = PostgresPair(tls=authority.issue("database", names="DNS:localhost"))
        self.addCleanup(pair.close)
        place = pair.place()
        bulk = self.proxy(pair.bulk.port, f"{seed}/bulk", **DATABASE)
        keyring = self.proxy(pair.keyring.port, f"{seed}/keyring", **DATABASE)
        self.calm()
        config = place.config_over_tls(
            authority.pair.cert, bulk=bulk.port, keyring=keyring.port
        )
        server, desk = self.running(config=CONFIG + config)
        integration = desk.connect(self.person())
        desk.grant(integration)
        lea = Creator(self.lab, self.creator())
        for proxy in (bulk, keyring):
            proxy.storm()
        tried: list[str] = []
        written: list[str] = []

        def go_on(_: int) -> None:
            # Connections last: only those that begin anew come to new harm.
            place.bulk_sql(END_SESSIONS)
            place.keyring_sql(END_SESSIONS)
            unlocked = desk.unlock(integration)
            self.assertIn(unlocked.status, (200, 500, 503), unlocked.text)
            tried.append(f"Stored {len(tried):02}.")
            self.assertLess(len(tried), ROUNDS_MAX, "hardly anything is stored")
            reply = desk.write(integration, lea.account, tried[-1], "x")
            self.assertIn(reply.status, (201, 500, 503), reply.text)
            if reply.status == 201:
                written.append(reply.json["id"])

        self.until_all_struck(bulk, keyring, go_on=go_on)
        while len(written) < WRITTEN_MIN:
            go_on(0)
        self.calm()
        place.bulk_sql(END_SESSIONS)
        place.keyring_sql(END_SESSIONS)
        eventually(lambda: desk.unlock(integration).status == 200, "both stores are back", 60)
        self.assertTrue(written)
        for thread, message in zip(written, self.settle_all(desk, written), strict=True):
            self.assertIn(message["state"], ("sent", "unknown"), thread)
            subject = desk.thread(thread)["subject"]
            self.assertLessEqual(lea.count(subject), 1, f"{subject} twice")
            if message["state"] == "sent":
                lea.received(subject)
        self.assertTrue(server.running)
