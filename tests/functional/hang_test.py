"""A process that hangs: nothing waits for it for ever, and what had to come to be comes to be."""

from __future__ import annotations

import os
import signal

from lab.case import LabCase
from lab.creator import Creator
from lab.postern import Postern
from lab.process import alive, eventually

# Longer than the supervisor's patience with front.
PATIENCE_S = 90.0


class KeeperHangsTest(LabCase):
    def setUp(self) -> None:
        super().setUp()
        self.server, self.desk, self.integration = self.connected(grant=True)
        _settled(self.server, 1)
        self.hanging = self.server.process("keeper")

    def test_a_cut_off_is_made_by_the_keeper_that_follows(self):
        other = self.desk.connect(self.person("otto"))
        self.desk.grant(other)
        self._stop()
        receipt = self.desk.act(self.integration, "cut-off").expect(200).json
        self.assertFalse(alive(self.hanging))
        self.assertIn("process_hangs role=keeper", self.server.log())
        steps = {step["name"]: step["result"] for step in receipt["steps"]}
        self.assertEqual(steps["shares_destroyed"], "done")
        self.assertEqual(steps["grant_keys_destroyed"], "1")
        self.assertEqual(self.desk.state(self.integration), "cut_off")
        # Leases lay in its memory only; grants do not.
        self.assertEqual(self.desk.state(other), "granted")
        eventually(lambda: self.server.api().get("/readyz").status == 200, "all processes there")
        lea = Creator(self.lab, self.creator())
        self.desk.write(other, lea.account, "Goes on", "x").expect(201)
        lea.received("Goes on")

    def test_a_lock_is_answered_and_the_lease_is_gone(self):
        self.assertEqual(self.desk.state(self.integration), "leased")
        self._stop()
        self.desk.act(self.integration, "lock").expect(204)
        self.assertFalse(alive(self.hanging))
        self.assertEqual(self.desk.state(self.integration), "granted")

    def test_one_that_goes_on_in_time_is_left_alone(self):
        self._stop()
        os.kill(self.hanging, signal.SIGCONT)
        self.desk.act(self.integration, "cut-off").expect(200)
        self.assertTrue(alive(self.hanging))
        self.assertNotIn("process_hangs", self.server.log())

    def _stop(self) -> None:
        os.kill(self.hanging, signal.SIGSTOP)


class OthersHangTest(LabCase):
    def test_a_front_that_hangs_is_replaced(self):
        server, desk, integration = self.connected(grant=True)
        _settled(server, 1)
        hanging = server.process("front")
        os.kill(hanging, signal.SIGSTOP)
        eventually(lambda: not alive(hanging), "front ended", PATIENCE_S)
        self.assertIn("process_hangs role=front", server.log())
        eventually(lambda: _ready(server), "another front")
        self.assertEqual(desk.state(integration), "leased", "leases are keeper's")


class StopTest(LabCase):
    def test_the_server_ends_over_a_process_that_hangs(self):
        server, _, _ = self.connected(grant=True)
        for starts, role in enumerate(("keeper", "courier", "front"), 1):
            with self.subTest(role):
                _settled(server, starts)
                os.kill(server.process(role), signal.SIGSTOP)
                self.assertEqual(server.stop(), 0)
                server.start()

    def test_one_that_hangs_does_not_outlive_a_killed_supervisor(self):
        server, _, _ = self.connected()
        hanging = server.process("keeper")
        os.kill(hanging, signal.SIGSTOP)
        os.kill(server.pid, signal.SIGKILL)
        server.wait_exit()
        eventually(lambda: not alive(hanging), "ended with its supervisor")


def _settled(server: Postern, starts: int) -> None:
    """The supervisor knows of all of them that they are up: front answers a little earlier."""
    eventually(lambda: server.log().count("ready http") == starts, "up")


def _ready(server: Postern) -> bool:
    try:
        return server.api().get("/readyz").status == 200
    except OSError:
        return False
