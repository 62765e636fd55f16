# SPDX-License-Identifier: GPL-2.0-or-later
"""The monitor and two schemes, beside what else QEMU does to guest memory.

One scheme pages out what is idle, the other makes huge pages of what is hot.
Each test says in which state the monitor is meanwhile, that schemes do nothing
where memory is somebody else's, that they go on afterwards, and that the guest's
memory is what it wrote. docs/user/compatibility.md has the table.
"""

import os
import unittest

from dimm import Dimm
from guest import have_kvm
from payload_guest import MB, PayloadGuest, Range
from pin import Pin
from qmp import QMPError
from swap import Zram, resident
from test_schemes import PAGEOUT, schemes, set_schemes, stands_still, stats

SIZE = 128 * MB
ACCEL = "kvm" if have_kvm() else "tcg"
# not held back on a busy host
DEVICE = ("id=heat0,primitive=trap,traps-per-second=10000,"
          "overhead-budget=10000")
# whoever reads memory makes it come back; that is no reason to rest here
OUT = {**PAGEOUT, "back-off": {"refault": 0, "psi": 0}}
COLLAPSE = {"name": "hot", "action": "collapse",
            "pattern": {"nr-accesses": {"min": 1}, "size": {"min": 2 * MB}}}
STAT = {"name": "hot", "action": "stat",
        "pattern": {"nr-accesses": {"min": 1}}}
# read all the time; and written, so slowly that a migration can end
READ, WRITTEN = Range(48 * MB, 32 * MB), Range(96 * MB, 8 * MB, 20000, 50)
# emulated, stock QEMU 7.2 loses writes in a migration, with no plugin loaded
WRITES = ACCEL == "kvm"
OUTGOING = "migration in progress"
WAITING = "waiting for incoming migration"
POSTCOPY = "incoming postcopy migration in progress"


def guest(**kwargs):
    kwargs = {"size": SIZE, "accel": ACCEL, "machine": "q35", "align": "2M",
              "device": DEVICE, **kwargs}
    return PayloadGuest(**kwargs)


def state(g):
    """State of the monitor, and the reason."""
    info = g.qmp("query-vmheat")
    return info["state"], info.get("reason")


def use_schemes(g):
    """Two schemes; the second only looks where there can't be huge pages."""
    try:
        set_schemes(g, OUT, COLLAPSE)
    except QMPError as e:
        print(f"# {e}", flush=True)
        set_schemes(g, OUT, STAT)


def wait_snapshots(g, n=3):
    """The first scheme looked at so many more; the host never refuses it."""
    last = stats(g)["nr-snapshots"]
    g.qmp.wait_until("snapshots", lambda: stats(g)[
        "nr-snapshots"] >= last + n, timeout=60)


def work(g):
    """Both have done something since they were set."""
    for i, least in enumerate((8 * MB, 2 * MB)):
        try:
            g.qmp.wait_until("enough", lambda i=i, n=least: stats(g, i)[
                "sz-applied"] >= n, timeout=60)
        except TimeoutError as e:
            raise TimeoutError(f"scheme at rest: {schemes(g)[i]}") from e


def begin(g, writes=True):
    """A guest at work that has written, and goes on to unless told not to."""
    g.payload.start([READ, WRITTEN])
    use_schemes(g)
    work(g)
    if not writes:
        g.payload.start([READ])


def go_on(g):
    """Monitoring and schemes run, by themselves."""
    g.qmp.wait_until("monitoring goes on", lambda: state(g) == (
        "running", None))
    wait_snapshots(g)


def ended(g, timeout=90):
    """The status that a migration ended with."""
    return g.qmp.wait_until("the migration is over", lambda: next(
        (s for s in [g.qmp("query-migrate").get("status")]
         if s in ("completed", "failed", "cancelled")), None),
        timeout=timeout)


def bandwidth(g, precopy, postcopy=0):
    g.qmp("migrate-set-parameters", **{"max-bandwidth": precopy,
                                       "max-postcopy-bandwidth": postcopy})


class Case(unittest.TestCase):
    def enterContext(self, context):
        """As in Python 3.11, also for an older one."""
        value = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return value

    def setUp(self):
        self.enterContext(Zram())

    def told(self, g, reason):
        g.qmp.wait_event("VMHEAT_STATE_CHANGED",
                         lambda d: d.get("reason") == reason)

    def capability(self, name, *guests):
        """Skips where the host refuses: userfaultfd needs rights."""
        for g in guests:
            try:
                g.qmp("migrate-set-capabilities", capabilities=[
                    {"capability": name, "state": True}])
            except QMPError as e:
                self.skipTest(f"{name}: {e}")

    def unharmed(self, g, why="guest memory was changed"):
        """As the guest sees it, and from outside."""
        g.payload.stop()
        for check in g.payload.verify(), g.payload.check_memory():
            self.assertTrue(check.ok, f"{why}: {check}")


