"""A private nginx in front of Postern, with the `server` block of docs/operating.md."""

from __future__ import annotations

import pathlib
import re
import subprocess

from .postern import PROJECT
from .process import accepts, eventually, free_port, spawn_child, stop_child
from .tls import Pair

_AROUND = """
daemon off;
user root;
worker_processes 1;
pid {base}/nginx.pid;
error_log {base}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {base}/body;
  proxy_temp_path {base}/proxy;
  fastcgi_temp_path {base}/fastcgi;
  uwsgi_temp_path {base}/uwsgi;
  scgi_temp_path {base}/scgi;
  ssl_certificate {pair.cert};
  ssl_certificate_key {pair.key};
{server}
}}
"""


def documented_server() -> str:
    """The nginx block of the operator's page, as it stands there."""
    page = (PROJECT / "docs" / "operating.md").read_text()
    blocks = re.findall(r"```nginx\n(.*?)```", page, re.DOTALL)
    if len(blocks) != 1:
        raise AssertionError(f"docs/operating.md has {len(blocks)} nginx blocks")
    return blocks[0]


class Nginx:
    """TLS on a loopback port, passed on to Postern's port; ends with its `with` block."""

    def __init__(self, base: pathlib.Path, pair: Pair, upstream_port: int) -> None:
        base.mkdir()
        self.base = base
        self.port = free_port()
        server = documented_server()
        for written, ours in (
            ("listen 443 ssl;", f"listen 127.0.0.1:{self.port} ssl;"),
            ("http://127.0.0.1:8080;", f"http://127.0.0.1:{upstream_port};"),
        ):
            if written not in server:
                raise AssertionError(f"the documented nginx block lacks {written!r}")
            server = server.replace(written, ours)
        self._config = base / "nginx.conf"
        self._config.write_text(_AROUND.format(base=base, pair=pair, server=server))
        self._child: subprocess.Popen | None = None

    def __enter__(self) -> Nginx:
        command = ["nginx", "-p", str(self.base), "-c", str(self._config)]
        self._child = spawn_child(command, self.base / "out.log")
        eventually(self._is_up, "nginx up")
        return self

    def __exit__(self, *_: object) -> None:
        if self._child:
            stop_child(self._child)

    def _is_up(self) -> bool:
        if self._child and self._child.poll() is not None:
            raise AssertionError(f"nginx ended: {(self.base / 'out.log').read_text()[-2000:]}")
        return accepts(self.port)
