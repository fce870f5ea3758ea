"""Many mailboxes in one courier: memory with 50 and with 1,000, and what their server sees when it
restarts.

Fifty are at a private Dovecot. A thousand are at the scripted server of the functional lab: Dovecot
would start a thousand processes of its own, and watch mail for 128 of them only (inotify instances
of one user), so that its limits were measured and not ours.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import pathlib
import subprocess
import sys
import time
from typing import Iterator

from lab.desk import Desk
from lab.mail_servers import Account
from lab.postern import CONFIG, Postern
from lab.process import eventually, stop_child
from lab.scripted_imap import ScriptedImap
from lab.scripted_smtp import ScriptedSmtp

from bed import Bed, pss_kib, tree_pss_kib
from figures import Figure, NotMeasured, Peer

FEW, MANY = 50, 1000
FEW_GOAL_MIB, MANY_GOAL_MIB = 100, 400
BACK_GOAL_S = 60
# As src/features/mail/watches.h has it.
SIGN_INS_AT_ONE_HOST = 8
CONNECTING_S = 400.0
# What stretching a secret costs is measured elsewhere.
CHEAP = CONFIG + "\n[seal]\nargon2_memory_kib = 19456\nargon2_passes = 1\n"


def measure(bed: Bed) -> list[Figure]:
    return [_few(bed), *_many(bed)]


def _few(bed: Bed) -> Figure:
    people = [bed.person("few") for _ in range(FEW)]
    server, desk = bed.running_with(CHEAP)
    with _peer(bed, bed.lab.dovecot.imaps_port, people) as peer:
        eventually(
            lambda: all(bed.lab.dovecot.connected(one.name) for one in people), "the peer", 60, 1
        )
        peer_mib = _mib(peer)
    _connect_all(desk, people)
    _watched(server, FEW)
    ours = _sizes(server)
    return Figure(
        "mailboxes.50", sum(ours.values()), "MiB", FEW_GOAL_MIB,
        peers=(Peer("asyncio IDLE client", peer_mib),
               Peer("Dovecot with them open", tree_pss_kib(bed.lab.dovecot.pid) / 1024)),
        detail=f"{FEW} mailboxes at Dovecot, idle: {_parts(ours)}", bound=_parts(ours),
    )


def _many(bed: Bed) -> list[Figure]:
    with ScriptedImap(bed.lab.pair) as imap, ScriptedSmtp(bed.lab.pair) as smtp:
        people = [Account(f"many{n}", f"many{n}@brand.example", "pw") for n in range(MANY)]
        for one in people:
            imap.account(one.name, one.password)
        with _peer(bed, imap.port, people) as peer:
            imap.all_idle(MANY, 120)
            peer_mib = _mib(peer)
            peer_back = _restart(imap)
            peer_storm = imap.unsigned_peak
        eventually(lambda: not imap.sessions, "the peer gone", 30)
        server, desk = bed.running_with(CHEAP)
        began = time.monotonic()
        _connect_all(desk, people, imap={"port": imap.port}, smtp={"port": smtp.port})
        _watched(server, MANY)
        connecting = time.monotonic() - began
        imap.all_idle(MANY, 60)
        ours = _sizes(server)
        back = _restart(imap)
        storm, sign_ins = imap.unsigned_peak, len(imap.sign_ins)
        most = max(imap.account_peak.values())
    spent = f"{sign_ins} sign-ins for {MANY} mailboxes, at most {most} connection to each"
    return [
        Figure(
            "mailboxes.1000", sum(ours.values()), "MiB", MANY_GOAL_MIB,
            peers=(Peer("asyncio IDLE client", peer_mib),),
            detail=f"{MANY:,} mailboxes at the scripted server, connected one after the other in "
            f"{connecting:.0f} s: {_parts(ours)}", bound=_parts(ours),
        ),
        Figure(
            "mailboxes.1000_back", back, "s", BACK_GOAL_S,
            peers=(Peer("client that comes back at once", peer_back),),
            detail=f"from the restart of their server until all idle again; {spent}",
            bound="sign-ins are let in a few at a time",
        ),
        Figure(
            "mailboxes.1000_storm", storm, "connections", SIGN_INS_AT_ONE_HOST,
            peers=(Peer("client that comes back at once", peer_storm),),
            detail="most that had not signed in at one moment, counted at the server",
            bound="the bound of the gate",
        ),
    ]


def _restart(imap: ScriptedImap) -> float:
    """Seconds from the restart until everybody idles again."""
    imap.forget_counts()
    imap.stop()
    eventually(lambda: imap.idling == 0, "all cut off", 30)
    began = time.monotonic()
    imap.listen()
    imap.all_idle(MANY, 300)
    return time.monotonic() - began


def _connect_all(desk: Desk, people: list[Account], **more: dict) -> None:
    offer = {"verbs": ["send", "read_replies"], "expires_in": "P30D"}

    def connect(one: Account) -> None:
        desk.connect(one, keep_working=offer, **{name: dict(part) for name, part in more.items()})

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(connect, one) for one in people]:
            done.result(CONNECTING_S)


def _watched(server: Postern, count: int) -> None:
    wanted = f"\npostern_mailboxes_watched {count}\n"
    eventually(lambda: wanted in server.metrics(), f"{count} watched", 120, 0.5)


def _sizes(server: Postern) -> dict[str, float]:
    """MiB by role."""
    found = {
        role: sum(pss_kib(pids).values()) / 1024 for role, pids in server.processes().items()
    }
    if not all(found.get(role) for role in ("front", "courier", "keeper", "supervisor")):
        raise NotMeasured("the memory of the processes could not be read")
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))


def _parts(sizes: dict[str, float]) -> str:
    return ", ".join(f"{role} {mib:.1f}" for role, mib in sizes.items())


def _mib(child: subprocess.Popen) -> float:
    return tree_pss_kib(child.pid) / 1024


@contextlib.contextmanager
def _peer(bed: Bed, port: int, people: list[Account]) -> Iterator[subprocess.Popen]:
    script = pathlib.Path(__file__).resolve().parent / "idle_peer.py"
    child = subprocess.Popen(
        [sys.executable, str(script), str(port), str(bed.lab.authority.pair.cert)],
        stdin=subprocess.PIPE,
    )
    try:
        child.stdin.write("".join(f"{one.name} {one.password}\n" for one in people).encode())
        child.stdin.close()
        yield child
    finally:
        stop_child(child)
