"""libsodium's Argon2id, called from Python: what this machine computes of it, without Postern."""

from __future__ import annotations

import ctypes
import ctypes.util
import threading
import time

from figures import NotMeasured

PASSES, MEMORY = 3, 64 * 1024 * 1024
_ARGON2ID13 = 2


class Argon2:
    """The cost that is configured where nothing else is. Calls give up Python's lock."""

    def __init__(self) -> None:
        name = ctypes.util.find_library("sodium")
        if not name:
            raise NotMeasured("no libsodium")
        self._sodium = ctypes.CDLL(name)
        if self._sodium.sodium_init() < 0:
            raise NotMeasured("libsodium does not start")

    def once(self) -> None:
        out = ctypes.create_string_buffer(32)
        password = b"correct horse battery staple"
        done = self._sodium.crypto_pwhash(
            out, ctypes.c_ulonglong(32), password, ctypes.c_ulonglong(len(password)), b"s" * 16,
            ctypes.c_ulonglong(PASSES), ctypes.c_size_t(MEMORY), _ARGON2ID13,
        )
        if done != 0:
            raise NotMeasured("Argon2id found no memory")

    def per_second(self, seconds: float, at_a_time: int = 1) -> float:
        """How many of them, so many at a time."""
        counts = [0] * at_a_time
        began = time.perf_counter()

        def go_on(number: int) -> None:
            while time.perf_counter() - began < seconds:
                self.once()
                counts[number] += 1

        threads = [threading.Thread(target=go_on, args=(n,)) for n in range(at_a_time)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(counts) / (time.perf_counter() - began)
