"""Where the measures run: mail servers, installations and a scratch folder, all ended by pid."""

from __future__ import annotations

import collections
import contextlib
import itertools
import os
import pathlib
import re
import shutil
import tempfile
import time

from lab.creator import plain_reply
from lab.desk import Connected, Desk
from lab.mail_servers import Account, MailServers
from lab.mailbox import Mail
from lab.postern import CONFIG, Postern
from lab.process import TimedOut, descendants, eventually

OLD_MAILS = 10_000
_SIGNED_IN = re.compile(rb"\A\S+ OK [^\n]*Logged in\r?\n")


class Bed:
    """Mail servers start on first use; `close` ends whatever any measure has started."""

    def __init__(self) -> None:
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="pbench-", dir="/tmp"))
        # Children that dropped their uid must be able to pass through.
        self.scratch.chmod(0o755)
        self._names = itertools.count(1)
        self._lab: MailServers | None = None
        self._servers: list[Postern] = []
        self._ends = contextlib.ExitStack()

    def __enter__(self) -> Bed:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with contextlib.ExitStack() as ends:
            ends.callback(shutil.rmtree, self.scratch, ignore_errors=True)
            if self._lab:
                ends.callback(self._lab.close)
            ends.push(self._ends)

    @property
    def lab(self) -> MailServers:
        if not self._lab:
            self._lab = MailServers()
            self._lab.start()
        return self._lab

    def folder(self, name: str) -> pathlib.Path:
        made = self.scratch / f"{name}{next(self._names)}"
        made.mkdir()
        return made

    def person(self, name: str = "maya", domain: str = "brand.example") -> Account:
        return self.lab.account(f"{name}{next(self._names)}", domain)

    def creator(self, name: str = "lea") -> Account:
        return self.person(name, "creators.example")

    def full_mailbox(self, count: int = OLD_MAILS, name: str = "maya") -> Account:
        """A mailbox with many unrelated mails, opened once, so that the server has its index."""
        owner = self.person(name)
        self.lab.fill(owner, [unrelated(number, owner.address) for number in range(count)])
        found = self.lab.mailbox(owner).count()
        if found != count:
            raise RuntimeError(f"the mailbox holds {found} mails instead of {count}")
        for path in self.lab.dovecot.rawlog_folder(owner.name).iterdir():
            path.unlink()
        return owner

    def installation(self, config: str = CONFIG) -> tuple[Postern, Desk]:
        """Initialised and not started; the desk's token is the owner's."""
        server = Postern(self.folder("postern"), config=config)
        self.ends_with(server)
        server.init()
        return server, Desk(server.api(server.token()), self.lab)

    def ends_with(self, server: Postern) -> None:
        """One that a measure made by itself."""
        self._servers.append(server)
        self._ends.callback(server.close)

    def logs(self) -> str:
        """The ends of what the servers of this bed have logged, for a measure that failed."""
        return "\n".join(server.log()[-2000:].strip() for server in self._servers)

    def running(self) -> tuple[Postern, Desk]:
        server, desk = self.installation()
        server.start()
        return server, desk

    def running_with(self, config: str) -> tuple[Postern, Desk]:
        server, desk = self.installation(config)
        server.start()
        return server, desk

    def first_mail(self, desk: Desk, integration: Connected, to: Account) -> tuple[str, Mail]:
        """Starts a thread; its id and the mail as the creator got it."""
        subject = f"Collab {next(self._names)}"
        thread = desk.write(integration, to, subject, "Would you like to?").expect(201)["id"]
        desk.sent(thread)
        (mail,) = self.lab.arrived(to, f'SUBJECT "{subject}"')
        return thread, mail


