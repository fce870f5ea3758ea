"""Private PostgreSQL 15 clusters on sockets in folders of their own; stopped by pid.

    pair = PostgresPair()            # a bulk cluster and a keyring cluster
    place = pair.place()             # fresh databases and passwords for one installation
    Postern(folder, config=CONFIG + place.config())
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import itertools
import os
import pathlib
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile

from .process import Guard, eventually, free_port
from .tls import Pair

BINARIES = pathlib.Path("/usr/lib/postgresql/15/bin")
ADMIN = "lab_admin"
HBA = f"local all,replication {ADMIN} trust\nlocal all all scram-sha-256\n"
KEYRING_SETTINGS = ("wal_recycle=off", "archive_mode=off", "wal_keep_size=0")
MEMORY_BYTES_LEAST = 512 << 20
_names = itertools.count(1)
_pair: PostgresPair | None = None
END_SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'postern%'"
)


def _storage() -> str:
    """In memory where there is room: a cluster syncs all that it writes."""
    memory = "/dev/shm"
    if os.path.isdir(memory) and shutil.disk_usage(memory).free >= MEMORY_BYTES_LEAST:
        return memory
    return "/tmp"


class Cluster:
    """One server, or the standby of another. It refuses to run as root: then `postgres` runs it."""

    def __init__(
        self, *settings: str, port: int = 5432, follows: Cluster | None = None
    ) -> None:
        self.port = port
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        self.folder.chmod(0o755)  # roles with a uid of their own reach the socket in it
        self.storage = pathlib.Path(tempfile.mkdtemp(prefix="pg-", dir=_storage()))
        self.data = self.storage / "data"
        self._settings = settings
        self._user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        if self._user:
            for folder in (self.folder, self.storage):
                os.chown(folder, self._user.pw_uid, self._user.pw_gid)
        self._child: subprocess.Popen | None = None
        self._guard: Guard | None = None
        if follows:
            self._run(
                "pg_basebackup", "-D", str(self.data), "-h", str(follows.folder), "-U", ADMIN,
                "-R", "-X", "stream", "-c", "fast", "--no-sync",
            )
        else:
            self._run(
                "initdb", "-D", str(self.data), "-U", ADMIN, "-A", "trust", "-E", "UTF8",
                "--locale=C", "--no-sync",
            )
        (self.data / "pg_hba.conf").write_text(HBA)

    def start(self) -> Cluster:
        more = [word for setting in self._settings for word in ("-c", setting)]
        with open(self.folder / "log", "ab") as log:
            self._child = subprocess.Popen(
                [str(BINARIES / "postgres"), "-D", str(self.data), "-k", str(self.folder),
                 "-p", str(self.port), "-c", "listen_addresses=",
                 "-c", "unix_socket_permissions=0777", *more],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._as_user(),
            )
        self._guard = Guard(self._child.pid)
        eventually(self._is_ready, f"PostgreSQL in {self.folder}")
        return self

    def stop(self, number: int = signal.SIGINT) -> None:
        """SIGINT ends the sessions and writes all back; SIGQUIT is as a crash."""
        if not self._child:
            return
        child, self._child = self._child, None
        child.send_signal(number)
        child.wait(60)
        self._guard.release()

    def close(self) -> None:
        self.stop(signal.SIGQUIT)
        for folder in (self.folder, self.storage):
            shutil.rmtree(folder, ignore_errors=True)

    def sql(self, *commands: str, database: str = "postgres") -> str:
        """As the superuser; what the last query prints, one row a line."""
        words = [word for command in commands for word in ("-c", command)]
        return self._run(
            "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", str(self.folder), "-p",
            str(self.port), "-U", ADMIN, "-d", database, *words,
        )

    @contextlib.contextmanager
    def holding(self, *commands: str, database: str):
        """The commands' transaction stays open meanwhile; its session ends with the block."""
        words = [word for command in commands for word in ("-c", command)]
        name = f"holding-{next(_names)}"
        child = subprocess.Popen(
            [str(BINARIES / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", str(self.folder),
             "-U", ADMIN, "-d", database, "-c", f"SET application_name = '{name}'", "-c", "BEGIN",
             *words, "-c", "SELECT pg_sleep(600)"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            **self._as_user(),
        )
        ours = f"FROM pg_stat_activity WHERE application_name = '{name}'"
        try:
            eventually(
                lambda: self.sql(f"SELECT count(*) {ours} AND query LIKE '%pg_sleep%'") == "1\n",
                "a session that holds",
            )
            yield
        finally:
            self.sql(f"SELECT pg_terminate_backend(pid) {ours}")
            child.wait(60)

    def files_with(self, needle: bytes) -> list[pathlib.Path]:
        """The files of heap, log and all else that hold the bytes."""
        found = []
        for path in self.data.rglob("*"):
            try:
                if path.is_file() and needle in path.read_bytes():
                    found.append(path)
            except FileNotFoundError:
                continue
        return found

    def offer_tls(self, pair: Pair) -> None:
        """Before its start: listens at `port` of localhost, for TLS alone."""
        for source, name in ((pair.cert, "server.crt"), (pair.key, "server.key")):
            copy = self.folder / name
            shutil.copyfile(source, copy)
            copy.chmod(0o600)
            if self._user:
                os.chown(copy, self._user.pw_uid, self._user.pw_gid)
        self._settings += (
            "listen_addresses=localhost", "ssl=on",
            f"ssl_cert_file={self.folder / 'server.crt'}",
            f"ssl_key_file={self.folder / 'server.key'}",
        )
        with open(self.data / "pg_hba.conf", "a") as rules:
            rules.write("hostssl all all localhost scram-sha-256\n")

    def _is_ready(self) -> bool:
        if self._child.poll() is not None:
            raise AssertionError((self.folder / "log").read_text()[-3000:])
        try:
            told = (self.data / "postmaster.pid").read_text()
            return told.startswith(f"{self._child.pid}\n") and "ready" in told
        except FileNotFoundError:
            return False

    def _as_user(self) -> dict:
        environment = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}
        if not self._user:
            return {"env": environment, "cwd": self.folder}
        return {
            "env": environment, "cwd": self.folder, "user": self._user.pw_uid,
            "group": self._user.pw_gid, "extra_groups": [],
        }

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [str(BINARIES / program), *arguments], capture_output=True, text=True, check=False,
            timeout=120, **self._as_user(),
        )
        if done.returncode != 0:
            raise AssertionError(f"{program}: {done.stderr}")
        return done.stdout


