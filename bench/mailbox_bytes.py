"""How little crosses the wire: at connect to a mailbox of 10,000 mails, and for unrelated mail."""

from __future__ import annotations

from collections import Counter

from lab.process import eventually

from bed import OLD_MAILS, Bed, Wire, reply_bytes, unrelated
from figures import Figure, NotMeasured, Peer, number
from imap_peer import ENVELOPES, THREAD_FIELDS, Watcher
from lmtp import Delivery

CONNECT_GOAL = 2048
MAIL_GOAL = 150
ONE_BY_ONE = 40
BURSTS = (("bursts_of_10", 10, 10), ("burst_of_500", 1, 500))
SENT_COPIES = 5
QUIET_S = 1.5


def measure(bed: Bed) -> list[Figure]:
    ours = _Ours(bed)
    twin = bed.full_mailbox(name="twin")
    with (
        Watcher(bed.lab, twin, ENVELOPES, all_at_connect=True) as envelopes,
        Watcher(bed.lab, twin, THREAD_FIELDS) as fields,
    ):
        connect = Figure(
            "mailbox_bytes.connect", ours.at_connect, "B", CONNECT_GOAL,
            peers=(
                Peer("envelopes+structure", envelopes.bytes_at_connect),
                Peer("header fields", fields.bytes_at_connect),
            ),
            detail=f"{OLD_MAILS:,} mails there already", bound=ours.connect_bound,
        )
        figures = [connect, ours.reconnect()]
        phases = [("one_by_one", ONE_BY_ONE, 1), *BURSTS]
        for name, bursts, size in phases:
            figures.append(_phase(bed, ours, twin, (envelopes, fields), name, bursts, size))
    ours.prove_alive()
    return figures


class _Ours:
    """The product with one mailbox, a thread in it, and a grant to read."""

    def __init__(self, bed: Bed) -> None:
        self.bed = bed
        self.owner = bed.full_mailbox()
        self.wire = Wire(bed.lab, self.owner)
        self.server, self.desk = bed.running()
        self.integration = self.desk.connect(self.owner)
        self.desk.grant(self.integration)
        self.wire.settle(QUIET_S)
        self.at_connect = self.wire.received()
        self.connect_bound = self.spent_on(Counter())
        if not self.at_connect:
            raise NotMeasured("the product opened no IMAP session at connect")
        self.lea = bed.creator()
        self.threads = [
            bed.first_mail(self.desk, self.integration, self.lea) for _ in range(SENT_COPIES)
        ]
        self.wire.settle(QUIET_S)

    def reconnect(self) -> Figure:
        """The same after a restart: now our own Sent copies are there to be found."""
        sessions = len(self.bed.lab.sessions(self.owner))
        self.server.stop()
        self.wire.settle(QUIET_S)
        before, kinds = self.wire.received(), self.wire.kinds()
        self.server.start()
        eventually(
            lambda: len(self.bed.lab.sessions(self.owner)) > sessions, "a session after the restart"
        )
        self.wire.settle(QUIET_S)
        return Figure(
            "mailbox_bytes.reconnect", self.wire.received() - before, "B", CONNECT_GOAL,
            detail=f"restart under a grant, {SENT_COPIES} Sent copies",
            bound=self.spent_on(kinds),
        )

    def spent_on(self, since: Counter[str], count: int = 1) -> str:
        """Which responses the bytes went into since then, for each of `count` mails."""
        spent = (self.wire.kinds() - since).most_common(6)
        return "bytes by response: " + ", ".join(f"{k} {number(n / count)}" for k, n in spent)

    def prove_alive(self) -> None:
        """Silence must not come from not looking: a reply at the end is still found."""
        thread, mail = self.threads[0]
        with self.desk.api.events() as events:
            raw = reply_bytes(mail, self.lea, "Yes", "alive@creators.example")
            self.bed.lab.deliver(self.owner, raw, sender=self.lea.address)
            events.wait_for(
                lambda event: event.kind == "message.received" and event.names(thread),
                "a reply after all the unrelated mail", 60,
            )


def _phase(
    bed: Bed, ours: _Ours, twin, peers: tuple[Watcher, Watcher], name: str, bursts: int, size: int
) -> Figure:
    """The same unrelated mail to both mailboxes; bytes for each mail."""
    before, kinds = ours.wire.received(), ours.wire.kinds()
    peer_before = [peer.received for peer in peers]
    already = len(peers[0].fetched)
    with Delivery(bed.lab, ours.owner) as mine, Delivery(bed.lab, twin) as theirs:
        for burst in range(bursts):
            logged = ours.wire.logged
            for place in range(size):
                serial = OLD_MAILS + already + burst * size + place
                mine.put(unrelated(serial, ours.owner.address))
                theirs.put(unrelated(serial, twin.address))
            ours.wire.grows(logged, 5.0)
            ours.wire.settle(0.3)
    count = bursts * size
    for peer in peers:
        peer.wait_count(already + count)
    ours.wire.settle(QUIET_S)
    spent = [
        (peer.received - since) / count for peer, since in zip(peers, peer_before, strict=True)
    ]
    return Figure(
        f"mailbox_bytes.{name}", (ours.wire.received() - before) / count, "B/mail", MAIL_GOAL,
        peers=(Peer("envelopes+structure", spent[0]), Peer("header fields", spent[1])),
        detail=f"{count} mails", bound=ours.spent_on(kinds, count),
    )

