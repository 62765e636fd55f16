# SPDX-License-Identifier: GPL-2.0-or-later
"""vmheat libvirt enable, disable and show, on real domains."""

import os
import subprocess
import unittest

import daemon

daemon.enter()

from guest import Guest, environment  # noqa: E402
from heat import Case, NAMESPACE, SHARED, qemu_args  # noqa: E402

USAGE, CONNECT, QMP, TIMEOUT, HOST = 1, 2, 3, 4, 6


class Verbs:
    def libvirt(self, verb, *words, domain="heat"):
        return self.daemon.cli("libvirt", verb, "-c", self.daemon.uri, domain,
                               *words)

    def fine(self, verb, *words, domain="heat"):
        code, out, err = self.libvirt(verb, *words, domain=domain)
        self.assertEqual((code, err), (0, ""), out)
        return " ".join(out.split())

    def enable(self, *words, domain="heat"):
        return self.fine("enable", "--plugin", self.plugin, "--yes", *words,
                         domain=domain)

    def fails(self, expected, verb, *words, domain="heat"):
        code, out, err = self.libvirt(verb, *words, domain=domain)
        self.assertEqual((code, out), (expected, ""), err)
        return err

    def test_life(self):
        """Enabled, started, looked at, disabled: nothing is left."""
        self.define()
        before = self.xml()
        self.assertIn("from its next start", self.enable())
        enabled = self.xml()
        self.assertNotEqual(enabled, before)
        self.start()
        status = " ".join(self.good("status", "heat").split())
        self.assertIn("State running", status)
        self.assertRegex(status, r"Host memory [0-9.]+ \w+ resident, 0 B swapped")
        self.assertIn("heat0, running", self.fine("show"))
        self.hot_payload()
        self.assertIn("no vmheat any more", self.fine("disable", "--yes"))
        self.assertEqual(self.xml(), before)
        self.assertIn("there is no vmheat device",
                      self.bad(QMP, "status", "heat"))
        self.daemon.virsh("destroy", "heat")
        self.start()
        self.assertIn("not loaded", self.bad(QMP, "status", "heat"))

    def test_live(self):
        """Where the plugin is loaded the device comes and goes at once."""
        self.define()
        self.enable()
        self.start()
        self.fine("disable", "--yes")
        self.assertIn("from now on",
                      self.enable("--property", "overhead-budget=100",
                                  "--property", "paused=on",
                                  "--property", "target-node=0",
                                  "--property", "estimator=classic"))
        said = self.good("status", "heat")
        self.assertIn("1.00 % of a vCPU", said)
        self.assertIn("paused", said)
        self.assertIn("node 0 only", said)
        self.assertIn("classic", said)
        self.assertIn("runs with vmheat already", self.enable())

    def test_own_things_stay(self):
        """What the user had before is there afterwards."""
        self.define("heat", NAMESPACE,
                    "<memoryBacking><nosharepages/></memoryBacking>",
                    qemu_args("-name", "mine"))
        before = self.xml()
        self.enable()
        self.enable("--primitive", "trap")
        self.assertIn("primitive=trap", self.xml())
        self.assertIn("nosharepages", self.xml())
        self.fine("disable", "--yes")
        self.assertEqual(self.xml(), before)

    def test_shared_before(self):
        """Nothing to ask where memory is shared."""
        self.define(backing=SHARED)
        before = self.xml()
        self.fine("enable", "--plugin", self.plugin)
        self.fine("disable")
        self.assertEqual(self.xml(), before)

    def test_asks(self):
        self.define()
        before = self.xml()
        self.assertIn("say --yes", self.fails(USAGE, "enable"))
        self.assertEqual(self.xml(), before)

    def answer(self, text):
        """Enables, answers the question; exit code and what it said."""
        process, terminal = self.daemon.on_terminal(
            environment("VMHEAT_CLI"), "libvirt", "enable", "-c",
            self.daemon.uri, "heat", "--plugin", self.plugin)
        said = daemon.read_terminal(terminal, "Go on? [y/N]")
        os.write(terminal, text)
        said += daemon.read_terminal(terminal, "\0")
        os.close(terminal)
        return process.wait(30), said

    def test_answers(self):
        """On a terminal it says what shared memory means, and asks."""
        self.define()
        before = self.xml()
        code, said = self.answer(b"n\n")
        self.assertEqual(code, USAGE, said)
        self.assertIn("memfd", said)
        self.assertIn("nothing was changed", said)
        self.assertEqual(self.xml(), before)
        code, said = self.answer(b"y\n")
        self.assertEqual(code, 0, said)
        self.assertIn("vmheat,id=heat0", self.xml())

    def test_dry_run(self):
        self.define()
        before = self.xml()
        said = self.fine("enable", "--dry-run", "--plugin", self.plugin)
        self.assertIn("+ <memoryBacking>", said)
        self.assertIn("vmheat,id=heat0", said)
        self.assertNotIn("<emulator>", said)
        self.assertEqual(self.xml(), before)

    def test_by_hand(self):
        self.define_with()
        before = self.xml()
        for verb in ["enable", "disable"]:
            self.assertIn("was added by hand", self.fails(HOST, verb))
        self.assertEqual(self.xml(), before)
        self.assertIn("added by hand", self.fine("show"))

    def test_show(self):
        self.define()
        said = self.fine("show")
        self.assertIn("not enabled", said)
        self.assertIn("guest memory is anonymous", said)
        self.fine("enable", "--yes", "--plugin", "/nowhere/vmheat.so")
        self.assertIn("'/nowhere/vmheat.so'", self.fine("show"))
        self.assertIn("QEMU will not start", self.fine("show"))

    def test_plugin_closed(self):
        """A plugin that QEMU cannot read is told of."""
        if self.session:
            self.skipTest("of the system only")
        folder = os.path.join(self.daemon.dir, "closed")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        path = os.path.join(folder, "vmheat.so")
        if not os.path.exists(path):
            os.link(self.plugin, path)
        self.define()
        self.fine("enable", "--yes", "--plugin", path)
        self.assertIn(f"the folder '{folder}' is closed to other users",
                      self.fine("show"))

    def test_recipe(self):
        """Schemes go to a file that QEMU reads, and that goes with them."""
        if not self.session and not os.path.exists("/etc/vmheat"):
            self.addCleanup(os.rmdir, "/etc/vmheat")
        self.define()
        before = self.xml()
        self.enable("--schemes", "reclaim", "--min-age", "7m")
        folder = (self.daemon.env["XDG_CONFIG_HOME"] if self.session
                  else "/etc")
        path = os.path.join(folder, "vmheat", "heat.json")
        with open(path, encoding="utf-8") as f:
            self.assertIn("420000000", f.read())
        self.assertIn(f"schemes={path}", self.xml())
        self.fine("disable", "--yes")
        self.assertFalse(os.path.exists(path))
        self.assertEqual(self.xml(), before)

    def test_schemes_file(self):
        path = os.path.join(self.daemon.dir, "look.json")
        with open(path, "w", encoding="ascii") as f:
            f.write('[ { "name": "look", "action": "stat" } ]')
        os.chmod(path, 0o644)
        self.define()
        self.enable("--schemes", path)
        self.start()
        self.assertIn("look", self.good("schemes", "heat"))

    def test_bad_schemes(self):
        self.define()
        self.assertIn("nowhere.json", self.fails(
            USAGE, "enable", "--yes", "--schemes", "nowhere.json"))

    def test_transient(self):
        self.define()
        self.start()
        self.daemon.virsh("undefine", "heat")
        self.assertIn("no persistent definition", self.fails(QMP, "enable"))
        self.daemon.virsh("destroy", "heat")

    def test_save_restore(self):
        """A saved domain goes on as it was; that is told."""
        self.define()
        self.start()
        self.daemon.virsh("managedsave", "heat")
        self.assertIn("saved state is without", self.enable())
        self.start()
        self.assertIn("not loaded", self.bad(QMP, "status", "heat"))

    def test_wrong(self):
        self.assertIn("there is no domain", self.fails(
            CONNECT, "enable", domain="nobody-knows"))
        self.daemon.stop()
        self.assertIn("no libvirt daemon runs there",
                      self.fails(CONNECT, "disable"))


class System(Verbs, Case):
    session = False


class Session(Verbs, Case):
    pass


class Options(unittest.TestCase):
    def test_properties(self):
        """--property knows those of the device, no others."""
        with Guest(machine="microvm", device=None) as g:
            names = [p["name"] for p in g.qmp("device-list-properties",
                                              typename="vmheat")]
        self.assertIn("primitive", names)
        for name in names:
            done = subprocess.run(
                [environment("VMHEAT_CLI"), "libvirt", "enable", "-c",
                 "test:///default", "nobody", "--property", name + "=1"],
                capture_output=True, text=True, timeout=60, check=False)
            known = done.returncode == CONNECT
            self.assertEqual(known, not name.startswith("x-"),
                             name + ": " + done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
