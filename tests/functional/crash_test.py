"""Kill -9 wherever it hurts: never a half state, a mail never twice and never lost."""

from __future__ import annotations

import itertools
import os
import pathlib
import signal
from typing import Callable

from lab import codes
from lab.api import Reply, new_key
from lab.case import LabCase
from lab.creator import Creator
from lab.desk import Connected, Desk
from lab.postern import ROLES
from lab.process import alive, eventually
from lab.scripted_smtp import CLOSE, CLOSE_AFTER, HANG, ScriptedSmtp
from lab.shim import ShimCase, Swept

NEW_SECRET = "maple-lantern-quartz-breeze-77"
# A bound on the sweep only: it ends by itself at the first operation that outlives the injection.
SYNC_POINTS_MAX = 60
SYNCS = ("sync",)
ATTEMPTS = 5
# Threads share a commit or do not: only what the shortest run made is made by every run.
COUNTS = 5
OPERATION_S = 20.0


class SweepCase(ShimCase):
    """Runs an operation again and again on copies of one prepared store, killing `role` at its
    first, second, third... sync until the server has ended without one more: those of all its
    threads are counted together."""

    def setUp(self) -> None:
        super().setUp()
        self.prepared, desk, self.integration = self.connected(grant=True)
        self.token = desk.api.token
        self.prepared.stop()

    def sweep(
        self, role: str, operation: Callable[[Desk], Reply],
        check: Callable[[Desk, bool, str], None],
    ) -> None:
        counted = min(self._count(role, operation, run) for run in range(COUNTS))
        self.assertGreater(counted, 0, f"{role} made no sync: the sweep proves nothing")
        hit = []
        for point in range(1, SYNC_POINTS_MAX + 1):
            try:
                died = self._crash_at(role, point, operation, check)
            except AssertionError as broken:
                raise AssertionError(f"{role} killed at its sync {point}: {broken}") from broken
            if died:
                hit.append(point)
            elif point > counted:
                break
        else:
            self.fail(f"{role} still synced after {SYNC_POINTS_MAX} points")
        self.assertEqual(hit[:counted], list(range(1, counted + 1)), f"{counted} were counted")

    def _count(self, role: str, operation: Callable[[Desk], Reply], run: int) -> int:
        """How many syncs the role makes from the operation's begin to the server's end."""
        server, desk = self._begin(f"{role}-counted-{run}")
        server.plan.arm(role, kinds=SYNCS)
        operation(desk).expect(200, 201)
        server.stop()
        server.close()
        return server.plan.chosen(role)

    def _crash_at(self, role: str, point: int, operation, check) -> bool:
        """Whether it was killed there; threads that run otherwise are given other chances."""
        for attempt in range(ATTEMPTS):
            server, desk = self._begin(f"{role}-{point}-{attempt}")
            server.plan.arm(role, "kill", point, kinds=SYNCS)
            acknowledged = self._try(lambda: operation(desk))
            died = bool(server.plan.fired)
            self.assertTrue(acknowledged or died, "no answer, and nobody was killed")
            server.end(OPERATION_S)
            died = bool(server.plan.fired)
            server.plan.disarm()
            server.start()
            check(desk, acknowledged, f"{role}-{point}")
            server.stop()
            server.close()
            if died:
                return True
        return False

    def _begin(self, name: str) -> tuple[Swept, Desk]:
        server = self.copy(self.prepared, name)
        server.start()
        return server, Desk(server.api(self.token), self.lab)

    def _try(self, operation: Callable[[], Reply]) -> bool:
        """Whether the operation was acknowledged; a cut connection or a 5xx is no answer."""
        try:
            return operation().status < 300
        except (OSError, AssertionError):
            return False


class CutOffSweepTest(SweepCase):
    def test_keeper_killed_at_each_sync_of_a_cut_off(self):
        self.sweep("keeper", self._cut_off, self._whole)

    def test_front_killed_at_each_sync_of_a_cut_off(self):
        self.sweep("front", self._cut_off, self._whole)

    def _cut_off(self, desk: Desk) -> Reply:
        return desk.act(self.integration, "cut-off", deadline_s=OPERATION_S)

    def _whole(self, desk: Desk, acknowledged: bool, place: str) -> None:
        state = desk.state(self.integration)
        unlocked = desk.unlock(self.integration)
        if acknowledged:
            self.assertEqual(state, "cut_off", place)
        if state == "cut_off":
            unlocked.expect(410, code=codes.CUT_OFF)
        else:
            unlocked.expect(200)
            desk.act(self.integration, "cut-off").expect(200)
            self.assertEqual(desk.state(self.integration), "cut_off")


