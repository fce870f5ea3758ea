"""Rows a second into PostgreSQL: our layer beside libpq's pipeline alone, in one run."""

from __future__ import annotations

from bed import Bed
from figures import Figure, Peer
from lab.postgres import ADMIN, Cluster
from micro_programs import run_bench

GOAL = 0.7


def measure(_: Bed) -> list[Figure]:
    cluster = Cluster("max_wal_size=4GB")
    try:
        cluster.start()
        cluster.sql("CREATE DATABASE bench")
        told = run_bench("store_insert_bench", str(cluster.folder), "bench", ADMIN)
    finally:
        cluster.close()
    ours, raw = float(told["ours"]), float(told["raw"])
    return [Figure(
        "store_insert", ours, "rows/s", goal=GOAL * raw, at_least=True,
        peers=(Peer("libpq pipeline alone", raw),),
        detail=f"goal = {GOAL}x; 300-byte rows, 2,000 in a transaction, fsync on, median of 5",
        bound="one command a row on the wire, as libpq alone; the rest is our queue",
    )]
