"""An SMTP submission server that answers each stage as the test says, and remembers what it got.

    with ScriptedSmtp(lab.pair) as server:
        server.script["rcpt"] = "550 5.1.1 no such user"
        server.script["dot"] = CLOSE

Stages: banner, ehlo, starttls, auth, mail, rcpt, data, dot (the final dot), quit. A stage without
an entry is answered well. An entry is a reply line, CLOSE (ends the connection without a word),
CLOSE_AFTER (does the stage's work, keeps the mail, and then ends it), or HANG (says nothing until
the other side goes or the server closes).
"""

from __future__ import annotations

import dataclasses
import re
import socket
import ssl
import threading
from typing import Callable

from .process import eventually
from .tls import Pair

CLOSE = "<close>"
CLOSE_AFTER = "<close after>"
HANG = "<hang>"
STAGES = ("banner", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "dot")

_GOOD = {
    "banner": "220 scripted.example ESMTP",
    "ehlo": "250 8BITMIME",
    "starttls": "220 2.0.0 go ahead",
    "auth": "235 2.7.0 accepted",
    "mail": "250 2.1.0 ok",
    "rcpt": "250 2.1.5 ok",
    "data": "354 go on",
    "dot": "250 2.0.0 queued as SCRIPTED",
    "quit": "221 2.0.0 bye",
}


@dataclasses.dataclass
class Taken:
    """One mail whose final dot arrived, whether or not it was then accepted."""

    sender: str
    recipients: list[str]
    raw: bytes
    accepted: bool


class _Over(Exception):
    """This connection has ended."""


class ScriptedSmtp:
    """Serves until closed, one thread for each connection. STARTTLS is offered and required."""

    def __init__(self, pair: Pair, *, offer_tls: bool = True) -> None:
        self.script: dict[str, str] = {}
        self.mails: list[Taken] = []
        self.stages: list[str] = []
        self.asked_for: list[list[str]] = []  # recipients of each mail that was asked for with 354
        self.on_taken: Callable[[Taken], None] = lambda taken: None  # before the dot is answered
        self.connections = 0
        self._offer_tls = offer_tls
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(pair.cert, pair.key)
        self._closing = threading.Event()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def __enter__(self) -> ScriptedSmtp:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._closing.set()
        # A thread that waits in accept() would take connections of whoever gets its number next.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        self.drop_connections()

    def drop_connections(self) -> None:
        """Ends every open connection, as a cut cable would."""
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def reached(self, stage: str, times: int = 1, deadline_s: float = 60.0) -> None:
        """Waits until clients came to a stage so many times in all."""
        eventually(
            lambda: self.stages.count(stage) >= times,
            f"SMTP stage {stage} reached {times} time(s)", deadline_s,
        )

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            _Dialogue(self, connection).run()
        except (_Over, OSError):
            pass  # However a client leaves, the test looks at what was taken.
        finally:
            self._open.discard(connection)
            connection.close()


class _Dialogue:
    def __init__(self, server: ScriptedSmtp, connection: socket.socket) -> None:
        self._server = server
        self._socket = connection
        self._file = connection.makefile("rb")
        self._encrypted = False
        self._sender = ""
        self._recipients: list[str] = []

    def run(self) -> None:
        self._answer("banner")
        while True:
            line = self._line()
            verb = line[:4].upper()
            if verb in ("EHLO", "HELO"):
                self._hello()
            elif verb == "STAR":
                self._start_tls()
            elif verb == "AUTH":
                self._authenticate(line)
            elif verb == "MAIL":
                self._sender = _path(line)
                self._answer("mail")
            elif verb == "RCPT":
                if self._answer("rcpt"):
                    self._recipients.append(_path(line))
            elif verb == "DATA":
                if self._answer("data"):
                    self._server.asked_for.append(list(self._recipients))
                    self._take()
            elif verb == "RSET":
                self._recipients = []
                self._say("250 2.0.0 ok")
            elif verb == "QUIT":
                self._answer("quit")
                raise _Over
            else:
                self._say("250 2.0.0 ok" if verb == "NOOP" else "502 5.5.1 not known")

    def _hello(self) -> None:
        entry = self._server.script.get("ehlo")
        if entry:
            self._answer("ehlo")
            return
        self._server.stages.append("ehlo")
        if self._encrypted:
            self._say("250-scripted.example\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME")
        elif self._server._offer_tls:
            self._say("250-scripted.example\r\n250-STARTTLS\r\n250 8BITMIME")
        else:
            self._say("250-scripted.example\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME")

    def _start_tls(self) -> None:
        if self._answer("starttls"):
            self._socket = self._server._tls.wrap_socket(self._socket, server_side=True)
            self._file = self._socket.makefile("rb")
            self._encrypted = True

    def _authenticate(self, line: str) -> None:
        words = line.split()
        if words[1].upper() == "LOGIN":
            for prompt in ("334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6")[len(words) - 2 :]:
                self._say(prompt)
                self._line()
        elif len(words) == 2:
            self._say("334 ")
            self._line()
        self._answer("auth")

    def _take(self) -> None:
        raw = b""
        while (line := self._raw_line()) != b".\r\n":
            raw += line[1:] if line.startswith(b".") else line
        entry = self._server.script.get("dot", "")
        accepted = entry in ("", CLOSE_AFTER) or entry.startswith("2")
        taken = Taken(self._sender, self._recipients, raw, accepted)
        self._server.on_taken(taken)
        self._server.mails.append(taken)
        self._answer("dot")
        self._recipients = []

    def _answer(self, stage: str) -> bool:
        """Does what the script says; whether the answer was a good one."""
        entry = self._server.script.get(stage, _GOOD[stage])
        self._server.stages.append(stage)
        if entry in (CLOSE, CLOSE_AFTER):
            raise _Over
        if entry == HANG:
            self._line()
            raise _Over
        self._say(entry)
        if entry.startswith("421"):
            raise _Over
        return entry[0] in "23"

    def _say(self, text: str) -> None:
        self._socket.sendall(text.encode() + b"\r\n")

    def _line(self) -> str:
        return self._raw_line().decode(errors="replace").rstrip("\r\n")

    def _raw_line(self) -> bytes:
        line = self._file.readline()
        if not line:
            raise _Over
        return line


def _path(line: str) -> str:
    match = re.search(r"<(.*?)>", line)
    return match[1] if match else ""