class ResealSweepTest(SweepCase):
    def test_keeper_killed_at_each_sync_of_a_reseal(self):
        self.sweep("keeper", self._reseal, self._whole)

    def test_front_killed_at_each_sync_of_a_reseal(self):
        self.sweep("front", self._reseal, self._whole)

    def _reseal(self, desk: Desk) -> Reply:
        body = {"shared_secret": self.integration.secret, "new_shared_secret": NEW_SECRET}
        return desk.act(self.integration, "reseal", body, deadline_s=OPERATION_S)

    def _whole(self, desk: Desk, acknowledged: bool, place: str) -> None:
        """Exactly one of the two secrets opens, and the credential behind it still works."""
        old = desk.unlock(self.integration)
        new = desk.unlock(self.integration, NEW_SECRET)
        opens = [answer.status == 200 for answer in (old, new)]
        self.assertEqual(sum(opens), 1, f"{place}: old {old}, new {new}")
        if acknowledged:
            self.assertTrue(opens[1], f"{place}: acknowledged, but {new}")
        self.assertEqual(desk.state(self.integration), "leased")
        creator = Creator(self.lab, self.creator())
        desk.write(self.integration, creator.account, "Still works", "x").expect(201)
        creator.received("Still works")


class SendSweepTest(SweepCase):
    def setUp(self) -> None:
        super().setUp()
        self.numbers = itertools.count()

    def test_front_killed_at_each_sync_of_a_send(self):
        self.sweep("front", self._send, self._once)

    # Courier syncs nothing: FinalDotTest kills it at the stages that matter.

    def _send(self, desk: Desk) -> Reply:
        self.creator_now = Creator(self.lab, self.creator())
        self.subject = f"Once {next(self.numbers)}"
        self.key = new_key()
        answer = self._write(desk)
        if answer.status == 201:
            desk.settled(answer["id"], deadline_s=OPERATION_S)
        return answer

    def _write(self, desk: Desk) -> Reply:
        return desk.write(
            self.integration, self.creator_now.account, self.subject, "x", key=self.key
        )

    def _once(self, desk: Desk, acknowledged: bool, place: str) -> None:
        """After the restart the client repeats its request: one thread, one mail."""
        answer = self._write(desk).expect(201)
        message = desk.settled(answer["id"])
        threads = [
            item for item in desk.api.get("/v1/threads").json["items"]
            if item["id"] == answer["id"] or item.get("subject") == self.subject
        ]
        self.assertEqual(len(threads), 1, place)
        if message["state"] == "sent":
            self.creator_now.received(self.subject)
        self.assertIn(message["state"], ("sent", "unknown"), place)
        # Any second copy would come before this later mail, on the same way.
        desk.write(self.integration, self.creator_now.account, "Barrier", "x").expect(201)
        self.creator_now.received("Barrier")
        self.assertLessEqual(self.creator_now.count(self.subject), 1, place)


