# SPDX-License-Identifier: GPL-2.0-or-later
"""What the lab's tests share; runs in the outer machine.

A test is a class in a file test_NAME.py, which says in KERNELS in which outer
kernels it makes sense. For a primitive the class only names it:

    KERNELS = ("cloud",)

    class DirtyRing(lab.SeesWrites, lab.Primitive):
        primitive = "dirty-ring"
        accel = "kvm,dirty-ring-size=4096"

Times mean nothing here: the outer machine is emulated, tens of times slower
than a real one. So nothing is timed, conditions are waited for, and truth is
what the payload has noted down.
"""

import functools
import os
import signal
import statistics
import subprocess
import tempfile
import time
import unittest

import payload_guest
from guest import Guest, score
from payload_guest import MB, one_hot_range
from vmheat_payload import PayloadError

VMHEAT = "/lab/vmheat"
GOOD = 0.95
SIZE = 256 * MB
PATIENCE = 150  # seconds until monitoring has to be right
SCORED = 5      # snapshots, from the first that is right on

# Slow enough for an emulated machine, and never held back by the budget
PROPERTIES = {"sampling-interval": 200_000, "aggregation-interval": 1_000_000,
              "update-interval": 4_000_000, "traps-per-second": 10_000,
              "overhead-budget": 10_000}


def read(path):
    with open(path, encoding="ascii") as f:
        return f.read().strip()


@functools.lru_cache(maxsize=None)
def primitives():
    """Names of the primitives that this vmheat knows."""
    with Guest(accel="kvm", machine="microvm", size=32 * MB,
               device="id=heat0,paused=on", args=["-S"]) as g:
        return {p["name"] for p in g.qmp("query-vmheat")["primitives"]}


class WasReset(Exception):
    """The emulated machine has reset the inner guest, as it sometimes does.

    Or it got stuck before there was a vmheat device.
    """


class PayloadGuest(payload_guest.PayloadGuest):
    """One that tells a reset (-no-reboot: QEMU ends with 0) from a crash."""

    def __enter__(self):
        """Without a vmheat device, a guest that gets stuck is no fault of it."""
        try:
            return super().__enter__()
        except PayloadError as e:
            self.check_reset(e)
            # the rest is the payload's own complaints
            if str(e).startswith("no ") and \
                    self.process.returncode == -signal.SIGKILL:  # by close()
                raise WasReset(f"it got stuck: {e}") from e
            raise

    def __exit__(self, kind, exc, trace):
        if isinstance(exc, PayloadError):
            self.tell_end()
        super().__exit__(kind, exc, trace)
        if isinstance(exc, (EOFError, OSError, PayloadError)):
            self.check_reset(exc)

    def check_reset(self, why):
        if self.process.returncode == 0:
            raise WasReset(str(why)) from why


class Case(unittest.TestCase):
    """A test; LIMIT seconds are enough for it even on a busy host.

    RESETS: how often the emulated machine may reset its guest, and it begins
    again (docs/devel/lab.md). boot.py counts them over all tests.
    """

    LIMIT = 300
    RESETS = 2

    def __init__(self, name="runTest"):
        super().__init__(name)
        setattr(self, name, functools.partial(self.again, getattr(self, name)))

    def again(self, test):
        for left in range(self.RESETS, -1, -1):
            try:
                return test()
            except WasReset as e:
                if not left:
                    raise
                self.note(f"the emulated guest failed: {e}; once more")

    def note(self, text):
        """Say something beside the result."""
        print(f"# {text}", flush=True)


