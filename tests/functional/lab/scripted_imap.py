"""An IMAP server that does as a test says, counts what clients do, and serves thousands of them.

    with ScriptedImap(lab.pair) as server:
        box = server.account("maya", "secret")
        server.deliver("maya", raw_mail)
        server.before["EXAMINE"] = lambda session, line: session.cut()

Whoever is in `before` (by verb: "IDLE", "UID FETCH") may write to the session, change the mailbox
or cut it; the usual answer follows unless it returns True. All of that runs in the server's own
thread. Holds mail in memory, knows what Postern asks and no more, speaks TLS from the first byte.

A `contrary` one does what servers may do and few do: it answers backwards, in small letters, in
pieces and more than once, tells what nobody asked for, and finds mail outside the range.
"""

from __future__ import annotations

import asyncio
import base64
import collections
import dataclasses
import re
import ssl
import threading
import time
from typing import Any, Callable

from .imap_search import header_fields, search
from .process import eventually
from .rawlog import Session as Logged
from .tls import Pair

CAPABILITIES = "IMAP4rev1 SASL-IR AUTH=PLAIN IDLE LITERAL+ UIDPLUS SPECIAL-USE LIST-EXTENDED"
LINE_BYTES_MAX = 1 << 20


@dataclasses.dataclass
class Folder:
    use: str = ""
    uid_validity: int = 100
    uid_next: int = 1
    mails: list[tuple[int, bytes]] = dataclasses.field(default_factory=list)

    def add(self, raw: bytes) -> int:
        self.mails.append((self.uid_next, raw))
        self.uid_next += 1
        return self.uid_next - 1


@dataclasses.dataclass
class Box:
    password: str
    folders: dict[str, Folder]


