"""What a measure hands back: figures with a goal, peers of the same run, and what bounds them."""

from __future__ import annotations

import dataclasses
import math
import statistics
from typing import Sequence


class NotMeasured(Exception):
    """The measure could not be taken; the text says why."""


@dataclasses.dataclass(frozen=True)
class Peer:
    """The same quantity of something else, measured in the same run."""

    name: str
    value: float


@dataclasses.dataclass(frozen=True)
class Figure:
    """One measured quantity. `bound` says what it is made of, should a goal be missed."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    at_least: bool = False
    peers: tuple[Peer, ...] = ()
    detail: str = ""
    bound: str = ""

    @property
    def met(self) -> bool:
        if self.goal is None:
            return True
        return self.value >= self.goal if self.at_least else self.value <= self.goal

    @property
    def goal_text(self) -> str:
        if self.goal is None:
            return "no goal"
        sign = ">=" if self.at_least else "<="
        return f"goal {sign} {number(self.goal)} {self.unit}".rstrip()

    @property
    def ratios(self) -> str:
        """Each peer's figure and ours as a multiple of it."""
        return ", ".join(
            f"{ratio(self.value, peer.value)} of {peer.name} ({number(peer.value)} {self.unit})"
            for peer in self.peers
        )

    def line(self) -> str:
        verdict = "" if self.goal is None else ", met" if self.met else ", MISSED"
        text = f"{self.name}: {number(self.value)} {self.unit} ({self.goal_text}{verdict})"
        text += f" ratio {self.ratios}" if self.peers else ""
        return text + (f" [{self.detail}]" if self.detail else "")


def number(value: float) -> str:
    """Three digits that mean something; whole numbers from 100 on."""
    if value == 0 or not math.isfinite(value):
        return str(value)
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def ratio(ours: float, theirs: float) -> str:
    return f"{number(ours / theirs)}x" if theirs else "?"


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], percent: float) -> float:
    """Nearest rank: of 40 values the 99th is the largest."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]
