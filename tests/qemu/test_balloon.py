# SPDX-License-Identifier: GPL-2.0-or-later
"""The balloon of a Linux guest, moved by schemes.

The guest is emulated and runs tests/linux/grower.c, which is told how large its
working set is to be, and checks what is in it. Figures are printed.
"""

import re
import time
import unittest

from linux_guest import ConsoleGuest, LinuxCase
from qmp import QMPError

MIB = 1 << 20
RAM = 512
# the floor is what the kernel and a guest without work need
FLOOR, HEADROOM, HYSTERESIS = 96, 0.2, 8
# the kernel's own: what it touches all the time
KERNEL_HOT = 12
DEVICE = ("id=heat0,primitive=trap,traps-per-second=10000,"
          "overhead-budget=10000")
BALLOON = {"name": "shrink", "action": "balloon",
           "pattern": {"nr-accesses": {"max": 0},
                       "age-time": {"min": 5_000_000}},
           "back-off": {"psi": 0},
           "balloon": {"floor": FLOOR * MIB, "hysteresis": HYSTERESIS * MIB,
                       "headroom": int(HEADROOM * 1000)}}
DISCARD = {"name": "free", "action": "discard-free"}


class Linux(ConsoleGuest):
    """A Linux with a balloon; balloon: more properties of it, or None."""

    def __init__(self, files, balloon=""):
        super().__init__(files, "grower", size=RAM * MIB, device=DEVICE, args=(
            [] if balloon is None else
            ["-device", "virtio-balloon-pci,id=balloon0" + balloon]))

    def grow(self, mib, speed=0):
        self.tell(f"{mib} {speed}")

    def has(self):
        return self.qmp("query-balloon")["actual"] / MIB

    def told(self, name):
        stats = self.qmp("qom-get", path="/machine/peripheral/balloon0",
                         property="guest-stats")["stats"]
        return stats[f"stat-{name}-memory"] / MIB

    def scheme(self):
        return self.qmp("query-vmheat-schemes")[0]

    def working_set(self):
        return int(re.search(r"working set (\d+) MiB",
                             self.scheme()["detail"])[1])

    def host_memory(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as f:
            return int(f.read().split()[1]) * 4096 / MIB


class Case(LinuxCase):
    balloon = ""

    def note(self, text):
        print("# " + text, flush=True)

    def boot(self, balloon=""):
        return Linux(self.files.name, balloon)

    def unharmed(self, g):
        """No process was killed, and no page holds what it should not."""
        self.assertIsNone(g.process.poll(), g.text[-2000:])
        for word in ("oom-killer", "Out of memory", "panic", "BAD "):
            self.assertNotIn(word, g.text)

    def settles(self, g, seconds=300, quiet=25):
        """What it has when that has not changed for a while, and the targets
        on the way there.

        The time in which pressure, or a working set that was larger lately,
        forbids to take memory does not count: one such hold can be longer
        than the quiet asked for.
        """
        holds = ("memory is not taken for", "MiB lately")
        seen, since = [g.has()], time.monotonic()
        limit = time.monotonic() + seconds
        while time.monotonic() - since < quiet:
            detail = g.scheme().get("detail", "")
            self.assertLess(time.monotonic(), limit, detail)
            time.sleep(0.25)
            moved = abs(g.has() - seen[-1]) >= 1
            if moved:
                seen.append(g.has())
            if moved or any(hold in detail for hold in holds):
                since = time.monotonic()
        return seen


def turns(seen):
    """How often a series changes its direction."""
    ways = [b > a for a, b in zip(seen, seen[1:])]
    return sum(a != b for a, b in zip(ways, ways[1:]))


class Balloon(Case):
    def should_have(self, g, grown):
        """The documented rule, from what the guest itself says.

        Returns the working set with headroom, and what keeps the reserve.
        """
        used = g.has() - g.told("available")
        return (max(FLOOR, (grown + KERNEL_HOT) * (1 + HEADROOM)),
                used + max(32, FLOOR / 4, used / 19))

    def check_told(self, g):
        """query-vmheat-memory, against QEMU's own word and the process."""
        def same():
            m = g.qmp("query-vmheat-memory")
            return m if m["balloon-actual"] == g.has() * MIB else None
        g.qmp.wait_until("the same of the balloon", same)
        m = g.qmp.wait_until("figures", lambda: next((m for m in [g.qmp(
            "query-vmheat-memory")] if m.get("measured-ms", 1e9) < 1000), None))
        self.note(f"resident {m['resident'] / MIB:.0f} MiB, balloon "
                  f"{m['balloon-actual'] / MIB:.0f}, target "
                  f"{m['balloon-target'] / MIB:.0f} MiB")
        self.assertLess(abs(m["balloon-target"] - m["balloon-actual"]),
                        2 * HYSTERESIS * MIB)
        self.assertLess(m["resident"], m["balloon-actual"] + 8 * MIB)
        self.assertGreater(m["resident"], FLOOR / 2 * MIB)

    def check_settled(self, g, grown):
        seen = self.settles(g)
        self.check_told(g)
        wants = self.should_have(g, grown)
        said = (f"set {grown} MiB: settled at {seen[-1]:.0f} MiB of {RAM}, "
                f"{turns(seen)} turns; set with headroom {wants[0]:.0f}, "
                f"use with reserve {wants[1]:.0f}; {g.scheme().get('detail')}; "
                f"had {' '.join(f'{has:.0f}' for has in seen)}")
        self.note(said)
        self.assertGreaterEqual(seen[-1], FLOOR, said)
        self.assertLessEqual(turns(seen), 1, said)
        self.assertAlmostEqual(seen[-1], max(wants), msg=said,
                               delta=max(wants) * 0.1)
        self.assertAlmostEqual(seen[-1], grown + FLOOR, msg=said,
                               delta=(grown + FLOOR) * 0.1)
        return seen

    def shrinks(self, g, below):
        """The monitor saw it; what is idle has to be so for a while first."""
        def small():
            found = re.search(r"working set (\d+) MiB",
                              g.scheme().get("detail", ""))
            return found and int(found[1]) < below
        g.qmp.wait_until("a small working set", small, timeout=120)

    def test_follows_the_working_set(self):
        with self.boot() as g:
            g.grow(64)
            g.wait_for("^AT 64 ")
            before = g.host_memory()
            g.qmp("vmheat-set-schemes", schemes=[BALLOON])
            self.check_settled(g, 64)
            self.note(f"host memory {before:.0f} -> {g.host_memory():.0f} MiB")
            begin = time.monotonic()
            g.grow(256, 16)
            g.wait_for("^AT 256 ")
            self.note(f"grew to 256 MiB in {time.monotonic() - begin:.0f} s, "
                      f"has {g.has():.0f} MiB; {g.scheme()['detail']}")
            self.unharmed(g)
            self.check_settled(g, 256)
            g.grow(64)
            self.shrinks(g, 128)
            self.check_settled(g, 64)
            self.unharmed(g)
            self.note(f"the BQL was held for at most "
                      f"{g.qmp('query-vmheat')['stats']['bql-hold-max']} ns")
            g.qmp("vmheat-set-schemes", schemes=[])
            g.qmp.wait_until("all memory is back", lambda: g.has() == RAM)
            self.unharmed(g)

    def test_grows_at_once(self):
        """Faster than anybody can look: with deflate-on-oom it lives."""
        with self.boot(",deflate-on-oom=on") as g:
            g.grow(64)
            g.qmp("vmheat-set-schemes", schemes=[BALLOON])
            g.qmp.wait_until("it is small", lambda: g.has() < 200, timeout=90)
            begin = time.monotonic()
            g.grow(256)
            g.wait_for("^AT 256 ")
            g.qmp.wait_until("enough for it", lambda: g.has() > 256 + 64)
            self.note(f"has {g.has():.0f} MiB after "
                      f"{time.monotonic() - begin:.1f} s; "
                      f"{g.scheme()['detail']}")
            self.unharmed(g)

    def test_needs_a_balloon(self):
        with self.boot(None) as g:
            for scheme in (BALLOON, DISCARD):
                with self.assertRaisesRegex(QMPError, "no balloon device: add "
                                            "-device virtio-balloon-pci"):
                    g.qmp("vmheat-set-schemes", schemes=[scheme])


class DiscardFree(Case):
    def wait_detail(self, g, words):
        return g.qmp.wait_until(words, lambda: re.search(
            words, g.scheme().get("detail") or ""), timeout=60, step=0.2)

    def test_squeezes(self):
        with self.boot() as g:
            g.grow(256)
            g.wait_for("^AT 256 ")
            g.grow(16)
            g.wait_for("^AT 16 ")
            before = g.host_memory()
            g.qmp("vmheat-set-schemes", schemes=[DISCARD])
            said = self.wait_detail(g, r"gave (\d+) MiB and host memory shrank "
                                       r"by (\d+) MiB")
            g.qmp.wait_until("all memory is back", lambda: g.has() == RAM)
            self.note(f"{said[0]}; host memory {before:.0f} -> "
                      f"{g.host_memory():.0f} MiB")
            self.assertGreaterEqual(int(said[2]), 200)
            self.assertLess(g.host_memory(), before - 200)
            g.qmp.wait_until("it is counted", lambda: g.scheme()["stats"][
                "sz-applied"] >= int(said[2]) * MIB - 2 * MIB)
            self.unharmed(g)

    def test_leaves_it_to_reporting(self):
        with self.boot(",free-page-reporting=on") as g:
            g.qmp("vmheat-set-schemes", schemes=[DISCARD])
            self.wait_detail(g, "reports free pages by itself")

    def test_stands_aside(self):
        with self.boot() as g:
            g.qmp("vmheat-set-schemes", schemes=[DISCARD])
            self.wait_detail(g, "gave")
            g.qmp("vmheat-set-schemes", schemes=[
                dict(DISCARD, name="other"), BALLOON])
            self.wait_detail(g, "another scheme moves the balloon")


if __name__ == "__main__":
    unittest.main(verbosity=2)
