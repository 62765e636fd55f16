#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What QEMU knows, over HTTP, and on the page: three guests of scripts/demo.

Each has a second QMP socket, so the snapshots that the exporter took are asked
for again and compared with what it serves. Then the specs of the page run
against it (tests/web/run), in a real browser.
"""

import base64
import json
import os
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "scripts"))

import demo_web  # noqa: E402

BUILD = os.environ["VMHEAT_BUILD"]
SECONDS = 30      # for a snapshot that both saw
STEP = 0.05       # between looks; the exporter limits requests


class Sight:
    """Snapshots of a machine, by their number, as QMP has them."""

    def __init__(self, machine):
        self.qmp = machine.guest.qmp
        self.seen = {}

    def look(self):
        s = self.qmp("query-vmheat-regions")
        self.seen[s["sequence"]] = s
        return s


class Real(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.demo = demo_web.demo(BUILD)
        cls.exporter, cls.machines = cls.demo.__enter__()
        cls.addClassCleanup(cls.demo.__exit__, None, None, None)

    def ask(self, path, data=None, method=None, headers=()):
        request = urllib.request.Request(
            self.exporter.url + path, method=method,
            data=None if data is None else json.dumps(data).encode(),
            headers=dict(headers))
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()

    def get(self, path):
        return json.loads(self.ask("api/v1/" + path)[1])

    def both(self, machine):
        """The same snapshot, from the exporter and from QMP."""
        sight, end = Sight(machine), time.monotonic() + SECONDS
        name = machine.behaviour.name
        while time.monotonic() < end:
            sight.look()
            time.sleep(STEP)
            try:
                vm = self.get("vms/" + name)
            except urllib.error.HTTPError as e:
                self.assertEqual(e.code, 404)  # not found yet
                continue
            if vm["snapshot"] in sight.seen:
                return vm, sight.seen[vm["snapshot"]]
        return self.fail(f"no snapshot of {name} that both saw")

    def test_figures_are_those_of_qmp(self):
        for machine in self.machines:
            vm, s = self.both(machine)
            with self.subTest(machine.behaviour.name):
                sizes = [(r["end"] - r["start"], r["idle-ms"])
                         for r in s["regions"]]
                info = machine.guest.qmp("query-vmheat")
                self.assertEqual(vm["working_set"], s["working-set-size"])
                self.assertEqual(vm["size"], info["total-size"])
                for idle in vm["idle"]:
                    ms = idle["seconds"] * 1000
                    # packing keeps idle times to 0.8 %
                    self.assertLessEqual(idle["bytes"], sum(
                        n for n, i in sizes if i >= ms * 0.99))
                    self.assertGreaterEqual(idle["bytes"], sum(
                        n for n, i in sizes if i >= ms * 1.01))
                self.assertEqual(sum(vm["classes"].values()), vm["size"])
                self.assertEqual(
                    [(r["start"], r["size"], r["block"])
                     for r in vm["ranges"]],
                    [(r["start"], r["size"], r["block"])
                     for r in info["ranges"]])

    def test_region_is_that_of_qmp(self):
        machine = self.machines[0]
        _, s = self.both(machine)
        wanted = max(s["regions"], key=lambda r: r["rate"])
        now = self.get(f"vms/{machine.behaviour.name}")["asked"]
        got = self.get(f"vms/{machine.behaviour.name}/region?time={now}"
                       f"&address={(wanted['start'] + wanted['end']) // 2}")
        self.assertGreater(got["rate"], 1)
        self.assertLessEqual(got["rate_low"], got["rate"])
        self.assertEqual(got["block"], "mem0")

    def test_hot_memory_is_hot_in_the_heatmap(self):
        name = self.machines[0].behaviour.name
        self.both(self.machines[0])
        deadline = time.monotonic() + SECONDS
        heat = bytes(64)  # 16 MiB a row; hot: from 640 to 688 MiB
        while (min(heat[40:43]) <= max(heat[48:]) + 50
               and time.monotonic() < deadline):
            time.sleep(STEP)
            now = self.get("vms/" + name)["asked"]
            m = self.get(f"vms/{name}/heatmap?from={now - 3}&to={now}"
                         "&columns=1&rows=64")
            heat = base64.b64decode(m["data"])
        self.assertGreater(min(heat[40:43]), max(heat[48:]) + 50, heat)

    def test_control_needs_the_token(self):
        name = self.machines[1].behaviour.name
        qmp = self.machines[1].guest.qmp
        path = f"api/v1/vms/{name}/"
        kind = [("Content-Type", "application/json")]
        self.both(self.machines[1])
        with self.assertRaises(urllib.error.HTTPError) as caught:
            self.ask(path + "pause", {}, "POST", kind)
        self.assertEqual(caught.exception.code, 401)
        self.assertEqual(qmp("query-vmheat")["state"], "running")
        mine = kind + [("Authorization", "Bearer " + self.exporter.token)]
        self.ask(path + "pause", {}, "POST", mine)
        self.assertEqual(qmp("query-vmheat")["state"], "paused")
        self.ask(path + "resume", {}, "POST", mine)
        self.assertEqual(qmp("query-vmheat")["state"], "running")
        scheme = {"name": "look", "action": "stat", "pattern": {}}
        self.ask(path + "schemes", {"schemes": [scheme]}, "PUT", mine)
        self.assertEqual([s["scheme"]["name"]
                          for s in qmp("query-vmheat-schemes")], ["look"])
        self.ask(path + "schemes", {"schemes": []}, "PUT", mine)

    def test_page(self):
        """Its values are the exporter's, which are QMP's."""
        for machine in self.machines:
            self.both(machine)
        done = subprocess.run(
            [os.path.join(HERE, "run"), os.path.join(BUILD, "web",
                                                     "dashboard"), "page"],
            env=dict(os.environ, VMHEAT_WEB_URL=self.exporter.url,
                     VMHEAT_WEB_TOKEN=self.exporter.token),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False)
        if done.returncode == 77:
            self.skipTest(done.stdout.strip().split("\n")[-1])
        self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    unittest.main()
