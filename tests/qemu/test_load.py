# SPDX-License-Identifier: GPL-2.0-or-later
"""Loading the plugin, introspection, and what is refused."""

import os
import subprocess
import unittest

from guest import Guest, built_in, environment, fails_to_start
from qmp import QMPError

COMMANDS = {"query-vmheat", "query-vmheat-regions", "vmheat-set",
            "vmheat-pause", "vmheat-resume"}
EVENTS = {"VMHEAT_PRIMITIVE_CHANGED", "VMHEAT_STATE_CHANGED"}
PROPERTIES = {"sampling-interval", "aggregation-interval", "update-interval",
              "min-regions", "max-regions", "traps-per-second",
              "overhead-budget", "primitive", "estimator", "paused"}


class Load(unittest.TestCase):
    def test_commands_are_listed(self):
        with Guest() as g:
            names = {c["name"] for c in g.qmp("query-commands")}
            self.assertLessEqual(COMMANDS, names)

    def test_schema(self):
        with Guest() as g:
            schema = g.qmp("query-qmp-schema")
        names = [e["name"] for e in schema]
        self.assertEqual(len(names), len(set(names)), "names collide")
        self.assertLessEqual(COMMANDS | EVENTS, set(names))
        by_name = {e["name"]: e for e in schema}
        info = by_name[by_name["query-vmheat"]["ret-type"]]
        self.assertIn("working-set-size", {m["name"] for m in info["members"]})
        args = by_name[by_name["vmheat-set"]["arg-type"]]
        for member in args["members"]:
            self.assertIn("default", member, "every argument is optional")
            self.assertIn(member["type"], by_name)

    def test_device_is_introspectable(self):
        with Guest(device=None) as g:
            props = {p["name"]: p for p in
                     g.qmp("device-list-properties", typename="vmheat")}
            self.assertLessEqual(PROPERTIES, set(props))
            for name in PROPERTIES:
                self.assertTrue(props[name].get("description"), name)
            types = {t["name"] for t in
                     g.qmp("qom-list-types", implements="device")}
            self.assertIn("vmheat", types)

    def test_query(self):
        with Guest(device="id=heat0,min-regions=7") as g:
            info = g.qmp("query-vmheat")
            self.assertEqual(info["id"], "heat0")
            self.assertEqual(info["state"], "running")
            self.assertEqual(info["primitive"], "trap")
            self.assertEqual(info["accelerator"], "tcg")
            self.assertEqual(info["attrs"]["min-regions"], 7)
            chosen = [p for p in info["primitives"] if p["chosen"]]
            self.assertEqual([p["name"] for p in chosen], ["trap"])
            self.assertTrue(chosen[0]["sees-reads"])
            self.assertEqual({r["block"] for r in info["ranges"]}, {"mem0"})

    def test_first_snapshot(self):
        with Guest(device="id=heat0") as g:
            before = g.qmp("query-vmheat-regions")
            snap = g.qmp.wait_until(
                "a snapshot", lambda: next(
                    (s for s in [g.qmp("query-vmheat-regions")]
                     if s["sequence"] > before["sequence"]), None))
            self.assertEqual(snap["regions"][0]["start"], 0)
            self.assertGreaterEqual(snap["nr-regions"], 10)
            self.assertGreater(snap["end-time"], snap["start-time"])
            self.assertEqual(
                snap["total-size"],
                sum(r["end"] - r["start"] for r in snap["regions"]))

    def test_hmp(self):
        with Guest() as g:
            text = g.qmp.hmp("info vmheat")
            self.assertIn("state: running", text)
            self.assertIn("primitive: trap", text)
            self.assertIn("mem0", text)
            self.assertIn("info vmheat", g.qmp.hmp("help info"))

    def test_without_device(self):
        with Guest(device=None) as g:
            for command in COMMANDS:
                with self.assertRaises(QMPError) as e:
                    g.qmp(command)
                self.assertEqual(e.exception.cls, "DeviceNotFound")
                self.assertIn("device_add vmheat", str(e.exception))
            self.assertIn("no vmheat device", g.qmp.hmp("info vmheat"))

    def test_second_instance_is_refused(self):
        with Guest() as g:
            with self.assertRaisesRegex(QMPError, "'heat0' already: only one"):
                g.qmp("device_add", driver="vmheat", id="heat1")
            self.assertEqual(g.qmp("query-vmheat")["id"], "heat0")

    def test_stop_before_load(self):
        """-S: the device is there, suspended, and starts with the guest."""
        with Guest(args=["-S"]) as g:
            info = g.qmp("query-vmheat")
            self.assertEqual(info["state"], "suspended")
            self.assertEqual(info["reason"], "guest is stopped")
            g.qmp("cont")
            self.assertEqual(g.qmp("query-vmheat")["state"], "running")


