# SPDX-License-Identifier: GPL-2.0-or-later
"""The part of scripts/demo --scheme: apply a recipe, print before and after."""

import contextlib
import mmap
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest

from swap import Zram, resident

MIB = 1 << 20
SECONDS = 25
# What each needs so that it shows something within SECONDS on a host that is
# not short of memory.
RECIPES = {"reclaim": ["--min-age", "3s", "--watermarks", "off"],
           "prcl": ["--min-age", "3s"],
           "ethp": [],
           "balloon": ["--min-age", "3s"],
           "tiering": []}
RAM_FILE = "vmheat-demo-ram-"
NEEDS_SWAP = ("reclaim", "prcl")


def have_swap():
    with open("/proc/swaps", encoding="ascii") as f:
        return len(f.readlines()) > 1


@contextlib.contextmanager
def swap_for(recipe):
    """Swap in compressed memory, if the recipe needs it and there is none."""
    if recipe not in NEEDS_SWAP or have_swap():
        yield None
        return
    try:
        with Zram(2 << 30) as zram:
            print(f"== swap: none here, so {zram.device}, for the time of the "
                  "demo")
            yield zram
    except unittest.SkipTest as e:
        print(f"== swap: none here, and {e}")
        yield None


def smaps(pid):
    """Sums of a process' smaps, in bytes."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        return {name: int(kib) * 1024 for name, kib in re.findall(
            r"^(\w+): +(\d+) kB", f.read(), re.M)}


def ram_of(pid):
    """A path of guest memory, through QEMU's descriptor of it; None: none."""
    fds = f"/proc/{pid}/fd"
    for fd in os.listdir(fds):
        path = os.path.join(fds, fd)
        try:
            name = os.readlink(path)
        except OSError:
            continue
        if "memfd:memory-backend-memfd" in name or RAM_FILE in name:
            return path
    return None


@contextlib.contextmanager
def backend_for(recipe, size):
    """-object for guest memory; huge pages need it aligned in QEMU."""
    if recipe != "ethp":
        yield f"memory-backend-memfd,id=mem0,size={size},share=on"
        return
    with tempfile.NamedTemporaryFile(prefix=RAM_FILE, dir="/dev/shm") as f:
        yield (f"memory-backend-file,id=mem0,size={size},share=on,align=2M,"
               f"mem-path={f.name}")


def ram_in_memory(pid):
    """Bytes of the guest's memory in host memory (mincore)."""
    path = ram_of(pid)
    if not path:
        return smaps(pid)["Rss"]
    with open(path, "r+b") as f, mmap.mmap(f.fileno(), 0) as memory:
        return resident(memory)


def measure(machine, qmp):
    pid = machine.process.pid
    huge = smaps(pid)
    values = {"guest memory in host memory": ram_in_memory(pid),
              "of it in huge pages": huge.get("ShmemPmdMapped", 0)}
    try:
        values["memory the balloon leaves the guest"] = qmp(
            "query-balloon")["actual"]
    except Exception:  # pylint: disable=broad-except
        pass
    return values


def run(build, machine, qmp, recipe):
    """Applies it; True when the command said it could."""
    cli = [os.path.join(build, "vmheat"), "schemes", "-s", machine.cli_socket]
    before = measure(machine, qmp)
    command = cli + ["--apply", recipe, *RECIPES[recipe]]
    print("== " + " ".join(["vmheat"] + command[1:]))
    sys.stdout.flush()
    if subprocess.run(command, check=False).returncode:
        return False
    time.sleep(SECONDS)
    print(f"== {SECONDS} s later: " + " ".join(["vmheat"] + cli[1:]))
    sys.stdout.flush()
    subprocess.run(cli, check=True)
    after = measure(machine, qmp)
    print(f"== {recipe}: before and after")
    for name, value in before.items():
        print(f"   {name:36} {value / MIB:8.1f} MiB {after[name] / MIB:8.1f} "
              f"MiB")
    return True
