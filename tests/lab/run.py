# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the lab's tests in the outer machine; results go to its console.

They look like TAP: a plan, a line for each test, "# ..." lines beside them,
and "# end" when nothing is left to be done. tests/lab/boot.py reads them.
"""

import contextlib
import fcntl
import glob
import importlib
import os
import signal
import sys
import time
import traceback
import unittest

LAB = "/lab"
ENVIRONMENT = {"VMHEAT_QEMU": LAB + "/qemu",
               "VMHEAT_PLUGIN": LAB + "/vmheat.so",
               "VMHEAT_PAYLOAD": LAB + "/payload.elf",
               "VMHEAT_PAYLOAD_PY": LAB}


KVM_CREATE_VM, KVM_CREATE_IRQCHIP, KVM_CREATE_VCPU = 0xae01, 0xae60, 0xae41


@contextlib.contextmanager
def idle_vm():
    """A virtual machine that never runs, as long as the tests do.

    With the first one, and without the last, KVM has the kernel's code patched
    (static keys, one of them in the scheduler). The emulator does not always
    get that right: another CPU runs into the breakpoint that the kernel puts
    there meanwhile ("Oops: int3").
    """
    with contextlib.ExitStack() as files:
        with contextlib.suppress(OSError):
            kvm = os.open("/dev/kvm", os.O_RDWR)
            files.callback(os.close, kvm)
            vm = fcntl.ioctl(kvm, KVM_CREATE_VM, 0)
            files.callback(os.close, vm)
            fcntl.ioctl(vm, KVM_CREATE_IRQCHIP, 0)
            files.callback(os.close, fcntl.ioctl(vm, KVM_CREATE_VCPU, 0))
        yield


class TooLong(Exception):
    """A test took longer than its LIMIT."""


class Tap(unittest.TestResult):
    """Prints a line for each test, and ends those that take too long."""

    def __init__(self, done):
        super().__init__()
        self.testsRun = done
        self.begin = time.monotonic()
        signal.signal(signal.SIGALRM, self.on_alarm)

    @staticmethod
    def on_alarm(_signal, _frame):
        raise TooLong("took too long")

    @staticmethod
    def say(text):
        print(text, flush=True)

    def startTest(self, test):
        super().startTest(test)
        self.begin = time.monotonic()
        signal.alarm(test.LIMIT)

    def stopTest(self, test):
        signal.alarm(0)
        super().stopTest(test)

    def report(self, verdict, test, after=""):
        seconds = time.monotonic() - self.begin
        self.say(f"{verdict} {self.testsRun} - {name_of(test)} "
                 f"({seconds:.0f} s){after}")

    def addSuccess(self, test):
        self.report("ok", test)

    def addSkip(self, test, reason):
        self.report("ok", test, " # SKIP " + reason)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        for line in "".join(traceback.format_exception(*err)).splitlines():
            self.say("# " + line)
        self.report("not ok", test)

    addError = addFailure


def name_of(test):
    """test_dirty_log.DirtyLog.test_moved -> dirty-log.moved"""
    parts = [p.removeprefix("test_") for p in test.id().split(".")]
    return f"{parts[0]}.{parts[-1]}".replace("_", "-")


def modules(kernel):
    """The test modules of this kernel."""
    for path in sorted(glob.glob(LAB + "/test_*.py")):
        module = importlib.import_module(os.path.basename(path)[:-3])
        if kernel in module.KERNELS:
            yield module


def flat(suite):
    """All tests of a suite of suites."""
    return [test for part in suite for test in (
        flat(part) if isinstance(part, unittest.TestSuite) else [part])]


def is_called(test, name):
    """By "trap" or "trap.moved"."""
    return name in (name_of(test), name_of(test).split(".")[0])


def selected(kernel, names):
    """The tests of this kernel: all, or those named."""
    load = unittest.defaultTestLoader.loadTestsFromModule
    tests = [test for module in modules(kernel) for test in flat(load(module))]
    for name in names:
        if not any(is_called(test, name) for test in tests):
            sys.exit(f"Bail out! no test is called {name}")
    return [t for t in tests
            if not names or any(is_called(t, name) for name in names)]


def main():
    os.environ.update(ENVIRONMENT)
    sys.path.insert(0, LAB)
    names = [n for n in os.environ.get("lab_tests", "").split(",") if n]
    tests = selected(os.environ["lab_kernel"], names)
    tests.append(importlib.import_module("lab").KernelLog("test_kernel_log"))
    done = int(os.environ.get("lab_done", "0"))
    print(f"1..{len(tests)}", flush=True)
    with idle_vm():
        unittest.TestSuite(tests[done:]).run(Tap(done))
    print("# end", flush=True)


if __name__ == "__main__":
    main()
