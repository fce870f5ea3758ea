"""A private Dovecot and Postfix on free loopback ports, with accounts made as a test needs them.

    with MailServers() as lab:
        maya = lab.account("maya", "brand.example")
        lab.deliver(maya, raw_mail)
        lab.mailbox(maya).mails("INBOX")

`python3 -m lab.mail_servers --dir D` runs the same servers for `./dev run --demo`: it prints one
line of JSON (ports, paths, accounts) and serves until its standard input closes.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import secrets
import shutil
import smtplib
import ssl
import sys
import tempfile

from .dovecot import Dovecot
from .mailbox import OBSERVER, Mail, Mailbox
from .postfix import Postfix
from .process import DEADLINE_S, eventually
from .rawlog import Session
from .tls import Authority

DOMAINS = ["brand.example", "creators.example", "elsewhere.example"]


@dataclasses.dataclass(frozen=True)
class Account:
    """A person with a mailbox. The name before the @ is unique over all domains of the lab."""

    name: str
    address: str
    password: str


class MailServers:
    """Both servers and their certificate authority below one folder, removed at the end. Without
    `plus_addresses` mail to name+anything@domain is for nobody."""

    def __init__(
        self, folder: pathlib.Path | None = None, *, plus_addresses: bool = True
    ) -> None:
        _refuse_unless_able()
        self._own_folder = folder is None
        # Unix socket paths are short: the folder's own path must be, too.
        self.folder = folder or pathlib.Path(tempfile.mkdtemp(prefix="plab-", dir="/tmp"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        self.authority = Authority(self.folder / "tls")
        self.pair = self.authority.issue("localhost")
        self.postfix = Postfix(self.folder / "postfix", self.pair, DOMAINS)
        self.dovecot = Dovecot(
            self.folder / "dovecot", self.postfix.queue, self.pair,
            delimiter="+" if plus_addresses else "",
        )
        self._accounts: dict[str, Account] = {}

    def __enter__(self) -> MailServers:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        if not self.postfix.queue.exists():
            self.postfix.prepare()
        self.dovecot.start()
        self.postfix.start()

    def stop(self) -> None:
        self.postfix.stop()
        self.dovecot.stop()

    def restart(self) -> None:
        self.stop()
        self.start()

    def close(self) -> None:
        self.stop()
        if self._own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def ca_pem(self) -> str:
        return self.authority.ca_pem

    def account(self, name: str, domain: str = "brand.example", password: str = "") -> Account:
        """A new account; without a password it gets a random one."""
        made = Account(name, f"{name}@{domain}", password or secrets.token_hex(12))
        if name in self._accounts:
            raise ValueError(f"the lab has an account {name} already")
        self._accounts[name] = made
        self.dovecot.set_user(name, made.password)
        return made

    def by_address(self, address: str) -> Account:
        return next(account for account in self._accounts.values() if account.address == address)

    def change_password(self, account: Account, password: str) -> Account:
        changed = dataclasses.replace(account, password=password)
        self._accounts[account.name] = changed
        self.dovecot.set_user(account.name, password)
        return changed

    def mailbox(self, account: Account) -> Mailbox:
        current = self._accounts[account.name]
        return Mailbox(self.dovecot.imaps_port, self.ca_pem, current.name, current.password)

    def sessions(self, account: Account) -> list[Session]:
        """What crossed the wire in every IMAP session of this account that is not the lab's own."""
        marker = OBSERVER.encode()
        found = self.dovecot.sessions(account.name)
        return [session for session in found if marker not in session.from_client]

    def deliver(
        self, to: Account, *mails: bytes, sender: str = "someone@elsewhere.example"
    ) -> None:
        """Hands mails to Dovecot over LMTP, as an MTA would; returns when they are stored."""
        lmtp = _Lmtp(str(self.dovecot.base / "lmtp"))
        try:
            for raw in mails:
                lmtp.sendmail(sender, [to.address], raw)
        finally:
            lmtp.quit()

    def fill(self, account: Account, mails: list[bytes], folder: str = "INBOX") -> None:
        """Writes old mail straight into the Maildir: for the 10,000 that lie there already."""
        self.dovecot.write_maildir(account.name, mails, folder)

    def submit(self, sender: Account, to: list[str], raw: bytes, envelope_from: str = "") -> None:
        """Sends through submission with STARTTLS and SMTP AUTH, as a mail client does."""
        context = ssl.create_default_context(cadata=self.ca_pem)
        with smtplib.SMTP("localhost", self.postfix.submission_port, timeout=60) as smtp:
            smtp.starttls(context=context)
            current = self._accounts[sender.name]
            smtp.login(current.name, current.password)
            smtp.sendmail(envelope_from or sender.address, to, raw)

    def arrived(
        self, account: Account, search: str = "ALL", *, count: int = 1, folder: str = "INBOX",
        deadline_s: float = DEADLINE_S,
    ) -> list[Mail]:
        """Waits until at least `count` mails match an IMAP search in a folder."""
        box = self.mailbox(account)
        eventually(
            lambda: box.count(folder, search) >= count,
            f"{count} mail(s) {search} in {folder} of {account.address}", deadline_s,
        )
        return box.mails(folder, search)

    def describe(self) -> dict:
        return {
            "folder": str(self.folder),
            "ca_file": str(self.authority.pair.cert),
            "imap": {"host": "localhost", "port": self.dovecot.imap_port, "tls": "starttls"},
            "imaps": {"host": "localhost", "port": self.dovecot.imaps_port, "tls": "implicit"},
            "smtp": {"host": "localhost", "port": self.postfix.submission_port, "tls": "starttls"},
            "smtps": {"host": "localhost", "port": self.postfix.smtps_port, "tls": "implicit"},
            "accounts": [dataclasses.asdict(account) for account in self._accounts.values()],
        }


class _Lmtp(smtplib.LMTP):
    """smtplib speaks LMTP over a unix socket, but names the peer after our host: cut that short."""

    def __init__(self, path: str) -> None:
        super().__init__(path, local_hostname="lab.example")


def _refuse_unless_able() -> None:
    if os.geteuid() != 0:
        raise RuntimeError("the mail lab needs root: Postfix and Dovecot drop to uids of their own")
    tools = ("dovecot", "postfix", "openssl", "setpriv")
    missing = [tool for tool in tools if not shutil.which(tool)]
    if missing:
        raise RuntimeError(f"the mail lab needs these programs: {', '.join(missing)}")


def main() -> int:
    parser = argparse.ArgumentParser(description="private Dovecot and Postfix until stdin closes")
    parser.add_argument("--dir", type=pathlib.Path, help="an empty or new folder with a short path")
    parser.add_argument(
        "--account", action="append", default=[], metavar="NAME@DOMAIN",
        help="an account to make (may be repeated); domains: " + ", ".join(DOMAINS),
    )
    options = parser.parse_args()
    try:
        lab = MailServers(options.dir)
    except RuntimeError as problem:
        print(problem, file=sys.stderr)
        return 1
    with lab:
        for address in options.account:
            lab.account(*address.split("@", 1))
        print(json.dumps(lab.describe()), flush=True)
        sys.stdin.buffer.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
