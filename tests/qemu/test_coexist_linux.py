# SPDX-License-Identifier: GPL-2.0-or-later
"""The monitor and two schemes, beside what a guest's own drivers do to memory.

As test_coexist.py, with a Linux guest: it has virtio-mem, a balloon or a disk
whose back end is another process. tests/linux/keeper.c knows what is in its
memory. What the guest gave back must stay with the host: it is asked which
pages guest memory has at all. Figures are printed.
"""

import math
import mmap
import os
import shutil
import struct
import subprocess
import tempfile
import unittest

from linux_guest import ConsoleGuest, LinuxCase
from sparse import extents, filled, populated
from swap import FEW, resident
from test_coexist import (Case as Base, ACCEL, DEVICE, MB, OUT, STAT, go_on,
                          state, use_schemes, wait_snapshots, work)
from test_schemes import set_schemes, stats

HOT = 16
# What the guest's kernel takes of its free memory meanwhile, by itself.
NOISE = MB
WILLNEED = {"name": "all", "action": "willneed", "pattern": {}}


class Linux(ConsoleGuest):
    """A Linux that keeps what it is told to; size: MiB."""

    def __init__(self, files, size, args=(), device=DEVICE, **kwargs):
        super().__init__(files, "keeper", "memhp_default_state=online_movable",
                         size=size * MB, accel=ACCEL, align="2M",
                         device=device, args=args, **kwargs)

    def ask(self, line, answer):
        """Its answer, which is to match."""
        before = len(self.text)
        self.tell(line)
        said = self.wait_for(rf"^(BAD .*|{answer})\n", after=before)
        if said[0].startswith("BAD"):
            raise AssertionError(f"{line}: {said[0]}")
        return said

    def keep(self, mib):
        """How many of them are in memory that was plugged in."""
        return int(self.ask(f"keep {mib}", rf"KEEPS {mib} (\d+)")[2])

    def check(self):
        self.ask("check", "INTACT .*")
        for word in ("oom-killer", "Out of memory", "panic", "Oops"):
            assert word not in self.text, self.text[-2000:]

    def begin(self, keep):
        """A guest at work, and schemes that have worked on it."""
        self.keep(keep)
        self.ask(f"heat {HOT}", "HEATS .*")
        use_schemes(self)
        work(self)


class Case(LinuxCase, Base):
    def boot(self, *args, **kwargs):
        return self.enterContext(Linux(self.files.name, *args, **kwargs))

    def note(self, text):
        print("# " + text, flush=True)

    def file(self, size):
        """A file in memory; its path, and how to see what is resident."""
        fd, path = tempfile.mkstemp(prefix="vmheat-", dir="/dev/shm")
        self.addCleanup(os.unlink, path)
        os.ftruncate(fd, size)
        memory = self.enterContext(mmap.mmap(fd, size))
        os.close(fd)
        return path, memory

    def stays_given(self, g, path, what, most=NOISE):
        """Holes in guest memory stay while what is around them is used, and
        worked on."""
        before = extents(path)
        g.check()
        done = stats(g)["sz-applied"]
        g.qmp.wait_until("it is paged out again", lambda: stats(g)[
            "sz-applied"] >= done + 8 * MB, timeout=60)
        wait_snapshots(g)
        back = filled(before, extents(path))
        self.note(f"{what}: {back / MB:.2f} MiB came back between "
                  f"{len(before)} extents")
        self.assertLessEqual(back, most, what)
        self.assertEqual(state(g), ("running", None))


