"""A private Postfix: submission with SMTP AUTH, delivery to the lab's Dovecot, nothing leaves."""

from __future__ import annotations

import os
import pathlib
import pwd
import subprocess

from .process import (
    Guard,
    accepts,
    alive,
    descendants,
    eventually,
    free_port,
    spawn_child,
    stop_child,
)
from .tls import Pair

_MAIN = """
compatibility_level = 3.6
queue_directory = {base}/queue
data_directory = {base}/data
maillog_file = {base}/postfix.log
maillog_file_prefixes = {base}
myhostname = localhost
mynetworks_style = host
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = {domains}
virtual_transport = lmtp:unix:private/dovecot-lmtp
default_transport = error:5.7.1 nothing leaves the lab
relay_transport = error:5.7.1 nothing leaves the lab
message_size_limit = 104857600
mailbox_size_limit = 0
virtual_mailbox_limit = 0
header_size_limit = 4194304
smtpd_tls_cert_file = {cert}
smtpd_tls_key_file = {key}
smtpd_tls_auth_only = yes
smtpd_tls_loglevel = 1
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions =
smtpd_peername_lookup = no
smtpd_error_sleep_time = 0
smtpd_client_connection_count_limit = 0
lmtp_destination_concurrency_limit = 20
minimal_backoff_time = 5s
queue_run_delay = 5s
"""

_MASTER = """
127.0.0.1:{submission} inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
127.0.0.1:{smtps} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
lmtp      unix  - - n - - lmtp
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """Lives in `base`. `prepare` makes the queue (Dovecot's sockets go into it), then `start`."""

    def __init__(self, base: pathlib.Path, pair: Pair, domains: list[str]) -> None:
        self.base = base
        self.submission_port = free_port()
        self.smtps_port = free_port()
        self._child: subprocess.Popen | None = None
        self._guard: Guard | None = None
        self._pair = pair
        self._domains = domains

    @property
    def queue(self) -> pathlib.Path:
        return self.base / "queue"

    def prepare(self) -> None:
        owner = pwd.getpwnam("postfix")
        for folder in ("config", "queue", "data", "queue/private"):
            (self.base / folder).mkdir(parents=True)
        os.chown(self.base / "data", owner.pw_uid, owner.pw_gid)
        os.chown(self.queue / "private", owner.pw_uid, owner.pw_gid)
        (self.queue / "private").chmod(0o700)
        (self.base / "config" / "main.cf").write_text(
            _MAIN.format(
                base=self.base, domains=", ".join(self._domains),
                cert=self._pair.cert, key=self._pair.key,
            )
        )
        (self.base / "config" / "master.cf").write_text(
            _MASTER.format(submission=self.submission_port, smtps=self.smtps_port)
        )
        self._postfix("set-permissions")
        self._postfix("check")

    def start(self) -> None:
        # What `postfix start-fg` runs below a shell; here it is our own child, stopped by its pid.
        master = pathlib.Path(self._setting("daemon_directory")) / "master"
        self._child = spawn_child(
            [str(master), "-s", "-c", str(self.base / "config")], self.base / "postfix-out.log",
            env={**os.environ, "MAIL_CONFIG": str(self.base / "config")},
        )
        self._guard = Guard(self._child.pid)
        eventually(self._is_up, f"Postfix up, see {self.base}/*.log")

    def stop(self) -> None:
        if not self._child:
            return
        if self._guard:
            self._guard.release()
        below = descendants(self._child.pid)
        stop_child(self._child)
        eventually(lambda: not [pid for pid in below if alive(pid)], "Postfix's children ended")
        self._child = None

    @property
    def pid(self) -> int:
        assert self._child
        return self._child.pid

    def flush(self) -> None:
        """Tries deferred mail now."""
        subprocess.run(
            ["postqueue", "-c", str(self.base / "config"), "-f"], capture_output=True, check=True
        )

    def log(self) -> str:
        path = self.base / "postfix.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _postfix(self, command: str) -> None:
        done = subprocess.run(
            ["postfix", "-c", str(self.base / "config"), command],
            capture_output=True, text=True, check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"postfix {command}: {done.stderr.strip()} {self.log()[-1000:]}")

    def _setting(self, name: str) -> str:
        done = subprocess.run(
            ["postconf", "-c", str(self.base / "config"), "-h", name],
            capture_output=True, text=True, check=True,
        )
        return done.stdout.strip()

    def _is_up(self) -> bool:
        if self._child and self._child.poll() is not None:
            out = (self.base / "postfix-out.log").read_text(errors="replace")
            raise RuntimeError(f"Postfix ended at once: {out[-2000:]} {self.log()[-2000:]}")
        return accepts(self.submission_port) and accepts(self.smtps_port)
