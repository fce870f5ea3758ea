"""Ways to break things: system calls that kill or fail (strace), a small disk, a bad network."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
from typing import Iterator

from .process import alive, eventually
from .tls import Pair

SYNCS = "fsync,fdatasync"
WRITES = "pwrite64,write,ftruncate"


class Strace:
    """strace attached to live processes, all their threads and children included.

    `inject` is strace's own words, such as "signal=SIGKILL:when=3" or "error=ENOSPC:when=1+": the
    count is for each thread. Without it the calls are only recorded.
    """

    def __init__(
        self, pids: list[int], scratch: pathlib.Path, *, calls: str = SYNCS, inject: str = ""
    ) -> None:
        self._log = scratch / f"strace.{'.'.join(map(str, pids))}"
        self._log.unlink(missing_ok=True)
        command = ["strace", "-f", "-qq", "-o", str(self._log), "-e", f"trace={calls}"]
        if inject:
            command += ["-e", f"inject={calls}:{inject}"]
        for pid in pids:
            command += ["-p", str(pid)]
        self._kills = "SIGKILL" in inject
        self._child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        try:
            eventually(lambda: all(self._attached(pid) for pid in pids), "strace attached", 10)
        except AssertionError as slow:
            self.detach()
            raise AssertionError(f"{slow}; strace said: {self._child.stderr.read()!r}") from None

    def __enter__(self) -> Strace:
        return self

    def __exit__(self, *_: object) -> None:
        self.detach()

    def detach(self) -> None:
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
            try:
                self._child.wait(5)
            except subprocess.TimeoutExpired:
                # Its tracee died by the injected signal and left it waiting.
                self._child.kill()
                self._child.wait(5)

    def calls(self) -> list[tuple[int, str]]:
        """(thread, call) of everything recorded up to now; complete only once detached."""
        text = self._log.read_text(errors="replace") if self._log.exists() else ""
        found = re.findall(r"^(\d+) +(\w+)\(", text, re.MULTILINE)
        return [(int(pid), call) for pid, call in found]

    def _attached(self, pid: int) -> bool:
        """Every thread of a process has our strace as its tracer."""
        if not alive(pid):
            if self._kills:
                return True  # one of its own syncs was the one to die at
            raise AssertionError(f"process {pid} has ended")
        if self._child.poll() is not None:
            raise AssertionError(f"strace ended: {self._child.stderr.read()!r}")
        tracers = set()
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                tracers.add(re.search(r"TracerPid:\s+(\d+)", (task / "status").read_text())[1])
        return tracers == {str(self._child.pid)}


def ptrace_refusal() -> str:
    """Why strace and gdb cannot be used here; empty where they can."""
    if not shutil.which("strace"):
        return "strace is not installed"
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as victim:
        done = subprocess.Popen(
            ["strace", "-p", str(victim.pid)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        status = pathlib.Path(f"/proc/{victim.pid}/status")
        try:
            eventually(
                lambda: done.poll() is not None or f"TracerPid:\t{done.pid}" in status.read_text(),
                "strace attached", 10,
            )
            refused = done.poll() is not None
        finally:
            if done.poll() is None:
                done.send_signal(signal.SIGTERM)
            text = done.communicate(timeout=10)[1].decode(errors="replace").strip()
            victim.stdin.close()
    return f"ptrace is refused: {text}" if refused else ""


@contextlib.contextmanager
def small_disk(place: pathlib.Path, size: str = "16m") -> Iterator[pathlib.Path]:
    """A file system of a few megabytes at `place`, for tests of a full disk."""
    place.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "lab", str(place)],
        capture_output=True, text=True, check=False,
    )
    if done.returncode != 0:
        raise PermissionError(f"no tmpfs here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill_disk(place: pathlib.Path, leave_bytes: int = 0) -> pathlib.Path:
    """Writes a file until only `leave_bytes` are free below `place`; delete it to make room."""
    filler = place / "filler"
    block = bytes(4096)
    with open(filler, "ab", buffering=0) as file:
        while True:
            status = os.statvfs(place)
            if status.f_bavail * status.f_frsize <= leave_bytes:
                return filler
            try:
                file.write(block)
            except OSError:
                return filler


class ChaosProxy:
    """A TCP proxy to 127.0.0.1:`target` whose faults a test sets while it runs.

    `refuse` closes new connections at once; `cut_after` ends a connection after so many bytes from
    the client (`cut_after_server` from the server); `frozen` passes nothing in either direction
    until it is cleared; `drop_all` resets what is open.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.refuse = False
        self.cut_after: int | None = None
        self.cut_after_server: int | None = None
        self.connections = 0
        self.bytes_from_client = 0
        self.bytes_from_server = 0
        self._flowing = threading.Event()
        self._flowing.set()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> ChaosProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self._flowing.set()
        self.drop_all()

    def freeze(self, frozen: bool = True) -> None:
        """A peer that is there and says nothing: half-open TCP as a client sees it."""
        if frozen:
            self._flowing.clear()
        else:
            self._flowing.set()

    def drop_all(self) -> None:
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.refuse:
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.target), timeout=10)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            self._open |= {client, server}
            for source, sink, up in ((client, server, True), (server, client, False)):
                threading.Thread(
                    target=self._pump, args=(source, sink, up), daemon=True
                ).start()

    def _pump(self, source: socket.socket, sink: socket.socket, up: bool) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._flowing.wait()
                limit = self.cut_after if up else self.cut_after_server
                if limit is not None:
                    data = data[: max(0, limit - passed)]
                sink.sendall(data)
                passed += len(data)
                if up:
                    self.bytes_from_client += len(data)
                else:
                    self.bytes_from_server += len(data)
                if limit is not None and passed >= limit:
                    break
        for end in (source, sink):
            self._open.discard(end)
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class TlsTrap:
    """A TLS server with a certificate that must not be accepted. What a client says to it after
    the handshake, a password perhaps, stands in `heard`: it must stay empty."""

    def __init__(self, pair: Pair, greeting: bytes = b"* OK IMAP4rev1 trap\r\n") -> None:
        self.heard = b""
        self.connections = 0
        self._greeting = greeting
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(pair.cert, pair.key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> TlsTrap:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _speak(self, secure: ssl.SSLSocket) -> None:
        secure.sendall(self._greeting)
        while data := secure.recv(65536):
            self.heard += data

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection.settimeout(30)
            with self._tls.wrap_socket(connection, server_side=True) as secure:
                self._speak(secure)
        connection.close()


class Flood(TlsTrap):
    """A mail server that greets and then says the same line for as long as it is listened to."""

    def __init__(self, pair: Pair, line: bytes) -> None:
        self._block = line * (65536 // len(line))
        super().__init__(pair)

    def _speak(self, secure: ssl.SSLSocket) -> None:
        secure.sendall(self._greeting)
        while True:
            secure.sendall(self._block)
