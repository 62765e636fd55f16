# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known of guest memory: labels, reserved memory, targets."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import unittest

from guest import Guest, built_in, fails_to_start, score
from payload_guest import MB, PayloadGuest, Range
from qmp import QMPError

GB = 1 << 30
SIZE = 128 * MB
VIRT = 0x80000000
GOOD = 0.95
SCHEME = {"name": "seen", "action": "stat"}


def numa(*nodes, more=()):
    """Arguments of main memory of two nodes, and of what is plugged besides."""
    args = ["-m", "128M,slots=4,maxmem=2G"]
    for i, path in enumerate(nodes):
        args += ["-object", "memory-backend-file,share=on,size=64M,"
                 f"id=m{i},mem-path={path}", "-numa", f"node,memdev=m{i}"]
    return args + list(more)


def device(kind, name, node=None, size="64M", path=None):
    backend = (f"memory-backend-file,share=on,mem-path={path}" if path
               else "memory-backend-ram")
    words = f"{kind},id={name},memdev=mem-{name}"
    return ["-object", f"{backend},id=mem-{name},size={size}", "-device",
            words + (f",node={node}" if node is not None else "")]


def span(r):
    return r["start"], r["start"] + r["size"]


class Case(unittest.TestCase):
    def file(self, size, name="m"):
        fd, path = tempfile.mkstemp(prefix=f"vmheat-{name}-", dir="/dev/shm")
        os.ftruncate(fd, size)
        os.close(fd)
        self.addCleanup(os.unlink, path)
        return path

    def two_nodes(self, more=(), watch="id=heat0", **kwargs):
        args = numa(self.file(64 * MB), self.file(64 * MB), more=more)
        return self.enterContext(Guest(
            size=SIZE, shared=False, device=None,
            args=args + ["-device", "vmheat," + watch], **kwargs))

    def info(self, g):
        return g.qmp("query-vmheat")

    def takes(self, g, size, **scheme):
        """A new scheme is applied to just so many bytes of one snapshot."""
        g.qmp("vmheat-set-schemes", schemes=[])
        g.qmp("vmheat-set-schemes", schemes=[
            {**SCHEME, "max-snapshots": 1, **scheme}])

        def stats():
            return g.qmp("query-vmheat-schemes")[0]["stats"]
        g.qmp.wait_until("the scheme saw a snapshot", lambda:
                         stats()["nr-snapshots"] and stats()["sz-tried"]
                         >= self.info(g)["total-size"], timeout=60)
        self.assertEqual(stats()["sz-applied"], size)


