"""A private nginx with one worker: the peer for HTTP figures and for start-up."""

from __future__ import annotations

import pathlib
import subprocess

from lab.process import accepts, descendants, eventually, free_port, spawn_child, stop_child

from figures import NotMeasured
from programs import needed

_CONFIG = """
daemon off;
user root;
worker_processes 1;
pid {base}/nginx.pid;
error_log {base}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  tcp_nodelay on;
  client_body_temp_path {base}/body;
  proxy_temp_path {base}/proxy;
  fastcgi_temp_path {base}/fastcgi;
  uwsgi_temp_path {base}/uwsgi;
  scgi_temp_path {base}/scgi;
  server {{
    listen 127.0.0.1:{port};
    default_type application/json;
    root {base}/www;
    location = /healthz {{ return 200 '{answer}'; }}
  }}
}}
"""


class Nginx:
    """Serves `answer` at /healthz and the files of `www`; ends with its `with` block."""

    def __init__(self, base: pathlib.Path, answer: str = '{"status":"ok"}') -> None:
        needed("nginx")
        self.base = base
        self.port = free_port()
        self.www = base / "www"
        self.www.mkdir()
        self._config = base / "nginx.conf"
        self._config.write_text(_CONFIG.format(base=base, port=self.port, answer=answer))
        self._child: subprocess.Popen | None = None

    def __enter__(self) -> Nginx:
        self.spawn()
        eventually(self._is_up, "nginx up")
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def spawn(self) -> None:
        """Starts it without waiting."""
        command = ["nginx", "-p", str(self.base), "-c", str(self._config)]
        self._child = spawn_child(command, self.base / "out.log")

    def stop(self) -> None:
        if self._child:
            stop_child(self._child)
            self._child = None

    @property
    def pids(self) -> list[int]:
        assert self._child
        return [self._child.pid, *descendants(self._child.pid)]

    def _is_up(self) -> bool:
        if self._child and self._child.poll() is not None:
            raise NotMeasured(f"nginx ended at once: {(self.base / 'out.log').read_text()[-500:]}")
        return accepts(self.port)