class Wire:
    """How many bytes the server has sent to the IMAP sessions of one mailbox after sign-in.

    No session but the product's may be open on this mailbox while it counts.
    """

    def __init__(self, lab: MailServers, owner: Account) -> None:
        self._lab = lab
        self._owner = owner

    def received(self) -> int:
        return len(self.text())

    def text(self) -> bytes:
        """All sessions one after the other, each without the line that answers its sign-in."""
        sessions = self._lab.sessions(self._owner)
        return b"".join(_SIGNED_IN.sub(b"", session.from_server) for session in sessions)

    def kinds(self) -> collections.Counter[str]:
        """Bytes by what they were for: "EXISTS", "SEARCH", "OK Idle"."""
        found: collections.Counter[str] = collections.Counter()
        for line in self.text().splitlines(keepends=True):
            found[_kind(line)] += len(line)
        return found

    def settle(self, quiet_s: float, deadline_s: float = 60.0) -> None:
        """Waits until nothing has been sent for a while."""
        state = {"size": self.logged, "since": time.monotonic()}

        def quiet() -> bool:
            now = self.logged
            if now != state["size"]:
                state.update(size=now, since=time.monotonic())
            return time.monotonic() - state["since"] >= quiet_s

        eventually(quiet, "a quiet mailbox", deadline_s, interval_s=0.02)

    def grows(self, since: int, deadline_s: float) -> bool:
        """Whether more was logged than `since` within the deadline."""
        try:
            eventually(lambda: self.logged > since, "bytes", deadline_s, interval_s=0.01)
        except TimedOut:
            return False
        return True

    @property
    def logged(self) -> int:
        """How much the log of what the server sent has grown to, without reading it."""
        folder = self._lab.dovecot.rawlog_folder(self._owner.name)
        return sum(path.stat().st_size for path in folder.glob("*.out"))


def _kind(line: bytes) -> str:
    """The word that tells what an IMAP response is; "OK Idle" for the answer to an IDLE."""
    words = re.sub(rb"\[.*?\] ?", b"", line).split()
    if len(words) > 2 and words[0] != b"*" and words[1] in (b"OK", b"NO", b"BAD"):
        return f"{words[1].decode()} {words[2].decode(errors='replace')}"
    if words[:1] == [b"*"] and len(words) > 2 and words[1].isdigit():
        return words[2].decode(errors="replace")
    if words[:1] == [b"*"] and len(words) > 1:
        return words[1].decode(errors="replace")
    return "+ idling" if words[:1] == [b"+"] else "literals"


def unrelated(number: int, to: str) -> bytes:
    """Mail of somebody else, of about 3 kB: every third answers a thread that is not ours."""
    head = [
        f"From: Sender {number} <sender{number % 97}@elsewhere.example>",
        f"To: {to}",
        f"Subject: {'Re: ' if number % 3 == 0 else ''}Unrelated matter {number}",
        "Date: Mon, 02 Nov 2026 10:00:00 +0000",
        f"Message-ID: <unrelated.{number}@elsewhere.example>",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="b{number}"',
    ]
    if number % 3 == 0:
        parent = f"<parent.{number}@elsewhere.example>"
        root = f"<root.{number}@elsewhere.example>"
        head += [f"In-Reply-To: {parent}", f"References: {root} {parent}"]
    line = f"Words of mail {number} that nobody here has asked for.\r\n"
    body = (
        f"--b{number}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{line * 20}"
        f"--b{number}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>{line * 25}</p>\r\n"
        f"--b{number}--\r\n"
    )
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


def reply_bytes(mail: Mail, sender: Account, text: str, marker: str) -> bytes:
    """A plain reply to one of our mails; `marker` is its Message-ID."""
    made = plain_reply(mail, sender, text, Message_ID=f"<{marker}>")
    return made.as_bytes().replace(b"\n", b"\r\n")


def pss_kib(pids: list[int]) -> dict[int, int]:
    """Proportional set size of each living process: shared pages are counted once over all."""
    found = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            found[pid] = int(re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)[1])
    return found


def tree_pss_kib(pid: int) -> int:
    return sum(pss_kib([pid, *descendants(pid)]).values())


def cpu_seconds(pids: list[int]) -> float:
    """Processor time, user and system, that these processes have used so far."""
    ticks = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(stat[11]) + int(stat[12])
    return ticks / os.sysconf("SC_CLK_TCK")
