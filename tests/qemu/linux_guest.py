# SPDX-License-Identifier: GPL-2.0-or-later
"""Linux guests: what tests/linux/mkguest makes."""

import mmap
import os
import re
import socket
import subprocess
import tempfile
import threading
import unittest

from guest import Guest, environment, skip

MB = 1 << 20


class NoLinux(Exception):
    """The guest's files can't be made; the text says why."""


def make_files():
    """A temporary directory with the guest's files."""
    directory = tempfile.TemporaryDirectory(prefix="vmheat-linux-")
    made = subprocess.run([environment("VMHEAT_MKGUEST"), directory.name],
                          check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if made.returncode:
        directory.cleanup()
        raise NoLinux(f"no Linux guest: {made.stdout.strip()}")
    return directory


class LinuxCase(unittest.TestCase):
    """Tests with files of a Linux guest; skipped where there can be none."""

    files = None

    @classmethod
    def setUpClass(cls):
        try:
            cls.files = make_files()
        except NoLinux as e:
            skip(str(e))
        cls.addClassCleanup(cls.files.cleanup)


class ConsoleGuest(Guest):
    """A Linux guest whose only program obeys lines on the console.

    files: where mkguest put its files; program: "grower" or "keeper" of
    tests/linux; words: more of the kernel's command line.
    """

    def __init__(self, files, program, words="", args=(), **kwargs):
        self.text = ""
        self.serial = None
        super().__init__(args=[
            "-kernel", files + "/vmlinuz", "-initrd", files + "/initramfs",
            "-append", f"console=ttyS0 quiet panic=-1 vmheat_{program}=1 {words}",
            "-chardev", "socket,id=con,server=on,wait=off,path="
            + os.path.join(files, "console"), "-serial", "chardev:con",
            *args], **kwargs)
        self.console = os.path.join(files, "console")

    def connect(self, timeout=60.0):
        super().connect(timeout)
        self.serial = socket.socket(socket.AF_UNIX)
        self.serial.connect(self.console)
        threading.Thread(target=self.listen, daemon=True).start()
        return self.qmp

    def __enter__(self):
        super().__enter__()
        try:
            self.wait_for("^READY")
        except BaseException:
            self.close()
            raise
        return self

    def listen(self):
        """What nobody reads, the guest has to wait with."""
        for data in iter(lambda: self.serial.recv(4096), b""):
            self.text += data.decode("utf-8", "replace").replace("\r", "")

    def close(self):
        super().close()
        if self.serial:
            self.serial.close()

    def wait_for(self, pattern, timeout=120, after=0):
        """after: characters of the console's text that don't count"""
        return self.qmp.wait_until(
            f"'{pattern}' on the console", lambda: self.process.poll() is None
            and re.search(pattern, self.text[after:], re.M), timeout=timeout,
            step=0.1)

    def tell(self, line):
        self.serial.sendall(line.encode() + b"\n")


class LinuxGuest(Guest):
    """A Guest that runs the workload. On entry that is at work.

    files: where mkguest put its files; cold, warm, hot: MiB; spots: 2 MiB of
    hot memory each; passes: a second over the hot memory, 0: without a rest.
    """

    def __init__(self, files, size=1024 * MB, cold=400, warm=0, hot=48,
                 spots=0, passes=0, args=(), **kwargs):
        words = ["console=ttyS0", "panic=-1", "quiet",
                 f"hugepages={(warm + hot) // 2 + spots * 8}", f"vmheat_cold={cold}",
                 f"vmheat_warm={warm}", f"vmheat_hot={hot}",
                 f"vmheat_spots={spots}", f"vmheat_passes={passes}"]
        fd, self.console = tempfile.mkstemp(prefix="console-", dir=files)
        os.close(fd)
        self.memory = None
        super().__init__(size=size, args=[
            "-kernel", os.path.join(files, "vmlinuz"),
            "-initrd", os.path.join(files, "initramfs"),
            "-append", " ".join(words), "-serial", "file:" + self.console,
            *args], **kwargs)

    def said(self):
        with open(self.console, encoding="utf-8", errors="replace") as f:
            return f.read().replace("\r", "")

    def ready(self):
        """Raises RuntimeError when it never will be."""
        said = self.said()
        if problem := re.search(r"^workload: .*\n", said, re.M):
            raise RuntimeError(f"the guest says: {problem[0].strip()}")
        if self.process.poll() is not None:
            raise RuntimeError(f"QEMU ended: {self.stderr()}")
        return re.search(r"^READY .*\n", said, re.M)

    def __enter__(self):
        super().__enter__()
        try:
            self.qmp.wait_until("READY on the console", self.ready,
                                timeout=300, step=0.1)
            with open(self.ram, "rb") as f:
                self.memory = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)
        except BaseException:
            self.close()
            raise
        return self

    def close(self):
        if self.memory:
            self.memory.close()
        super().close()

    def progress(self):
        """Pages that the workload has read so far."""
        at = int(re.search(r"^COUNTER (\w+)$", self.said(), re.M)[1], 0)
        return int.from_bytes(self.memory[at:at + 8], "little")
