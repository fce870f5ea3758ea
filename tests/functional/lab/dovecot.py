"""A private Dovecot: IMAP with STARTTLS and implicit TLS, LMTP, and SASL for Postfix."""

from __future__ import annotations

import os
import pathlib
import re
import socket
import subprocess
import time

from . import rawlog
from .process import accepts, eventually, free_port, spawn_child, stop_child
from .tls import Pair

# The owner of all lab mail: `nobody`, which owns nothing else.
MAIL_UID = 65534
MAIL_GID = 65534

_CONFIG = """
protocols = imap lmtp
listen = 127.0.0.1
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/dovecot.log
info_log_path = {base}/dovecot-info.log
mail_location = maildir:~/Maildir
mail_fsync = never
mail_max_userip_connections = 100
default_process_limit = 400
default_client_limit = 2000
first_valid_uid = 1
first_valid_gid = 1
auth_mechanisms = plain login
auth_username_format = %Ln
auth_failure_delay = 0
disable_plaintext_auth = yes
ssl = required
ssl_min_protocol = TLSv1.2
ssl_cert = <{cert}
ssl_key = <{key}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%Ln {base}/users/%Ln
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={base}/mail/%Ln
}}
service imap-login {{
  process_limit = 400
  inet_listener imap {{
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = {imaps_port}
    ssl = yes
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  unix_listener {queue}/private/auth {{
    mode = 0660
    user = postfix
    group = postfix
  }}
}}
service lmtp {{
  unix_listener {queue}/private/dovecot-lmtp {{
    mode = 0660
    user = postfix
    group = postfix
  }}
  unix_listener {base}/lmtp {{
    mode = 0600
  }}
}}
protocol imap {{
  rawlog_dir = {base}/mail/%Ln/rawlog
}}
protocol lmtp {{
  auth_username_format = %Ln
  postmaster_address = postmaster@brand.example
}}
lmtp_save_to_detail_mailbox = no
recipient_delimiter = {delimiter}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Sent {{
    auto = subscribe
    special_use = \\Sent
  }}
  mailbox Junk {{
    auto = subscribe
    special_use = \\Junk
  }}
  mailbox Archive {{
    auto = subscribe
    special_use = \\Archive
  }}
}}
"""


class Dovecot:
    """Lives in `base`; its sockets for Postfix lie in `queue`/private, which exists at start."""

    def __init__(
        self, base: pathlib.Path, queue: pathlib.Path, pair: Pair, *, delimiter: str = "+"
    ) -> None:
        self.base = base
        self.imap_port = free_port()
        self.imaps_port = free_port()
        self._child: subprocess.Popen | None = None
        (base / "mail").mkdir(parents=True)
        os.chown(base / "mail", MAIL_UID, MAIL_GID)
        (base / "users").mkdir()
        self._config = base / "dovecot.conf"
        self._config.write_text(
            _CONFIG.format(
                base=base, queue=queue, cert=pair.cert, key=pair.key, uid=MAIL_UID, gid=MAIL_GID,
                imap_port=self.imap_port, imaps_port=self.imaps_port, delimiter=delimiter,
            )
        )

    def start(self) -> None:
        self._child = spawn_child(
            ["dovecot", "-F", "-c", str(self._config)], self.base / "dovecot-out.log"
        )
        eventually(self._is_up, f"Dovecot up, see {self.base}/*.log")

    def stop(self) -> None:
        if self._child:
            stop_child(self._child)
            self._child = None

    @property
    def pid(self) -> int:
        assert self._child
        return self._child.pid

    def set_user(self, name: str, password: str) -> None:
        """Adds an account or changes its password; returns when a sign-in with it works."""
        new = not (self.base / "users" / name).exists()
        for folder in (self.base / "mail" / name, self.rawlog_folder(name)):
            folder.mkdir(exist_ok=True)
            os.chown(folder, MAIL_UID, MAIL_GID)
        replacement = self.base / "users.new"
        replacement.write_text(f"{name}:{{PLAIN}}{password}::::::\n")
        replacement.replace(self.base / "users" / name)
        if not new:
            # Dovecot looks for a changed file once in a second only.
            eventually(lambda: self._accepts(name, password), f"new password of {name} in force")

    def _accepts(self, name: str, password: str) -> bool:
        done = subprocess.run(
            ["doveadm", "-c", str(self._config), "auth", "test", name, password],
            capture_output=True, check=False,
        )
        return done.returncode == 0

    def rawlog_folder(self, name: str) -> pathlib.Path:
        return self.base / "mail" / name / "rawlog"

    def connected(self, name: str) -> list[int]:
        """Process ids of this account's IMAP sessions that are open now."""
        done = subprocess.run(
            ["doveadm", "-c", str(self._config), "-f", "tab", "who", name],
            capture_output=True, text=True, check=False,
        )
        rows = [line.split("\t") for line in done.stdout.splitlines()[1:]]
        return [int(pid) for row in rows for pid in re.findall(r"\d+", row[3])]

    def renumber(self, name: str, folder: str, uid_validity: int) -> None:
        """Gives a folder another UIDVALIDITY, as a server does that was rebuilt."""
        subprocess.run(
            ["doveadm", "-c", str(self._config), "mailbox", "update", "-u", name,
             "--uid-validity", str(uid_validity), folder],
            check=True, capture_output=True,
        )

    def sessions(self, name: str) -> list[rawlog.Session]:
        return rawlog.sessions(self.rawlog_folder(name))

    def write_maildir(self, name: str, mails: list[bytes], folder: str = "INBOX") -> None:
        """Puts mails into a folder without any server taking part: 10,000 in about a second."""
        target = self.base / "mail" / name / "Maildir"
        if folder != "INBOX":
            target = target / f".{folder}"
        for part in ("cur", "new", "tmp"):
            (target / part).mkdir(parents=True, exist_ok=True)
        stamp = int(time.time())
        serial = f"{time.monotonic_ns()}"
        for number, raw in enumerate(mails):
            path = target / "cur" / f"{stamp}.M{serial}P{number:06d}.lab,S={len(raw)}:2,"
            path.write_bytes(raw)
        subprocess.run(
            ["chown", "-R", f"{MAIL_UID}:{MAIL_GID}", str(self.base / "mail" / name)], check=True
        )

    def _is_up(self) -> bool:
        if self._child and self._child.poll() is not None:
            raise RuntimeError(f"Dovecot ended at once: {_tail(self.base)}")
        return accepts(self.imaps_port) and accepts(self.imap_port) and self._lmtp_answers()

    def _lmtp_answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(self.base / "lmtp"))
                return True
        except OSError:
            return False


def _tail(base: pathlib.Path) -> str:
    return "\n".join(
        path.read_text(errors="replace")[-2000:] for path in sorted(base.glob("dovecot*.log"))
    )