class VirtioMem(Case):
    SIZE = 256

    def resize(self, g, mib):
        g.qmp("qom-set", path="/machine/peripheral/vm0",
              property="requested-size", value=mib * MB)
        g.qmp.wait_until(f"{mib} MiB are plugged", lambda: g.qmp(
            "query-memory-devices")[0]["data"]["size"] == mib * MB,
            timeout=120)

    def plugged(self, g, path, memory):
        """The guest uses what is plugged in, and the schemes page it out."""
        g.keep(16)
        self.resize(g, self.SIZE)
        self.assertGreaterEqual(g.keep(96), 64)
        has = populated(path)
        self.assertGreaterEqual(has, 64 * MB)
        use_schemes(g)
        g.qmp.wait_until("some of it is out", lambda: resident(memory)
                         < has - 32 * MB, timeout=60)
        g.check()

    def unplugged(self, g, path, mib):
        """What is gone stays so; up to 2 MiB are what safety.md allows."""
        self.resize(g, mib)
        self.assertLessEqual(populated(path), (mib + 2) * MB)
        self.stays_given(g, path, f"{mib} MiB plugged", 0 if not mib else
                         mib * MB - populated(path))
        g.check()

    def test_resize(self):
        path, memory = self.file(self.SIZE * MB)
        g = self.boot(256, ["-m", "256M,maxmem=1G", "-object",
                            "memory-backend-file,id=mem1,share=on,align=2M,"
                            f"size={self.SIZE}M,mem-path={path}", "-device",
                            "virtio-mem-pci,id=vm0,memdev=mem1,requested-size=0"])
        g.begin(32)
        self.stays_given(g, path, "nothing plugged", 0)
        for _ in range(2):
            self.plugged(g, path, memory)
            self.unplugged(g, path, 64)
            self.unplugged(g, path, 0)
        # what allocates has to leave this memory alone
        set_schemes(g, WILLNEED, STAT)
        g.qmp.wait_until("all other memory is here", lambda: stats(g)[
            "sz-applied"] > 64 * MB, timeout=60)
        wait_snapshots(g)
        self.assertEqual(populated(path), 0)
        go_on(g)


class Balloon(Case):
    RAM, LESS, KEPT = 384, 256, 48

    def resize(self, g, mib):
        g.qmp("balloon", value=mib * MB)
        g.qmp.wait_until(f"the balloon leaves {mib} MiB", lambda: g.qmp(
            "query-balloon")["actual"] == mib * MB, timeout=120)

    def used(self, properties=""):
        """A guest that has written to most of its memory once."""
        g = self.boot(self.RAM, ["-device", "virtio-balloon-pci,id=balloon0"
                                 + properties])
        g.keep(240)
        return g

    def test_balloon(self):
        """What it takes lies page by page between what the guest uses."""
        g = self.used()
        g.keep(2 * self.KEPT)
        g.ask("thin", "THINNED")
        g.begin(2 * self.KEPT)
        for _ in range(2):
            had = populated(g.ram)
            self.resize(g, self.LESS)
            gave = had - populated(g.ram)
            self.note(f"balloon: the host got {gave / MB:.0f} MiB")
            self.assertLessEqual(populated(g.ram), self.LESS * MB)
            self.assertGreater(gave, 32 * MB)  # of what there was
            set_schemes(g, OUT, STAT)
            self.stays_given(g, g.ram, "balloon, pageout and stat")
            use_schemes(g)
            # a huge page may be made of what is used and what lies between
            self.stays_given(g, g.ram, "balloon, pageout and collapse",
                             self.KEPT * MB + NOISE)
            work(g)
            g.check()
            self.resize(g, self.RAM)
            g.keep(240)
            g.check()
            g.keep(2 * self.KEPT)
        go_on(g)

    def test_reporting(self):
        """The guest tells which pages are free, whenever some are."""
        g = self.used(",free-page-reporting=on")
        use_schemes(g)
        for _ in range(2):
            had = populated(g.ram)
            g.begin(self.KEPT)
            g.qmp.wait_until("the host got free memory", lambda had=had:
                             had - populated(g.ram) > 128 * MB, timeout=60)
            self.settles(g)
            self.stays_given(g, g.ram, "free pages, pageout and collapse")
            g.check()
            g.keep(240)
            g.check()
        go_on(g)

    def settles(self, g):
        """No more is reported."""
        has = [math.inf]

        def same():
            has.append(populated(g.ram))
            return has[-1] >= has[-2] - NOISE
        g.qmp.wait_until("all is reported", same, timeout=60, step=3)


