# SPDX-License-Identifier: GPL-2.0-or-later
"""The host's side of the payload guest's parameter page (layout.h).

    with Payload(path_of_memory_file) as payload:
        payload.wait_ready()
        payload.calibrate()
        payload.start([Range(64 << 20, 16 << 20, rate=1000,
                             write_percent=50)])
        ...
        payload.stop()
        print(payload.record())
        assert payload.verify().ok and payload.check_memory().ok

Python's standard library only. Addresses are guest-physical; a guest with RAM
above 4 GiB must have been told its hole= (see cmdline.h).
"""

import mmap
import os
import re
import struct
import time
from typing import NamedTuple

WORD = struct.Struct("<Q")
MASK = (1 << 64) - 1


def read_layout(name="layout.h"):
    """The #defines of layout.h, without their VHP_ prefix."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    with open(path, encoding="ascii") as f:
        found = re.findall(r"^#define VHP_(\w+) (\w+)$", f.read(), re.M)
    return {name: int(number, 0) for name, number in found}


L = read_layout()


class PayloadError(Exception):
    """The payload refused, failed, or did not answer."""


class Range(NamedTuple):
    start: int
    size: int
    rate: int = 0
    write_percent: int = 0

    @property
    def end(self):
        return self.start + self.size

    def word(self):
        """As a word of the payload's command line."""
        return (f"range={self.start:#x}+{self.size:#x}:{self.rate}:"
                f"{self.write_percent}")


class RangeRecord(NamedTuple):
    range: Range
    touches: int
    reads: int
    writes: int
    passes: int
    missed: int


class Record(NamedTuple):
    seconds: float  # since go, by the guest's clock; 0 if tsc_khz is unknown
    ranges: list  # of RangeRecord
    runs: int
    total_touches: int
    total_writes: int


class Check(NamedTuple):
    bad_words: int
    first_bad: int
    slot_sum: int
    total_writes: int

    @property
    def ok(self):
        return self.bad_words == 0 and self.slot_sum == self.total_writes


def line_of(page):
    """Address of the pattern line of the page at an address."""
    lines = L["PAGE_SIZE"] // (L["LINE_WORDS"] * 8)
    return page + page // L["PAGE_SIZE"] % lines * L["LINE_WORDS"] * 8


def pattern(address, seed):
    """What the word at an address is filled with."""
    return (address + seed) * L["PATTERN_MUL"] & MASK


