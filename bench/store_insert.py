"""Rows a second into PostgreSQL: our layer beside libpq's pipeline alone, in one run."""

from __future__ import annotations

import pathlib
import subprocess

from bed import Bed
from figures import Figure, NotMeasured, Peer
from lab.postern import binary
from lab.postgres import ADMIN, Cluster

GOAL = 0.7


def program() -> pathlib.Path:
    folder = binary().parent
    found = next(iter(sorted(folder.rglob("store_insert_bench"))), None)
    if found is None:
        raise NotMeasured(
            f"no store_insert_bench below {folder}: configure with -DPOSTERN_BENCH=ON and build it"
        )
    return found


def measure(_: Bed) -> list[Figure]:
    cluster = Cluster("max_wal_size=4GB")
    try:
        cluster.start()
        cluster.sql("CREATE DATABASE bench")
        done = subprocess.run(
            [str(program()), str(cluster.folder), "bench", ADMIN],
            capture_output=True, text=True, check=True, timeout=300,
        )
    finally:
        cluster.close()
    told = dict(line.split() for line in done.stdout.splitlines())
    ours, raw = float(told["ours"]), float(told["raw"])
    return [Figure(
        "store_insert", ours, "rows/s", goal=GOAL * raw, at_least=True,
        peers=(Peer("libpq pipeline alone", raw),),
        detail=f"goal = {GOAL}x; 300-byte rows, 2,000 in a transaction, fsync on, median of 5",
        bound="one command a row on the wire, as libpq alone; the rest is our queue",
    )]
