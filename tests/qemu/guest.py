# SPDX-License-Identifier: GPL-2.0-or-later
"""Starting QEMU with vmheat for a test, and always ending it."""

import os
import shutil
import subprocess
import sys
import tempfile
import time

from qmp import QMP

SKIP = 77


def environment(name):
    value = os.environ.get(name)
    if not value:
        skip(f"{name} is not set")
    return value


def skip(reason):
    """Ends the whole test as skipped."""
    print(f"SKIP: {reason}", flush=True)
    sys.exit(SKIP)


def built_in():
    """Has QEMU vmheat without a plugin (scripts/overlay)?"""
    return bool(os.environ.get("VMHEAT_BUILT_IN"))


def have_kvm():
    """Whether KVM is to be used; the variable VMHEAT_ACCEL may have it so."""
    if os.environ.get("VMHEAT_ACCEL") == "tcg":
        return False
    try:
        os.close(os.open("/dev/kvm", os.O_RDWR))
        return True
    except OSError:
        if os.environ.get("VMHEAT_ACCEL") == "kvm":
            raise
        return False


class Guest:
    """A QEMU process with shared guest RAM, vmheat and a QMP connection.

    accel: "tcg" or "kvm"; size: bytes of RAM; device: properties of
    -device vmheat or None; shared: RAM is a shared file mapping;
    args: more command line; ram_dir: where the file is; memfd, hugetlb:
    it is a memfd; align: of it in QEMU's address space, say "2M"; qemu: the program, default
    the one that vmheat was built for.
    """

    def __init__(self, accel="tcg", machine="q35", size=256 << 20,
                 device="id=heat0", shared=True, args=(), plugin=True,
                 reboot=False, hugetlb=False, ram_dir=None,
                 align=None, memfd=False, qemu=None):
        self.dir = tempfile.mkdtemp(prefix="vmheat-")
        self.ram = None
        self.size = size
        self.qmp = None
        ram_dir = ram_dir or ("/dev/shm" if os.path.isdir("/dev/shm")
                              else self.dir)
        command = [qemu or environment("VMHEAT_QEMU"), "-accel", accel,
                   "-nodefaults", "-display", "none",
                   "-m", str(size >> 20) + "M"]
        if not reboot:
            command += ["-no-reboot"]
        if hugetlb or memfd:
            command += ["-machine", machine + ",memory-backend=mem0",
                        "-object", "memory-backend-memfd,id=mem0,share=on,"
                        + ("hugetlb=on," if hugetlb else "") + f"size={size}"]
        elif shared:
            fd, self.ram = tempfile.mkstemp(prefix="vmheat-ram-", dir=ram_dir)
            os.ftruncate(fd, size)
            os.close(fd)
            command += ["-machine", machine + ",memory-backend=mem0",
                        "-object", "memory-backend-file,id=mem0,share=on,"
                        f"size={size},mem-path={self.ram}"
                        + (f",align={align}" if align else "")]
        else:
            command += ["-machine", machine]
        if plugin and not built_in():
            command += ["-plugin", environment("VMHEAT_PLUGIN")]
        if device is not None:
            command += ["-device", "vmheat," + device]
        self.socket = os.path.join(self.dir, "qmp.sock")
        command += ["-qmp", f"unix:{self.socket},server=on,wait=off"]
        self.command = command + list(args)
        self.stderr_path = os.path.join(self.dir, "stderr")
        with open(self.stderr_path, "wb") as err:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=err, env=self._env())

    @staticmethod
    def _env():
        env = dict(os.environ)
        preload = os.environ.get("VMHEAT_PRELOAD")
        if preload:
            env["LD_PRELOAD"] = preload
        return env

    def stderr(self):
        with open(self.stderr_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def connect(self, timeout=60.0):
        end = time.monotonic() + timeout
        while self.process.poll() is None and time.monotonic() < end:
            try:
                self.qmp = QMP(self.socket)
                return self.qmp
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.01)
        raise RuntimeError(f"QEMU did not start: {self.stderr()}")

    def wait(self, timeout=60.0):
        """The exit status of a QEMU that ends by itself."""
        return self.process.wait(timeout)

    def pause(self):
        """Until the worker says so; before, it may yet publish a snapshot."""
        self.qmp("vmheat-pause")
        self.qmp.wait_event("VMHEAT_STATE_CHANGED",
                            lambda data: data["state"] == "paused")

    def __enter__(self):
        try:
            self.connect()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind, *exc):
        if kind and issubclass(kind, (OSError, EOFError)):
            self.tell_end()
        self.close()

    def tell_end(self):
        """The monitor's socket was closed: QEMU ends, or has."""
        try:
            status = self.process.wait(10)
        except subprocess.TimeoutExpired:
            return
        print(f"# QEMU ended with status {status}: {self.stderr()}",
              file=sys.stderr, flush=True)

    def close(self):
        if self.qmp:
            self.qmp.close()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.ram:
            os.unlink(self.ram)
        shutil.rmtree(self.dir, ignore_errors=True)


def fails_to_start(**kwargs):
    """What QEMU prints when it must refuse to start."""
    guest = Guest(**kwargs)
    try:
        status = guest.wait()
        assert status not in (0, None), "QEMU started although it must not"
        assert status > 0, f"QEMU was killed by signal {-status}"
        return guest.stderr()
    finally:
        guest.close()


def score(snapshot, hot):
    """Precision and recall in bytes.

    hot: sorted disjoint (start, end) of what is truly hot. A region counts
    as hot when it was found accessed in at least half of its checks; that
    threshold is fixed, not fitted.
    """
    said = right = 0
    for r in snapshot["regions"]:
        if r["nr-accesses"] * 2 < snapshot["max-nr-accesses"]:
            continue
        said += r["end"] - r["start"]
        for start, end in hot:
            right += max(0, min(end, r["end"]) - max(start, r["start"]))
    true = sum(end - start for start, end in hot)
    return (right / said if said else 0.0, right / true if true else 0.0)
