"""Requests a second of the smallest answer there is: Postern and nginx, turn by turn."""

from __future__ import annotations

import dataclasses
import re
import subprocess

from bed import Bed, cpu_seconds
from figures import Figure, NotMeasured, Peer, median
from nginx import Nginx
from programs import needed

GOAL_OF_NGINX = 0.6
CONNECTIONS = 32
ROUNDS = 3
ROUND_S = 4


@dataclasses.dataclass(frozen=True)
class Round:
    per_second: float
    cpu_us: float


def measure(bed: Bed) -> list[Figure]:
    needed("wrk")
    server, desk = bed.running()
    answer = desk.api.get("/healthz").expect(200).text.strip()
    front = server.processes().get("front", [])
    ours, theirs = [], []
    with Nginx(bed.folder("nginx"), answer.replace("'", "")) as nginx:
        for _ in range(ROUNDS):
            ours.append(load(server.port, "/healthz", front))
            theirs.append(load(nginx.port, "/healthz", nginx.pids))
    mine, peer = (median([r.per_second for r in rounds]) for rounds in (ours, theirs))
    mine_us, peer_us = (median([r.cpu_us for r in rounds]) for rounds in (ours, theirs))
    detail = f"CPU {mine_us:.1f} us a request, nginx {peer_us:.1f}"
    bound = f"front spends {mine_us:.1f} us of processor time on a request, nginx {peer_us:.1f} us"
    return [
        Figure(
            "healthz", mine, "req/s", GOAL_OF_NGINX * peer, at_least=True,
            peers=(Peer("nginx return 200, one worker", peer),),
            detail=f"goal = {GOAL_OF_NGINX}x; wrk, {CONNECTIONS} connections, "
            f"median of {ROUNDS} rounds; {detail}",
            bound=bound,
        )
    ]


def load(port: int, path: str, pids: list[int]) -> Round:
    """One round of wrk; answers other than 2xx make it void."""
    before = cpu_seconds(pids)
    done = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{ROUND_S}s", f"http://127.0.0.1:{port}{path}"],
        capture_output=True, text=True, check=False, timeout=ROUND_S + 30,
    )
    spent = cpu_seconds(pids) - before
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    count = re.search(r"(\d+) requests in", done.stdout)
    bad = re.search(r"(Non-2xx.*|Socket errors.*)", done.stdout)
    if done.returncode != 0 or not rate or not count or not int(count[1]) or bad:
        raise NotMeasured(f"wrk on {path}: {bad[1] if bad else done.stdout + done.stderr}")
    return Round(float(rate[1]), spent / int(count[1]) * 1e6)