class Migration(Case):
    def pair(self):
        """A guest at work, and one that waits for it with schemes set."""
        source = self.enterContext(guest())
        self.path = os.path.join(source.dir, "migrate.sock")
        dest = self.enterContext(guest(args=["-incoming", "defer"]))
        use_schemes(dest)
        return source, dest

    def listen(self, dest):
        dest.qmp("migrate-incoming", uri="unix:" + self.path)
        self.assertEqual(state(dest), ("suspended", WAITING))

    def idle_there(self, dest):
        """Schemes of the one that waits have not touched anything."""
        self.assertEqual([s["stats"]["sz-tried"] for s in schemes(dest)],
                         [0, 0])

    def arrived(self, source, dest):
        self.assertEqual(ended(source), "completed")
        dest.qmp.wait_until("the guest runs here", lambda: dest.qmp(
            "query-status")["running"])
        go_on(dest)
        work(dest)
        self.unharmed(dest, "memory arrived damaged")
        self.assertEqual(state(source), ("suspended", "guest is stopped"))
        stands_still(source, 5)

    def test_precopy(self):
        source, dest = self.pair()
        self.listen(dest)
        begin(source, WRITES)
        bandwidth(source, 4096)  # does not end
        source.qmp("migrate", uri="unix:" + self.path)
        self.told(source, OUTGOING)
        stands_still(source)
        self.assertEqual(state(source), ("suspended", OUTGOING))
        self.assertEqual(state(dest), ("suspended", WAITING))
        self.idle_there(dest)
        bandwidth(source, 256 * MB)
        self.arrived(source, dest)

    def test_precopy_cancelled(self):
        source, dest = self.pair()
        self.listen(dest)
        begin(source, WRITES)
        bandwidth(source, 4096)
        source.qmp("migrate", uri="unix:" + self.path)
        self.told(source, OUTGOING)
        source.qmp("migrate_cancel")
        go_on(source)
        self.unharmed(source)

    def begin_postcopy(self):
        """Up to where the guest runs on the other side, without its memory."""
        source, dest = self.pair()
        self.capability("postcopy-ram", source, dest)
        self.listen(dest)
        begin(source, WRITES)
        bandwidth(source, MB, MB)
        source.qmp("migrate", uri="unix:" + self.path)
        source.qmp.wait_until("it is under way", lambda: source.qmp(
            "query-migrate").get("status") == "active")
        source.qmp("migrate-start-postcopy")
        dest.qmp.wait_until("the guest runs here", lambda: dest.qmp(
            "query-status")["running"])
        return source, dest

    def check_postcopy(self, source, dest):
        """Neither side touches memory while some is on the way."""
        self.assertEqual(state(source), ("suspended", OUTGOING))
        self.assertEqual(state(dest), ("suspended", POSTCOPY))
        stands_still(source)
        self.assertEqual(state(dest), ("suspended", POSTCOPY))
        self.idle_there(dest)

    def test_postcopy(self):
        source, dest = self.begin_postcopy()
        self.check_postcopy(source, dest)
        bandwidth(source, 1024 * MB)
        self.arrived(source, dest)

    def test_postcopy_interrupted(self):
        """The connection breaks, and another one is made."""
        source, dest = self.begin_postcopy()
        source.qmp("migrate-pause")
        for g in source, dest:
            g.qmp.wait_until("the break is noticed", lambda of=g: of.qmp(
                "query-migrate").get("status") == "postcopy-paused")
        self.check_postcopy(source, dest)
        again = os.path.join(source.dir, "again.sock")
        dest.qmp("migrate-recover", uri="unix:" + again)
        source.qmp("migrate", uri="unix:" + again, resume=True)
        bandwidth(source, 1024 * MB)
        self.arrived(source, dest)


