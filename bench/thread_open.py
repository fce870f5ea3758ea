"""Opening a thread of 50 sealed messages over one connection."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time

from lab.creator import by_name, compose
from lab.process import eventually

from bed import Bed, cpu_seconds
from figures import Figure, NotMeasured, Peer, median, percentile
from keep_alive import KeepAlive
from nginx import Nginx

GOAL_MS = 3
PAIRS = 25
REQUESTS = 300
WORDS = "We would be glad to see how you would show it, in your own words and pictures. " * 6


def measure(bed: Bed) -> list[Figure]:
    server, desk = bed.running()
    thread = _fill(bed, desk)
    body = desk.api.get(f"/v1/threads/{thread}").expect(200).body
    if len(json.loads(body)["messages"]) != 2 * PAIRS:
        raise NotMeasured(f"the thread shows {len(json.loads(body)['messages'])} messages")
    roles = server.processes()
    before = {role: cpu_seconds(pids) for role, pids in roles.items()}
    with KeepAlive(server.port, f"/v1/threads/{thread}", desk.api.token) as ours:
        times = ours.times_ms(REQUESTS)
    spent = {role: cpu_seconds(pids) - before[role] for role, pids in roles.items()}
    with KeepAlive(server.port, "/v1/me", desk.api.token) as plain:
        floor = median(plain.times_ms(REQUESTS))
    with Nginx(bed.folder("nginx")) as nginx:
        (nginx.www / "thread.json").write_bytes(body)
        with KeepAlive(nginx.port, "/thread.json") as static:
            file_ms = median(static.times_ms(REQUESTS))
    cpu = ", ".join(
        f"{role} {seconds / REQUESTS * 1000:.2f}" for role, seconds in spent.items() if seconds
    )
    return [
        Figure(
            "thread_open", median(times), "ms", GOAL_MS,
            peers=(
                Peer("nginx, same bytes from a file", file_ms),
                Peer("sqlite3 in Python, 50 rows and JSON, nothing sealed", _sqlite_ms(bed, body)),
                Peer("GET /v1/me", floor),
            ),
            detail=f"p50 of {REQUESTS}, p99 {percentile(times, 99):.2f} ms; {2 * PAIRS} messages, "
            f"{len(body):,} bytes",
            bound=f"GET /v1/me takes {floor:.2f} ms; ms of CPU a request by process: {cpu}",
        )
    ]


def _fill(bed: Bed, desk) -> str:
    """25 mails written and 25 real replies to them, in one thread; its id."""
    owner, lea = bed.person(), bed.creator()
    integration = desk.connect(owner)
    desk.grant(integration)
    thread, first = bed.first_mail(desk, integration, lea)
    for number in range(1, PAIRS):
        text = f"Message {number}. {WORDS}"
        desk.api.post(f"/v1/threads/{thread}/messages", {"text": text}).expect(201)
    bed.lab.arrived(lea, count=PAIRS, deadline_s=120)
    client = by_name("gmail_android")
    replies = [compose(client, first, lea, f"Answer {n}. {WORDS}") for n in range(PAIRS)]
    bed.lab.deliver(owner, *replies, sender=lea.address)
    desk.incoming(thread, PAIRS, deadline_s=120)
    eventually(
        lambda: all(m["state"] in ("sent", "received") for m in desk.thread(thread)["messages"]),
        "every message sent or received",
    )
    return thread


def _sqlite_ms(bed: Bed, body: bytes) -> float:
    """The floor of any program that keeps messages in rows: read them, parse, write JSON."""
    messages = json.loads(body)["messages"]
    base = sqlite3.connect(bed.folder("sqlite") / "messages.db")
    base.execute("CREATE TABLE message (id TEXT PRIMARY KEY, thread TEXT, body BLOB)")
    base.execute("CREATE INDEX by_thread ON message (thread)")
    for message in messages:
        row = (secrets.token_hex(16), "t", json.dumps(message).encode())
        base.execute("INSERT INTO message VALUES (?, ?, ?)", row)
    base.commit()
    times = []
    for _ in range(REQUESTS):
        began = time.perf_counter()
        rows = base.execute("SELECT body FROM message WHERE thread = 't'").fetchall()
        json.dumps({"messages": [json.loads(row[0]) for row in rows]})
        times.append((time.perf_counter() - began) * 1000)
    base.close()
    return median(times)
