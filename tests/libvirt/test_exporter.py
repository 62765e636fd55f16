# SPDX-License-Identifier: GPL-2.0-or-later
"""vmheat-exporter over a running libvirt: its domains, as they come and go."""

import json
import os
import sys
import unittest

import daemon

daemon.enter()

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "exporter")]

from exporter import Exporter, FAST, TOKEN  # noqa: E402
from fake_qmp import wait_until  # noqa: E402
from heat import Case, HOT, SIZE  # noqa: E402
from payload_guest import MB  # noqa: E402

SCHEME = {"name": "look", "action": "stat",
          "apply-interval": 100000}


class TestExporter(Case):
    session = os.geteuid() != 0

    def export(self, *args):
        x = Exporter("-c", self.daemon.uri, *FAST, *args, env=self.daemon.env)
        x.__enter__()
        self.addCleanup(x.__exit__)
        return x

    def uuid(self, name="heat"):
        return self.daemon.virsh("domuuid", name).stdout.strip()

    def labels(self, name="heat"):
        return f'{{domain="{name}",uuid="{self.uuid(name)}",node="host1"}}'

    def test_domains(self):
        """What Prometheus is told is what the guest does."""
        self.define_with()
        self.start()
        self.hot_payload()
        x = self.export()
        x.wait_for("heat")
        size = f"vmheat_domain_size_bytes{self.labels()}"
        # but where VGA and firmware are
        self.assertAlmostEqual(float(x.metrics()[size]), SIZE, delta=MB)
        hot = (f'vmheat_domain_class_bytes{self.labels()[:-1]},'
               f'class="hot"}}')
        self.assertTrue(wait_until(
            lambda: abs(float(x.metrics().get(hot, 0)) - HOT.size)
            < HOT.size / 2, 60), x.metrics().get(hot))

    def test_come_and_go(self):
        """Without vmheat, started meanwhile, ended, under another name."""
        x = self.export()
        self.define("plain")
        self.start("plain")
        x.wait_for("plain", state="absent")
        self.define_with("late")
        self.start("late")
        x.wait_for("late")
        self.daemon.virsh("destroy", "late")
        self.assertTrue(wait_until(lambda: "late" not in x.vms()), x.vms())
        self.assertIn("plain", x.vms())
        self.start("late")
        x.wait_for("late")

    def test_daemon_restarts(self):
        """A libvirtd that ends and comes back loses no machine for long."""
        self.define_with()
        self.start()
        x = self.export()
        x.wait_for("heat")
        self.daemon.stop()
        self.assertTrue(wait_until(
            lambda: x.vms().get("heat", {}).get("state") != "running"),
            x.vms())
        self.daemon.start()
        self.assertTrue(wait_until(
            lambda: x.vms().get("heat", {}).get("state") == "running", 90),
            (x.vms(), x.log))

    def test_control(self):
        """Schemes reach a domain through libvirt."""
        self.define_with()
        self.start()
        token = os.path.join(self.daemon.dir, "token")
        with open(os.open(token, os.O_CREAT | os.O_WRONLY, 0o600), "w",
                  encoding="ascii") as f:
            f.write(TOKEN + "\n")
        x = self.export("--allow-control", "--token-file", token)
        vm = x.wait_for("heat")["heat"]
        status, _, text = x.control("PUT", f"/api/v1/vms/{vm['id']}/schemes",
                                    json.dumps({"schemes": [SCHEME]}))
        self.assertEqual(status, 200, text)
        told = 'vmheat_scheme_tried_bytes_total{domain="heat"'
        self.assertTrue(wait_until(
            lambda: any(k.startswith(told) and float(v) > 0
                        for k, v in x.metrics().items())), x.metrics())


if __name__ == "__main__":
    unittest.main(verbosity=2)
