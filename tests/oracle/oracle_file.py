# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading the oracle's file (oracle-file.h) while it counts.

    with Oracle(size) as oracle:
        start QEMU with oracle.args(plugin); then
        before = oracle.copy()
        ...
        after = oracle.copy()
        accesses = oracle.data(before, after)    # of each page

Python's standard library only.
"""

import os
import re
import tempfile


def read_layout():
    """The #defines of oracle-file.h, without their VHO_ prefix."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "oracle-file.h")
    with open(path, encoding="ascii") as f:
        found = re.findall(r"^#define VHO_(\w+) (\w+)$", f.read(), re.M)
    return {name: int(number, 0) for name, number in found}


L = read_layout()


class OracleError(Exception):
    """The file is not what oracle-file.h says."""


class Oracle:
    """A file for the oracle of a guest with this many bytes of RAM."""

    def __init__(self, size, directory=None):
        if size > L["MAX_SIZE"]:
            raise OracleError(f"a guest of {size} bytes: the oracle counts "
                              f"those of at most {L['MAX_SIZE']}")
        shm = "/dev/shm" if os.path.isdir("/dev/shm") else None
        fd, self.path = tempfile.mkstemp(prefix="vmheat-oracle-",
                                         dir=directory or shm)
        self.file = os.fdopen(fd, "rb", buffering=0)
        self.size = size
        self.pages = size // L["PAGE_SIZE"]

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.file.close()
        os.unlink(self.path)

    def args(self, plugin):
        """Of QEMU's command line."""
        return ["-plugin", f"{plugin},counts={self.path},size={self.size}"]

    def word(self, name):
        """A word of the header; 0 while there is none."""
        raw = os.pread(self.file.fileno(), 8, L["OFF_" + name])
        return int.from_bytes(raw, "little")

    def check(self):
        """Raises OracleError unless the oracle counts into this file."""
        if self.word("MAGIC") != L["MAGIC"]:
            raise OracleError("the oracle did not begin to count")
        if self.word("VERSION") != L["VERSION"]:
            raise OracleError(f"an oracle's file of version "
                              f"{self.word('VERSION')}: this reads "
                              f"{L['VERSION']}")
        if self.word("PAGES") != self.pages:
            raise OracleError(f"the oracle counts {self.word('PAGES')} pages "
                              f"instead of {self.pages}")
        wanted = L["HEADER_SIZE"] + self.pages * 16
        if os.fstat(self.file.fileno()).st_size != wanted:
            raise OracleError(f"the oracle's file has not {wanted} bytes")

    def copy(self):
        """All counters as they are now: loads and stores, then code."""
        self.check()
        raw = os.pread(self.file.fileno(), self.pages * 16, L["HEADER_SIZE"])
        return memoryview(raw).cast("Q")

    def data(self, before, after):
        """Loads and stores of each page between two copies."""
        return [b - a for a, b in zip(before[:self.pages],
                                      after[:self.pages])]

    def code(self, before, after):
        """Executions of translation blocks in each page between them."""
        return [b - a for a, b in zip(before[self.pages:],
                                      after[self.pages:])]