class ScriptedImap:
    """Serves from its own thread until closed. Counters may be read at any time."""

    def __init__(
        self, pair: Pair, *, capabilities: str = CAPABILITIES, contrary: bool = False
    ) -> None:
        self.capabilities = capabilities
        self.contrary = contrary
        self.boxes: dict[str, Box] = {}
        self.before: dict[str, Callable[[Session, str], Any]] = {}
        self.sessions: set[Session] = set()
        self.accepted = 0
        self.unsigned_peak = 0
        self.sign_ins: list[float] = []
        self.account_peak: collections.Counter[str] = collections.Counter()
        self.ended: list[Session] = []
        self.refused: list[str] = []
        self.commands: list[tuple[str, str]] = []
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(pair.cert, pair.key)
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = 0
        self.listen()

    def __enter__(self) -> ScriptedImap:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.stop()

        async def drain() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(drain(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    # The server's life

    def listen(self) -> None:
        """Again on the same port, after stop()."""

        async def begin() -> None:
            self._server = await asyncio.start_server(
                self._serve, "127.0.0.1", self.port, ssl=self._tls, limit=LINE_BYTES_MAX,
                backlog=1024,
            )
            self.port = self._server.sockets[0].getsockname()[1]

        asyncio.run_coroutine_threadsafe(begin(), self._loop).result(30)

    def stop(self) -> None:
        """Refuses new connections and cuts all that are open, as a server that is killed."""

        def end() -> None:
            if self._server:
                self._server.close()
                self._server = None
            for session in list(self.sessions):
                session.cut()

        self.run(end)

    def run(self, function: Callable[[], Any]) -> Any:
        """Runs it in the server's thread: between two answers, never within one."""

        async def call() -> Any:
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(60)

    def hold_end(self, verb: str) -> HeldEnd:
        """Of the next command of this kind everything is answered but the end."""
        held = HeldEnd(self)
        self.run(lambda: self.before.__setitem__(verb, held.begin))
        return held

    # Mailboxes

    def account(self, name: str, password: str) -> Box:
        folders = {
            "INBOX": Folder(), "Sent": Folder("\\Sent"), "Junk": Folder("\\Junk"),
            "Archive": Folder("\\Archive"),
        }
        self.boxes[name] = Box(password, folders)
        return self.boxes[name]

    def deliver(self, name: str, raw: bytes, folder: str = "INBOX") -> int:
        """Adds a mail and tells whoever is idling there; its uid."""

        def add() -> int:
            uid = self.boxes[name].folders[folder].add(raw)
            for session in self.of(name):
                session.tell_if_idle(folder)
            return uid

        return self.run(add)

    def of(self, name: str) -> list[Session]:
        """The signed-in sessions of an account, oldest first."""
        found = [session for session in list(self.sessions) if session.user == name]
        return sorted(found, key=lambda session: session.number)

    def logged(self, name: str) -> list[Logged]:
        """What crossed the wire in every session of an account, as Dovecot's log has it."""
        every = [*self.ended, *list(self.sessions)]
        return [
            Logged(f"scripted-{one.number}", bytes(one.heard), bytes(one.said))
            for one in every if one.user == name
        ]

    @property
    def idling(self) -> int:
        return sum(session.idle_tag != "" for session in list(self.sessions))

    def all_idle(self, count: int, deadline_s: float) -> None:
        eventually(lambda: self.idling >= count, f"{count} idling clients", deadline_s)

    def count(self, verb: str, name: str = "") -> int:
        """How often clients (of an account) sent a command that begins so."""
        return sum(
            line.startswith(verb) and name in ("", user) for user, line in list(self.commands)
        )

    def times(self, verb: str, count: int, name: str = "", deadline_s: float = 60.0) -> None:
        eventually(
            lambda: self.count(verb, name) >= count, f"{count} times {verb}", deadline_s
        )

    def forget_counts(self) -> None:
        self.accepted = self.unsigned_peak = 0
        self.sign_ins.clear()
        self.commands.clear()
        self.account_peak.clear()

    def note_peaks(self, name: str = "") -> None:
        unsigned = sum(not session.user for session in list(self.sessions))
        self.unsigned_peak = max(self.unsigned_peak, unsigned)
        if name:
            self.account_peak[name] = max(self.account_peak[name], len(self.of(name)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        session = Session(self, reader, writer, self.accepted)
        self.sessions.add(session)
        self.note_peaks()
        try:
            await session.run()
        except (OSError, ValueError, asyncio.IncompleteReadError):
            pass  # However a client leaves, the test looks at what was counted.
        finally:
            self.ended.append(session)
            self.sessions.discard(session)
            session.cut()


class Session:
    def __init__(
        self, server: ScriptedImap, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
        number: int,
    ) -> None:
        self.server = server
        self.number = number
        self.user = ""
        self.folder = ""
        self.idle_tag = ""
        self.mute = False
        self.told = 0
        self.heard = bytearray()
        self.said = bytearray()
        self._reader = reader
        self._writer = writer

    @property
    def box(self) -> Box:
        return self.server.boxes[self.user]

    @property
    def open_folder(self) -> Folder:
        return self.box.folders[self.folder]

    def say(self, line: str | bytes) -> None:
        if not self.mute:
            self.raw((line.encode() if isinstance(line, str) else line) + b"\r\n")

    def raw(self, data: bytes) -> None:
        self.said += data
        self._writer.write(data)

    def cut(self) -> None:
        """Ends the connection without a word, in TLS and in TCP."""
        self._writer.transport.abort()

    def tell_if_idle(self, folder: str) -> None:
        if self.idle_tag and self.folder == folder:
            self.tell()

    def tell(self) -> None:
        if self.folder and len(self.open_folder.mails) != self.told:
            self.told = len(self.open_folder.mails)
            self.say(f"* {self.told} EXISTS")

    def expunge(self, uid: int) -> None:
        """Takes a mail out of the open folder and tells this client."""
        uids = [known for known, _ in self.open_folder.mails]
        at = uids.index(uid)
        del self.open_folder.mails[at]
        self.say(f"* {at + 1} EXPUNGE")
        self.told -= 1

    async def run(self) -> None:
        self.say(f"* OK [CAPABILITY {self.server.capabilities}] ready")
        while line := await self._reader.readline():
            if self.user:
                self.heard += line
            await self._on_line(line.rstrip(b"\r\n").decode())
            await self._writer.drain()

    async def _on_line(self, line: str) -> None:
        if self.mute:
            return
        if self.idle_tag and line == "DONE":
            tag, self.idle_tag = self.idle_tag, ""
            self.tell()
            self.say(f"{tag} OK idle ended")
            return
        tag, _, command = line.partition(" ")
        words = command.split(" ")
        verb = " ".join(words[:2]) if words[0] == "UID" else words[0]
        self.server.commands.append(
            (self.user, verb if verb in ("AUTHENTICATE", "LOGIN") else command)
        )
        hook = self.server.before.get(verb)
        if hook and hook(self, line):
            return
        answer = getattr(self, "_" + verb.lower().replace(" ", "_"), None)
        if not answer:
            self.server.refused.append(verb)
            self.say(f"{tag} BAD not known")
        elif asyncio.iscoroutine(going := answer(tag, command)):
            await going

    def _authenticate(self, tag: str, command: str) -> None:
        _, user, password = base64.b64decode(command.split(" ")[2]).decode().split("\0")
        box = self.server.boxes.get(user)
        if not box or box.password != password:
            self.say(f"{tag} NO [AUTHENTICATIONFAILED] no")
            return
        self.user = user
        self.server.sign_ins.append(time.monotonic())
        self.server.note_peaks(user)
        self.say(f"{tag} OK [CAPABILITY {self.server.capabilities}] signed in")

    def _capability(self, tag: str, _: str) -> None:
        self.say(f"* CAPABILITY {self.server.capabilities}")
        self.say(f"{tag} OK done")

    def _list(self, tag: str, _: str) -> None:
        for name, folder in self.box.folders.items():
            self.say(f'* LIST ({folder.use}) "/" "{name}"')
        self.say(f"{tag} OK listed")

    def _status(self, tag: str, command: str) -> None:
        name = _folder_of(command)
        folder = self.box.folders[name]
        self.say(
            f'* STATUS "{name}" (MESSAGES {len(folder.mails)} UIDNEXT {folder.uid_next}'
            f" UIDVALIDITY {folder.uid_validity})"
        )
        self.tell()
        self.say(f"{tag} OK told")

    def _examine(self, tag: str, command: str) -> None:
        self.folder = _folder_of(command)
        folder = self.open_folder
        self.told = len(folder.mails)
        self.say(f"* {self.told} EXISTS")
        self.say(f"* OK [UIDVALIDITY {folder.uid_validity}] valid")
        self.say(f"* OK [UIDNEXT {folder.uid_next}] next")
        self.say(f"{tag} OK [READ-ONLY] open")

    def _noop(self, tag: str, _: str) -> None:
        self.tell()
        self.say(f"{tag} OK done")

    def _idle(self, tag: str, _: str) -> None:
        self.idle_tag = tag
        self.say("+ idling")
        self.tell()

    def _logout(self, tag: str, _: str) -> None:
        self.say("* BYE")
        self.say(f"{tag} OK")
        self._writer.close()

    def _uid_search(self, tag: str, command: str) -> None:
        known = self.open_folder.mails[: self.told]
        found = search(command.removeprefix("UID SEARCH "), known)
        self.say(" ".join(["* SEARCH", *map(str, found)]))
        if self.server.contrary:
            # The rest of an answer may come later, and nothing keeps it to what was asked for.
            first = int(re.search(r"UID (\d+)|$", command)[1] or 0)
            below = [uid for uid, _ in known[:3] if uid < first]
            self.say(" ".join(["* search", *map(str, [*found[::-1], *below])]))
        self.tell()
        self.say(f"{tag} OK searched")

    def _uid_fetch(self, tag: str, command: str) -> None:
        uids, _, items = command.removeprefix("UID FETCH ").partition(" ")
        wanted = _numbers(uids)
        chosen = [
            (at + 1, uid, raw) for at, (uid, raw) in enumerate(self.open_folder.mails)
            if uid in wanted
        ]
        for place, uid, raw in reversed(chosen) if self.server.contrary else chosen:
            self._fetched(place, uid, raw, items)
        self.say(f"{tag} OK fetched")

    def _fetched(self, place: int, uid: int, raw: bytes, items: str) -> None:
        size = f" RFC822.SIZE {len(raw)}" if "RFC822.SIZE" in items else ""
        section = re.search(r"BODY\.PEEK(\[.*?\])", items)[1]
        literal = raw if section == "[]" else header_fields(raw, section)
        first, last = f"UID {uid}{size} ", ""
        if self.server.contrary:
            self.say(f"* {place} FETCH (FLAGS (\\Recent))")
            first, last = "", f" uid {uid}{size.lower()} FLAGS ()"
        self.say(f"* {place} FETCH ({first}BODY{section} {{{len(literal)}}}")
        if not self.mute:
            self.raw(literal)
        self.say(f"{last})")

    async def _append(self, tag: str, command: str) -> None:
        name = _folder_of(command)
        self.say("+ go ahead")
        await self._writer.drain()
        size = int(re.search(r"\{(\d+)\}$", command)[1])
        raw = (await self._reader.readexactly(size + 2))[:-2]
        folder = self.box.folders[name]
        uid = folder.add(raw)
        self.say(f"{tag} OK [APPENDUID {folder.uid_validity} {uid}] added")


class HeldEnd:
    """The tagged line of one answer, held back until it is released."""

    def __init__(self, server: ScriptedImap) -> None:
        self.held: list[str] = []
        self._server = server
        self._session: Session | None = None

    def begin(self, session: Session, line: str) -> None:
        tag, _, command = line.partition(" ")
        words = command.split(" ")
        del self._server.before[" ".join(words[:2]) if words[0] == "UID" else words[0]]
        self._session, say = session, session.say

        def say_unless_end(text: str | bytes) -> None:
            if isinstance(text, str) and text.startswith(f"{tag} "):
                self.held.append(text)
            else:
                say(text)

        session.say = say_unless_end

    def release(self) -> None:
        def go_on() -> None:
            del self._session.say
            self._session.say(self.held[0])

        self._server.run(go_on)


def _folder_of(command: str) -> str:
    named = re.match(r'\S+ (?:"([^"]*)"|(\S+))', command)
    return named[1] if named[1] is not None else named[2]


def _numbers(text: str) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition(":")
        found.update(range(int(first), int(last or first) + 1))
    return found
