"""From exec to the first 200: Postern with a connected mailbox, and nginx."""

from __future__ import annotations

import http.client
import time
from typing import Callable

from lab.process import eventually

from bed import Bed
from figures import Figure, NotMeasured, Peer, median
from nginx import Nginx

GOAL_S = 0.5
RUNS = 10
GIVE_UP_S = 30.0


def measure(bed: Bed) -> list[Figure]:
    server, desk = bed.running()
    integration = desk.connect(bed.person())
    desk.grant(integration)
    server.stop()
    ours, theirs = [], []
    nginx = Nginx(bed.folder("nginx"))
    for _ in range(RUNS):
        ours.append(_until_ready(server.spawn, server.port, "/readyz"))
        server.stop()
        theirs.append(_until_ready(nginx.spawn, nginx.port, "/healthz"))
        nginx.stop()
    server.start()
    if desk.state(integration) not in ("granted", "leased"):
        raise NotMeasured("the mailbox did not come back after the restarts")
    return [
        Figure(
            "start", median(ours), "s", GOAL_S, peers=(Peer("nginx", median(theirs)),),
            detail=f"median of {RUNS}, {min(ours):.3g} to {max(ours):.3g}; a mailbox under a grant",
            bound=f"fastest of {RUNS} starts {min(ours):.3g} s, slowest {max(ours):.3g} s",
        )
    ]


def _until_ready(spawn: Callable[[], object], port: int, path: str) -> float:
    began = time.monotonic()
    spawn()
    eventually(
        lambda: _answers(port, path), f"200 from {path} after a start", GIVE_UP_S, interval_s=0.001
    )
    return time.monotonic() - began


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
