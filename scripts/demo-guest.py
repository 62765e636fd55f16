#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest part of scripts/demo: boot, watch, compare with the truth.

A guest that says which memory it keeps hot is booted with the plugin loaded
and vmheat paused. Once the guest is ready, vmheat is resumed, `vmheat top`
shows the picture forming, and the last snapshots are scored.

What is scored: bytes of guest RAM. Truth is what the guest declared. A region
counts as hot when it was found accessed in at least half of its checks. What
else the guest keeps hot (its kernel's timer and data pages) is not declared
and so counts against precision.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "qemu"))
sys.path.insert(0, os.path.join(ROOT, "tests", "payload"))
sys.dont_write_bytecode = True

from guest import score                         # noqa: E402
from qmp import QMP                             # noqa: E402
from vmheat_payload import L, Payload, Range    # noqa: E402
import demo_scheme                              # noqa: E402
from demo_build import Failed, qemu_of          # noqa: E402

MIB = 1 << 20
RAM = 1 << 30
THRESHOLD = 0.90
FRAMES = 12
SCORED = 5
DEADLINE = 58      # seconds for all of it
KVM_SIGN_OF_LIFE = 6
BOOT = 35


class Linux:
    """The guest of tests/linux: truth comes over the serial console."""

    hot_mib = 48
    cold_mib = 400
    machine = "q35"
    devices = ["-device", "virtio-balloon-pci"]

    def __init__(self, build, tmp, accel):
        self.console = os.path.join(tmp, f"console-{accel}")
        words = ["console=ttyS0", "panic=-1", f"hugepages={self.hot_mib // 2}",
                 f"vmheat_hot={self.hot_mib}", f"vmheat_cold={self.cold_mib}",
                 "vmheat_passes=200"]
        files = os.path.join(build, "linux-guest")
        self.args = ["-kernel", os.path.join(files, "vmlinuz"),
                     "-initrd", os.path.join(files, "initramfs"),
                     "-append", " ".join(words),
                     "-serial", "file:" + self.console]

    def started(self, process):
        """QEMU runs."""

    def said(self):
        try:
            with open(self.console, encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def alive(self):
        return "Linux version" in self.said()

    def why_ended(self):
        """Raise Failed if the guest said what is wrong."""
        for line in self.said().replace("\r", "").split("\n"):
            if line.startswith("workload: "):
                raise Failed("the guest says: " + line)

    def truth(self):
        """Sorted (start, end) extents, or None while not ready."""
        self.why_ended()
        lines = self.said().replace("\r", "").split("\n")
        if not any(line.startswith("READY ") for line in lines[:-1]):
            return None
        return sorted((int(a, 0), int(b, 0)) for word, a, b in
                      (x.split() for x in lines if x.startswith("HOT ")))

    def about(self):
        return (f"Linux, {RAM // MIB} MiB RAM, {self.cold_mib} MiB touched "
                f"once, {self.hot_mib} MiB read all the time")

    def intact(self):
        """Is guest memory as it should be? None: this guest can't tell."""
        return None


class BareMetal:
    """The guest of tests/payload: truth is what we ask it to touch."""

    hot_mib = 52
    machine = "microvm"
    devices = []
    rate = 0  # without a rest

    def __init__(self, build, tmp, accel):
        elf = os.path.join(build, "tests", "payload", "payload.elf")
        self.args = ["-kernel", elf,
                     "-append", f"ram={RAM:#x} fill={RAM:#x}"]
        self.process = self.payload = None
        self.hot = Range(300 * MIB, self.hot_mib * MIB, self.rate, 50)

    def started(self, process):
        self.process = process

    def attach(self):
        """Guest memory, through QEMU's descriptor of it."""
        path = demo_scheme.ram_of(self.process.pid)
        if path:
            self.payload = Payload(path,
                                   alive=lambda: self.process.poll() is None)

    def alive(self):
        if not self.payload:
            self.attach()
        return self.payload and self.payload.get("MAGIC") == L["MAGIC"]

    def why_ended(self):
        """Raise Failed if the guest said what is wrong."""
        if self.payload and self.payload.get("PHASE") == L["PHASE_FAILED"]:
            raise Failed("the guest says: " + self.payload.error())

    def truth(self):
        if not self.alive():
            return None
        self.why_ended()
        if self.payload.get("PHASE") != L["PHASE_READY"]:
            return None
        self.payload.calibrate()
        self.payload.start([self.hot])
        return [(self.hot.start, self.hot.end)]

    def said(self):
        return ""

    def about(self):
        return (f"bare metal, {RAM // MIB} MiB RAM written once, "
                f"{self.hot_mib} MiB read and written all the time")

    def intact(self):
        self.payload.stop()
        return self.payload.verify().ok


class Machine:
    """A QEMU process of ours; ends with the with-block."""

    def __init__(self, build, guest, tmp, accel, ram):
        self.guest, self.tmp, self.accel = guest, tmp, accel
        qemu = qemu_of(build)
        self.cli_socket = os.path.join(tmp, f"cli-{accel}")
        self.qmp_socket = os.path.join(tmp, f"qmp-{accel}")
        self.errors = os.path.join(tmp, f"stderr-{accel}")
        command = [
            qemu, "-accel", accel, "-machine", guest.machine,
            "-m", f"{RAM // MIB}M",
            "-object", ram,
            "-machine", "memory-backend=mem0",
            "-nodefaults", "-display", "none", "-no-reboot",
            *guest.devices,
            "-plugin", os.path.join(build, "vmheat.so"),
            "-device", "vmheat,id=heat0,paused=on",
            "-qmp", f"unix:{self.qmp_socket},server=on,wait=off",
            "-qmp", f"unix:{self.cli_socket},server=on,wait=off"]
        with open(self.errors, "wb") as err:
            self.process = subprocess.Popen(
                command + guest.args, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=err)
        guest.started(self.process)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def check(self):
        if self.process.poll() is not None:
            self.guest.why_ended()
            with open(self.errors, encoding="utf-8", errors="replace") as f:
                raise Failed(f"QEMU ended with status "
                             f"{self.process.returncode}: {f.read().strip()}")

    def wait(self, condition, seconds):
        """What condition() returned, once it is true; None: too late."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            self.check()
            time.sleep(0.05)
        return None


def extent(start, end):
    size = end - start
    text = f"{size / MIB:.1f} MiB" if size >= MIB else f"{size >> 10} KiB"
    return f"{start:#012x} - {end:#012x}  {text:>10}"


def boot(machine):
    """The truth, or None when KVM shows no sign of life."""
    guest, begin = machine.guest, time.monotonic()
    if machine.accel == "kvm" and not machine.wait(
            guest.alive, KVM_SIGN_OF_LIFE):
        return None
    hot = machine.wait(guest.truth, BOOT)
    if not hot:
        raise Failed(f"the guest was not ready after {BOOT} s; it said: "
                     + "\n".join(guest.said().split("\n")[-5:]))
    print(f"== ready after {time.monotonic() - begin:.1f} s "
          f"(accel {machine.accel}): {guest.about()}")
    for start, end in hot:
        print(f"   the guest keeps hot: {extent(start, end)}")
    return hot


def show_frames(build, machine, frames):
    command = [os.path.join(build, "vmheat"), "top", "-s", machine.cli_socket,
               "-n", str(frames), "-d", "1"]
    print("== " + " ".join(["vmheat"] + command[1:]))
    sys.stdout.flush()
    subprocess.run(command, check=True, timeout=frames * 3 + 10)


def last_scores(qmp, hot):
    """Precision and recall of the next SCORED snapshots, and the last one."""
    scores, seen, end = [], 0, time.monotonic() + 10
    while len(scores) < SCORED:
        snapshot = qmp("query-vmheat-regions")
        if snapshot["sequence"] > seen:
            seen = snapshot["sequence"]
            scores.append(score(snapshot, hot))
        if time.monotonic() > end:
            raise Failed("vmheat publishes no snapshots")
        time.sleep(0.1)
    return scores, snapshot


def how_hot(region, most):
    """What vmheat says of a region, for people."""
    text = f"{region['nr-accesses']}/{most} checks, age {region['age']}"
    if "rate" in region:  # the estimator tells it
        text += (f", {region['rate']:.3g}/s "
                 f"({region['rate-low']:.3g}..{region['rate-high']:.3g})")
    return text


def report(hot, scores, snapshot, info):
    precision = statistics.median(p for p, _ in scores)
    recall = statistics.median(r for _, r in scores)
    good = min(precision, recall) >= THRESHOLD
    most = snapshot["max-nr-accesses"]
    print("== truth: what the guest says it keeps hot")
    for start, end in hot:
        print(f"   {extent(start, end)}")
    print("== vmheat: regions found accessed in at least half of the checks")
    for r in snapshot["regions"]:
        if r["nr-accesses"] * 2 >= most:
            print(f"   {extent(r['start'], r['end'])}  {how_hot(r, most)}")
    wss, stats = snapshot["working-set-size"], info["stats"]
    true = sum(end - start for start, end in hot)
    print(f"== working set size {wss / MIB:.1f} MiB; declared hot "
          f"{true / MIB:.1f} MiB of {snapshot['total-size'] / MIB:.0f} MiB")
    print(f"   {stats['samples']} samples, {stats['traps']} traps, worker "
          f"{stats['worker-time'] / 1e6:.0f} ms CPU; {stats['detail']}")
    print("   scored in bytes of guest memory; what else the guest keeps hot "
          "counts as wrong")
    print(f"== precision {precision:.2f}, recall {recall:.2f} (median "
          f"of {len(scores)} snapshots; at least {THRESHOLD:.2f} is asked "
          f"for): {'good' if good else 'NOT GOOD ENOUGH'}")
    return good


def watch(build, machine, hot, begin, recipe):
    machine.check()
    qmp = QMP(machine.qmp_socket)
    qmp("vmheat-resume")
    left = DEADLINE - 8 - (time.monotonic() - begin)
    if left < 4:
        raise Failed("this machine is too slow to show the demo in a minute")
    show_frames(build, machine, min(FRAMES, int(left)))
    scores, snapshot = last_scores(qmp, hot)
    good = report(hot, scores, snapshot, qmp("query-vmheat"))
    if recipe:
        good = demo_scheme.run(build, machine, qmp, recipe) and good
    qmp.close()
    intact = machine.guest.intact()
    if intact is not None:
        print("== the guest checked its memory: "
              + ("intact" if intact else "DAMAGED"))
    return good and intact is not False


def usable_kvm():
    try:
        os.close(os.open("/dev/kvm", os.O_RDWR))
        return True
    except OSError:
        return False


def demo(build, kind, accels, tmp, recipe):
    begin = time.monotonic()
    for accel in accels:
        print(f"== boot with -accel {accel}", flush=True)
        with demo_scheme.backend_for(recipe, RAM) as ram, \
                Machine(build, kind(build, tmp, accel), tmp, accel,
                        ram) as machine:
            hot = boot(machine)
            if hot:
                return watch(build, machine, hot, begin, recipe)
        print(f"   KVM ran for {KVM_SIGN_OF_LIFE} s and the guest's kernel "
              "said nothing")
    raise Failed("no accelerator boots the guest")


GUESTS = {"linux": Linux, "payload": BareMetal}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", required=True)
    parser.add_argument("--guest", choices=GUESTS, default="linux")
    parser.add_argument("--accel", choices=["auto", "kvm", "tcg"],
                        default="auto")
    parser.add_argument("--scheme", choices=demo_scheme.RECIPES)
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    accels = [args.accel]
    if args.accel == "auto":
        accels = ["kvm", "tcg"] if usable_kvm() else ["tcg"]
    with tempfile.TemporaryDirectory(prefix="vmheat-demo-") as tmp, \
            demo_scheme.swap_for(args.scheme):
        good = demo(args.build, GUESTS[args.guest], accels, tmp, args.scheme)
        return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failed, subprocess.SubprocessError, OSError) as e:
        print(f"demo: {e}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