class Labels(Case):
    def test_devices(self):
        """Node, backend and device of all that is plugged."""
        more = (device("pc-dimm", "dimm0", 1)
                + device("virtio-mem-pci", "vmem0", 0)
                + device("virtio-pmem-pci", "pmem0", path=self.file(64 * MB))
                + device("nvdimm", "nv0", 0, path=self.file(64 * MB)))
        g = self.two_nodes(more, machine="q35,nvdimm=on")
        found = {(r["backend"], r.get("device"), r.get("node"))
                 for r in self.info(g)["ranges"]}
        self.assertEqual(found, {
            ("m0", None, 0), ("m1", None, 1), ("mem-dimm0", "dimm0", 1),
            ("mem-vmem0", "vmem0", 0), ("mem-nv0", "nv0", 0),
            # the device has no node: the guest's driver is told none
            ("mem-pmem0", "pmem0", None)})

    def test_no_ram(self):
        """What others share, and what the guest can only read."""
        more = (device("nvdimm", "nv0", 0, path=self.file(64 * MB))
                + device("ivshmem-plain", "iv0", path=self.file(16 * MB),
                         size="16M"))
        more[1] += ",readonly=on"
        more[3] += ",unarmed=on"
        g = self.two_nodes(more, machine="q35,nvdimm=on")
        info = self.info(g)
        self.assertEqual({r["backend"] for r in info["ranges"]}, {"m0", "m1"})
        self.assertNotIn("mem-nv0", {r.get("name") for r in info["reserved"]})

    def test_node_without_memory(self):
        args = ["-numa", "node,memdev=m0", "-numa", "node", "-object",
                f"memory-backend-ram,id=m0,size={SIZE}", "-device",
                "vmheat,id=heat0"]
        g = self.enterContext(Guest(size=SIZE, shared=False, device=None,
                                    args=args))
        self.assertEqual({r.get("node") for r in self.info(g)["ranges"]}, {0})
        with self.assertRaisesRegex(QMPError, "no memory on such a node"):
            g.qmp("vmheat-set-schemes", schemes=[{
                "action": "stat", "filters": [{"type": "node", "node": 1}]}])

    def test_filters(self):
        more = device("pc-dimm", "dimm0", 1, size="48M",
                      path=self.file(48 * MB))
        g = self.two_nodes(more)
        g.qmp.wait_until("snapshots", lambda: self.info(g)["snapshot"] > 0)

        def come_to(size, kind, name):
            f = {"type": kind, kind: name, "allow": True}
            self.takes(g, size, name=kind, filters=[f])
            self.assertEqual({**f, "matching": True}, g.qmp(
                "query-vmheat-schemes")[0]["scheme"]["filters"][0])
        come_to(48 * MB, "device", "dimm0")
        come_to(64 * MB, "backend", "m1")
        for kind, other in ("device", "backend"), ("backend", "device"):
            with self.assertRaisesRegex(
                    QMPError, f"filter of type '{kind}' needs '{kind}'"):
                g.qmp("vmheat-set-schemes", schemes=[{
                    "action": "stat", "filters": [{"type": kind}]}])
            with self.assertRaisesRegex(
                    QMPError, f"'filters.{other}' goes with type '{other}'"):
                g.qmp("vmheat-set-schemes", schemes=[{
                    "action": "stat", "filters": [
                        {"type": kind, kind: "x", other: "x"}]}])


class Reserved(Case):
    def test_pc(self):
        """Firmware, and what QEMU's own table says."""
        g = self.enterContext(Guest(size=SIZE, args=["-cpu", "EPYC"]))
        kinds = {(r["kind"], r.get("name")): span(r)
                 for r in self.info(g)["reserved"]}
        bios = kinds["firmware", "pc.bios"]
        self.assertEqual(bios[1], 4 * GB)
        # a hole for HyperTransport, on AMD's CPUs only
        self.assertEqual(kinds["e820", None], (0xfd00000000, 0x10000000000))
        intel = self.enterContext(Guest(size=SIZE, args=["-cpu",
                                                       "Nehalem"]))
        self.assertNotIn("e820", {r["kind"] for r in
                                  self.info(intel)["reserved"]})


@unittest.skipUnless(shutil.which("qemu-system-riscv64"),
                     "no qemu-system-riscv64")
@unittest.skipIf(built_in(), "only the PC's QEMU has vmheat in it")
@unittest.skipUnless(shutil.which("dtc"),
                     "no dtc (package device-tree-compiler)")
@unittest.skipUnless("VMHEAT_PAYLOAD_RISCV64" in os.environ,
                     "no payload for RISC-V")