@dataclasses.dataclass(frozen=True)
class Place:
    """Where one installation has its stores."""

    bulk: Cluster
    keyring: Cluster
    database: str
    bulk_password: pathlib.Path
    keyring_password: pathlib.Path

    def config(self, kind: str = "postgresql") -> str:
        return f"""
[store]
kind = "{kind}"
hosts = ["{self.bulk.folder}"]
database = "{self.database}"
user = "{self.database}"
password_file = "{self.bulk_password}"
[store.keyring]
hosts = ["{self.keyring.folder}"]
database = "{self.database}"
user = "{self.database}"
password_file = "{self.keyring_password}"
"""

    def config_over_tls(self, ca_file: pathlib.Path, *, bulk: int, keyring: int) -> str:
        """The same at ports of localhost."""
        parts = []
        for head, port, password in (
            ('[store]\nkind = "postgresql"', bulk, self.bulk_password),
            ("[store.keyring]", keyring, self.keyring_password),
        ):
            parts.append(
                f'{head}\nhosts = ["localhost:{port}"]\ndatabase = "{self.database}"\n'
                f'user = "{self.database}"\npassword_file = "{password}"\nca_file = "{ca_file}"\n'
            )
        return "\n" + "".join(parts)

    def bulk_sql(self, *commands: str) -> str:
        return self.bulk.sql(*commands, database=self.database)

    def keyring_sql(self, *commands: str) -> str:
        return self.keyring.sql(*commands, database=self.database)


class PostgresPair:
    """A bulk cluster and a keyring cluster, for any number of installations."""

    def __init__(self, *settings: str, tls: Pair | None = None) -> None:
        ports = (free_port(), free_port()) if tls else (5432, 5432)
        self.bulk = Cluster(*settings, port=ports[0])
        self.keyring = Cluster(*settings, *KEYRING_SETTINGS, port=ports[1])
        self.passwords = pathlib.Path(tempfile.mkdtemp(prefix="pg-pw-", dir="/tmp"))
        for cluster in (self.bulk, self.keyring):
            if tls:
                cluster.offer_tls(tls)
            cluster.start()

    def close(self) -> None:
        for cluster in (self.bulk, self.keyring):
            cluster.close()
        shutil.rmtree(self.passwords, ignore_errors=True)

    def place(self) -> Place:
        """Databases and users of one name in both clusters, with passwords of their own."""
        name = f"p{next(_names)}"
        files = []
        for part, cluster in (("bulk", self.bulk), ("keyring", self.keyring)):
            password = secrets.token_urlsafe(24)
            file = self.passwords / f"{name}-{part}"
            file.write_text(password + "\n")
            file.chmod(0o600)
            files.append(file)
            cluster.sql(
                f"CREATE ROLE {name} LOGIN PASSWORD '{password}'",
                f"CREATE DATABASE {name} OWNER {name}",
            )
        self.keyring.sql(
            f"GRANT pg_checkpoint, pg_read_all_stats TO {name}",
        )
        self.keyring.sql(
            f"GRANT EXECUTE ON FUNCTION pg_switch_wal() TO {name}", database=name
        )
        return Place(self.bulk, self.keyring, name, *files)


def shared_pair() -> PostgresPair:
    """The clusters of this test process: started on first use, stopped at its end."""
    global _pair
    if _pair is None:
        _pair = PostgresPair("full_page_writes=off", "max_wal_size=256MB")
        atexit.register(_pair.close)
    return _pair


class OnPostgres:
    """Before a LabCase: its installations have their stores on PostgreSQL."""

    def installation(self, *, config: str | None = None, name: str = ""):
        from .postern import CONFIG

        place = shared_pair().place()
        server = super().installation(
            config=(CONFIG if config is None else config) + place.config(), name=name
        )
        server.place = place
        return server
