#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmheat-exporter: what was, by HTTP. Its arithmetic: tests/history.

VMHEAT_CLI names the command, which records.
"""

import base64
import os
import shutil
import subprocess
import tempfile
import time
import unittest

from exporter import FAST, Case, Events, identity, load, wait_until
from fake_qmp import filtered

HOT = 314572800  # where the snapshot's hottest memory begins


class Clock:
    """Snapshots that are new each time they are asked for."""

    def __init__(self):
        self.regions = load("regions-rates")

    def __call__(self, arguments):
        now = time.monotonic_ns()
        self.regions.update({"sequence": self.regions["sequence"] + 1,
                             "start-time": now - 10 ** 6, "end-time": now})
        return {"return": filtered(self.regions, arguments)}


class History(Case):
    def start(self, *args, **kwargs):
        return super().start(*FAST, *args, **kwargs)

    def add(self, name, **replies):
        return self.folder.add(name, replies={
            "query-vmheat-regions": Clock(), **replies})

    def wait_for_seconds(self, x, seconds):
        """Until there is something of so many seconds."""
        def there():
            now = time.time()
            h = x.json(f"/api/v1/vms/vm/history?from={now - 60}&to={now}"
                       "&columns=600")
            return sum(v is not None for v in h["needs"]) >= seconds * 10
        self.assertTrue(wait_until(there, 30))

    def test_series_and_heatmap(self):
        self.add("vm")
        x = self.start()
        x.wait_for("vm")
        self.wait_for_seconds(x, 1)
        now = time.time()
        vm = x.vms()["vm"]
        h = x.json(f"/api/v1/vms/vm/history?from={now - 20}&to={now}"
                   "&columns=40")
        self.assertEqual((len(h["times"]), h["step"]), (40, 0.5))
        for name in ("working_set", "needs", "has", "saved", "idle_10",
                     "idle_3600", "hot", "never", "cost"):
            self.assertEqual(len(h[name]), 40, name)
        last = [v for v in h["needs"] if v is not None][-1]
        self.assertEqual(last, vm["needs"])
        self.assertIsNone(h["needs"][0])
        r = x.json(f"/api/v1/vms/vm/heatmap?from={now - 20}&to={now}"
                   "&columns=40&rows=64")
        cells = base64.b64decode(r["data"])
        self.assertEqual((r["columns"], r["rows"]), (40, 64))
        self.assertEqual(len(cells), 40 * 64)
        self.assertEqual(len(base64.b64decode(r["idle"])), 40 * 64)
        self.assertEqual(set(cells[:64]), {0})
        self.assertGreater(max(cells), 200)
        self.assertEqual(r["spans"][0]["start"], 0)

    def test_region(self):
        self.add("vm")
        x = self.start()
        x.wait_for("vm")
        now = time.time()
        r = x.json(f"/api/v1/vms/vm/region?time={now}&address={HOT + 4096}")
        self.assertEqual((r["start"], r["end"], r["rate"]),
                         (HOT, 369098752, 512))
        self.assertEqual(r["block"], "mem0")
        for query, status in ((f"time={now}&address={1 << 50}", 404),
                              (f"time={now - 9999}&address={HOT}", 404),
                              (f"time={now}", 400), ("address=-1", 400),
                              ("time=nan&address=1", 400)):
            self.assertIn("error", x.json("/api/v1/vms/vm/region?" + query,
                                          status), query)

    def test_columns(self):
        self.add("vm")
        x = self.start()
        x.wait_for("vm")
        two = [Events(x, "/api/v1/vms/vm/events?rows=32"),
               Events(x, f"/api/v1/vms/vm/events?rows=8&start={HOT}"
                         "&end=369098752")]
        for events, rows in zip(two, (32, 8)):
            self.addCleanup(events.close)
            _, first = events.next("column")
            _, second = events.next("column")
            self.assertEqual(first["rows"], rows)
            self.assertIn("spans", first)
            self.assertNotIn("spans", second)
            self.assertGreater(second["time"], first["time"])
            cells = base64.b64decode(second["data"])
            self.assertEqual(len(cells), rows)
            if rows == 8:
                self.assertGreater(min(cells), 200)

    def test_bad_queries(self):
        self.add("vm")
        x = self.start()
        x.wait_for("vm")
        for path in ("history?columns=0", "history?columns=2001",
                     "history?from=2&to=1", "history?from=x",
                     "history?to=1e99", "history?from=-5", "heatmap?rows=0",
                     "heatmap?rows=2049", "heatmap?start=5&end=5",
                     "heatmap?columns=1.5", "heatmap?start=0x10"):
            self.assertIn("error", x.json("/api/v1/vms/vm/" + path, 400), path)
        self.assertEqual(x.json("/api/v1/host")["history"],
                         {"seconds": 86400, "bytes_per_vm": 64 << 20})

    def test_none_is_kept(self):
        self.add("vm")
        x = self.start("--history", "0")
        x.wait_for("vm")
        for path in ("history", "heatmap", "region?address=0"):
            self.assertIn("--history is 0",
                          x.json("/api/v1/vms/vm/" + path, 404)["error"])
        self.assertEqual(x.json("/api/v1/host")["history"]["seconds"], 0)

    def test_records(self):
        """What is older comes from DIR/DOMAIN.vmheat; names lead nowhere."""
        records = tempfile.mkdtemp(prefix="vmheat-rec-")
        self.addCleanup(shutil.rmtree, records)
        inside = os.path.join(records, "inside")
        os.mkdir(inside)
        server = self.add("vm", **identity("web"))
        path = os.path.join(inside, "web.vmheat")
        subprocess.run(
            [os.environ["VMHEAT_CLI"], "record", "-s", server.path, "-o", path,
             "-q", "--duration", "1s"], check=True, timeout=60)
        shutil.copy(path, os.path.join(records, "outside.vmheat"))
        self.add("evil", **identity("../outside"))
        with open(os.path.join(inside, "bad.vmheat"), "wb") as f:
            f.write(b"no record")
        self.add("bad", **identity("bad"))
        before = time.time()
        x = self.start("--records", inside)
        vms = x.wait_for("web", "../outside", "bad")

        def of_before(domain):
            h = x.json(f"/api/v1/vms/{vms[domain]['id']}/history?"
                       f"from={before - 30}&to={before}&columns=30")
            return any(v is not None for v in h["working_set"])
        self.assertTrue(of_before("web"))
        self.assertFalse(of_before("../outside"))
        self.assertFalse(of_before("bad"))


if __name__ == "__main__":
    unittest.main()
