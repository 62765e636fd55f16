# SPDX-License-Identifier: GPL-2.0-or-later
"""A Linux as the inner guest: it says itself which memory it keeps hot."""

import time

import lab
from guest import Guest

KERNELS = ("cloud",)

SIZE = 384 << 20
FILES = "/lab/linux"
WORDS = ("console=ttyS0 panic=-1 quiet hugepages=16 vmheat_hot=32 "
         "vmheat_cold=96 vmheat_passes=0")
BOOT = 400


class Linux(lab.Primitive):
    primitive = "trap"
    LIMIT = BOOT + 200

    def guest(self):
        self.console = "/tmp/linux-console"
        return Guest(size=SIZE, accel=self.accel, device=None, args=[
            "-kernel", FILES + "/vmlinuz", "-initrd", FILES + "/initramfs",
            "-append", WORDS, "-serial", "file:" + self.console])

    def said(self):
        with open(self.console, encoding="utf-8", errors="replace") as f:
            return f.read().replace("\r", "").split("\n")[:-1]

    def wait_ready(self, g):
        end = time.monotonic() + BOOT
        while not any(line.startswith("READY ") for line in self.said()):
            self.assertIsNone(g.process.poll(), "QEMU ended")
            self.assertLess(time.monotonic(), end, "\n".join(
                ["not booted; its last lines:", *self.said()[-10:]]))
            time.sleep(0.5)
        return sorted((int(a, 0), int(b, 0)) for word, a, b in
                      (x.split() for x in self.said() if x.startswith("HOT ")))

    def test_hot_pages(self):
        with self.guest() as g:
            begin = time.monotonic()
            hot = self.wait_ready(g)
            self.note(f"Linux was ready after {time.monotonic() - begin:.0f} s")
            g.truth = lambda: hot
            self.monitor(g)
            self.becomes_right(g)
            self.assertIsNone(g.process.poll(), "QEMU ended")
