# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory that is plugged into a guest and unplugged again."""

import mmap
import os
import tempfile


def let_go(memory):
    """What we have mapped as well the kernel does not page out."""
    memory.madvise(mmap.MADV_DONTNEED)


class Dimm:
    """Memory of a pc-dimm in slot 0, which we see too."""

    def __init__(self, guest, size):
        self.qmp = guest.qmp
        self.maps = f"/proc/{guest.process.pid}/maps"
        self.size = size
        fd, self.path = tempfile.mkstemp(prefix="vmheat-dimm-", dir="/dev/shm")
        os.ftruncate(fd, size)
        self.memory = mmap.mmap(fd, size)
        os.close(fd)

    def __enter__(self):
        self.fill = bytes(range(1, 256)) * 257
        for at in range(0, self.size, len(self.fill)):
            self.memory[at:at + len(self.fill)] = \
                self.fill[:self.size - at]
        let_go(self.memory)
        return self

    def __exit__(self, *exc):
        self.memory.close()
        os.unlink(self.path)

    def plug(self):
        self.qmp("object-add", **{
            "qom-type": "memory-backend-file", "id": "mem1", "share": True,
            "size": self.size, "mem-path": self.path})
        self.qmp("device_add", driver="pc-dimm", id="dimm", memdev="mem1")

    def unplug(self):
        """With the guest's consent, which we write for it.

        That is the eject bit of QEMU's ACPI memory hotplug, as
        docs/specs/acpi_mem_hotplug has it; the payload knows no ACPI.
        """
        self.qmp("device_del", id="dimm")
        self.qmp.hmp("o/w 0xa00 0")
        self.qmp.hmp("o/b 0xa14 8")
        self.qmp.wait_event("DEVICE_DELETED", lambda d: d.get(
            "device") == "dimm", timeout=2)
        self.qmp("object-del", id="mem1")

    def mapped(self):
        with open(self.maps, encoding="ascii") as f:
            return self.path in f.read()

    def intact(self):
        step = len(self.fill)
        return all(self.memory[at:at + step] == self.fill[:self.size - at]
                   for at in range(0, self.size, step))
