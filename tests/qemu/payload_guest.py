# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest that runs the payload, so that the truth is known."""

import os
import sys
import time

from guest import Guest, environment, score

sys.path.insert(0, environment("VMHEAT_PAYLOAD_PY"))
from vmheat_payload import (Payload, PayloadError, Range,  # noqa: E402, F401
                            read_layout)

MB = 1 << 20
# What the emulated machines are started with besides
VIRT = {"aarch64": ["-cpu", "cortex-a57"], "riscv64": ["-bios", "none"]}


class PayloadGuest(Guest):
    """A Guest whose RAM was filled, and then touched, by the payload.

    On entry the payload is ready and at rest; self.payload is its host side.
    fill: bytes that it fills, from address 0; default all.
    ram: bytes that it is told there are, it never touches more; default all.
    arch: x86, aarch64 or riscv64; the latter are a machine virt under TCG.
    """

    def __init__(self, size=256 * MB, append="", args=(), device=None,
                 fill=None, ram=None, arch="x86", **kwargs):
        ram = ram or size
        self.arch = arch
        base = read_layout(f"arch-{arch}/place.h")["BASE"]
        words = f"ram={base + ram:#x} fill={base + (fill or ram):#x} {append}"
        elf = "VMHEAT_PAYLOAD" + ("" if arch == "x86" else "_" + arch.upper())
        args = ["-kernel", environment(elf), "-append", words.strip(),
                *args]
        if arch in VIRT:
            kwargs.update(qemu="qemu-system-" + arch, machine="virt")
            args += VIRT[arch]
        super().__init__(size=size, args=args, device=device, **kwargs)
        self.payload = None

    def attach(self, wait=True):
        """Opens the host's side; waits for the payload unless told not to."""
        self.payload = Payload(self.ram or self.memfd(), timeout=120,
                               arch=self.arch,
                               alive=lambda: self.process.poll() is None)
        if wait:
            self.payload.wait_ready()
            self.payload.calibrate()
        return self.payload

    def memfd(self):
        """Guest memory without a file name, through QEMU's descriptor."""
        fds = f"/proc/{self.process.pid}/fd"
        for fd in os.listdir(fds):
            path = os.path.join(fds, fd)
            if os.readlink(path).startswith("/memfd:memory-backend-memfd"):
                return path
        raise RuntimeError("QEMU has no memfd")

    def __enter__(self):
        super().__enter__()
        try:
            self.attach(wait="-incoming" not in self.command)
        except BaseException:
            self.close()
            raise
        return self

    def close(self):
        if self.payload:
            self.payload.close()
        super().close()

    def truth(self):
        """What the payload's own record says is hot: (start, end)s."""
        return sorted((r.range.start, r.range.end)
                      for r in self.payload.record().ranges if r.touches)

    def watch(self, seconds):
        """Scores each new snapshot: [(time since the call, p, r)]."""
        begin = time.monotonic()
        seen, last = [], self.qmp("query-vmheat")["snapshot"]
        while time.monotonic() - begin < seconds:
            snap = self.qmp("query-vmheat-regions")
            if snap["sequence"] > last:
                last = snap["sequence"]
                seen.append((time.monotonic() - begin,
                             *score(snap, self.truth())))
            time.sleep(0.02)
        return seen

    def intact(self):
        """Stops the payload and checks all of memory, from both sides."""
        if not self.payload.get("STOPPED"):
            self.payload.stop()
        return self.payload.verify().ok and self.payload.check_memory().ok


def one_hot_range(size, share=0.05, rate=0, write_percent=25, at=0.423,
                  base=0):
    """A contiguous hot range of this share of the guest.

    By default it lies across the regions that monitoring begins with (20 even
    ones), so that it has to be found.
    """
    start = base + int(size * at) // MB * MB
    length = int(size * share) // 4096 * 4096
    return Range(start, length, rate, write_percent)