class Refuse(unittest.TestCase):
    def test_plugin_twice(self):
        if built_in():
            self.skipTest("no plugin is loaded")
        err = fails_to_start(
            args=["-plugin", environment("VMHEAT_PLUGIN") + ",x=1"])
        self.assertIn("vmheat", err)

    def test_plugin_argument(self):
        if built_in():
            self.skipTest("no plugin is loaded")
        err = fails_to_start(
            plugin=False, device=None,
            args=["-plugin", environment("VMHEAT_PLUGIN") + ",speed=9"])
        self.assertIn("takes no argument ('speed=9')", err)

    def test_bad_properties(self):
        bad = {
            "sampling-interval=0": "sampling-interval 0",
            "sampling-interval=999": "sampling-interval 999",
            "sampling-interval=300000": "aggregation-interval",
            "aggregation-interval=1000": "aggregation-interval 1000",
            "update-interval=1": "update-interval 1",
            "min-regions=2": "min-regions 2",
            "min-regions=2000": "min-regions 2000",
            "max-regions=100001": "max-regions 100001",
            "max-regions=0": "max-regions",
            "overhead-budget=0": "overhead-budget 0",
            "overhead-budget=10001": "overhead-budget 10001",
            "traps-per-second=99999999": "traps-per-second 99999999",
            "primitive=magic": "unknown primitive 'magic': must be one of",
            "estimator=oracle": "unknown estimator 'oracle': must be one of",
            "sampling-interval=abc": "sampling-interval",
            "min-regions=-1": "min-regions",
            "nosuch=1": "nosuch",
            "primitive=fake,x-fake-script=bogus": "line 1: 'bogus'",
        }
        with Guest(device=None) as g:
            for text, expected in bad.items():
                props = dict(p.split("=", 1) for p in text.split(","))
                for k, v in props.items():
                    if v.lstrip("-").isdigit():
                        props[k] = int(v)
                with self.assertRaises(QMPError, msg=text) as e:
                    g.qmp("device_add", driver="vmheat", id="heat0", **props)
                self.assertIn(expected, str(e.exception))
                self.assertNotIn("\n", str(e.exception))
            # nothing is left behind: the same id works
            g.qmp("device_add", driver="vmheat", id="heat0")
            self.assertEqual(g.qmp("query-vmheat")["id"], "heat0")

    def test_bad_property_on_the_command_line(self):
        err = fails_to_start(device="sampling-interval=0")
        self.assertIn("sampling-interval 0", err)

    def test_private_memory(self):
        err = fails_to_start(device="primitive=trap", shared=False,
                             machine="q35")
        self.assertIn("'pc.ram' (256 MiB) is private memory", err)
        self.assertIn("-object memory-backend-memfd,id=mem0,size=256M,"
                      "share=on -machine memory-backend=mem0", err)
        self.assertIn("<memoryBacking><source type='memfd'/>"
                      "<access mode='shared'/></memoryBacking>", err)

    def test_private_memory_that_is_split(self):
        """The fix names the whole of RAM, though half is above 4 GiB."""
        err = fails_to_start(device="primitive=trap", shared=False,
                             machine="q35", size=4 << 30)
        self.assertIn("'pc.ram' (4096 MiB) is private memory", err)
        self.assertIn("size=4096M,share=on", err)

    def test_the_printed_fix_works(self):
        args = ["-object", "memory-backend-memfd,id=mem0,size=256M,share=on",
                "-machine", "memory-backend=mem0"]
        with Guest(device="id=heat0,primitive=trap", shared=False,
                   args=args) as g:
            self.assertEqual(g.qmp("query-vmheat")["state"], "running")

    def test_other_qemu_is_refused(self):
        """A plugin built for another version says so in one sentence."""
        other = os.environ.get("VMHEAT_OTHER_PLUGIN")
        if built_in():
            self.skipTest("no plugin is loaded")
        if not other:
            self.skipTest("VMHEAT_OTHER_PLUGIN is not set")
        err = fails_to_start(
            plugin=False, device=None, args=["-plugin", other])
        self.assertRegex(err, r"vmheat was built for QEMU (\d+\.\d+)\.99 but this "
                              r"is QEMU \1\.\d+")

    def test_qemu_without_plugins(self):
        """Debian's small one says in one sentence that it takes none."""
        microvm = environment("VMHEAT_QEMU") + "-microvm"
        if built_in():
            self.skipTest("no plugin is loaded")
        if not os.path.exists(microvm):
            self.skipTest("there is no " + microvm)
        err = fails_to_start(qemu=microvm, machine="microvm", device=None)
        self.assertIn("plugin interface not enabled", err)
        said = [line for line in err.splitlines()  # not what ASan says
                if line.startswith("qemu-system")]
        self.assertEqual(len(said), 1, err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
