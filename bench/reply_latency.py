"""From the moment a reply is delivered to the moment its event is out, quiet and busy."""

from __future__ import annotations

import threading
import time

from lab.desk import Connected, Desk
from lab.mail_servers import Account

from bed import OLD_MAILS, Bed, reply_bytes
from figures import Figure, NotMeasured, Peer, percentile
from imap_peer import ID_FIELDS, Watcher
from lmtp import Delivery, Stream

REPLIES = 40
BUSY_PER_SECOND = 20.0
P50_GOAL_MS = 600
P99_GOAL_MS = 1000
EVENT_S = 60.0


def measure(bed: Bed) -> list[Figure]:
    owner, creator = bed.full_mailbox(), bed.creator()
    _, desk = bed.running()
    integration = desk.connect(owner)
    desk.grant(integration)
    scene = _Scene(bed, desk, integration, owner, creator)
    with Watcher(bed.lab, owner, ID_FIELDS) as peer:
        quiet = scene.play("quiet", peer)
        with Stream(bed.lab, owner, BUSY_PER_SECOND, OLD_MAILS) as stream:
            busy = scene.play("busy", peer)
        if stream.failure:
            raise NotMeasured(f"the stream of other mail broke: {stream.failure!r}")
    return [
        *_figures("quiet", quiet, "one reply every 1 to 2 s"),
        *_figures("busy", busy, f"{stream.rate:.1f} other mails/s meanwhile"),
    ]


class _Times:
    """Milliseconds from delivery: our event, the peer's wake, the peer having read the fields."""

    def __init__(self) -> None:
        self.event: list[float] = []
        self.wake: list[float] = []
        self.read: list[float] = []


class _Scene:
    def __init__(
        self, bed: Bed, desk: Desk, integration: Connected, owner: Account, creator: Account
    ) -> None:
        self._bed = bed
        self._desk = desk
        self._integration = integration
        self._owner = owner
        self._creator = creator

    def play(self, name: str, peer: Watcher) -> _Times:
        """Replies one after the other into one thread; each is awaited before the next."""
        thread, mail = self._bed.first_mail(self._desk, self._integration, self._creator)
        times = _Times()
        with self._desk.api.events() as events, Delivery(self._bed.lab, self._owner) as delivery:
            got: set[str] = set()
            pause = threading.Event()
            for number in range(REPLIES):
                marker = f"{name}.{number}.{thread}@creators.example"
                raw = reply_bytes(mail, self._creator, f"Answer {number}", marker)
                delivered = delivery.put(raw, self._creator.address)
                event = events.wait_for(
                    lambda event: event.kind == "message.received" and event.names(thread)
                    and event.cursor not in got,
                    f"reply {number} of the {name} phase", EVENT_S,
                )
                got.add(event.cursor)
                seen = peer.wait_for(marker)
                times.event.append((event.at - delivered) * 1000)
                times.wake.append((seen.woken_at - delivered) * 1000)
                times.read.append((seen.read_at - delivered) * 1000)
                # Gaps of 1 to 2 s, the same in each run, out of step with the server's timers.
                next_at = delivered + 1 + (number * 0.37) % 1
                pause.wait(max(0.0, next_at - time.monotonic()))
        return times


def _figures(name: str, times: _Times, detail: str) -> list[Figure]:
    made = []
    ranks = (("p50", 50.0, P50_GOAL_MS), ("p99", 99.0, P99_GOAL_MS))
    for rank, percent, goal in ranks:
        wake, read = percentile(times.wake, percent), percentile(times.read, percent)
        made.append(
            Figure(
                f"reply_latency.{name}_{rank}", percentile(times.event, percent), "ms", goal,
                peers=(Peer("IDLE wake", wake), Peer("IDLE + header fields", read)),
                detail=f"{len(times.event)} replies, {detail}",
                bound=f"the mail server wakes an idle client {wake:.0f} ms after delivery; what "
                f"follows in Postern takes {_after(times, percent):.0f} ms",
            )
        )
    return made


def _after(times: _Times, percent: float) -> float:
    """From the peer's wake to our event, reply by reply."""
    return percentile([e - w for e, w in zip(times.event, times.wake, strict=True)], percent)
