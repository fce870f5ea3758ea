"""Which shared libraries each process may load: what it does not link it cannot run.

linked.py BUILD_FOLDER: fails when a program of ours loads one that its role has no use for.
"""

import re
import subprocess
import sys
from pathlib import Path

# The language, the C library and what the sanitizers bring.
EVERYWHERE = {"linux-vdso", "ld-linux-x86-64", "ld-linux-aarch64", "libc", "libm", "libstdc++",
              "libgcc_s", "libpthread", "libdl", "librt", "libresolv", "libasan", "libubsan",
              "libseccomp"}

# Supervisor and keeper see no foreign bytes: no TLS, HTTP, MIME or HTML code is in them.
ALLOWED = {
    "postern": {"libboost_json", "libsodium", "libqrencode"},
    # libqrencode for what an authenticator app takes in.
    "postern-front": {"libssl", "libcrypto", "libsodium", "libsqlite3", "libboost_json",
                      "libboost_url", "libzstd", "libqrencode"},
    "postern-keeper": {"libcrypto", "libsodium", "libsqlite3"},
    # libsodium for random numbers alone: ids and ports of its DNS questions. libboost_json for what
    # a provider's token address answers: access and refresh tokens go no further than courier.
    "postern-courier": {"libssl", "libcrypto", "libsodium", "libboost_json"},
    "postern-reader": set(),
}


def libraries(program: Path) -> set[str]:
    done = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=True)
    names = {Path(line.split()[0]).name for line in done.stdout.splitlines() if line.strip()}
    return {re.sub(r"\.so.*$", "", name) for name in names}


def main() -> int:
    folder = Path(sys.argv[1])
    failed = False
    for name, allowed in ALLOWED.items():
        if not (folder / name).exists():
            print(f"{name}: not built in {folder}")
            failed = True
            continue
        for library in sorted(libraries(folder / name) - allowed - EVERYWHERE):
            print(f"{name}: loads {library}, which its role has no use for")
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
