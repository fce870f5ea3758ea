"""The base of tests about the audit record's second places."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import sqlite3
import subprocess

from .case import LabCase
from .postern import CONFIG


class AnchorCase(LabCase):
    def setUp(self) -> None:
        super().setUp()
        self.place = self.scratch / "elsewhere"
        self.place.mkdir()
        self.anchors = self.place / "anchors"
        self.server = self.installation(config=self.config_of(self.anchors))
        self.server.init()
        self.server.start()
        self.api = self.server.api(self.server.token())

    @staticmethod
    def config_of(anchors: pathlib.Path) -> str:
        return f'{CONFIG}\n[audit]\nanchor_file = "{anchors}"\n'

    def audit(self, *what: str):
        where = ("--data", str(self.server.data), "--config", str(self.server.config))
        return self.server.run("audit", *what, *where)

    def verified(self) -> str:
        done = self.audit("verify")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def expect_broken(self, text: str) -> None:
        done = self.audit("verify")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("audit_broken", done.stderr)
        self.assertRegex(done.stdout, text)

    def ready(self) -> str:
        return self.server.api().get("/readyz").expect(200)["audit"]

    def act(self, count: int = 1) -> None:
        for _ in range(count):
            self.api.post("/v1/tokens", {"role": "reader"}).expect(201)

    def newest(self) -> int:
        return self.api.get("/v1/audit?limit=1").expect(200)["items"][0]["number"]

    def change_store(self, *statements: str) -> None:
        """As whoever has the files and no key. The server stands."""
        with contextlib.closing(sqlite3.connect(self.server.data / "store" / "store.db")) as store:
            for statement in statements:
                store.execute(statement)
            store.commit()

    @staticmethod
    def copy_store(source: pathlib.Path, target: pathlib.Path) -> None:
        """With its owners: the store is front's."""
        if target.exists():
            shutil.rmtree(target)
        subprocess.run(["cp", "-a", str(source), str(target)], check=True)