class FinalDotTest(LabCase):
    """The one moment when a sender cannot know: after the final dot and before the answer to it."""

    def setUp(self) -> None:
        super().setUp()
        self.smtp = ScriptedSmtp(self.lab.pair)
        self.addCleanup(self.smtp.close)
        self.server, self.desk, self.integration = self.connected(
            grant=True, smtp={"port": self.smtp.port}
        )

    def test_connection_lost_after_the_final_dot_is_unknown_and_not_sent_again(self):
        self.smtp.script["dot"] = CLOSE_AFTER
        thread = self._write("Dot").expect(201)
        self.assertEqual(self.desk.settled(thread["id"])["state"], "unknown")
        self._stays_alone(thread["id"])

    def test_courier_killed_between_the_final_dot_and_its_answer(self):
        self.smtp.script["dot"] = HANG
        thread = self._write("Killed").expect(201)
        self.smtp.reached("dot")
        os.kill(self.server.process("courier"), signal.SIGKILL)
        self.assertEqual(self.desk.settled(thread["id"])["state"], "unknown")
        self._stays_alone(thread["id"])

    def test_everything_killed_between_the_final_dot_and_its_answer(self):
        self.smtp.script["dot"] = HANG
        thread = self._write("All").expect(201)
        self.smtp.reached("dot")
        self.server.kill()
        self.smtp.drop_connections()
        self.server.start()
        self.assertEqual(self.desk.settled(thread["id"])["state"], "unknown")
        self._stays_alone(thread["id"])

    def test_killed_before_the_final_dot_it_is_sent_once(self):
        for stage in ("mail", "rcpt", "data"):
            with self.subTest(stage):
                self.smtp.mails.clear()
                self.smtp.stages.clear()
                self.smtp.script = {stage: HANG}
                thread = self._write(f"Before {stage}").expect(201)
                self.smtp.reached(stage)
                self.server.kill()
                self.smtp.drop_connections()
                self.smtp.script = {}
                self.server.start()
                self.assertEqual(self.desk.settled(thread["id"])["state"], "sent")
                self.assertEqual(len(self.smtp.mails), 1)

    def test_connection_lost_before_the_final_dot_is_not_lost(self):
        self.smtp.script["data"] = CLOSE
        thread = self._write("Cut").expect(201)
        self.smtp.reached("data")
        self.smtp.script = {}
        message = self.desk.settled(thread["id"], deadline_s=180)
        if message["state"] == "sent":
            self.assertEqual(len(self.smtp.mails), 1)
        else:
            self.assertEqual((message["state"], self.smtp.mails), ("failed", []))

    def _write(self, subject: str) -> Reply:
        return self.desk.write(self.integration, self.creator(), subject, "x")

    def _stays_alone(self, thread_id: str) -> None:
        """After a restart, a re-lock and another mail, the doubtful one was handed over once."""
        before = len(self.smtp.mails)
        self.assertEqual(before, 1)
        self.smtp.drop_connections()
        self.smtp.script = {}
        self.server.kill()
        self.server.start()
        other = self._write("Another").expect(201)
        self.desk.sent(other["id"])
        self.assertEqual(len(self.smtp.mails), before + 1)
        self.assertEqual(self.desk.thread(thread_id)["messages"][0]["state"], "unknown")


class KillTest(LabCase):
    def test_each_child_is_restarted_and_the_work_goes_on(self):
        server, desk, integration = self.connected(grant=True)
        for role in ("front", "keeper", "courier"):
            with self.subTest(role):
                victim = server.process(role)
                os.kill(victim, signal.SIGKILL)
                eventually(
                    lambda: any(pid != victim for pid in server.processes().get(role, [])),
                    f"another {role}",
                )
                eventually(lambda: _reachable(desk, integration), "answers again")
                lea = Creator(self.lab, self.creator())
                thread = eventually(lambda: _written(desk, integration, lea), "a send is taken")
                (mail,) = lea.received("After it")
                lea.answer(mail, "gmail_android", "still here")
                desk.incoming(thread["id"])

    def test_children_end_with_their_supervisor(self):
        server, _, _ = self.connected()
        children = [pid for pids in server.processes().values() for pid in pids]
        os.kill(server.pid, signal.SIGKILL)
        server.wait_exit()
        eventually(lambda: not [pid for pid in children if alive(pid)], "no orphans")

    def test_acknowledged_threads_survive_a_kill(self):
        server, desk, integration = self.connected(grant=True)
        lea = Creator(self.lab, self.creator())
        ids = [
            desk.write(integration, lea.account, f"Burst {n}", "x").expect(201)["id"]
            for n in range(10)
        ]
        server.kill()
        server.start()
        for thread_id in ids:
            self.assertIn(desk.settled(thread_id)["state"], ("sent", "unknown"))
        lea.received("Burst", 1)
        for n in range(10):
            self.assertLessEqual(lea.count(f"Burst {n}"), 1)

    def test_a_lost_index_is_made_anew_and_no_creator_twice(self):
        server, desk, integration = self.connected(grant=True)
        lea = Creator(self.lab, self.creator())
        before = desk.write(integration, lea.account, "Before", "x").expect(201)
        server.kill()
        for name in ("index.db", "index.db-wal", "index.db-shm"):
            (server.data / "store" / name).unlink(missing_ok=True)
        server.start()
        after = desk.write(integration, lea.account, "After", "x").expect(201)
        self.assertEqual(after["creators"], before["creators"])
        found = desk.api.get("/v1/creators").expect(200)["items"]
        self.assertEqual(len([one for one in found if one["address"] == lea.account.address]), 1)

    def test_a_crash_leaves_no_core(self):
        server, _, _ = self.connected()
        for role in ("courier", "front", "keeper"):
            victim = server.process(role)
            os.kill(victim, signal.SIGSEGV)
            eventually(lambda pid=victim: not alive(pid), f"{role} ended")
        server.kill()
        cores = [path for path in server.folder.rglob("core*") if path.is_file()]
        self.assertEqual(cores, [])


