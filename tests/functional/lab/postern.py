"""The real binary under test: its commands, its server, its processes.

    server = Postern(folder)
    server.init()
    token = server.token()
    server.start()
    server.api(token).get("/v1/me")
    server.kill()
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import tempfile
from typing import Callable

from .api import Api
from .process import alive, descendants, eventually, free_port, kill_tree, spawn_child

PROJECT = pathlib.Path(__file__).resolve().parents[3]
ROLES = ("front", "keeper", "courier", "reader")
READY_S = 30.0
COMMAND_S = 60.0

# The lab's servers listen on loopback, which is refused unless the operator allows it.
CONFIG = """
[egress]
allow_private = ["127.0.0.1/32", "::1/128"]
"""

# A forbidden system call is made all the same, so that one traced run finds them all.
ONLY_LOG = """
[isolation]
system_calls = "log"
"""


@dataclasses.dataclass(frozen=True)
class Init:
    """What `postern init` told its user."""

    output: str
    setup_link: str
    setup_token: str
    recovery_share: str


class Postern:
    """One installation below `folder`: data/, postern.toml, tmp/, work/ (where a core falls)."""

    def __init__(self, folder: pathlib.Path, *, config: str = CONFIG, port: int = 0) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.temp = folder / "tmp"
        self.work = folder / "work"
        self.config = folder / "postern.toml"
        self.log_path = folder / "serve.log"
        self.port = port or free_port()
        self.passphrase = ""  # of the root key; given on a descriptor where a command takes it
        # What a command line begins with, what its environment has besides, and what its process
        # does before it is executed: for another user, or a host that lacks something.
        self.prefix: list[str] = []
        self.passed: tuple[int, ...] = ()  # descriptors that its commands are given besides
        self.environment: dict[str, str] = {}
        self.prepare: Callable[[], None] = lambda: None
        self._child: subprocess.Popen | None = None
        self._log_before = 0  # characters of the log when the server was last started
        self._seen_pids: set[int] = set()
        for path in (self.temp, self.work):
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o1777)
        self.config.write_text(config + (ONLY_LOG if _tracing() and ONLY_LOG not in config else ""))

    # Commands

    def run(
        self, *arguments: str, stdin: str = "", deadline_s: float = COMMAND_S
    ) -> subprocess.CompletedProcess:
        """Runs one command to its end; the caller looks at the exit status."""
        # Where the stores lie stands in the configuration only.
        if "[store]" in self.config.read_text() and "--data" in arguments:
            if "--config" not in arguments:
                arguments = (*arguments, "--config", str(self.config))
        with self._passphrase(arguments) as (more, descriptors):
            return subprocess.run(
                [*_tracing(), *self.prefix, str(binary()), *arguments, *more], input=stdin,
                capture_output=True, text=True,
                check=False, timeout=deadline_s, cwd=self.work, env=self._environment(),
                pass_fds=(*descriptors, *self.passed), preexec_fn=self.prepare,
            )

    def begin(self, *arguments: str) -> subprocess.Popen:
        """Starts a command that the caller ends with kill_tree()."""
        return spawn_child(
            [*self.prefix, str(binary()), *arguments, "--config", str(self.config)],
            self.folder / "begun.log", parent_death="KILL", cwd=self.work,
            env=self._environment(), start_new_session=True, preexec_fn=self.prepare,
        )

    def command(self, *arguments: str, stdin: str = "") -> str:
        """Runs a command that must succeed; its standard output."""
        done = self.run(*arguments, stdin=stdin)
        if done.returncode != 0 or "process_ended" in done.stderr:
            raise AssertionError(
                f"postern {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
            )
        return done.stdout

    def init(self) -> Init:
        output = self.command("init", "--data", str(self.data))
        link = find_setup_link(output)
        share = re.search(r"^postern-recovery-\d:.*$", output, re.MULTILINE)
        if not link or not share:
            raise AssertionError(f"init printed no set-up link or no recovery share:\n{output}")
        return Init(output, link[0], link[1], share[0].strip())

    def token(self, workspace: str = "Brand", role: str = "owner", demo: bool = False) -> str:
        output = self.command(
            "token", "create", "--data", str(self.data), "--workspace", workspace, "--role", role,
            *(["--demo"] if demo else []),
        )
        return output.strip()

    # Server

    def start(self, *more: str) -> Postern:
        """Starts `serve` and waits until it is ready, and has said so."""
        self.spawn(*more)
        eventually(self.is_ready, f"postern ready on port {self.port}", READY_S)
        eventually(self._has_announced, "postern told that it is ready", READY_S)
        self.processes()
        return self

    def spawn(self, *more: str, listen: str = "") -> subprocess.Popen:
        """Starts `serve` without waiting, for starts that must fail. Core files are allowed."""
        arguments = [
            "serve", "--data", str(self.data), "--listen", listen or f"127.0.0.1:{self.port}",
            "--config", str(self.config), *more,
        ]
        self._log_before = len(self.log())
        with self._passphrase(arguments) as (secret, descriptors):
            self._child = spawn_child(
                [*_tracing(), *self.prefix, str(binary()), *arguments, *secret], self.log_path,
                parent_death="KILL",
                cwd=self.work, env=self._environment(), start_new_session=True,
                preexec_fn=self._before_serving, pass_fds=descriptors,
            )
        return self._child

    def stop(self, deadline_s: float = 20.0) -> int | None:
        """SIGTERM; the exit status. Fails when the server does not end in time."""
        if not self._child:
            return None
        child, self._child = self._child, None
        pids = descendants(child.pid)
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(deadline_s)
            except subprocess.TimeoutExpired:
                kill_tree(child.pid)
                child.wait()
                raise AssertionError(f"postern did not end within {deadline_s:g} s of SIGTERM")
        eventually(lambda: not [pid for pid in pids if alive(pid)], "postern's children ended")
        told = self._run_log().rpartition(" stopping")[2]
        if "process_ended" in told:
            raise AssertionError(f"a process did not end well:\n{told[-20000:]}")
        return child.returncode

    def kill(self) -> None:
        """SIGKILL of every process at once, as a power cut would."""
        if not self._child:
            return
        child, self._child = self._child, None
        pids = kill_tree(child.pid)
        child.wait()
        eventually(lambda: not [pid for pid in pids if alive(pid)], "killed processes gone")

    def close(self) -> None:
        """For the end of a test: whatever its state, nothing runs on."""
        if self._child and self._child.poll() is None:
            self.kill()
        for pid in self._seen_pids:
            if alive(pid) and "postern" in _name(pid):
                os.kill(pid, signal.SIGKILL)

    @property
    def pid(self) -> int:
        if not self._child:
            raise AssertionError("postern is not running")
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def wait_exit(self, deadline_s: float = READY_S) -> int:
        """The exit status of a server that must end by itself."""
        if not self._child:
            raise AssertionError("postern is not running")
        return self._child.wait(deadline_s)

    def processes(self) -> dict[str, list[int]]:
        """role -> pids. A process shows its role in its name: postern-front, postern-keeper..."""
        found: dict[str, list[int]] = {}
        for pid in descendants(self.pid):
            name = _name(pid)
            self._seen_pids.add(pid)
            role = name.removeprefix("postern-") if name.startswith("postern-") else name
            found.setdefault(role, []).append(pid)
        found["supervisor"] = [self.pid]
        return found

    def process(self, role: str) -> int:
        """The pid of the one process of a role; waits until the supervisor has started it."""
        return eventually(lambda: self.processes().get(role), f"a process postern-{role}")[0]

    # Reaching it

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def api(self, token: str = "", host: str = "127.0.0.1") -> Api:
        return Api(host, self.port, token)

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def _run_log(self) -> str:
        """What the server said since its last start."""
        return self.log()[self._log_before:]

    def _has_announced(self) -> bool:
        return re.search("^ready http", self._run_log(), re.MULTILINE) is not None

    def metrics(self) -> str:
        """The metrics text: from the listener that the start names, else from the main one."""
        named = re.search(r"metrics https?://([^\s/:]+):(\d+)", self.log())
        api = Api(named[1], int(named[2])) if named else self.api()
        return api.get("/metrics").expect(200).text

    def copy_to(self, folder: pathlib.Path) -> Postern:
        """A second installation with a copy of the first one's files, root key included. Stores in
        files want it stopped."""
        twin = Postern(folder, config=self.config.read_text())
        sockets = shutil.ignore_patterns("*.sock")
        shutil.copytree(self.data, twin.data, symlinks=True, ignore=sockets)
        copy_owners(self.data, twin.data)
        return twin

    def _before_serving(self) -> None:
        _allow_cores()
        self.prepare()

    def is_ready(self) -> bool:
        """Whether /readyz says so. Fails where the server has ended."""
        if self._child and self._child.poll() is not None:
            raise AssertionError(
                f"postern serve ended with {self._child.returncode}:\n{self.log()[-4000:]}"
            )
        try:
            return self.api().get("/readyz").status == 200
        except OSError:
            return False

    @contextlib.contextmanager
    def _passphrase(self, arguments):
        """The root key's passphrase as a descriptor: the options for it, and what to pass on."""
        if not self.passphrase or "--data" not in arguments or "--passphrase-fd" in arguments:
            yield [], ()
            return
        with passed_line(self.passphrase) as descriptor:
            yield ["--passphrase-fd", str(descriptor)], (descriptor,)

    def _environment(self) -> dict[str, str]:
        names = ("PATH", "LANG", "ASAN_OPTIONS", "UBSAN_OPTIONS")
        kept = {name: os.environ[name] for name in names if name in os.environ}
        return {**kept, "TMPDIR": str(self.temp), "HOME": str(self.work), **self.environment}


