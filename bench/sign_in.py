"""Signing in: how many a second beside what Argon2id allows, whether its time tells who exists,
and what a flood of sign-ins does to everybody else."""

from __future__ import annotations

import http.client
import json
import os
import random
import threading
import time
from typing import Callable

from lab.person import Person, first_owner
from lab.postern import CONFIG, Postern

from argon2 import Argon2
from bed import Bed
from figures import Figure, NotMeasured, Peer, median, percentile
from keep_alive import KeepAlive

# Everybody is in a network of their own, whose budget of wrong passwords is not what is measured.
BEHIND_A_PROXY = 'trusted_proxies = ["127.0.0.1/32"]\n' + CONFIG
GOAL_OF_ARGON2 = 0.9
GOAL_FLOOD = 2
PAIRS = 5
TURN_S = 6.0
# Free tries before somebody is slowed down; the right password forgets them.
WRONG_BEFORE_RIGHT = 4
ROUNDS = 30
FLOODING = 24
AFTER_REFUSAL_S = 0.1  # what asks is on this machine, too
ASKED = 600
ROUNDS_OF_FLOOD = 3


def measure(bed: Bed) -> list[Figure]:
    server = Postern(bed.folder("postern"), config=BEHIND_A_PROXY)
    bed.ends_with(server)
    told = server.init()
    server.start()
    owner = first_owner(server, told.setup_token)
    token = server.token()
    return [_rate(server, owner), *_timing(server, owner), *_flood(server, token)]


class SignIns:
    """Sign-ins at one connection that stays open."""

    def __init__(self, server: Postern) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        self._connection.connect()

    def close(self) -> None:
        self._connection.close()

    def one(self, email: str, password: str) -> tuple[int, float]:
        """Status, and ms until the answer was there."""
        body = json.dumps({"email": email, "password": password})
        began = time.perf_counter()
        network = random.getrandbits(16)
        self._connection.request("POST", "/v1/sessions", body=body, headers={
            "Content-Type": "application/json",
            "X-Forwarded-For": f"198.{network >> 8}.{network & 255}.1",
        })
        answer = self._connection.getresponse()
        answer.read()
        return answer.status, (time.perf_counter() - began) * 1000


def _rate(server: Postern, owner: Person) -> Figure:
    """Turn by turn with bare Argon2id, one at a time as front computes them."""
    argon2 = Argon2()
    ours, bare = [], []
    for _ in range(PAIRS):
        bare.append(argon2.per_second(TURN_S))
        ours.append(_signed_in_per_second(server, owner))
    ratios = [mine / theirs for mine, theirs in zip(ours, bare, strict=True)]
    cores = os.cpu_count() or 1
    all_cores = argon2.per_second(TURN_S, cores)
    return Figure(
        "sign_in_of_argon2", median(ratios), "of bare Argon2id", GOAL_OF_ARGON2, at_least=True,
        detail=f"{median(ours):.2f} sign-ins/s, bare {median(bare):.2f}/s one at a time, "
        f"{all_cores:.2f}/s on {cores} cores; turn by turn, {PAIRS} pairs, ratios "
        f"{min(ratios):.2f} to {max(ratios):.2f}",
        bound=f"a sign-in takes {1000 / median(ours):.0f} ms, Argon2id alone "
        f"{1000 / median(bare):.0f}; front computes one at a time",
    )


def _signed_in_per_second(server: Postern, owner: Person) -> float:
    """Several connections, so that the next one waits when one is done."""
    counts = [0] * 4
    began = time.perf_counter()

    def go_on(number: int) -> None:
        here = SignIns(server)
        while time.perf_counter() - began < TURN_S:
            status, _ = here.one(owner.email, owner.password)
            if status != 201:
                raise NotMeasured(f"a sign-in was answered {status}")
            counts[number] += 1
        here.close()

    _all_at_once([lambda n=n: go_on(n) for n in range(len(counts))])
    return sum(counts) / (time.perf_counter() - began)


