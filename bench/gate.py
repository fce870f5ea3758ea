"""What it costs a request to be asked who it is of and whether it may."""

from __future__ import annotations

from lab.person import first_owner
from lab.postern import Postern

from bed import Bed, cpu_seconds
from figures import Figure, Peer, median
from keep_alive import KeepAlive
from micro_programs import run_bench

GOAL_US = 15
PAIRS = 15
REQUESTS = 400


def measure(bed: Bed) -> list[Figure]:
    server = Postern(bed.folder("postern"))
    bed.ends_with(server)
    told = server.init()
    server.start()
    owner = first_owner(server, told.setup_token)
    owner.sign_in()
    alone = run_bench("gate_bench")
    figures = []
    for name, shown in (
        ("token", f"Authorization: Bearer {server.token()}\r\n"),
        ("session", f"Cookie: {owner.cookie}\r\n"),
    ):
        more, cpu = _over_http(server, shown)
        mine = f"gate_{name}"
        figures.append(Figure(
            mine, alone[mine], "us", GOAL_US,
            peers=(Peer("a read of the store that reads nothing", alone["empty_read"]),),
            detail=f"in turns with the same call without the gate, in one process: "
            f"{alone[mine + '_least']:.1f} to {alone[mine + '_most']:.1f}; over HTTP, the same "
            f"answer below /v1 and elsewhere, {PAIRS} pairs of {REQUESTS}: {median(more):.0f} us "
            f"({min(more):.0f} to {max(more):.0f}), {median(cpu):.0f} us of front's processor time",
            bound=f"a read of the store runs on a thread of its own: {alone['empty_read']:.1f} us "
            f"before anything is read",
        ))
    return figures


def _over_http(server: Postern, shown: str) -> tuple[list[float], list[float]]:
    """us that each request takes longer, and us of front's processor time, pair by pair. Nothing is
    at either path; below /v1 nobody is told so before they have said who they are."""
    front = server.processes()["front"]
    lines = f"Host: localhost:{server.port}\r\n{shown}"
    more, cpu = [], []
    with (
        KeepAlive(server.port, "/v1/nowhere", lines=lines, status=404) as asked,
        KeepAlive(server.port, "/nowhere", lines=lines, status=404) as bare,
    ):
        for _ in range(PAIRS):
            with_gate, cpu_with = _turn(asked, front)
            without, cpu_without = _turn(bare, front)
            more.append((with_gate - without) * 1000)
            cpu.append(cpu_with - cpu_without)
    return more, cpu


def _turn(client: KeepAlive, pids: list[int]) -> tuple[float, float]:
    """Median ms of a request, and us of processor time."""
    before = cpu_seconds(pids)
    times = client.times_ms(REQUESTS)
    return median(times), (cpu_seconds(pids) - before) / (REQUESTS + 20) * 1e6