class ProcessTest(LabCase):
    """Nobody holds everything: what the system itself says of each process."""

    def setUp(self) -> None:
        super().setUp()
        self.server, self.desk, self.integration = self.connected(grant=True)
        # A send and a reply, so that courier and reader have been at work.
        lea = Creator(self.lab, self.creator())
        thread = self.desk.write(self.integration, lea.account, "Work", "x").expect(201)
        lea.answer(lea.received("Work")[0], "gmail_web", "y")
        self.desk.incoming(thread["id"])

    def test_each_role_is_a_process_of_its_own_binary_image(self):
        roles = self.server.processes()
        for role in ROLES:
            if role != "reader":  # It serves one batch and ends.
                self.assertEqual(len(roles.get(role, [])), 1, roles)

    def test_each_role_has_a_uid_of_its_own(self):
        roles = ("front", "keeper", "courier")
        uids = {role: self._status(role, "Uid").split()[0] for role in roles}
        self.assertNotIn("0", uids.values(), uids)
        self.assertEqual(len(set(uids.values())), 3, uids)

    def test_no_role_can_gain_privileges_or_dump_core(self):
        for role in ("front", "keeper", "courier"):
            with self.subTest(role):
                self.assertEqual(self._status(role, "NoNewPrivs"), "1")
                self.assertEqual(int(self._status(role, "CapEff"), 16), 0)
                limits = self._proc(role, "limits")
                self.assertRegex(limits, r"Max core file size\s+0\s+0\s")
                owner = os.stat(f"/proc/{self.server.process(role)}/mem").st_uid
                self.assertEqual(owner, 0, "dumpable: another process of its uid could trace it")

    def test_keeper_has_no_socket_to_the_world(self):
        self.assertEqual(_inet_sockets(self.server.process("keeper")), [])

    def test_front_reaches_no_provider_and_courier_listens_nowhere(self):
        listening = _inet_sockets(self.server.process("front"))
        self.assertTrue(all(state in ("listen", "local") for state, _ in listening), listening)
        outgoing = _inet_sockets(self.server.process("courier"))
        self.assertNotIn("listen", [state for state, _ in outgoing])

    def test_courier_holds_no_file_of_the_store(self):
        for link in self._files("courier"):
            self.assertNotIn(str(self.server.data), link)

    def test_front_holds_no_file_of_the_keyring(self):
        for link in self._files("front"):
            self.assertNotIn("keyring", link)
            self.assertNotIn("root.key", link)

    def _status(self, role: str, field: str) -> str:
        lines = dict(
            line.split(":", 1) for line in self._proc(role, "status").splitlines() if ":" in line
        )
        return lines[field].strip()

    def _proc(self, role: str, file: str) -> str:
        return pathlib.Path(f"/proc/{self.server.process(role)}/{file}").read_text()

    def _files(self, role: str) -> list[str]:
        folder = pathlib.Path(f"/proc/{self.server.process(role)}/fd")
        return [os.readlink(link) for link in folder.iterdir()]


def _reachable(desk: Desk, integration: Connected) -> bool:
    """Leased or granted again, with all roles answering."""
    try:
        return desk.state(integration) in ("leased", "granted")
    except (OSError, AssertionError):
        return False


def _written(desk: Desk, integration: Connected, lea: Creator) -> Reply | None:
    """A 503 says that a part is restarting: a client tries again."""
    answer = desk.write(integration, lea.account, "After it", "x")
    return answer.expect(201) if answer.status != 503 else None


def _inet_sockets(pid: int) -> list[tuple[str, str]]:
    """(listen | local | remote, peer) of each TCP socket of a process; local = a client of ours."""
    inodes = set()
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        target = os.readlink(link)
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    listeners, open_ones = set(), []
    for table in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[9] not in inodes:
                continue
            port = int(words[1].rpartition(":")[2], 16)
            if words[3] == "0A":
                listeners.add(port)
            else:
                open_ones.append((port, words[2]))
    found = [("listen", str(port)) for port in sorted(listeners)]
    return found + [("local" if port in listeners else "remote", peer) for port, peer in open_ones]
