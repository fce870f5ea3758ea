"""The base of the chaos tests: proxies that end with a test, and until when it goes on.

POSTERN_CHAOS_SEED=... plays one seed again; a failure prints its seed and schedule.
"""

from __future__ import annotations

import os
from typing import Any, Callable

from .case import LabCase
from .chaos_dns import ChaosDns
from .chaos_proxy import ChaosProxy
from .desk import Connected, Desk
from .process import eventually

SEED = os.environ.get("POSTERN_CHAOS_SEED", "")
SETTLING_S = 240
ROUNDS_MAX = 60


class ChaosCase(LabCase):
    def setUp(self) -> None:
        super().setUp()
        self.proxies: list[ChaosProxy | ChaosDns] = []
        self.addCleanup(self._show_schedules)
        print(f"chaos seed {SEED or 'of each test'}", flush=True)

    def proxy(self, port: int, seed: str, **more) -> ChaosProxy:
        return self.adopt_proxy(ChaosProxy(port, seed=seed, **more))

    def adopt_proxy(self, made):
        self.addCleanup(made.close)
        self.proxies.append(made)
        return made

    def until_all_struck(
        self, *proxies: ChaosProxy | ChaosDns, go_on: Callable[[int], Any]
    ) -> None:
        """Goes on until each kind of harm came to each protocol; rounds are bounded."""
        for number in range(ROUNDS_MAX):
            if not any(proxy.unstruck() for proxy in proxies):
                print(f"all struck after {number} rounds", flush=True)
                return
            go_on(number)
        self.fail("\n".join(f"not struck {one.unstruck()}: {one.schedule()}" for one in proxies))

    def calm(self) -> None:
        for proxy in self.proxies:
            proxy.calm()

    def _show_schedules(self) -> None:
        if not getattr(self._outcome, "success", True):
            print("\n".join(proxy.schedule() for proxy in self.proxies))

    def connect(self, desk: Desk, *, imap: dict, smtp: dict) -> Connected:
        """Connecting is a person's act: it is tried again until it gets through."""
        maya = self.person()
        body = desk.integration_body(maya, imap=imap, smtp=smtp)

        def tried() -> dict | None:
            answer = desk.api.post("/v1/integrations", body).expect(201, 422)
            return answer.json if answer.status == 201 else None

        made = eventually(tried, "a mailbox connected through chaos", 60)
        integration = Connected(made["id"], made["shared_secret"], made, maya.address)
        desk.grant(integration)
        return integration

    def settle_all(self, desk: Desk, threads: list[str]) -> list[dict]:
        return [desk.settled(thread, deadline_s=SETTLING_S) for thread in threads]