def _all_at_once(work: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _timing(server: Postern, owner: Person) -> list[Figure]:
    """A wrong password of somebody who is there, and of nobody, in an order drawn anew."""
    here = SignIns(server)
    known, unknown = [], []
    for _ in range(ROUNDS):
        for number in range(WRONG_BEFORE_RIGHT):
            pair = [(known, owner.email), (unknown, f"p{random.getrandbits(64)}@brand.example")]
            random.shuffle(pair)
            for times, email in pair:
                status, took = here.one(email, f"wrong battery staple {number}")
                if status != 401:
                    raise NotMeasured(f"a wrong password was answered {status}")
                times.append(took)
        here.one(owner.email, owner.password)
    here.close()
    slower = sum(a > b for a in known for b in unknown) / (len(known) * len(unknown))
    return [
        Figure(
            "sign_in_known_of_unknown", median(known) / median(unknown),
            "median of known / of unknown",
            detail=f"{len(known)} wrong passwords of each: known p10 {percentile(known, 10):.1f}, "
            f"p50 {median(known):.1f}, p90 {percentile(known, 90):.1f} ms; unknown "
            f"{percentile(unknown, 10):.1f}, {median(unknown):.1f}, {percentile(unknown, 90):.1f}; "
            f"of two drawn the known one is slower in {slower:.2f} of cases (0.5: nothing to tell)",
        )
    ]


def _flood(server: Postern, token: str) -> list[Figure]:
    """GET /v1/me while others sign in without end, beside the same while one does nothing and the
    same while another program computes Argon2id: that is what the machine itself takes."""
    argon2 = Argon2()
    quiet, flooded, beside, statuses = [], [], [], {}
    with KeepAlive(server.port, "/v1/me", token) as client:
        for _ in range(ROUNDS_OF_FLOOD):
            quiet.append(percentile(client.times_ms(ASKED), 99))
            flooded.append(_while_all(
                lambda: percentile(client.times_ms(ASKED), 99),
                [lambda over, n=n: _sign_in_until(server, n, over, statuses)
                 for n in range(FLOODING)],
            ))
            beside.append(_while_all(
                lambda: percentile(client.times_ms(ASKED), 99),
                [lambda over: _compute_until(argon2, over)],
            ))
    if not {503, 401} <= statuses.keys():
        raise NotMeasured(f"the flood was answered {statuses}")
    ratios = [during / before for during, before in zip(flooded, quiet, strict=True)]
    of_beside = [during / other for during, other in zip(flooded, beside, strict=True)]
    return [Figure(
        "flood_p99", median(ratios), "of the quiet one", GOAL_FLOOD,
        detail=f"GET /v1/me, p99 of {ASKED}: quiet {median(quiet):.2f} ms, in the flood "
        f"{median(flooded):.2f}, beside another program's Argon2id {median(beside):.2f} "
        f"({median(of_beside):.2f} of that); {FLOODING} connections, answers {statuses}",
        bound=f"Argon2id takes a core and its cache; another program that computes it costs "
        f"{median(beside) / median(quiet):.2f} of the quiet one",
    )]


def _while_all(look: Callable[[], float], work: list[Callable[[threading.Event], None]]) -> float:
    over = threading.Event()
    threads = [threading.Thread(target=one, args=(over,)) for one in work]
    for thread in threads:
        thread.start()
    try:
        return look()
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _compute_until(argon2: Argon2, over: threading.Event) -> None:
    while not over.is_set():
        argon2.once()


def _sign_in_until(
    server: Postern, number: int, over: threading.Event, statuses: dict[int, int]
) -> None:
    here = SignIns(server)
    while not over.is_set():
        status, _ = here.one(f"p{number}-{random.getrandbits(32)}@brand.example", "x" * 12)
        statuses[status] = statuses.get(status, 0) + 1
        if status != 401:
            over.wait(AFTER_REFUSAL_S)
    here.close()