class Snapshots(Case):
    def test_background_snapshot(self):
        g = self.enterContext(guest())
        begin(g)
        self.capability("background-snapshot", g)
        go_on(g)
        path = os.path.join(g.dir, "state")
        bandwidth(g, 4096)
        g.qmp("migrate", uri="exec:cat > " + path)
        self.told(g, OUTGOING)
        stands_still(g)
        self.assertEqual(state(g), ("suspended", OUTGOING))
        self.assertTrue(g.qmp("query-status")["running"])
        bandwidth(g, 1024 * MB)
        self.assertEqual(ended(g), "completed", g.stderr())
        go_on(g)
        self.unharmed(g)
        copy = self.enterContext(guest(args=["-incoming", "exec:cat " + path]))
        copy.qmp.wait_until("the copy runs", lambda: copy.qmp(
            "query-status")["running"])
        use_schemes(copy)
        work(copy)
        self.unharmed(copy, "the snapshot is damaged")

    def test_savevm_and_loadvm(self):
        """All memory is written anew beneath the monitor."""
        g = self.enterContext(guest())
        path = os.path.join(g.dir, "disk")
        g.qmp("blockdev-add", driver="file", filename=self.new(path, g),
              node_name="f")
        g.qmp("blockdev-add", driver="qcow2", file="f", node_name="d")
        begin(g)
        self.assertEqual(g.qmp.hmp("savevm one"), "")
        go_on(g)
        work_done = [s["stats"]["sz-applied"] for s in schemes(g)]
        for _ in range(2):
            writes = g.payload.get("TOTAL_WRITES")
            g.qmp.wait_until("more writes", lambda w=writes: g.payload.get(
                "TOTAL_WRITES") > w + 2000)
            later = g.payload.get("TOTAL_WRITES")
            self.assertEqual(g.qmp.hmp("loadvm one"), "")
            self.assertLess(g.payload.get("TOTAL_WRITES"), later)
            go_on(g)
            # all of it is in memory again, so there is work
            g.qmp.wait_until("paging out goes on", lambda: stats(g)[
                "sz-applied"] > work_done[0] + 8 * MB, timeout=60)
            work_done = [s["stats"]["sz-applied"] for s in schemes(g)]
        self.unharmed(g, "memory was not restored")

    @staticmethod
    def new(path, g):
        """An empty qcow2 file, made by QEMU: there may be no qemu-img."""
        with open(path, "wb"):
            pass
        g.qmp("blockdev-add", driver="file", filename=path, node_name="new")
        g.qmp("blockdev-create", job_id="make", options={
            "driver": "qcow2", "file": "new", "size": 64 * MB})
        job = g.qmp.wait_until("the file is made", lambda: next(
            (j for j in g.qmp("query-jobs") if j["status"] == "concluded"),
            None))
        assert "error" not in job, job
        g.qmp("job-dismiss", id="make")
        g.qmp("blockdev-del", node_name="new")
        return path


class Machine(Case):
    def test_reset(self):
        """The guest boots anew and fills its memory once more."""
        g = self.enterContext(guest(reboot=True))
        for _ in range(2):
            begin(g)
            g.qmp("system_reset")
            g.qmp.wait_event("RESET")
            g.payload.set("PHASE", 0)
            self.assertEqual(state(g), ("running", None))
            g.payload.wait_ready()
            g.payload.calibrate()
            go_on(g)
            self.unharmed(g)

    def blocks(self, g):
        return {r["block"] for r in g.qmp("query-vmheat")["ranges"]
                if r["monitored"]}

    def test_dimm(self):
        """Plugged in and out while schemes work on it and on the rest."""
        g = self.enterContext(guest(args=["-m", "128M,slots=1,maxmem=1G"]))
        begin(g)
        for _ in range(2):
            with Dimm(g, 128 * MB) as dimm:
                dimm.plug()
                g.qmp.wait_until("the DIMM is monitored", lambda: self.blocks(
                    g) == {"mem0", "mem1"})
                g.qmp.wait_until("some of it is out", lambda d=dimm: resident(
                    d.memory) < 0.9 * d.size)
                dimm.unplug()
                self.assertEqual(self.blocks(g), {"mem0"})
                g.qmp.wait_until("QEMU has it no more", lambda d=dimm:
                                 not d.mapped(), timeout=5)
                go_on(g)
                self.assertTrue(dimm.intact(), "the DIMM was changed")
        self.unharmed(g)


class Pinned(Case):
    def test_pinned(self):
        """A device writes to pages that the monitor unmaps all the time.

        It is one that QEMU does not know of: QEMU tells of VFIO.
        """
        g = self.enterContext(guest())
        first, size = 16 * MB, SIZE - 16 * MB
        try:
            device = self.enterContext(Pin(g.payload.memory, first, size))
        except OSError as e:
            self.skipTest(f"io_uring: {e}")
        before = resident(g.payload.memory, first, size)
        g.payload.start([READ, WRITTEN])
        use_schemes(g)
        pages = range(first, SIZE, 64 * 4096 + 4096)

        def place(page):  # the payload has its pattern elsewhere in the page
            return page + (page // 4096 + 32) % 64 * 64
        for turn in range(1, 5):
            wait_snapshots(g, 4)
            for page in pages:
                device.write(place(page), (page + turn).to_bytes(8, "little"))
            for page in pages:
                self.assertEqual(g.payload.read(place(page)), page + turn)
            for page in pages[turn::32]:
                said = g.qmp.hmp(f"xp /1gx {place(page):#x}")
                self.assertEqual(int(said.split()[1], 0), page + turn)
        self.assertGreater(stats(g)["sz-tried"], 0)
        self.assertEqual(resident(g.payload.memory, first, size), before)
        go_on(g)
        self.unharmed(g)


if __name__ == "__main__":
    unittest.main(verbosity=2)
