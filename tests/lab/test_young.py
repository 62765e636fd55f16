# SPDX-License-Identifier: GPL-2.0-or-later
"""Filter young: accessed pages are left alone, though the pattern is of all."""

import os

import lab
from qmp import QMPError

KERNELS = ("idle",)

MOST = 0.9
PASSES = 4
YOUNG = {"type": "young"}
EACH = 5_000_000  # us between two looks: hot pages are touched meanwhile


def within(hot, inside):
    """Rejects all memory but the hot range, or the hot range."""
    return {"type": "address", "start": hot.start, "end": hot.end,
            "matching": not inside}


def cold(name, *filters):
    return {"name": name, "action": "cold", "apply-interval": EACH,
            "filters": list(filters)}


def passed(g):
    """Name -> bytes tried and bytes that passed the filters."""
    return {s["scheme"]["name"]: (s["stats"]["sz-tried"],
                                  s["stats"]["sz-filter-passed"])
            for s in g.qmp("query-vmheat-schemes")}


def looks(g):
    return min(s["stats"]["nr-snapshots"]
               for s in g.qmp("query-vmheat-schemes"))


class Young(lab.Granted, lab.Primitive):
    """As `vmheat grant` hands the files over."""

    primitive = "idle-page"

    def wait_passes(self, g, n):
        last = looks(g)
        g.qmp.wait_until("passes", lambda: looks(g) >= last + n,
                         timeout=lab.PATIENCE, step=0.5)

    def shares(self, g, n):
        """Of what was tried in n passes, the share that passed, by name."""
        before = passed(g)
        self.wait_passes(g, n)
        return {name: (now[1] - before[name][1]) / (now[0] - before[name][0])
                for name, now in passed(g).items()}

    def test_hot_is_left_alone(self):
        """Two schemes, so that each page is looked at once in a pass."""
        hot = lab.one_hot_range(lab.SIZE, 0.125)
        with self.guest() as g:
            g.payload.start([hot])
            self.monitor(g)
            g.qmp("vmheat-set-schemes", schemes=[
                cold("hot", within(hot, True), YOUNG),
                cold("rest", within(hot, False), YOUNG)])
            self.wait_passes(g, 2)  # the first finds all young
            schemes = g.qmp("query-vmheat-schemes")
            self.assertFalse([s for s in schemes if "detail" in s], schemes)
            share = self.shares(g, PASSES)
            applied = {s["scheme"]["name"]: s["stats"]["sz-applied"]
                       for s in g.qmp("query-vmheat-schemes")}
            self.note(f"old: {1 - MOST:.1f} > {share['hot']:.3f} of the hot "
                      f"range (with what is tried around it), "
                      f"{share['rest']:.3f} of all but it; cold was applied "
                      f"to {applied}")
            # what is tried is all memory: an eighth of it is hot
            self.assertLess(share["hot"], (1 - MOST) * hot.size / lab.SIZE)
            self.assertGreater(share["rest"],
                               MOST * (1 - hot.size / lab.SIZE))
            self.assertGreater(applied["rest"], applied["hot"])
            self.assertTrue(g.intact(), "guest memory was changed")


class Revoked(lab.Primitive):
    """A QEMU that runs as root opened the files itself, and loses them."""

    primitive = "trap"
    properties = {"page-idle-bitmap": "/sys/kernel/mm/page_idle/bitmap",
                  "pagemap": "/proc/self/pagemap"}

    SCHEMES = [{"name": name, "action": "stat", "apply-interval": 1_000_000,
                "filters": [{"type": "young", "allow": allow}]}
               for name, allow in (("old", False), ("young", True))]

    def bitmaps(self, g):
        """How many descriptors of the bitmap QEMU has."""
        fds = f"/proc/{g.process.pid}/fd"
        return sum(os.readlink(f"{fds}/{fd}").endswith("page_idle/bitmap")
                   for fd in os.listdir(fds))

    def test_unknown_is_left_alone(self):
        with self.guest() as g:
            self.monitor(g)
            g.qmp("vmheat-set-schemes", schemes=self.SCHEMES)
            g.qmp.wait_until("old memory", lambda: passed(g)["old"][1] > 0,
                             timeout=lab.PATIENCE, step=0.5)
            g.qmp("vmheat-revoke")
            g.qmp.wait_until("they say so", lambda: all(
                "page-idle-bitmap was not granted" in s.get("detail", "")
                for s in g.qmp("query-vmheat-schemes")),
                timeout=lab.PATIENCE, step=0.2)
            self.assertEqual(self.bitmaps(g), 0)
            before, last = passed(g), looks(g)
            g.qmp.wait_until("passes", lambda: looks(g) >= last + PASSES,
                             timeout=lab.PATIENCE, step=0.5)
            for name, now in passed(g).items():
                self.assertGreater(now[0], before[name][0])
                self.assertEqual(now[1], before[name][1], name)
            with self.assertRaisesRegex(QMPError, "run 'vmheat grant' as "
                                                  "root"):
                g.qmp("vmheat-set-schemes", schemes=self.SCHEMES)
            self.assertTrue(g.intact(), "guest memory was changed")
