"""Proportional set size of all processes with one mailbox connected and idle."""

from __future__ import annotations

from lab.postern import Postern
from lab.process import descendants

from bed import OLD_MAILS, Bed, Wire, pss_kib, reply_bytes, tree_pss_kib
from figures import Figure, NotMeasured, Peer
from nginx import Nginx

GOAL_MIB = 60
QUIET_S = 3.0


def measure(bed: Bed) -> list[Figure]:
    owner, lea = bed.full_mailbox(), bed.creator()
    wire = Wire(bed.lab, owner)
    server, desk = bed.running()
    integration = desk.connect(owner)
    desk.grant(integration)
    wire.settle(QUIET_S)
    mail_server = tree_pss_kib(bed.lab.dovecot.pid) / 1024
    fresh = _figure("memory.idle", server, mail_server, f"{OLD_MAILS:,} mails, connected and idle")

    thread, mail = bed.first_mail(desk, integration, lea)
    with desk.api.events() as events:
        raw = reply_bytes(mail, lea, "Yes", "memory@creators.example")
        bed.lab.deliver(owner, raw, sender=lea.address)
        events.wait_for(
            lambda event: event.kind == "message.received" and event.names(thread), "the reply", 60
        )
    wire.settle(QUIET_S)
    with Nginx(bed.folder("nginx")) as nginx:
        web = sum(pss_kib(nginx.pids).values()) / 1024
    used = _figure(
        "memory.after_use", server, mail_server, "the same after a mail was sent and answered", web
    )
    return [fresh, used]


def _figure(
    name: str, server: Postern, mail_server: float, detail: str, web: float = 0.0
) -> Figure:
    roles = _roles(server)
    peers = [Peer("Dovecot with this mailbox open", mail_server)]
    if web:
        peers.append(Peer("nginx, one worker", web))
    parts = ", ".join(f"{role} {mib:.1f}" for role, mib in roles.items())
    return Figure(
        name, sum(roles.values()), "MiB", GOAL_MIB, peers=tuple(peers),
        detail=f"{detail}: {parts}", bound=f"MiB by process: {parts}",
    )


def _roles(server: Postern) -> dict[str, float]:
    """MiB by role, greatest first. Every process of the tree must have been readable."""
    names = {pid: role for role, pids in server.processes().items() for pid in pids}
    sizes = pss_kib([server.pid, *descendants(server.pid)])
    if server.pid not in sizes or len(sizes) < 2:
        raise NotMeasured("the memory of the processes could not be read")
    roles: dict[str, float] = {}
    for pid, kib in sizes.items():
        role = names.get(pid, "other")
        roles[role] = roles.get(role, 0.0) + kib / 1024
    return dict(sorted(roles.items(), key=lambda pair: -pair[1]))
