"""Delivery with a clock: one LMTP connection that stays open, and a steady stream of other mail."""

from __future__ import annotations

import contextlib
import smtplib
import threading
import time

from lab.mail_servers import Account, MailServers

from bed import unrelated


class Delivery:
    """Hands mails to Dovecot. `put` returns the moment at which the server had accepted one."""

    def __init__(self, lab: MailServers, to: Account) -> None:
        # A host name of our own: smtplib would otherwise ask the resolver for this machine's.
        self._lmtp = smtplib.LMTP(str(lab.dovecot.base / "lmtp"), local_hostname="lab.example")
        self._to = to

    def __enter__(self) -> Delivery:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            self._lmtp.quit()

    def put(self, raw: bytes, sender: str = "someone@elsewhere.example") -> float:
        self._lmtp.sendmail(sender, [self._to.address], raw)
        return time.monotonic()


class Stream:
    """Unrelated mail at a steady rate until it is closed; `rate` is what was really delivered."""

    def __init__(self, lab: MailServers, to: Account, per_second: float, first: int) -> None:
        self._lab = lab
        self._to = to
        self._gap_s = 1 / per_second
        self._first = first
        self._ending = threading.Event()
        self._began = time.monotonic()
        self._ended = 0.0
        self.count = 0
        self.failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Stream:
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join(30)
        self._ended = time.monotonic()

    @property
    def rate(self) -> float:
        return self.count / ((self._ended or time.monotonic()) - self._began)

    def _run(self) -> None:
        try:
            with Delivery(self._lab, self._to) as delivery:
                due = time.monotonic()
                while not self._ending.wait(max(0.0, due - time.monotonic())):
                    delivery.put(unrelated(self._first + self.count, self._to.address))
                    self.count += 1
                    due += self._gap_s
        except (OSError, smtplib.SMTPException) as problem:
            self.failure = problem
