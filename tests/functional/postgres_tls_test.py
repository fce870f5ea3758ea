"""Stores on clusters that are reached by name over TLS: verified, or not used at all."""

from __future__ import annotations

import signal

from lab.case import LabCase
from lab.postern import CONFIG
from lab.postgres import PostgresPair
from lab.process import eventually, free_port
from lab.tls import Authority


class PostgresTlsTest(LabCase):
    def clusters(self, names: str = "DNS:localhost") -> None:
        self.authority = Authority(self.scratch / "database-ca", "Database CA")
        self.pair = PostgresPair(tls=self.authority.issue("database", names=names))
        self.addCleanup(self.pair.close)

    def config(self, *, ca: str = "", dead: bool = False) -> str:
        place = self.pair.place()
        ca = ca or str(self.authority.pair.cert)
        parts = []
        for head, cluster, password in (
            ('[store]\nkind = "postgresql"', self.pair.bulk, place.bulk_password),
            ("[store.keyring]", self.pair.keyring, place.keyring_password),
        ):
            hosts = [f"localhost:{free_port()}"] if dead else []
            hosts.append(f"localhost:{cluster.port}")
            listed = ", ".join(f'"{host}"' for host in hosts)
            parts.append(
                f'{head}\nhosts = [{listed}]\ndatabase = "{place.database}"\n'
                f'user = "{place.database}"\npassword_file = "{password}"\nca_file = "{ca}"\n'
            )
        return CONFIG + "\n".join(parts)

    def refused(self, config: str) -> str:
        server = self.installation(config=config)
        done = server.run("init", "--data", str(server.data))
        self.assertNotEqual(done.returncode, 0)
        return done.stderr

    def test_story_by_name_with_a_dead_address_in_front(self):
        self.clusters()
        server, desk = self.running(config=self.config(dead=True))
        integration = desk.connect(self.person())
        lea = self.creator()
        thread = desk.write(integration, lea, "Hello", "x").expect(201)["id"]
        desk.sent(thread)
        self.pair.bulk.stop(signal.SIGQUIT)
        self.pair.bulk.start()
        eventually(
            lambda: desk.write(integration, lea, "Again", "x").status == 201, "the store is back"
        )
        desk.act(integration, "cut-off").expect(200)
        self.assertNotIn("forbidden_system_call", server.log())
        sessions = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) " \
                   "WHERE application_name LIKE 'postern%'"
        self.assertEqual(self.pair.keyring.sql(sessions).strip(), "t")

    def test_certificate_of_another_authority_is_refused(self):
        self.clusters()
        other = Authority(self.scratch / "other-ca", "Another CA")
        self.assertIn("store_unreachable", self.refused(self.config(ca=str(other.pair.cert))))

    def test_certificate_for_another_name_is_refused(self):
        self.clusters("DNS:elsewhere.example")
        self.assertIn("store_unreachable", self.refused(self.config()))