class Primitive(Case):
    """A primitive, on an inner guest whose hot memory is known.

    primitive: its name; accel: what QEMU runs with; machine: its type;
    properties: more of the device's
    """

    primitive = None
    accel = "kvm"
    machine = "microvm"
    properties = {}

    def setUp(self):
        if self.primitive not in primitives():
            self.skipTest(f"this vmheat has no primitive {self.primitive}")

    def guest(self):
        return PayloadGuest(size=SIZE, accel=self.accel, machine=self.machine)

    def prepare(self, g):
        """Called when the device is there; for privileged helpers."""

    def monitor(self, g):
        """Switches vmheat on, and waits until it uses this primitive."""
        g.qmp("device_add", **{"driver": "vmheat", "id": "heat0",
                               "primitive": self.primitive,
                               **PROPERTIES, **self.properties})
        self.prepare(g)
        g.qmp.wait_until(f"use of {self.primitive}", lambda: g.qmp(
            "query-vmheat")["primitive"] == self.primitive, step=0.2)
        last = g.qmp("query-vmheat")["snapshot"]
        g.qmp.wait_until("a first snapshot", lambda: g.qmp(
            "query-vmheat")["snapshot"] > last, timeout=PATIENCE, step=0.2)

    def snapshots(self, g):
        """Each new snapshot, until monitoring ends or patience does."""
        last = g.qmp("query-vmheat")["snapshot"]
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            snap = g.qmp("query-vmheat-regions")
            if snap["sequence"] > last:
                last = snap["sequence"]
                yield snap
            time.sleep(0.1)

    def becomes_right(self, g):
        """Waits until a snapshot is right, and checks that it stays so."""
        truth = g.qmp.wait_until("a touch", g.truth, timeout=PATIENCE)
        scores, now = [], None
        begin = g.qmp("query-vmheat")["snapshot"]
        for snap in self.snapshots(g):
            now = score(snap, truth)
            if not scores and min(now) >= GOOD:
                first = snap["sequence"] - begin
            if scores or min(now) >= GOOD:
                scores.append(now)
            if len(scores) == SCORED:
                break
        self.assertEqual(len(scores), SCORED, f"not right within {PATIENCE} s;"
                         f" at last, precision and recall were {now}")
        precision, recall = map(statistics.median, zip(*scores))
        seen = " ".join(f"{p:.2f}/{r:.2f}" for p, r in scores)
        self.note(f"{self.primitive}: precision {precision:.3f} recall "
                  f"{recall:.3f} (medians of {SCORED} snapshots, from the "
                  f"{first}. on)")
        self.assertGreaterEqual(min(precision, recall), GOOD,
                                f"precision/recall: {seen}; "
                                f"{g.qmp('query-vmheat')['stats']}")

    def stays_cold(self, g, hot):
        """Checks that what is touched all the while is called cold."""
        before = g.payload.record().total_touches
        worst = 0
        for count, snap in enumerate(self.snapshots(g)):
            worst = max(worst, score(snap, [(hot.start, hot.end)])[1])
            if count == 2 * SCORED:
                break
        self.assertEqual(count, 2 * SCORED, "too few snapshots")
        after = g.payload.record().total_touches
        self.assertGreater(after - before, hot.size // 4096)
        self.note(f"{self.primitive}: at most {worst:.3f} of what is only "
                  f"read is called hot ({after - before} reads)")
        self.assertLess(worst, 1 - GOOD)

    def check_finds(self, write_percent):
        hot = one_hot_range(SIZE, write_percent=write_percent)
        with self.guest() as g:
            g.payload.start([hot])
            self.monitor(g)
            self.becomes_right(g)
            self.assertTrue(g.intact(), "guest memory was changed")

    def check_follows(self, write_percent):
        """The hot range moves; the new one is found, the old one cools."""
        first = one_hot_range(SIZE, 0.125, write_percent=write_percent,
                              at=0.25)
        second = one_hot_range(SIZE, 0.125, write_percent=write_percent,
                               at=0.75)
        with self.guest() as g:
            g.payload.start([first])
            self.monitor(g)
            self.becomes_right(g)
            g.payload.start([second])
            self.becomes_right(g)
            self.assertTrue(g.intact(), "guest memory was changed")

    def check_misses_reads(self):
        """Reads are not reported; the same range is, once it is written."""
        hot = one_hot_range(SIZE)
        with self.guest() as g:
            g.payload.start([hot._replace(write_percent=0)])
            self.monitor(g)
            self.stays_cold(g, hot)
            g.payload.start([hot._replace(write_percent=100)])
            self.becomes_right(g)
            self.assertTrue(g.intact(), "guest memory was changed")


class Granted:
    """Mix-in: the primitive can be used once `vmheat grant` has helped.

    The helper gets a monitor of its own, and goes on until the test ends.
    """

    grant = ()  # more arguments
    helper = None

    def setUp(self):
        super().setUp()
        if subprocess.run([VMHEAT, "grant", "--help"], check=False,
                          stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode:
            self.skipTest("this vmheat has no command grant")

    def guest(self):
        self.monitor_path = os.path.join(tempfile.mkdtemp(), "qmp")
        return PayloadGuest(size=SIZE, accel=self.accel, machine=self.machine,
                            args=["-qmp", f"unix:{self.monitor_path},"
                                          "server=on,wait=off"])

    def prepare(self, g):
        g.qmp.wait_until("it waits for its grant", lambda: g.qmp(
            "query-vmheat")["state"] == "failed", step=0.2)
        if self.helper:
            self.helper.wait(60)  # of a guest that was reset, or killed
        self.helper = subprocess.Popen([VMHEAT, "grant", *self.grant, "-s",
                                        self.monitor_path])
        self.addCleanup(self.helper.wait)
        self.addCleanup(self.helper.kill)


class SeesAll:
    """Tests of a primitive that sees reads and writes; mix in first."""

    def test_reads(self):
        self.check_finds(0)

    def test_writes(self):
        self.check_finds(100)

    def test_moved(self):
        self.check_follows(25)


class SeesWrites:
    """Tests of a primitive that sees writes only; mix in first."""

    def test_moved(self):
        self.check_follows(100)

    def test_only_writes(self):
        self.check_misses_reads()


class KernelLog(Case):
    """Run last: the kernel of the outer machine has complained of nothing."""

    BAD = ("WARNING: CPU", "BUG:", "Oops", "general protection")
    BUSY = ("soft lockup", "workqueue lockup")  # only say that the host is slow

    def test_kernel_log(self):
        with os.popen("dmesg") as pipe:
            lines = pipe.read().splitlines()
        self.assertGreater(len(lines), 10)
        bad = [line for line in lines if any(w in line for w in self.BAD)
               and not any(w in line for w in self.BUSY)]
        self.assertEqual(bad, [])
