"""Connecting by address: known providers, what the domain names in DNS, and DNS that lies."""

from __future__ import annotations

from lab.case import LabCase
from lab.desk import Desk
from lab.fake_dns import MX, SRV, FakeDns
from lab.postern import CONFIG, Postern

SERVICES = ("_imaps", "_imap", "_submissions", "_submission")


class DiscoverCase(LabCase):
    allow_private = True

    def setUp(self) -> None:
        super().setUp()
        self.dns = FakeDns()
        self.addCleanup(self.dns.close)
        allowed = CONFIG if self.allow_private else "\n[egress]\n"
        self.server, self.desk = self.running(
            config=f'{allowed}name_servers = ["127.0.0.1:{self.dns.port}"]\n'
        )

    def discover(self, address: str) -> dict:
        body = {"address": address}
        return self.desk.api.post("/v1/integrations/discover", body).expect(200).json

    def codes(self, found: dict) -> list[str]:
        return [notice["code"] for notice in found["notices"]]


class PresetTest(DiscoverCase):
    def test_known_provider_is_not_looked_up(self):
        found = self.discover("maya@gmail.com")
        self.assertEqual(found["source"], "preset")
        self.assertEqual(found["provider"]["sign_in"], "app_password")
        self.assertIn("2-Step Verification", found["provider"]["steps"][0])
        self.assertEqual(
            found["config"]["imap"], {"host": "imap.gmail.com", "port": 993, "tls": "implicit"}
        )
        self.assertEqual(found["config"]["username"], "maya@gmail.com")
        self.assertTrue(found["connectable"])
        self.assertEqual(self.dns.questions, [])

    def test_microsoft_wants_oauth_by_domain_and_by_mail_exchanger(self):
        self.dns.mx("brand.example", "brand-example.mail.protection.outlook.com")
        for address, source in (("maya@outlook.com", "preset"), ("maya@brand.example", "mx")):
            found = self.discover(address)
            self.assertEqual((found["source"], found["connectable"]), (source, False))
            self.assertIn("oauth_required", self.codes(found))

    def test_hosted_domain_is_recognised(self):
        self.dns.mx("brand.example", "aspmx.l.google.com", 1)
        found = self.discover("maya@brand.example")
        self.assertEqual((found["source"], found["provider"]["id"]), ("mx", "gmail"))
        self.assertEqual(found["config"]["smtp"]["host"], "smtp.gmail.com")

    def test_what_is_no_address_or_says_too_much_is_refused(self):
        for body in (
            {}, {"address": ""}, {"address": "maya"}, {"address": "a@b@c"}, {"address": 5},
            {"address": "maya@brand.example\r\nX: y"}, {"address": "x" * 250 + "@brand.example"},
            {"address": "maya@brand.example", "password": "secret"},
        ):
            self.desk.api.post("/v1/integrations/discover", body).expect(422)
        self.assertEqual(self.dns.questions, [])

    def test_only_who_may_connect_may_ask(self):
        self.server.stop()
        reader = self.server.token(role="reader")
        self.server.start()
        Desk(self.server.api(reader), self.lab).api.post(
            "/v1/integrations/discover", {"address": "maya@brand.example"}
        ).expect(403)


class SrvTest(DiscoverCase):
    def test_mailbox_is_connected_with_what_was_discovered(self):
        maya = self.person()
        lab = self.lab
        self.dns.srv("_imaps._tcp.brand.example", "localhost", lab.dovecot.imaps_port)
        self.dns.srv("_submission._tcp.brand.example", "localhost", lab.postfix.submission_port)
        found = self.discover(maya.address)
        self.assertEqual((found["source"], found["connectable"]), ("srv", True))
        self.assertEqual(self.codes(found), ["outside_domain"])
        self.assertEqual(found["notices"][0]["host"], "localhost")
        self.assertTrue(found["needs_confirmation"])
        config = {**found["config"], "username": maya.name, "tls_ca_pem": lab.ca_pem}
        body = {
            "kind": "imap", "name": "Maya", "level": "replies", "generate": True,
            "config": config, "credential": {"password": maya.password},
        }
        self.desk.api.post("/v1/integrations", body).expect(201)

    def test_only_the_domain_goes_to_the_name_server(self):
        self.discover("maya.secret-person@brand.example")
        asked = [(f"{service}._tcp.brand.example", SRV) for service in SERVICES]
        self.assertEqual(self.dns.questions, [*asked, ("brand.example", MX)])
        self.assertNotIn(b"secret-person", b"".join(self.dns.raw))

    def test_servers_of_the_own_domain_need_no_confirmation(self):
        self.dns.srv("_imaps._tcp.brand.example", "late.brand.example", 993, priority=9)
        self.dns.srv("_imaps._tcp.brand.example", "imap.brand.example", 993)
        self.dns.srv("_submissions._tcp.brand.example", "smtp.brand.example", 465)
        found = self.discover("maya@brand.example")
        self.assertEqual(found["config"]["imap"]["host"], "imap.brand.example")
        self.assertEqual(
            found["config"]["smtp"], {"host": "smtp.brand.example", "port": 465, "tls": "implicit"}
        )
        self.assertEqual((self.codes(found), found["needs_confirmation"]), ([], False))

    def test_service_that_is_declined_is_told(self):
        self.dns.srv("_imaps._tcp.brand.example", "imap.brand.example", 993)
        self.dns.srv("_submission._tcp.brand.example", ".", 0)
        found = self.discover("maya@brand.example")
        self.assertEqual((self.codes(found), found["connectable"]), (["service_declined"], False))

    def test_nothing_in_dns_leaves_it_to_the_user(self):
        found = self.discover("maya@brand.example")
        self.assertEqual(
            (found["source"], found["config"], found["provider"]), ("none", None, None)
        )


class PrivateTest(DiscoverCase):
    allow_private = False

    def test_private_addresses_are_not_proposed_and_addresses_in_disguise_are_no_hosts(self):
        self.dns.srv("_imaps._tcp.brand.example", "localhost", 993)
        found = self.discover("maya@brand.example")
        self.assertEqual((found["config"], self.codes(found)), (None, ["private_address"]))
        for target in ("127.0.0.1", "127.1", "0x7f.1", "2130706433"):
            self.dns._records.clear()
            self.dns.srv("_imaps._tcp.brand.example", target, 993)
            self.assertIsNone(self.discover("maya@brand.example")["config"], target)


class HostileDnsTest(DiscoverCase):
    def setUp(self) -> None:
        super().setUp()
        self.dns.srv("_imaps._tcp.brand.example", "imap.brand.example", 993)

    def tricked(self, trick: str) -> dict:
        self.dns.trick["_imaps._tcp.brand.example"] = trick
        found = self.discover("maya@brand.example")
        self.assertNotIn("evil", str(found))
        self.assertEqual(self.desk.api.get("/v1/me").status, 200)
        return found

    def test_forged_answers_are_not_believed(self):
        for trick in ("wrong_id", "other_question"):
            with self.subTest(trick):
                self.assertEqual(
                    self.tricked(trick)["config"]["imap"]["host"], "imap.brand.example"
                )

    def test_long_answers_come_over_tcp(self):
        self.assertEqual(
            self.tricked("truncated")["config"]["imap"]["host"], "imap.brand.example"
        )

    def test_broken_endless_and_missing_answers_end_in_a_notice(self):
        for trick in ("loop", "bomb", "oversized", "servfail", "cut", "silent"):
            with self.subTest(trick):
                found = self.tricked(trick)
                self.assertEqual((found["config"], self.codes(found)), (None, ["dns_unreachable"]))