class Daemon:
    """A vhost-user back end: qemu-storage-daemon, with the disk's file."""

    def __init__(self, directory):
        self.disk = os.path.join(directory, "disk")
        self.socket = os.path.join(directory, "vhost.sock")
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen([
            "qemu-storage-daemon", "--blockdev",
            f"driver=file,node-name=disk,filename={self.disk}", "--export",
            "type=vhost-user-blk,id=e,node-name=disk,writable=on,"
            f"addr.type=unix,addr.path={self.socket}"])
        return self

    def __exit__(self, *exc):
        self.process.kill()
        self.process.wait()

    def mapped(self, path):
        """Offsets of the file's pages that are in its page tables."""
        pages = set()
        with open(f"/proc/{self.process.pid}/maps", encoding="ascii") as f:
            ours = [line.split() for line in f if path in line]
        with open(f"/proc/{self.process.pid}/pagemap", "rb") as f:
            for addresses, _, offset, *_ in ours:
                start, end = (int(a, 16) for a in addresses.split("-"))
                f.seek(start // 4096 * 8)
                entries = f.read((end - start) // 4096 * 8)
                pages |= {int(offset, 16) + 4096 * i for i, (e,) in enumerate(
                    struct.iter_unpack("<Q", entries)) if e >> 63}
        return pages


class VhostUser(Case):
    """Another process maps the guest's memory, reads and writes it."""

    DISK = 16

    def content(self, seed):
        """What keeper.c has in its buffer."""
        return b"".join(struct.pack("<Q", seed << 32 | page) * 512
                        for page in range(self.DISK * 256))

    def pages_out(self, g, least):
        """So many bytes more are paged out."""
        done = stats(g)["sz-applied"]
        g.qmp.wait_until("more is paged out", lambda: stats(g)[
            "sz-applied"] >= done + least, timeout=60)
        wait_snapshots(g)

    def exchange(self, g, daemon, seed):
        """One way, and the other, of what was idle for a while."""
        g.ask(f"fill {seed}", "FILLED .*")
        self.pages_out(g, 4 * MB)
        g.ask(f"write {seed}", "WROTE .*")
        with open(daemon.disk, "r+b") as f:
            self.assertEqual(f.read(), self.content(seed),
                             "what is on the disk is damaged")
            f.seek(0)
            f.write(self.content(seed + 100))
        g.ask(f"read {seed + 100}", "HAS .*")
        g.check()

    def test_disk(self):
        if not shutil.which("qemu-storage-daemon"):
            self.skipTest("there is no qemu-storage-daemon")
        daemon = Daemon(self.enterContext(tempfile.TemporaryDirectory(
            prefix="vmheat-")))
        with open(daemon.disk, "wb") as f:
            f.write(self.content(7))
        self.enterContext(daemon)
        while not os.path.exists(daemon.socket):
            self.assertIsNone(daemon.process.poll())
        g = self.boot(384, ["-chardev", f"socket,id=c,path={daemon.socket}",
                            "-device", "vhost-user-blk-pci,chardev=c"])
        g.ask("read 7", "HAS .*")
        g.begin(96)
        for seed in range(8, 11):
            self.exchange(g, daemon, seed)
        had = daemon.mapped(g.ram)
        self.pages_out(g, 4 * MB)
        left = had - daemon.mapped(g.ram)
        self.note(f"of {len(had)} pages that the back end has mapped "
                  f"{len(left)} left")
        self.assertGreater(len(had), self.DISK * 256 // 2)
        self.assertLessEqual(len(left), FEW)
        go_on(g)


if __name__ == "__main__":
    unittest.main(verbosity=2)