def binary() -> pathlib.Path:
    """POSTERN_BIN, or the newest usual build. A missing one is a failure, never a skip."""
    named = os.environ.get("POSTERN_BIN")
    places = [pathlib.Path(named)] if named else [
        PROJECT / "build" / preset / "postern" for preset in ("release", "dev")
    ]
    for place in places:
        if place.is_file():
            return place.resolve()
    raise AssertionError(f"no postern binary at {' or '.join(map(str, places))}: run ./dev build")


@contextlib.contextmanager
def passed_line(text: str):
    """A descriptor from which a child reads this line."""
    reading, writing = os.pipe()
    try:
        os.write(writing, text.encode() + b"\n")
        os.close(writing)
        yield reading
    finally:
        os.close(reading)


def find_setup_link(output: str) -> tuple[str, str] | None:
    """The set-up link and the token within it."""
    link = re.search(r"https?://\S+/setup(?:#|\?token=)(\S+)", output)
    return (link[0], link[1].removeprefix("token=")) if link else None


def _tracing() -> list[str]:
    """strace's part of a command line where POSTERN_TRACE names a folder for its logs: what each
    process calls is found by tools/system_calls. The server keeps its own process id (-D)."""
    folder = os.environ.get("POSTERN_TRACE")
    if not folder:
        return []
    prefix = tempfile.mkdtemp(dir=folder) + "/trace"
    return ["strace", "-D", "-ff", "-qq", "-s", "40", "-o", prefix, "--"]


def _name(pid: int) -> str:
    """The base name of argv[0]; a process title may follow it after a space or a colon."""
    try:
        command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
        comm = pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
    words = re.split(r"[ :]", command)
    name = pathlib.PurePath(words[0]).name if words else ""
    return name if name.startswith("postern-") else comm


def _allow_cores() -> None:
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def copy_owners(source: pathlib.Path, target: pathlib.Path) -> None:
    """Gives a copied tree the owners of the original."""
    for path in [source, *source.rglob("*")]:
        if path.is_socket():
            continue
        status = path.lstat()
        os.chown(
            target / path.relative_to(source), status.st_uid, status.st_gid, follow_symlinks=False
        )