class DeviceTree(Case):
    """RISC-V's virt takes the device tree it is given as it is."""

    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as d:
            blob = os.path.join(d, "virt.dtb")
            subprocess.run(
                ["qemu-system-riscv64", "-m", "128M", "-machine",
                 "virt,dumpdtb=" + blob], check=True, capture_output=True)
            cls.tree = subprocess.run(
                ["dtc", "-q", "-I", "dtb", "-O", "dts", blob], check=True,
                capture_output=True, text=True).stdout

    def guest(self, nodes="", reserve="", memory=None,
              device="id=heat0,primitive=trap", **kwargs):
        """The payload in a machine with these nodes in its device tree."""
        tree = self.tree.replace("/dts-v1/;", "/dts-v1/;\n" + reserve, 1)
        start = tree.index("memory@80000000 {")
        end = tree.index("};", start) + 2
        tree = (tree[:start] + (memory or tree[start:end]) + nodes
                + tree[end:])
        path = self.file(0, "dtb")
        subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", path],
                       input=tree, check=True, text=True, capture_output=True)
        return self.enterContext(PayloadGuest(
            size=SIZE, arch="riscv64", memfd=True, args=["-dtb", path],
            device=device, **kwargs))

    def test_reserved(self):
        g = self.guest(reserve="/memreserve/ 0x84000000 0x2800;", nodes="""
            reserved-memory {
                #address-cells = <2>; #size-cells = <2>; ranges;
                secure@85000000 { reg = <0 0x85000000 0 0x100000>; no-map; };
                pool@86000000 { reg = <0 0x86000000 0 0x400000>; reusable; };
                off@87000000 { reg = <0 0x87000000 0 0x1000>;
                               status = "disabled"; };
                mbox@86100000 { reg = <0 0x86100000 0 0x800>; };
            };""")
        info = self.info(g)
        self.assertEqual([(r["kind"], r.get("name"), *span(r))
                          for r in info["reserved"]
                          if r["kind"] != "firmware"], [
            ("memreserve", None, 0x84000000, 0x84002800),
            ("no-map", "secure@85000000", 0x85000000, 0x85100000),
            ("reusable", "pool@86000000", 0x86000000, 0x86100000),
            ("reserved-memory", "mbox@86100000", 0x86100000, 0x86100800),
            ("reusable", "pool@86000000", 0x86100800, 0x86400000)])
        held = [span(r) for r in info["ranges"] if "reserved" in r]
        # whole pages
        self.assertEqual([held[0], held[-1]], [(0x84000000, 0x84003000),
                                               (0x86101000, 0x86400000)])
        self.assertEqual(info["total-size"], SIZE)
        g.payload.start([Range(VIRT + 40 * MB, 8 * MB)])
        self.takes(g, SIZE - sum(e - s for s, e in held))
        self.assertTrue(g.intact(), "guest memory was changed")

    def test_from_the_start(self):
        """A scheme of a device that is plugged in knows it, too."""
        g = self.guest("""
            reserved-memory {
                #address-cells = <2>; #size-cells = <2>; ranges;
                secure@85000000 { reg = <0 0x85000000 0 0x100000>; no-map; };
            };""", device=None)
        g.payload.start([Range(VIRT + 40 * MB, 8 * MB)])
        path = self.file(0, "schemes")
        with open(path, "w", encoding="ascii") as f:
            json.dump([SCHEME], f)
        step = SIZE - MB
        for _ in range(10):
            g.qmp("device_add", driver="vmheat", id="heat0", schemes=path,
                  primitive="dirty-log", **{"update-interval": 60000000})

            def applied():
                stats = g.qmp("query-vmheat-schemes")[0]["stats"]
                return stats["sz-applied"]
            g.qmp.wait_until("the scheme was applied", applied)
            self.assertEqual(applied() % step, 0)
            g.qmp("device_del", id="heat0")
            g.qmp.wait_event("DEVICE_DELETED")

    def test_nodes(self):
        """One backend, divided between nodes by the device tree."""
        def part(at, node):
            return (f"memory@{at:x} {{ device_type = \"memory\"; reg = "
                    f"<0 {at:#x} 0 {SIZE // 2:#x}>; numa-node-id = "
                    f"<{node}>; }};\n")
        # the later one first
        g = self.guest(memory=part(VIRT + SIZE // 2, 1) + part(VIRT, 0))
        self.assertEqual([(r["node"], *span(r))
                          for r in self.info(g)["ranges"]], [
            (0, VIRT, VIRT + SIZE // 2),
            (1, VIRT + SIZE // 2, VIRT + SIZE)])
        for node, watched in (1, SIZE // 2), (2, 0):
            g = self.guest(memory=part(VIRT, 0) + part(VIRT + SIZE // 2, 1),
                           device=f"id=heat0,target-node={node}")
            g.qmp.wait_until("that node is watched", lambda g=g, n=watched:
                             self.info(g)["total-size"] == n)
            self.assertEqual("nothing is watched: target-node 2" in g.stderr(),
                             not watched)
            g.qmp("device_del", id="heat0")
            g.qmp.wait_event("DEVICE_DELETED")
            add = {"driver": "vmheat", "id": "heat1", "target-node": node}
            if watched:
                g.qmp("device_add", **add)
                g.qmp.wait_until("it is watched", lambda g=g, n=watched:
                                 self.info(g)["total-size"] == n)
            else:
                g.qmp("stop")  # or QEMU 7.2 may hang, without vmheat, too
                with self.assertRaisesRegex(QMPError, "no memory on such"):
                    g.qmp("device_add", **add)

    def test_contradiction(self):
        """Memory nodes that overlap: nothing is known, nothing is done."""
        def part(at):
            return (f"memory@{at:x} {{ device_type = \"memory\"; reg = "
                    f"<0 {at:#x} 0 {SIZE:#x}>; }};\n")
        g = self.guest(memory=part(VIRT) + part(VIRT + 4096))
        said = [r for r in self.info(g)["reserved"] if r["kind"] == "unknown"]
        self.assertEqual(len(said), 1)
        self.assertRegex(said[0]["name"], "'memory@80000000' .* overlap")
        self.assertIn("overlap", g.stderr())
        self.assertEqual({r.get("reserved")
                          for r in self.info(g)["ranges"]}, {"unknown"})
        g.payload.start([Range(VIRT + 40 * MB, 8 * MB)])
        g.qmp("vmheat-set-schemes", schemes=[SCHEME])
        seen = self.info(g)["snapshot"]
        g.qmp.wait_until("snapshots", lambda:
                         self.info(g)["snapshot"] > seen + 3)
        stats = g.qmp("query-vmheat-schemes")[0]["stats"]
        self.assertGreater(stats["sz-tried"], 0)
        self.assertEqual(stats["nr-applied"], 0)


class Target(Case):
    def expect_right(self, g, seconds=3):
        """Medians of precision and recall, once they are good."""
        g.qmp.wait_until("the picture is right", lambda: min(score(g.qmp(
            "query-vmheat-regions"), g.truth())) >= GOOD, timeout=90)
        seen = g.watch(seconds)
        for what, i in ("precision", 1), ("recall", 2):
            value = statistics.median(s[i] for s in seen)
            print(f"{self._testMethodName}: {what} {value:.3f}",
                  file=sys.stderr)
            self.assertGreaterEqual(value, GOOD)

    def only(self, g, start, end):
        """Nothing else is monitored, or acted on."""
        g.qmp.wait_until("a snapshot of it", lambda: g.qmp(
            "query-vmheat-regions")["total-size"])
        snap = g.qmp("query-vmheat-regions")
        self.assertEqual((snap["regions"][0]["start"],
                          snap["regions"][-1]["end"]), (start, end))
        self.assertEqual(self.info(g)["total-size"], end - start)
        self.takes(g, end - start)

    def payload(self, watch, args=(), **kwargs):
        """The payload with main memory of 64 MiB that we see, and more."""
        g = self.enterContext(PayloadGuest(
            size=64 * MB, args=[*args, "-device", "vmheat,id=heat0," + watch],
            **kwargs))
        return g

    def test_device_file(self):
        """Pages of an NVDIMM's file that the guest writes (DAX)."""
        path = self.file(64 * MB, "pmem")
        g = self.payload(
            "target-device=nv0,primitive=dirty-log",
            ["-m", "64M,slots=2,maxmem=8G"]
            + device("nvdimm", "nv0", path=path),
            machine="q35,nvdimm=on", ram=4 * GB + 64 * MB, append="hole=64M")
        self.assertEqual(self.info(g)["target"], {"device": "nv0"})
        g.payload.start([Range(4 * GB + 20 * MB, 4 * MB, 0, 100)])
        self.expect_right(g)
        self.only(g, 4 * GB, 4 * GB + 64 * MB)
        g.payload.stop()
        self.assertTrue(g.payload.verify().ok, "the file was changed")

    def test_virtio_pmem(self):
        path = self.file(64 * MB, "pmem")
        g = self.payload(
            "target-device=pmem0,primitive=trap",
            ["-m", "64M,slots=2,maxmem=8G"]
            + device("virtio-pmem-pci", "pmem0", path=path),
            ram=4 * GB + 64 * MB, append="hole=64M")
        g.payload.start([Range(4 * GB + 20 * MB, 4 * MB)])
        self.expect_right(g)
        self.only(g, 4 * GB, 4 * GB + 64 * MB)

    def test_node_and_backend(self):
        """Of two nodes, either by its number or by its backend."""
        for watch in "target-node=1", "target-backend=m1":
            with self.subTest(watch=watch):
                g = self.two_nodes(watch="id=heat0," + watch)
                g.qmp.wait_until("a snapshot", lambda g=g:
                                 self.info(g)["snapshot"] > 0)
                self.only(g, 64 * MB, 128 * MB)
                self.assertEqual({r["monitored"] for r in
                                  self.info(g)["ranges"]
                                  if r["backend"] == "m0"}, {False})

    def test_device_goes_and_comes(self):
        """Monitoring waits for it."""
        for primitive in "trap", "dirty-log":
            with self.subTest(primitive=primitive):
                self.goes_and_comes(primitive)

    def goes_and_comes(self, primitive):
        more = device("pc-dimm", "dimm0", 1, path=self.file(64 * MB))
        g = self.two_nodes(more, watch="id=heat0,target-device=dimm0,"
                           f"primitive={primitive}")
        g.qmp.wait_until("a snapshot", lambda: self.info(g)["snapshot"] > 0)
        g.qmp("device_del", id="dimm0")
        g.qmp.hmp("o/w 0xa00 0")
        g.qmp.hmp("o/b 0xa14 8")
        g.qmp.wait_event("DEVICE_DELETED",
                         lambda d: d.get("device") == "dimm0")
        g.qmp.wait_until("nothing is watched", lambda:
                         self.info(g)["total-size"] == 0)
        self.assertEqual(self.info(g)["state"], "running")
        g.qmp("device_add", driver="pc-dimm", id="dimm0", memdev="mem-dimm0",
              node=1)
        g.qmp.wait_until("it is watched again", lambda:
                         self.info(g)["total-size"] == 64 * MB)
        self.assertNotIn("failed", [e["data"]["state"] for e in
                                    g.qmp.seen("VMHEAT_STATE_CHANGED")])
        self.only(g, 4 * GB, 4 * GB + 64 * MB)

    def test_balloon(self):
        g = self.two_nodes(["-device", "virtio-balloon-pci"],
                           watch="id=heat0,target-node=0")
        with self.assertRaisesRegex(QMPError, "'balloon' cannot be used with"):
            g.qmp("vmheat-set-schemes", schemes=[{"action": "balloon"}])
        self.assertEqual(g.qmp("query-vmheat-schemes"), [])

    def test_refused(self):
        """What is there is told, and nothing is started."""
        more = device("pc-dimm", "dimm0", 1)
        for watch, message in (
                ("target-node=2", "no memory on such a node"),
                ("target-node=-2", "target-node -2: must be -1"),
                ("target-backend=m2", "there are: 'm0', 'm1', 'mem-dimm0'"),
                ("target-device=nv0", "there are: 'dimm0'"),
                ("target-device=", "there are: 'dimm0'"),
                ("target-node=0,target-device=dimm0",
                 "no guest memory is of all of")):
            with self.subTest(watch=watch):
                args = numa(self.file(64 * MB), self.file(64 * MB),
                            more=more)
                self.assertIn(message, fails_to_start(
                    size=SIZE, shared=False, device=None,
                    args=args + ["-device", "vmheat," + watch]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
