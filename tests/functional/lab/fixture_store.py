"""Fixture stores: an installation as one release left it, kept to be opened by every later one.

    POSTERN_BIN=build/release/postern PYTHONPATH=tests/functional \
        python3 -m lab.fixture_store tests/data/stores/issue-4

makes one with that binary on private mail servers: `data.tar.xz` (the data directory of a stopped
server) and `expected.json` (its secrets, which are worth nothing, and what must be found in it).
Run it once, with the binary that closes an issue, and never again: what it made is a document.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import pathlib
import shutil
import sys
import tarfile
import tempfile
from typing import Any

from . import creator
from .api import Api
from .creator import Creator
from .desk import Connected, Desk
from .mail_servers import Account, MailServers
from .postern import PROJECT, Init, Postern, binary
from .process import eventually
from .scripted_smtp import CLOSE_AFTER, ScriptedSmtp

STORES = PROJECT / "tests" / "data" / "stores"
ARCHIVE = "data.tar.xz"
EXPECTED = "expected.json"
TYPED_SECRET = "pelican-orchid-thunder-velvet-41"
RESEALED_SECRET = "maple-lantern-quartz-breeze-77"
OWNER = {"email": "olga@brand.example", "password": "correct horse battery staple"}


@dataclasses.dataclass(frozen=True)
class FixtureStore:
    """One committed fixture."""

    folder: pathlib.Path
    expected: dict[str, Any]

    @classmethod
    def load(cls, name: str) -> FixtureStore:
        folder = STORES / name
        return cls(folder, json.loads((folder / EXPECTED).read_text()))

    @classmethod
    def all(cls) -> list[FixtureStore]:
        return [cls.load(path.parent.name) for path in sorted(STORES.glob(f"*/{EXPECTED}"))]

    def unpack(self, data: pathlib.Path) -> None:
        """A fresh copy of the data directory at `data`, which must not be there."""
        data.mkdir(mode=0o700)
        with tarfile.open(self.folder / ARCHIVE) as archive:
            archive.extractall(data)


class _Maker:
    """Makes the installation: each chapter adds to `expected` what a later release must find."""

    def __init__(self, server: Postern, lab: MailServers) -> None:
        self.server = server
        self.lab = lab
        self.lea = Creator(lab, lab.account("lea", "creators.example"))
        self.otto = lab.account("otto", "creators.example")
        self.expected: dict[str, Any] = {}
        self.integrations: dict[str, dict] = {}
        self.threads: dict[str, dict] = {}
        self.receipts: list[dict] = []
        self.desk: Desk

    def make(self) -> dict[str, Any]:
        told = self.server.init()
        self.server.start()
        self._people(told)
        self._with_a_reply_and_held_mail()
        self._typed_and_resealed()
        self._cut_off()
        self._deleted()
        self._doubtful_send()
        self._remember_threads()
        self.server.stop()
        return {
            **self.expected, "recovery_share": told.recovery_share,
            "integrations": self.integrations, "threads": self.threads, "receipts": self.receipts,
        }

    def _people(self, told: Init) -> None:
        body = {"token": told.setup_token, "workspace": "Brand", **OWNER}
        self.server.api().post("/v1/setup", body).expect(200, 201)
        token = self.server.token("Brand")
        other = self.server.token("Studio", role="reader")
        self.desk = Desk(self.server.api(token), self.lab)
        self.expected |= {"owner": OWNER, "tokens": {"Brand": token, "Studio": other}}

    def _connect(self, name: str, **more: Any) -> tuple[Account, Connected]:
        account = self.lab.account(name)
        integration = self.desk.connect(account, **more)
        self.integrations[name] = {
            "id": integration.id, "secret": integration.secret, "address": account.address,
        }
        return account, integration

    def _settle(self, name: str, integration: Connected, state: str) -> None:
        seen = self.desk.api.get(f"/v1/integrations/{integration.id}").expect(200)
        self.integrations[name] |= {"state": state, "epoch": seen["epoch"]}

    def _write(self, name: str, integration: Connected, subject: str) -> str:
        answer = self.desk.write(integration, self.lea.account, subject, f"About {subject} …")
        thread_id = answer.expect(201)["id"]
        self.threads[subject] = {"id": thread_id, "integration": name}
        return thread_id

    def _with_a_reply_and_held_mail(self) -> None:
        maya, integration = self._connect("maya")
        self.desk.grant(integration)
        thread_id = self._write("maya", integration, "Winter collection")
        (mail,) = self.lea.received("Winter collection")
        self.desk.sent(thread_id)
        self.lea.answer(mail, "gmail_web", "Yes, with pleasure")
        self.desk.incoming(thread_id)
        body = {"text": "And the summer one?"}
        self.desk.api.post(f"/v1/threads/{thread_id}/messages", body).expect(201)
        eventually(lambda: self._states(thread_id).count("sent") == 2, "the second mail sent")
        outsider = creator.plain_reply(mail, self.otto, "let me answer for her")
        self.lab.submit(self.otto, [maya.address], outsider.as_bytes())
        (held,) = eventually(self.desk.held, "held mail")
        self.expected["held"] = {"id": held["id"], "from": self.otto.address}
        # A lease ends with its server; the grant is good for a month and then a memory.
        self._settle("maya", integration, "granted or sealed")

    def _typed_and_resealed(self) -> None:
        _, integration = self._connect("nora", shared_secret=TYPED_SECRET)
        self.desk.sent(self._write("nora", integration, "Spring"))
        self.receipts.append(self.desk.reseal(integration, RESEALED_SECRET).expect(200).json)
        self.integrations["nora"] |= {"secret": RESEALED_SECRET, "old_secret": TYPED_SECRET}
        self._settle("nora", integration, "sealed")

    def _cut_off(self) -> None:
        _, integration = self._connect("ines")
        self.desk.sent(self._write("ines", integration, "Autumn"))
        self.receipts.append(self.desk.act(integration, "cut-off").expect(200).json)
        self._settle("ines", integration, "cut_off")

    def _deleted(self) -> None:
        _, integration = self._connect("dora")
        self.desk.sent(self._write("dora", integration, "Last year"))
        deleted = self.desk.api.delete(f"/v1/integrations/{integration.id}").expect(200)
        self.receipts.append(deleted.json)
        self.integrations["dora"]["state"] = "deleted"

    def _doubtful_send(self) -> None:
        """One mail whose final dot was not answered, and one that waits for a busy server."""
        with ScriptedSmtp(self.lab.pair) as smtp:
            _, integration = self._connect("uma", smtp={"port": smtp.port})
            smtp.script["dot"] = CLOSE_AFTER
            thread_id = self._write("uma", integration, "Perhaps")
            self.desk.settled(thread_id)
            smtp.script = {"rcpt": "451 4.3.0 later"}
            self._write("uma", integration, "Waiting")
            smtp.reached("rcpt")
            self._settle("uma", integration, "sealed")
            self.desk.act(integration, "lock").expect(200, 204)

    def _states(self, thread_id: str) -> list[str]:
        return [message["state"] for message in self.desk.thread(thread_id)["messages"]]

    def _remember_threads(self) -> None:
        for found in self.threads.values():
            messages = self.desk.thread(found["id"])["messages"]
            found["messages"] = [self._remember(self.desk.api, message) for message in messages]

    def _remember(self, api: Api, message: dict) -> dict:
        raw = api.get(f"/v1/messages/{message['id']}/raw").expect(200).body
        kept = ("id", "direction", "state", "from", "to", "date", "text", "attachments")
        return {
            **{name: message[name] for name in kept},
            "raw_sha256": hashlib.sha256(raw).hexdigest(),
        }


def make(target: pathlib.Path) -> None:
    """Makes the fixture at `target`, which must not be there."""
    target.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="pst-") as scratch, MailServers() as lab:
        folder = pathlib.Path(scratch)
        folder.chmod(0o755)
        server = Postern(folder)
        try:
            expected = _Maker(server, lab).make()
        except BaseException:
            print(server.log()[-4000:], file=sys.stderr)
            raise
        finally:
            server.close()
        (target / EXPECTED).write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n")
        _pack(server.data, target / ARCHIVE)


def _pack(data: pathlib.Path, archive: pathlib.Path) -> None:
    """What a stopped server leaves, without owners (they differ by host), its socket and lock."""

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if member.name in ("./run/admin.sock", "./lock"):
            return None
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        return member

    with tarfile.open(archive, "w:xz", preset=9) as out:
        out.add(data, ".", filter=plain)


def main() -> int:
    parser = argparse.ArgumentParser(description="makes a fixture store with POSTERN_BIN")
    parser.add_argument("target", type=pathlib.Path, help="a new folder below tests/data/stores")
    target = parser.parse_args().target
    try:
        make(target)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    print(f"{target}: made with {binary()}, {(target / ARCHIVE).stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
