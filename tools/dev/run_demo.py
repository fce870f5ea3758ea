"""./dev run --demo: private mail servers, an installation of its own, a workspace with sample data.

Everything is made anew at each start and stops together, by pid, on Ctrl-C or SIGTERM.
"""

import argparse
import re
import shutil
import signal
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/functional"))

from demo_workspace import WORKSPACE, DemoWorkspace  # noqa: E402
from lab.desk import Desk  # noqa: E402
from lab.mail_servers import MailServers  # noqa: E402
from lab.postern import Postern  # noqa: E402


def parse() -> tuple[argparse.Namespace, list[str]]:
    """What is not ours is for `postern serve`."""
    parser = argparse.ArgumentParser(prog="./dev run --demo", allow_abbrev=False)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--listen", default="127.0.0.1:8080")
    return parser.parse_known_args()


def stop_on_signals() -> threading.Event:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    return stopped


def show(server: Postern, link: str, token: str, demo: DemoWorkspace) -> None:
    print(f"""
Postern serves at http://localhost:{server.port} with sample data.
  set-up link      {link}
  workspace        {WORKSPACE}
  its API token    {token}
  the mailbox      {demo.mailbox.id}, shared secret {demo.mailbox.secret}
  log              {server.log_path}
Two creators answer what is sent to them. Ctrl-C ends it; the next start makes all of it anew.
""", flush=True)


def main() -> int:
    options, more = parse()
    stopped = stop_on_signals()
    shutil.rmtree(options.data, ignore_errors=True)
    options.data.mkdir(parents=True)
    print("-> starting private Dovecot and Postfix on loopback ports", flush=True)
    with MailServers() as lab:
        server = Postern(options.data, port=int(options.listen.rpartition(":")[2]))
        try:
            # What init cannot know is where the demo listens.
            link = server.init().setup_link
            link = re.sub(r"//localhost:\d+", f"//localhost:{server.port}", link)
            token = server.token(WORKSPACE, demo=True)
            server.start(*more)
            demo = DemoWorkspace(Desk(server.api(token), lab), lab)
            show(server, link, token, demo)
            demo.answer_until(stopped)
        finally:
            if server.running:
                server.stop()
            server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
