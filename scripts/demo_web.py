#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The web part of scripts/demo: three guests, vmheat-exporter and its page.

The guests are the bare-metal guest of the tests, which boots at once and
touches what it is told: one has a large working set that stays, one has one
that grows and shrinks within a minute, one works through its memory piece by
piece and never comes back. The last one has a scheme that pages out what is
idle where the host has swap, else one that counts it.
"""

import argparse
import contextlib
import math
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TESTS = os.path.join(ROOT, "tests")
sys.path[:0] = [os.path.join(TESTS, "qemu")]
sys.dont_write_bytecode = True

from demo_build import Failed, qemu_of  # noqa: E402
from demo_scheme import have_swap       # noqa: E402

MIB = 1 << 20
GUEST_NICE = 10  # they never rest; the page and the exporter come first


def name_programs(build):
    """Where the guests' classes find what they need."""
    os.environ.update({
        "VMHEAT_QEMU": qemu_of(build),
        "VMHEAT_PLUGIN": os.path.join(build, "vmheat.so"),
        "VMHEAT_PAYLOAD": os.path.join(build, "tests", "payload",
                                       "payload.elf"),
        "VMHEAT_PAYLOAD_PY": os.path.join(TESTS, "payload")})


class Behaviour:
    """What a guest does with its memory; ranges(t) is what is hot after t s."""

    name, size = "", 0
    schemes = []

    def ranges(self, t):
        raise NotImplementedError


class Database(Behaviour):
    """A cache that is used evenly, and an index that is used all the time."""

    name, size = "db-primary", 1024 * MIB

    def ranges(self, t):
        return [(64, 512, 40000, 20), (640, 48, 400000, 5)]


class Frontend(Behaviour):
    """More users, fewer users: a minute is a day."""

    name, size = "web-frontend", 512 * MIB
    day = 60

    def ranges(self, t):
        part = (1 - math.cos(2 * math.pi * t / self.day)) / 2
        users = 24 + int(part * 10) * 24
        return [(32, 16, 300000, 30), (96, users, users * 400, 50)]


class Batch(Behaviour):
    """Each piece of work takes 20 s in memory of its own."""

    name, size = "batch-worker", 768 * MIB
    piece = 20

    def ranges(self, t):
        return [(16, 8, 100000, 30),
                (64 + int(t / self.piece) % 10 * 64, 64, 200000, 60)]


BEHAVIOURS = [Database, Frontend, Batch]


def scheme():
    """Of the guest that leaves memory behind."""
    swap = have_swap()
    return {"name": "reclaim" if swap else "count-idle",
            "action": "pageout" if swap else "stat",
            "pattern": {"nr-accesses": {"max": 0},
                        "age-time": {"min": 30000000}}}


class Machine:
    """A guest that behaves; start() and close() are called by one thread."""

    def __init__(self, behaviour, folder):
        # they look for their programs when they are imported
        from guest import have_kvm                  # pylint: disable=C0415
        from payload_guest import PayloadGuest, Range  # pylint: disable=C0415
        self.behaviour, self.make_range = behaviour, Range
        socket = os.path.join(folder, behaviour.name + ".qmp")
        accel = ({"accel": "kvm", "machine": "microvm"} if have_kvm()
                 else {"accel": "tcg"})
        self.guest = PayloadGuest(
            size=behaviour.size, **accel,
            device="id=heat0,overhead-budget=100",
            args=["-name", behaviour.name,
                  "-qmp", f"unix:{socket},server=on,wait=off"])
        self.now = None

    def start(self):
        self.guest.__enter__()
        self.give_way()
        if self.behaviour.name == Batch.name:
            self.guest.qmp("vmheat-set-schemes", schemes=[scheme()])

    def give_way(self):
        pid = self.guest.process.pid
        for thread in os.listdir(f"/proc/{pid}/task"):
            os.setpriority(os.PRIO_PROCESS, int(thread), GUEST_NICE)

    def behave(self, t):
        ranges = self.behaviour.ranges(t)
        if ranges != self.now:
            self.guest.payload.start(
                [self.make_range(start * MIB, size * MIB, rate, writes)
                 for start, size, rate, writes in ranges])
            self.now = ranges

    def close(self):
        self.guest.close()


class Exporter:
    """vmheat-exporter over all sockets of a folder; url is where it serves."""

    def __init__(self, build, folder, port, control):
        self.token = secrets.token_urlsafe(16) if control else None
        command = [os.path.join(build, "vmheat-exporter"), "--sockets", folder,
                   "--listen", f"127.0.0.1:{port}", "--interval", "1s",
                   "--idle-interval", "5s"]
        if control:
            path = os.path.join(folder, "token")
            with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w",
                      encoding="ascii") as f:
                f.write(self.token)
            command += ["--allow-control", "--token-file", path]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True)
        self.url = self.find_url()

    def find_url(self):
        for line in self.process.stderr:
            at = line.find("http://")
            if at >= 0:
                return line[at:].split()[0].rstrip("/") + "/"
        raise Failed("vmheat-exporter ended with status "
                     f"{self.process.wait()}")

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.process.stderr.close()


def run(machines, seconds, ended):
    """Until then, or a signal."""
    begin = time.monotonic()
    while not ended.wait(1):
        t = time.monotonic() - begin
        if seconds and t >= seconds:
            return
        for m in machines:
            if m.guest.process.poll() is not None:
                raise Failed(f"{m.behaviour.name}: QEMU ended: "
                             f"{m.guest.stderr().strip()}")
            m.behave(t)


@contextlib.contextmanager
def demo(build, port=0, control=True):
    """Guests that run, and the exporter."""
    name_programs(build)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="vmheat-web-"))
        exporter = Exporter(build, folder, port, control)
        stack.callback(exporter.close)
        machines = []
        for behaviour in BEHAVIOURS:
            m = Machine(behaviour(), folder)
            stack.callback(m.close)
            m.start()
            m.behave(0)
            machines.append(m)
        yield exporter, machines


def announce(exporter):
    print("== three guests: " + ", ".join(b.name for b in BEHAVIOURS))
    print(f"== the live page: {exporter.url}")
    print(f"   for Prometheus: {exporter.url}metrics")
    if exporter.token:
        print(f"   token to change something there: {exporter.token}")
    print("== Ctrl-C ends it", flush=True)


def main(options):
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with demo(options.build, options.port) as (x, ms):
        announce(x)
        run(ms, options.seconds, ended)


def parse_args():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    p.add_argument("--build", required=True)
    p.add_argument("--port", type=int, default=9724)
    p.add_argument("--seconds", type=float, default=0)
    return p.parse_args()


if __name__ == "__main__":
    try:
        main(parse_args())
    except (Failed, subprocess.SubprocessError, OSError, RuntimeError) as e:
        print(f"demo: {e}", file=sys.stderr)
        sys.exit(1)
