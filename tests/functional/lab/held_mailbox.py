"""The mailbox of a scene at one of two servers, in the same words: real Dovecot and Postfix, or
scripted ones of which the IMAP server is contrary wherever the protocol lets it."""

from __future__ import annotations

import re
from typing import Protocol

from .mail_servers import Account, MailServers
from .mailbox import Mail
from .process import eventually
from .rawlog import Session
from .scripted_imap import ScriptedImap
from .scripted_smtp import ScriptedSmtp

SOMEONE = "someone@elsewhere.example"


class HeldMailbox(Protocol):
    def ports(self) -> dict: ...
    def close(self) -> None: ...
    def fill(self, mails: list[bytes]) -> None: ...
    def deliver(self, *mails: bytes, sender: str = SOMEONE) -> None: ...
    def append(self, raw: bytes, folder: str) -> None: ...
    def count(self, folder: str = "INBOX") -> int: ...
    def flags(self) -> dict[int, frozenset[str]]: ...
    def sessions(self) -> list[Session]: ...
    def taken(self, subject: str, by: Account) -> Mail: ...
    def idles(self) -> None: ...


class AtDovecot:
    def __init__(self, lab: MailServers, account: Account) -> None:
        self.lab = lab
        self.account = account

    def ports(self) -> dict:
        return {}

    def close(self) -> None:
        pass

    def fill(self, mails: list[bytes]) -> None:
        self.lab.fill(self.account, mails)

    def deliver(self, *mails: bytes, sender: str = SOMEONE) -> None:
        self.lab.deliver(self.account, *mails, sender=sender)

    def append(self, raw: bytes, folder: str) -> None:
        self.lab.mailbox(self.account).append(raw, folder)

    def count(self, folder: str = "INBOX") -> int:
        return self.lab.mailbox(self.account).count(folder)

    def flags(self) -> dict[int, frozenset[str]]:
        return self.lab.mailbox(self.account).flags()

    def sessions(self) -> list[Session]:
        return self.lab.sessions(self.account)

    def taken(self, subject: str, by: Account) -> Mail:
        """The mail that we sent, as its recipient has it."""
        (mail,) = self.lab.arrived(by, f'SUBJECT "{subject}"')
        return mail

    def idles(self) -> None:
        """Waits for the first watch to have gone idle."""
        eventually(
            lambda: any(b" IDLE\r\n" in one.from_client for one in self.sessions()), "it idles", 60
        )


class AtScripted:
    def __init__(self, lab: MailServers, account: Account) -> None:
        self.account = account
        self.imap = ScriptedImap(lab.pair, contrary=True)
        self.smtp = ScriptedSmtp(lab.pair)
        self._box = self.imap.account(account.name, account.password)

    def ports(self) -> dict:
        return {"imap": {"port": self.imap.port}, "smtp": {"port": self.smtp.port}}

    def close(self) -> None:
        self.imap.close()
        self.smtp.close()

    def fill(self, mails: list[bytes]) -> None:
        self.imap.run(lambda: [self._box.folders["INBOX"].add(raw) for raw in mails])

    def deliver(self, *mails: bytes, sender: str = SOMEONE) -> None:
        for raw in mails:
            self.append(f"Return-Path: <{sender}>\r\n".encode() + raw, "INBOX")

    def append(self, raw: bytes, folder: str) -> None:
        self.imap.deliver(self.account.name, raw, folder)

    def count(self, folder: str = "INBOX") -> int:
        return len(self._box.folders[folder].mails)

    def flags(self) -> dict[int, frozenset[str]]:
        """It knows no command that would change one: whatever sets a flag is in `refused`."""
        seen = frozenset({"\\Seen"}) if self.imap.refused else frozenset()
        return {uid: seen for uid, _ in self._box.folders["INBOX"].mails}

    def sessions(self) -> list[Session]:
        return self.imap.logged(self.account.name)

    def taken(self, subject: str, by: Account) -> Mail:
        named = re.compile(rb"(?m)^Subject: " + subject.encode() + rb"\r$")

        def mail() -> bytes | None:
            found = (taken.raw for taken in list(self.smtp.mails) if by.address in taken.recipients)
            return next((raw for raw in found if named.search(raw)), None)

        return Mail("INBOX", 0, frozenset(), eventually(mail, f"{subject!r} is taken"))

    def idles(self) -> None:
        self.imap.all_idle(1, 60)
