"""Checks the tools of the allow-lists themselves: what they must read, and what they must find."""

import sys
import tempfile
import unittest
from pathlib import Path

import lists
import run
import strace_log


class StraceTest(unittest.TestCase):
    CALLS = {
        'openat(AT_FDCWD, "a, b (c)", O_RDONLY|O_CLOEXEC) = 3': "openat",
        "socket(AF_INET6, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_TCP) = 9":
            "socket 0=AF_INET6 1=SOCK_STREAM 2=IPPROTO_TCP",
        "mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE, -1, 0) = 0x7f": "mmap 2!PROT_EXEC",
        "mmap(NULL, 4096, PROT_READ|PROT_EXEC, MAP_PRIVATE, 3, 0) = 0x7f": "mmap",
        "sendmsg(3, {msg_name=NULL, msg_namelen=0}, MSG_NOSIGNAL) = 5": "sendmsg 2!MSG_FASTOPEN",
        'sendto(3, "x", 1, MSG_FASTOPEN, {sa_family=AF_INET}, 16) = 1': "sendto",
        "prlimit64(0, RLIMIT_NOFILE, NULL, {rlim_cur=1}) = 0": "prlimit64 0=0 1=RLIMIT_NOFILE",
        "ioctl(5, FIONBIO, [1]) = 0": "ioctl 1=FIONBIO",
        "clone(child_stack=0x7f, flags=CLONE_VM|CLONE_FS, parent_tid=[5], tls=0x1) = 5":
            "clone 0=CLONE_VM|CLONE_FS",
        "recvmsg(3, {msg_name=NULL, msg_iov=[{iov_base=\"x\", iov_len=1}]}, 0 <unfinished ...>":
            "recvmsg",
        "exit_group(0) = ?": "exit_group",
    }
    NO_CALLS = ("+++ exited with 0 +++", "--- SIGSYS {si_signo=SIGSYS} ---", "")

    def test_calls_are_read(self):
        for line, expected in self.CALLS.items():
            self.assertEqual(str(strace_log.call_of(line)), expected)
        for line in self.NO_CALLS:
            self.assertIsNone(strace_log.call_of(line))

    def test_only_what_a_role_does_within_its_fence_counts(self):
        fence = "seccomp(SECCOMP_SET_MODE_FILTER, 0, {len=1}) = 0"
        with tempfile.TemporaryDirectory() as folder:
            one = Path(folder) / "one"
            one.mkdir()
            (one / "trace.10").write_text("fork() = 11\nwait4(11, NULL, 0, NULL) = 11\n")
            (one / "trace.11").write_text(
                'execveat(3, "", ["postern-front", "--instance"], [], AT_EMPTY_PATH) = 0\n'
                f"getuid() = 0\n{fence}\nread(3, 0, 1) = 1\n"
                "clone(child_stack=0x1, flags=CLONE_VM) = 12\n"
            )
            (one / "trace.12").write_text("flock(4, LOCK_EX) = 0\n")
            other = Path(folder) / "other"
            other.mkdir()
            # The same number in another run is another process.
            (other / "trace.12").write_text("reboot() = 0\n")
            found = strace_log.calls_of(Path(folder))
        self.assertEqual(set(found), {"front"})
        self.assertEqual({call.name for call in found["front"]}, {"read", "clone", "flock"})


class ListTest(unittest.TestCase):
    BAD = ("Read", "read 0", "read 0=lower", "read x=AF_UNIX", "read 0==AF_UNIX")

    def test_lines(self):
        self.assertIsNone(lists.parse_line("# only a remark"))
        call, why = lists.parse_line("socket 0=AF_UNIX -> EACCES   # the resolver asks")
        self.assertEqual((call.tests, call.refused_with), (("0=AF_UNIX",), "EACCES"))
        self.assertEqual(why, "the resolver asks")
        for line in self.BAD:
            with self.assertRaises(ValueError, msg=line):
                lists.parse_line(line)

    def test_what_does_not_agree_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / lists.FOLDER).mkdir(parents=True)
            (root / lists.FOLDER / "every.txt").write_text("read\n")
            for name in (*lists.ROLES, *lists.POSTGRESQL):
                (root / lists.FOLDER / f"{name}.txt").write_text("")
            front = root / lists.FOLDER / "front.txt"
            front.write_text("bind\nlisten # unseen: x\nfork # unseen: y\nread\n")
            record = {"front": {"read": ["dev"], "listen": ["dev"], "connect": ["release"]},
                      "keeper_on_postgresql": {"poll": ["dev"], "read": ["dev"]}}
            found = run.findings(root, record)
        self.assertEqual(len(found), 5, found)
        for text in ("front.txt lacks connect", "postgresql.txt lacks poll", "bind, which no run",
                     "listen is not unseen", "so has"):
            self.assertTrue(any(text in line for line in found), f"{text}: {found}")


if __name__ == "__main__":
    sys.exit(not unittest.main(exit=False, verbosity=0).result.wasSuccessful())
