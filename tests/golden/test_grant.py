#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmheat grant: what it hands over to whom, and how it serves as DAMON helper.

DAMON's files are a plain folder here, never the kernel's. VMHEAT_CLI names the
binary.
"""

import ctypes
import fcntl
import mmap
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from fake_damon import CONTEXT, FILES, SCHEME, TARGET
from fake_qmp import FakeQMP, error, wait_until

CLI = os.path.abspath(os.environ.get("VMHEAT_CLI", "build/vmheat"))
OK, USAGE, _, QMP, _, _, HOST = range(7)
ENV = {**{k: v for k, v in os.environ.items() if k != "VMHEAT_SOCKET"},
       "LC_ALL": "C", "COLUMNS": "200"}

# accel/damon-wire.h
MAGIC, WATCH, STOP, REGIONS, ERROR = 0x54484d56, 1, 2, 3, 4
HEADER = struct.Struct("=IHH")
WATCH_BODY = struct.Struct("=QQQQIIII")
REGIONS_BODY = struct.Struct("=QQQQQIIII")
REGION = struct.Struct("=QQII")

# start, end, nr_accesses, age; more of them than a message holds
TRIED = [(0x10000, 0x12000, 20, 4), (0x12000, 0x13000, 0, 90),
         *((0x100000 + i * 0x2000, 0x101000 + i * 0x2000, i % 21, i)
           for i in range(600))]
PART = 512
FEW = 20  # of them, but for one test


def watch(ident=1, ranges=((0x10000, 0x13000),), sampling=5000, version=1):
    return (HEADER.pack(MAGIC, version, WATCH) +
            WATCH_BODY.pack(ident, sampling, 20 * sampling, 200 * sampling, 10,
                            1000, len(ranges), 0) +
            b"".join(struct.pack("=QQ", *r) for r in ranges))


class Grant(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="vmheat-grant-")
        self.addCleanup(shutil.rmtree, self.dir)
        self.server = FakeQMP()
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)
        self.bitmap = self.file("bitmap", "x" * 4096)
        self.owner = os.path.join(self.dir, "run", "damon.owner")
        self.root = os.path.join(self.dir, "admin")
        self.tried = TRIED[:FEW]
        self.look_like_qemu()

    def file(self, name, text):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as f:
            f.write(str(text))
        return path

    def look_like_qemu(self):
        """The server is this process: have it map the plugin."""
        with open(self.file("vmheat.so", "x" * 4096), "r+b") as f:
            self.plugin = mmap.mmap(f.fileno(), 4096)
        self.addCleanup(lambda: self.plugin.closed or self.plugin.close())

    def damon(self, *args, tree=True):
        """Arguments for DAMON in a folder."""
        if tree and not os.path.exists(self.root):
            for name, text in FILES.items():
                self.file(f"admin/{name}", text)
            for i, region in enumerate(reversed(self.tried)):
                for name, value in zip(("start", "end", "nr_accesses", "age"),
                                       region):
                    self.file(f"admin/{SCHEME}/tried_regions/{i}/{name}",
                              value)
        return ["--damon", "--no-idle-page", "--damon-root", self.root,
                "--damon-owner", self.owner, "--damon-cpu", "100", *args]

    def is_set(self, name):
        with open(os.path.join(self.root, name), encoding="ascii") as f:
            return f.read().strip()

    def command(self, *args):
        return [CLI, "grant", "-s", self.server.path, *args]

    def grant(self, *args):
        return subprocess.run(self.command(*args), env=ENV, text=True,
                              capture_output=True, timeout=30, check=False)

    def sent(self):
        return [c for c in self.server.seen if c[0] not in
                ("qmp_capabilities", "query-vmheat")]

    def refused(self, code, *words, args=(), sent=()):
        """One sentence, and QEMU got nothing that it keeps."""
        done = self.grant(*args)
        self.assertEqual((done.returncode, done.stdout), (code, ""),
                         done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertEqual([c[0] for c in self.sent()], list(sent))
        self.assertEqual((self.server.fds, self.server.granted), ({}, {}))

    # the command line

    def test_usage(self):
        for args, word in ((["--pid", "0"], "number of a process"),
                           (["--pid", "x"], "number of a process"),
                           (["--damon", "--damon-cpu", "0"], "1 .. 100"),
                           (["--damon", "--damon-cpu", "101"], "1 .. 100"),
                           (["--background"], "with --damon only"),
                           (["--no-idle-page"], "with --damon only"),
                           (["--revoke", "--damon"], "--revoke takes"),
                           (["--revoke", "--pid", "1"], "--revoke takes"),
                           (["--json"], "no option --json")):
            with self.subTest(args=args):
                self.refused(USAGE, word, args=args)

    # which process

    def test_no_qemu(self):
        self.plugin.close()
        self.refused(HOST, f"process {os.getpid()}", "is no QEMU", "--pid",
                     args=["--page-idle", self.bitmap])

    def test_other_process(self):
        """Another QEMU gets nothing of this one, nor the other way round."""
        script = ("import mmap, os, sys; f = open(sys.argv[1], 'r+b'); "
                  "m = mmap.mmap(f.fileno(), 4096); print(flush=True); "
                  "sys.stdin.read()")
        with subprocess.Popen(
                [sys.executable, "-c", script,
                 os.path.join(self.dir, "vmheat.so")], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE) as other:
            other.stdout.readline()
            for pid in (other.pid, 1):
                self.refused(HOST, f"process {pid} is not at the other end",
                             f"process {os.getpid()} is",
                             args=["--pid", str(pid), "--page-idle",
                                   self.bitmap])
            other.stdin.close()

    def test_this_process(self):
        self.damon_runs("--pid", str(os.getpid()))

    def test_not_root(self):
        if os.geteuid():
            self.skipTest("needs root to be somebody else")
        for path in (self.dir, self.server.dir):
            os.chmod(path, 0o755)
        os.chmod(self.server.path, 0o777)
        user = ["setpriv", "--reuid=65534", "--clear-groups"]
        if subprocess.run([*user, "test", "-x", CLI], check=False).returncode:
            self.skipTest("another user cannot run the binary here")
        done = subprocess.run(
            [*user, *self.command("--page-idle", self.bitmap)], env=ENV,
            text=True, capture_output=True, timeout=30, check=False)
        self.assertEqual(done.returncode, HOST, done.stderr)
        self.assertIn("run 'vmheat grant' as root", done.stderr)
        self.assertEqual(self.sent(), [])

    # idle-page

    def need_pfns(self):
        with open("/proc/self/status", encoding="ascii") as f:
            caps = int(re.search(r"CapEff:\s*(\w+)", f.read())[1], 16)
        if not caps >> 21 & 1:
            self.skipTest("needs CAP_SYS_ADMIN")

    def test_idle_page(self):
        self.need_pfns()
        done = self.grant("--page-idle", self.bitmap)
        self.assertEqual((done.returncode, done.stderr), (OK, ""))
        self.assertEqual(self.sent(), [
            ("getfd", {"fdname": "vmheat-page-idle-bitmap"}),
            ("getfd", {"fdname": "vmheat-pagemap"}),
            ("vmheat-grant", {"page-idle-bitmap": "vmheat-page-idle-bitmap",
                              "pagemap": "vmheat-pagemap"})])
        self.assertEqual(self.server.fds, {})
        bitmap, pagemap = (self.server.granted[k] for k in
                           ("page-idle-bitmap", "pagemap"))
        self.assertEqual(os.readlink(f"/proc/self/fd/{bitmap}"), self.bitmap)
        self.assertEqual(fcntl.fcntl(bitmap, fcntl.F_GETFL) & os.O_ACCMODE,
                         os.O_RDWR)
        self.assertEqual(os.readlink(f"/proc/self/fd/{pagemap}"),
                         f"/proc/{os.getpid()}/pagemap")
        self.assertEqual(fcntl.fcntl(pagemap, fcntl.F_GETFL) & os.O_ACCMODE,
                         os.O_RDONLY)
        for word in (self.bitmap, "pagemap", "trap: auto: trap sees"):
            self.assertIn(word, done.stdout)

    def test_page_frame_numbers(self):
        """They show in the descriptor, whoever reads it."""
        self.need_pfns()
        self.assertEqual(self.grant("--page-idle", self.bitmap).returncode, OK)
        page = ctypes.addressof(ctypes.c_char.from_buffer(self.plugin))
        self.plugin[0] = 1
        entry = os.pread(self.server.granted["pagemap"], 8, page // 4096 * 8)
        self.assertTrue(struct.unpack("=Q", entry)[0] & (1 << 55) - 1)

    def test_no_page_frame_numbers(self):
        """Root, but not of the kind that pagemap shows them to."""
        self.need_pfns()
        done = subprocess.run(
            ["setpriv", "--bounding-set=-sys_admin",
             *self.command("--page-idle", self.bitmap)], env=ENV, text=True,
            capture_output=True, timeout=30, check=False)
        self.assertEqual(done.returncode, HOST, done.stderr)
        self.assertIn("without CAP_SYS_ADMIN", done.stderr)
        self.assertEqual(self.sent(), [])

    def test_no_bitmap(self):
        gone = os.path.join(self.dir, "gone")
        self.refused(HOST, gone, "CONFIG_IDLE_PAGE_TRACKING", "--damon",
                     args=["--page-idle", gone])

    def test_bitmap_cannot_be_opened(self):
        self.refused(HOST, f"cannot open {self.dir}",
                     args=["--page-idle", self.dir])

    def test_refused_by_qemu(self):
        self.need_pfns()
        self.server.replies["vmheat-grant"] = lambda a: error(
            "DeviceNotFound", "there is no vmheat device")
        self.refused(QMP, "there is no vmheat device", "device_add",
                     args=["--page-idle", self.bitmap],
                     sent=["getfd", "getfd", "vmheat-grant", "closefd",
                           "closefd"])

    def test_descriptor_refused_by_qemu(self):
        self.need_pfns()

        def getfd(arguments):
            if arguments["fdname"] != "vmheat-pagemap":
                return self.server._descriptors("getfd", arguments)
            os.close(self.server.passed.pop())
            return error("GenericError", "no more")
        self.server.replies["getfd"] = getfd
        self.refused(QMP, "getfd: no more", args=["--page-idle", self.bitmap],
                     sent=["getfd", "getfd", "closefd"])

    def test_revoke(self):
        self.need_pfns()
        self.assertEqual(self.grant("--page-idle", self.bitmap).returncode, OK)
        done = self.grant("--revoke")
        self.assertEqual((done.returncode, done.stderr), (OK, ""))
        self.assertIn("trap", done.stdout)
        self.assertEqual(self.server.granted, {})
        self.assertEqual(self.sent()[-1], ("vmheat-revoke", {}))

    # the DAMON helper

    def helper(self, *args):
        """Starts it; returns it and QEMU's end of the socket."""
        process = subprocess.Popen(self.command(*self.damon(*args)), env=ENV,
                                   text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        self.assertTrue(wait_until(lambda: self.server.granted
                                   or process.poll() is not None))
        self.assertIn("damon", self.server.granted, process.poll())
        end = socket.socket(fileno=os.dup(self.server.granted["damon"]))
        self.addCleanup(end.close)
        end.settimeout(20)
        return process, end

    def let_go(self, end):
        """QEMU closes its end."""
        end.close()
        os.close(self.server.granted.pop("damon"))

    def hear(self, end, kind):
        """The next message of this kind, without header."""
        while True:
            data = end.recv(65536)
            magic, version, found = HEADER.unpack_from(data)
            self.assertEqual((magic, version), (MAGIC, 1))
            if found == kind:
                return data[HEADER.size:]
            self.assertEqual(found, REGIONS)

    def watched(self, end, ident=1):
        end.send(watch(ident))
        body = self.hear(end, REGIONS)
        while REGIONS_BODY.unpack_from(body)[0] != ident:
            body = self.hear(end, REGIONS)
        return body

    def ends(self, process, code, word):
        out, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, code, out + err)
        self.assertIn(word, out if code == OK else err)

    def given_back(self):
        self.assertEqual(self.is_set("kdamonds/nr_kdamonds"), "0")
        self.assertEqual(self.is_set("kdamonds/0/state"), "off")
        self.assertEqual(os.path.getsize(self.owner), 0)

    def damon_runs(self, *args):
        process, end = self.helper(*args)
        self.watched(end)
        self.assertEqual(self.is_set(f"{TARGET}/pid_target"),
                         str(os.getpid()))
        self.let_go(end)
        self.ends(process, OK, "QEMU has ended, or has given back")
        self.given_back()

    def test_damon(self):
        self.tried = TRIED
        process, end = self.helper()
        self.assertEqual(self.sent(), [
            ("getfd", {"fdname": "vmheat-damon"}),
            ("vmheat-grant", {"damon": "vmheat-damon"})])
        self.assertEqual((end.family, end.type),
                         (socket.AF_UNIX, socket.SOCK_SEQPACKET))
        # DAMON is nobody's until QEMU wants it
        self.assertEqual(self.is_set("kdamonds/nr_kdamonds"), "0")
        body = self.watched(end, 77)
        ident, number, taken, sampling, aggregation, most, total, first, nr = \
            REGIONS_BODY.unpack_from(body)
        self.assertEqual((ident, number, sampling, aggregation, most, total,
                          first, nr),
                         (77, 1, 5000, 100000, 20, len(TRIED), 0, PART))
        self.assertLess(abs(time.monotonic_ns() - taken), 20e9)
        rest = self.hear(end, REGIONS)
        self.assertEqual(REGIONS_BODY.unpack_from(rest),
                         (ident, number, taken, sampling, aggregation, most,
                          total, PART, len(TRIED) - PART))
        self.assertEqual([r for part in (body, rest) for r in
                          REGION.iter_unpack(part[REGIONS_BODY.size:])], TRIED)
        for name, value in (("kdamonds/nr_kdamonds", "1"),
                            (f"{CONTEXT}/operations", "fvaddr"),
                            (f"{TARGET}/pid_target", str(os.getpid())),
                            (f"{TARGET}/regions/0/end", str(0x13000)),
                            (f"{SCHEME}/action", "stat")):
            self.assertEqual(self.is_set(name), value)
        end.send(HEADER.pack(MAGIC, 1, STOP))
        self.assertTrue(wait_until(
            lambda: self.is_set("kdamonds/nr_kdamonds") == "0"))
        self.watched(end, 78)
        self.let_go(end)
        self.ends(process, OK, "DAMON is given back")
        self.given_back()

    def test_monitor_is_free(self):
        """While the helper goes on, others can use the QMP socket."""
        self.helper()
        done = subprocess.run([CLI, "status", "-s", self.server.path], env=ENV,
                              capture_output=True, timeout=30, check=False)
        self.assertEqual(done.returncode, OK, done.stderr)

    def test_signals(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(number=number):
                process, end = self.helper()
                self.watched(end)
                process.send_signal(number)
                self.ends(process, OK, "stopped by a signal")
                self.given_back()
                while end.recv(65536):
                    pass
                self.let_go(end)

    def test_revoke_ends_the_helper(self):
        process, end = self.helper()
        self.watched(end)
        end.close()
        self.assertEqual(self.grant("--revoke").returncode, OK)
        self.ends(process, OK, "given back")
        self.given_back()

    def test_nonsense(self):
        """What QEMU sends is checked; wrong is the end, and it is told why."""
        for bad, word in (
                (b"nonsense", "not of vmheat"),
                (HEADER.pack(MAGIC, 1, 9), "unknown type"),
                (HEADER.pack(MAGIC, 1, STOP) + b"x", "STOP of a wrong length"),
                (watch(version=2), "version 2"),
                (watch(ranges=[(0x2000, 0x1000)]), "sorted pages"),
                (watch(ranges=[(0x1001, 0x2000)]), "sorted pages"),
                (watch(ranges=[(0x1000, 1 << 63)]), "sorted pages"),
                (watch(ranges=[]), "WATCH of a wrong length"),
                (watch()[:-1], "WATCH of a wrong length"),
                (watch(sampling=100), "intervals that are not allowed"),
                (watch() + b"x" * 60000, "not of vmheat"),
                (HEADER.pack(MAGIC, 1, ERROR) + b"hi", "only the helper")):
            with self.subTest(bad=bad[:80]):
                process, end = self.helper()
                self.watched(end)
                time.sleep(0.25)  # it is deaf for a while after a WATCH
                end.send(bad)
                self.assertIn(word, self.hear(end, ERROR).decode())
                self.ends(process, HOST, word)
                self.given_back()
                self.let_go(end)

    def test_kernel_refuses(self):
        """Setting up fails half way: QEMU is told, nothing stays."""
        process, end = self.helper()
        os.unlink(os.path.join(self.root, TARGET, "pid_target"))
        end.send(watch())
        self.assertIn("pid_target", self.hear(end, ERROR).decode())
        self.ends(process, HOST, "cannot set up DAMON")
        self.given_back()

    def test_another_owner(self):
        self.damon()
        self.file("admin/kdamonds/nr_kdamonds", 1)
        self.file("admin/kdamonds/0/state", "on")
        self.file("admin/kdamonds/0/pid", 4711)
        self.refused(HOST, "another owner holds DAMON", "nr_kdamonds is 1",
                     "kdamond 4711 is on", args=self.damon())
        self.assertEqual(self.is_set("kdamonds/nr_kdamonds"), "1")
        self.assertEqual(self.is_set("kdamonds/0/state"), "on")

    def test_another_owner_comes_first(self):
        """Free when granted, taken when QEMU wants it."""
        process, end = self.helper()
        self.file("admin/kdamonds/nr_kdamonds", 1)
        end.send(watch())
        self.assertIn("another owner", self.hear(end, ERROR).decode())
        self.ends(process, HOST, "another owner holds DAMON")
        self.assertEqual(self.is_set("kdamonds/nr_kdamonds"), "1")

    def test_another_helper(self):
        process, end = self.helper()
        self.watched(end)
        done = self.grant(*self.damon())
        self.assertEqual(done.returncode, HOST)
        self.assertIn(f"(process {process.pid}) watches process {os.getpid()}",
                      done.stderr)
        self.watched(end, 2)

    def test_killed(self):
        """What it leaves behind is known by its mark and cleaned up."""
        process, end = self.helper()
        self.watched(end)
        process.kill()
        process.wait()
        self.let_go(end)
        self.assertEqual(self.is_set("kdamonds/nr_kdamonds"), "1")
        process, end = self.helper()
        self.given_back()
        self.watched(end)
        self.let_go(end)
        self.ends(process, OK, "given back")

    def test_killed_then_another_owner(self):
        process, end = self.helper()
        self.watched(end)
        process.kill()
        process.wait()
        self.let_go(end)
        self.file(f"admin/{SCHEME}/watermarks/interval_us", 5000000)
        self.server.seen.clear()
        self.refused(HOST, "another owner holds DAMON", args=self.damon())
        self.assertEqual(self.is_set("kdamonds/nr_kdamonds"), "1")
        self.assertEqual(self.is_set("kdamonds/0/state"),
                         "update_schemes_tried_regions")

    def test_only_root_may_lock_the_record(self):
        _, end = self.helper()
        self.watched(end)
        self.assertEqual(os.stat(self.owner).st_mode & 0o777, 0o600)

    def test_background(self):
        done = self.grant(*self.damon("--background"))
        self.assertEqual((done.returncode, done.stderr), (OK, ""))
        end = socket.socket(fileno=os.dup(self.server.granted["damon"]))
        end.settimeout(20)
        self.watched(end)
        with open(self.owner, encoding="ascii") as f:
            pid = int(re.search(r"helper (\d+)", f.read())[1])
        self.assertEqual(os.getsid(pid), pid)
        self.let_go(end)
        self.assertTrue(wait_until(lambda: not os.path.getsize(self.owner)))
        self.given_back()

    def test_no_damon(self):
        self.refused(HOST, "has no DAMON", "CONFIG_DAMON_SYSFS",
                     args=self.damon(tree=False))

    def test_no_tried_regions(self):
        process, end = self.helper()
        shutil.rmtree(os.path.join(self.root, SCHEME, "tried_regions"))
        end.send(watch())
        self.assertIn("Linux 6.2", self.hear(end, ERROR).decode())
        self.ends(process, HOST, "Linux 6.2")
        self.given_back()

    def test_both(self):
        """With --damon alone the bitmap is handed over where there is one."""
        self.need_pfns()
        for bitmap, want in ((self.bitmap, {"page-idle-bitmap", "pagemap",
                                            "damon"}),
                             (os.path.join(self.dir, "gone"), {"damon"})):
            with self.subTest(bitmap=bitmap):
                args = [a for a in self.damon("--background", "--page-idle",
                                              bitmap) if a != "--no-idle-page"]
                self.assertEqual(self.grant(*args).returncode, OK)
                self.assertEqual(set(self.server.granted), want)
                self.assertEqual(self.grant("--revoke").returncode, OK)

    def test_qemu_does_not_read(self):
        """The helper does not wait for it, and a signal still ends it."""
        process, end = self.helper()
        end.send(watch())
        self.assertTrue(wait_until(
            lambda: self.is_set("kdamonds/nr_kdamonds") == "1"))
        time.sleep(0.5)
        process.terminate()
        self.ends(process, OK, "signal")
        self.given_back()


if __name__ == "__main__":
    unittest.main()
