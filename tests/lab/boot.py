#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Boot the lab's outer machine and judge what its console says.

usage: boot.py --kernel DIR --initramfs FILE --summary FILE NAME [TEST...]

NAME is the kernel's name in the tests' KERNELS. Each line of results is shown
as it comes; counts go to FILE as JSON. Exit status 0 only when a plan came,
all planned tests were reported, none failed, and the machine said it was done.

Now and then, with an inner guest running, the outer kernel takes a triple
fault, without a panic, which resets the machine, or runs into a breakpoint that
it has put into its own code for a moment ("Oops: int3"); QEMU's emulation is
suspected. Then it is booted again and goes on with the test it was at. Crashes
are counted and shown. Any other early end is a failure, and so are MOST_CRASHES
in the same test.
"""

import argparse
import json
import os
import re
import selectors
import subprocess
import sys
import time

BOOT = 120     # seconds until the plan; takes 10
SILENCE = 700  # seconds until the next line; a test ends itself after 600
PLAN = re.compile(r"^1\.\.(\d+)$")
RESULT = re.compile(r"^(ok|not ok) \d+ - (\S+) \(\d+ s\)(?: # SKIP (.*))?$")
END = "# end"
# Two NUMA nodes, one of them of memory only, as a slow tier is
NODES = ["-object", "memory-backend-ram,id=node0,size=2048M",
         "-object", "memory-backend-ram,id=node1,size=512M",
         "-numa", "node,memdev=node0,cpus=0-1", "-numa", "node,memdev=node1"]
BAIL_OUT = "Bail out!"
MOST_CRASHES = 3
RESET = "# the emulated guest failed: "  # Case.again() of lab.py says it
MOST_RESETS = 8  # of inner guests in all; 2 are to be expected in 30
CRASH = "Triple fault"
PATCHING = "Oops: int3"


class Results:
    """What the console said so far."""

    def __init__(self):
        self.planned = None
        self.passed, self.failed, self.skipped = [], [], []
        self.ended = False
        self.trouble = None
        self.crashes = 0
        self.resets = 0
        self.lines = []

    def take(self, line):
        """One line of the console. True if it is one to be shown."""
        self.lines.append(line)
        plan, result = PLAN.match(line), RESULT.match(line)
        if plan:
            self.planned = int(plan[1])
        elif result:
            self.count(*result.groups())
        elif line == END:
            self.ended = True
        elif line.startswith(RESET):
            self.resets += 1
        elif line.startswith(BAIL_OUT):
            self.trouble = line
        return bool(result) or line.startswith("# ") and line != END

    def count(self, verdict, name, reason):
        if verdict == "not ok":
            self.failed.append(name)
        elif reason is not None:
            self.skipped.append((name, reason))
        else:
            self.passed.append(name)

    def reported(self):
        return len(self.passed) + len(self.failed) + len(self.skipped)

    def problem(self):
        """A sentence on why these are not the results of a good run."""
        if self.trouble:
            return self.trouble
        if self.planned is None:
            return "the outer machine never began with its tests"
        if not self.ended or self.reported() != self.planned:
            return (f"the outer machine ended after {self.reported()} of "
                    f"{self.planned} tests")
        if self.failed:
            return f"{len(self.failed)} failed: {' '.join(self.failed)}"
        if not self.passed:
            return "no test passed"
        if self.resets > MOST_RESETS:
            return (f"{self.resets} inner guests were reset; the emulation "
                    f"alone explains {MOST_RESETS} at most")
        return None


def command(args, done, log):
    """The outer machine: emulated, with SVM and nested paging.

    done: how many tests to leave out, from the first; log: where QEMU writes
    why the machine was reset
    """
    words = ["console=ttyS0", "quiet", "loglevel=3", "panic=-1",
             f"lab_kernel={args.name}", f"lab_tests={','.join(args.test)}",
             f"lab_done={done}"]
    return [args.qemu, "-nodefaults", "-no-user-config", "-no-reboot",
            "-machine", "q35", "-accel", "tcg,thread=multi",
            "-cpu", "EPYC,+svm,+npt,check=off", "-smp", "2", "-m", "2560",
            *NODES,
            "-d", "cpu_reset", "-D", log,
            "-display", "none", "-serial", "stdio",
            "-kernel", os.path.join(args.kernel, "vmlinuz"),
            "-initrd", args.initramfs, "-append", " ".join(words)]


def lines_of(process, results):
    """Lines of the console; ends at its end, or when it is silent too long."""
    began = False
    fd, rest = process.stdout.fileno(), b""
    with selectors.DefaultSelector() as wait:
        wait.register(fd, selectors.EVENT_READ)
        begin = time.monotonic()
        while True:
            limit = SILENCE
            if not began:
                limit = BOOT - (time.monotonic() - begin)
            if limit <= 0 or not wait.select(limit):
                results.trouble = silence(results, began)
                return
            data = os.read(fd, 65536)
            if not data:
                return
            *whole, rest = (rest + data).split(b"\n")
            for line in (w.decode("utf-8", "replace").rstrip("\r")
                         for w in whole):
                began = began or bool(PLAN.match(line))
                yield line


def silence(results, began):
    if not began:
        return (f"time-out: the outer machine did not get to its tests within "
                f"{BOOT} s")
    return (f"time-out: the outer machine said nothing for {SILENCE} s, after "
            f"{results.reported()} of {results.planned} tests")


def boot(args, results, log):
    """Runs the outer machine until it ends by itself or has to be ended."""
    process = subprocess.Popen(command(args, results.reported(), log),
                               stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    try:
        for line in lines_of(process, results):
            if results.take(line):
                print(line, flush=True)
    finally:
        process.kill()
        process.wait()


def crashed(results, log):
    """Without a panic: a kernel that panics has something to say.

    But for int3: nobody but the kernel's own patching puts that there.
    """
    if any(PATCHING in line for line in results.lines):
        return True
    if any("Kernel panic" in line for line in results.lines):
        return False
    with open(log, encoding="ascii", errors="replace") as f:
        return CRASH in f.read()


def run(args):
    """Boots, and boots again after a crash."""
    results, in_a_row, log = Results(), 0, args.initramfs + ".log"
    while in_a_row < MOST_CRASHES:
        before = results.reported()
        boot(args, results, log)
        if results.ended or results.trouble or not crashed(results, log):
            break
        results.crashes += 1
        in_a_row = in_a_row + 1 if results.reported() == before else 1
        print("# the emulated machine crashed", flush=True)
        results.lines.clear()
    os.unlink(log)
    return results


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--qemu", default="qemu-system-x86_64")
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--initramfs", required=True)
    parser.add_argument("--summary", required=True)
    parser.add_argument("name")
    parser.add_argument("test", nargs="*")
    args = parser.parse_args()
    begin = time.monotonic()
    results = run(args)
    problem = results.problem()
    with open(args.summary, "w", encoding="utf-8") as f:
        json.dump({"kernel": args.name, "passed": len(results.passed),
                   "failed": len(results.failed), "skipped": results.skipped,
                   "crashes": results.crashes, "resets": results.resets,
                   "problem": problem,
                   "seconds": round(time.monotonic() - begin, 1)}, f)
    if problem:
        print(f"lab, kernel {args.name}: {problem}", file=sys.stderr)
        if not results.ended:
            print("its last lines:", *results.lines[-25:], sep="\n    ",
                  file=sys.stderr)
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