class Payload:
    """A payload guest, seen through its shared memory file."""

    def __init__(self, path, timeout=30.0, alive=lambda: True, arch="x86"):
        """alive: called while waiting; false ends the wait (QEMU is gone).

        arch: x86, aarch64 or riscv64. .base is where its RAM begins.
        """
        place = read_layout(os.path.join("arch-" + arch, "place.h"))
        self.base = place["BASE"]
        self.user_ring = place["USER_RING"]
        self.page = self.base + L["OFFSET_PAGE"]
        self.timeout = timeout
        self.alive = alive
        self.hole = 0
        fd = os.open(path, os.O_RDWR)
        try:
            self.memory = mmap.mmap(fd, os.fstat(fd).st_size)
        finally:
            os.close(fd)

    def close(self):
        self.memory.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    # Words of guest memory

    def offset(self, address):
        """Where a guest-physical address is in the memory file."""
        if not self.hole or address < self.hole:
            return address - self.base
        if address < L["HIGH_START"]:
            raise ValueError(f"{address:#x} is in the hole {self.hole:#x} .. "
                             f"{L['HIGH_START']:#x}")
        return address - L["HIGH_START"] + self.hole

    def read(self, address):
        return WORD.unpack_from(self.memory, self.offset(address))[0]

    def write(self, address, value):
        WORD.pack_into(self.memory, self.offset(address), value)

    def pages(self):
        """Addresses of all filled pages."""
        end, step = self.get("FILL_END"), L["PAGE_SIZE"]
        low = min(end, self.hole) if self.hole else end
        yield from range(self.base + L["OFFSET_RAM"], low, step)
        if self.hole:
            yield from range(L["HIGH_START"], end, step)

    def get(self, name):
        """A word of the parameter page, say get("TSC_NOW")."""
        return self.read(self.page + L["OFF_" + name])

    def set(self, name, value):
        self.write(self.page + L["OFF_" + name], value)

    def error(self):
        at = self.offset(self.page + L["OFF_ERROR"])
        raw = self.memory[at:at + L["ERROR_SIZE"]]
        return raw.split(b"\0", 1)[0].decode("ascii", "replace")

    # Control

    def _wait(self, what, condition):
        end = time.monotonic() + self.timeout
        while not condition():
            if not self.alive():
                raise PayloadError(f"QEMU ended while waiting for {what}")
            if time.monotonic() > end:
                raise PayloadError(f"no {what} within {self.timeout} s")
            time.sleep(0.001)

    def wait_ring3(self):
        """Until the payload runs in ring 3, EL0 or U mode."""
        self._wait("life of the payload",
                   lambda: self.get("MAGIC") == L["MAGIC"])
        if self.get("VERSION") != L["VERSION"]:
            raise PayloadError(f"payload version {self.get('VERSION')}: this "
                               f"is for {L['VERSION']}")
        if self.get("RING") != self.user_ring:
            raise PayloadError(f"payload runs in ring {self.get('RING')}")

    def wait_ready(self):
        """Until memory is filled and the payload takes orders."""
        self.wait_ring3()
        final = (L["PHASE_READY"], L["PHASE_FAILED"])
        self._wait("end of the fill", lambda: self.get("PHASE") in final)
        if self.get("PHASE") == L["PHASE_FAILED"]:
            raise PayloadError(self.error())
        self.hole = self.get("HOLE")

    def calibrate(self, seconds=0.2):
        """Measures the guest's TSC, tells the guest, returns kHz."""
        def sample():  # of a vCPU that runs right now: the value changes
            old = self.get("TSC_NOW")
            end = time.monotonic() + self.timeout
            while self.get("TSC_NOW") == old and time.monotonic() < end:
                pass
            return time.monotonic(), self.get("TSC_NOW")

        t0, c0 = sample()
        time.sleep(seconds)
        t1, c1 = sample()
        khz = round((c1 - c0) / (t1 - t0) / 1000)
        if not L["MIN_TSC_KHZ"] <= khz <= L["MAX_TSC_KHZ"]:
            raise PayloadError(f"the guest's TSC runs at {khz} kHz")
        self.set("TSC_KHZ", khz)
        return khz

    def set_ranges(self, ranges):
        """At rest only."""
        if not self.get("STOPPED"):
            raise PayloadError("ranges can be set only at rest: stop() first")
        if len(ranges) > L["MAX_RANGES"]:
            raise PayloadError(f"{len(ranges)} ranges: allowed are "
                               f"{L['MAX_RANGES']}")
        base = self.offset(self.page + L["OFF_RANGES"])
        unused = [Range(0, 0)] * (L["MAX_RANGES"] - len(ranges))
        for i, r in enumerate(list(ranges) + unused):
            struct.pack_into("<4Q", self.memory, base + i * L["RANGE_SIZE"],
                             *r)

    def go(self):
        """Starts with the ranges that are set; raises if it is refused."""
        self.set("GO", 1)
        self._wait("answer to go", lambda: self.get("GO") == 0)
        if self.get("STOPPED"):
            raise PayloadError(self.error())

    def stop(self):
        self.set("STOP", 1)
        self._wait("stop", lambda: self.get("STOP") == 0
                   and self.get("STOPPED") == 1)

    def start(self, ranges):
        """Stops if need be, changes the ranges, goes."""
        if not self.get("STOPPED"):
            self.stop()
        self.set_ranges(ranges)
        self.go()

    # What it did

    def ranges(self):
        base = self.offset(self.page + L["OFF_RANGES"])
        return [Range(*struct.unpack_from("<4Q", self.memory,
                                          base + i * L["RANGE_SIZE"]))
                for i in range(L["MAX_RANGES"])]

    def record(self):
        """Exact at rest; while running, words may be one touch apart."""
        base = self.offset(self.page + L["OFF_RECORDS"])
        rows = [RangeRecord(r, *struct.unpack_from(
                    "<5Q", self.memory, base + i * L["RECORD_SIZE"]))
                for i, r in enumerate(self.ranges()) if r.size]
        khz = self.get("TSC_KHZ")
        ticks = self.get("TSC_NOW") - self.get("TSC_START")
        return Record(ticks / khz / 1000 if khz else 0.0, rows,
                      self.get("RUNS"), self.get("TOTAL_TOUCHES"),
                      self.get("TOTAL_WRITES"))

    def verify(self):
        """The guest checks its own memory."""
        asked = self.get("VERIFY") + 1
        self.set("VERIFY", asked)
        self._wait("verification", lambda: self.get("VERIFIED") == asked)
        return Check(self.get("BAD_WORDS"), self.get("FIRST_BAD"),
                     self.get("SLOT_SUM"), self.get("TOTAL_WRITES"))

    def check_memory(self):
        """The same check, done by the host on the memory file; at rest."""
        if not self.get("STOPPED"):
            raise PayloadError("memory can be checked only at rest")
        seed, most = self.get("SEED"), self.get("TOTAL_WRITES")
        words = L["LINE_WORDS"]
        step = [i * 8 * L["PATTERN_MUL"] for i in range(words)]
        unpack = struct.Struct(f"<{words}Q").unpack_from
        bad, total = [], 0
        for page in self.pages():
            at = line_of(page)
            line = unpack(self.memory, self.offset(at))
            first = pattern(at, seed)
            written = line[0] - first & MASK
            total += written
            if written > most:
                bad.append(at)
            bad += [at + i * 8 for i in range(1, words)
                    if line[i] != first + step[i] & MASK]
        return Check(len(bad), bad[0] if bad else 0, total & MASK, most)
