"""The peer of many mailboxes: one asyncio client that signs in to each account, opens INBOX and
idles, and comes back at once when its connection ends. Run as a process of its own, so that its
memory can be measured:

    python3 idle_peer.py PORT CA_FILE < lines of "user password"
"""

from __future__ import annotations

import asyncio
import base64
import ssl
import sys


async def watch(port: int, tls: ssl.SSLContext, user: str, password: str) -> None:
    plain = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
    while True:
        try:
            reader, writer = await asyncio.open_connection(
                "localhost", port, ssl=tls, limit=4096
            )
            await reader.readline()
            for tag, line in (("a", f"AUTHENTICATE PLAIN {plain}"), ("b", "EXAMINE INBOX")):
                writer.write(f"{tag} {line}\r\n".encode())
                while answer := await reader.readline():
                    if answer.startswith(f"{tag} ".encode()):
                        break
            writer.write(b"c IDLE\r\n")
            while await reader.readline():
                pass
            writer.close()
        except (OSError, asyncio.IncompleteReadError):
            pass  # At once again: each try waits for the network anyway.


async def main() -> None:
    tls = ssl.create_default_context(cafile=sys.argv[2])
    accounts = [line.split() for line in sys.stdin]
    await asyncio.gather(
        *(watch(int(sys.argv[1]), tls, user, password) for user, password in accounts)
    )


if __name__ == "__main__":
    asyncio.run(main())
