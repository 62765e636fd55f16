# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots the payload guest and checks that its record is the truth.

usage: test-payload.py tcg|kvm microvm|q35
       test-payload.py tcg virt aarch64|riscv64
Environment: VMHEAT_PAYLOAD (payload.elf), VMHEAT_QEMU (qemu-system-x86_64).
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from vmheat_payload import (L, Payload, PayloadError, Range,  # noqa: E402
                            line_of, read_layout)

MB = 1 << 20
SIZE = 256 * MB
RUN_SECONDS = 1.0
# What each architecture's machines are started with
QEMU_ARGS = {"x86": [], "aarch64": ["-cpu", "cortex-a57"],
             "riscv64": ["-bios", "none"]}


def paced(payload):
    return Range(payload.base + 64 * MB, 8 * MB, rate=1000, write_percent=50)


def free(payload):
    return Range(payload.base + 128 * MB, 16 * MB, rate=0, write_percent=25)


def skip(reason):
    print("SKIP:", reason)
    sys.exit(77)


class Machine:
    """QEMU with the payload, and the payload's memory file."""

    def __init__(self, accel, machine, append, size=SIZE, arch="x86"):
        directory = "/dev/shm" if os.path.isdir("/dev/shm") else None
        fd, self.path = tempfile.mkstemp(prefix="vmheat-payload-",
                                         dir=directory)
        os.ftruncate(fd, size)
        os.close(fd)
        self.stderr = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [os.environ.get("VMHEAT_QEMU", "qemu-system-x86_64"),
             "-accel", accel, "-machine", machine + ",memory-backend=ram",
             "-object", f"memory-backend-file,id=ram,share=on,size={size},"
             f"mem-path={self.path}", "-m", f"{size // MB}M", "-nodefaults",
             "-display", "none", "-no-reboot", "-monitor", "none",
             "-kernel", os.environ["VMHEAT_PAYLOAD"], "-append", append,
             *QEMU_ARGS[arch]],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=self.stderr)
        self.payload = Payload(self.path, arch=arch,
                               alive=lambda: self.process.poll() is None)

    def __enter__(self):
        return self.payload

    def __exit__(self, kind, *exc):
        self.payload.close()
        self.process.kill()
        self.process.wait()
        os.unlink(self.path)
        if kind:
            self.stderr.seek(0)
            print(self.stderr.read().decode(errors="replace"))
        self.stderr.close()


def expect(condition, *what):
    if not condition:
        raise AssertionError(" ".join(str(w) for w in what))


def expect_refused(call, *sentence):
    try:
        call()
    except PayloadError as e:
        for part in sentence:
            expect(part in str(e), f'"{part}" is not in "{e}"')
    else:
        raise AssertionError(f"not refused: {sentence}")


def expect_intact(payload):
    guest, host = payload.verify(), payload.check_memory()
    expect(guest.ok, "guest says", guest)
    expect(host.ok, "host says", host)
    expect(guest == host, guest, host)


def run(payload, ranges, seconds):
    """Runs the ranges; returns the record and the host's time for it."""
    payload.start(ranges)
    begin = time.monotonic()
    time.sleep(seconds)
    payload.stop()
    return payload.record(), time.monotonic() - begin


def expect_plausible(row):
    r = row.range
    expect(row.touches == row.reads + row.writes, row)
    expect(row.passes == row.touches // (r.size // L["PAGE_SIZE"]), row)
    share = 100 * row.writes / row.touches
    expect(abs(share - r.write_percent) < 8, "writes", share, "%", row)


def check_rates(payload):
    """Both ranges at once: the free one must not hinder the paced one."""
    record, seconds = run(payload, [paced(payload), free(payload)],
                          RUN_SECONDS)
    slow, fast = record.ranges
    rate = slow.touches / record.seconds
    print(f"paced {rate:.0f}/s ({slow.missed} missed), free "
          f"{fast.touches / record.seconds / 1e6:.2f} M/s in "
          f"{record.seconds:.3f} s guest, {seconds:.3f} s host")
    expect(0.8 < record.seconds / seconds < 1.2, "clock", record.seconds,
           seconds)
    asked = slow.range.rate
    expect(0.8 * asked < rate < 1.2 * asked, "rate", rate)
    expect(fast.touches > 100 * slow.touches, "free range is slow", fast)
    for row in record.ranges:
        expect_plausible(row)
    expect(record.total_writes == slow.writes + fast.writes, record)
    expect_intact(payload)


def slot_counts(payload, r):
    """How often each page of a range was written, from memory itself."""
    seed = payload.get("SEED")
    lines = (line_of(p) for p in range(r.start, r.end, L["PAGE_SIZE"]))
    return [payload.read(at) - (at + seed) * L["PATTERN_MUL"] & (1 << 64) - 1
            for at in lines]


def check_change_while_running(payload):
    """The writes of a run are in its range, on every page equally often."""
    only = Range(payload.base + 32 * MB, MB, rate=0, write_percent=100)
    payload.start([paced(payload)])
    record, _ = run(payload, [only], 0.1)
    counts = slot_counts(payload, only)
    row = record.ranges[0]
    expect(len(record.ranges) == 1 and record.runs == 3, record)
    expect(sum(counts) == row.writes > 0, sum(counts), row)
    expect(max(counts) - min(counts) <= 1, "uneven", min(counts), max(counts))
    expect(min(counts) == row.passes, min(counts), row)
    expect_intact(payload)


def check_at_rest(payload):
    before = payload.record().total_touches
    time.sleep(0.05)
    expect(payload.record().total_touches == before, "not at rest")


def check_corruption_is_seen(payload):
    """A pattern word, a slot by much, a slot by one: each is noticed."""
    line = line_of(payload.base + 200 * MB)
    for at, new in ((line + 24, lambda v: v ^ 1), (line, lambda v: v ^ 1 << 63),
                    (line, lambda v: v + 1)):
        good = payload.read(at)
        payload.write(at, new(good))
        guest, host = payload.verify(), payload.check_memory()
        expect(guest == host, guest, host)
        expect(not guest.ok, "corruption not seen at", hex(at))
        if guest.bad_words:
            expect((guest.bad_words, guest.first_bad) == (1, at), guest)
        payload.write(at, good)
    expect_intact(payload)


def check_bad_ranges(payload):
    base = payload.base

    def start(at, *args):
        return lambda: payload.start([Range(base + 32 * MB, MB),
                                      Range(base + at, *args)])

    def mib(n):
        return f"{base + n * MB:#x}"

    expect_refused(start(15 * MB, MB), f"range 1: {mib(15)}+0x100000 is not "
                   "all in RAM", f"{mib(16)} .. {mib(256)}")
    expect_refused(start(255 * MB, 2 * MB), f"range 1: {mib(255)}+0x200000 ")
    expect_refused(start(32 * MB, 100), "no multiple of 4 KiB")
    expect_refused(start(32 * MB, MB, 0, 101), "percentage 101", "0 .. 100")
    expect_refused(start(32 * MB, MB, 10 ** 9), "rate 1000000000")
    expect(payload.record().runs == 3, "a refused go counted as a run")
    check_at_rest(payload)


def check_bad_command_lines(accel, machine):
    for append, sentence in (
            ("ram=256M banana", 'bad word "banana": allowed is range='),
            ("", "ram= is missing"),
            ("ram=256M range=1M+1M:0:0", "range 0: 0x100000+0x100000 is not "),
            ("ram=256M range=32M+1M:5:0 go", "a rate needs tsc_khz")):
        with Machine(accel, machine, append) as payload:
            expect_refused(payload.wait_ready, sentence)
            expect(payload.get("STOPPED") == 1, "goes on after", append)


def check_command_line_go(accel, machine, khz, arch, base):
    append = f"ram={base + SIZE:#x} fill={base + 64 * MB:#x} seed=7 " \
             f"tsc_khz={khz} range={base + 32 * MB:#x}+4M:2K:100 " \
             f"{Range(base + 48 * MB, MB, 0, 10).word()} go"
    with Machine(accel, machine, append, arch=arch) as payload:
        payload.wait_ready()
        time.sleep(0.5)
        expect(payload.get("STOPPED") == 0, "does not run by itself")
        payload.stop()
        record = payload.record()
        rate = record.ranges[0].touches / record.seconds
        expect(0.8 * 2048 < rate < 1.2 * 2048, "rate", rate, record)
        expect(payload.get("FILL_END") == base + 64 * MB, "fill end")
        expect_intact(payload)
        expect_refused(lambda: payload.start([Range(base + 63 * MB, 2 * MB)]),
                       "filled part of RAM (fill=)")


def check_above_4g(accel, machine):
    """RAM split at 64 MiB, the rest above 4 GiB."""
    split = machine + ",max-ram-below-4g=64M"
    with Machine(accel, split, "ram=0x102000000 hole=64M",
                 size=96 * MB) as payload:
        payload.wait_ready()
        record, _ = run(payload, [Range((4 << 10) * MB, 32 * MB, 0, 100)], 0.1)
        counts = slot_counts(payload, record.ranges[0].range)
        expect(min(counts) > 0 and sum(counts) == record.total_writes, record)
        expect_intact(payload)
        expect_refused(lambda: payload.start([Range(63 * MB, 2 * MB)]),
                       "hole 0x4000000 .. 0x100000000")


def check_bad_command_line(accel, machine, arch):
    """What came through the device tree is read, and said to be bad."""
    with Machine(accel, machine, "ram=256M banana", arch=arch) as payload:
        expect_refused(payload.wait_ready, 'bad word "banana": allowed is ')
        expect(payload.get("STOPPED") == 1, "goes on")


def check_exception_resets(accel, machine, arch, base):
    """What must not happen ends QEMU (-no-reboot), and is no silent hang."""
    with Machine(accel, machine, f"ram={base + SIZE:#x}", size=32 * MB,
                 arch=arch) as payload:
        expect_refused(payload.wait_ready, "QEMU ended while waiting")


def boot(accel, machine, arch):
    begin = time.monotonic()
    ram = read_layout(f"arch-{arch}/place.h")["BASE"] + SIZE
    with Machine(accel, machine, f"ram={ram:#x} seed=0x1234",
                 arch=arch) as payload:
        payload.wait_ring3()
        ring3 = time.monotonic()
        payload.wait_ready()
        ready = time.monotonic()
        khz = payload.calibrate()
        print(f"alive after {ring3 - begin:.2f} s, filled after "
              f"{ready - begin:.2f} s, clock {khz} kHz")
        expect_intact(payload)
        check_rates(payload)
        check_change_while_running(payload)
        check_at_rest(payload)
        check_corruption_is_seen(payload)
        check_bad_ranges(payload)
        return khz, payload.base


def main():
    accel, machine = sys.argv[1:3]
    arch = (sys.argv[3:] or ["x86"])[0]
    qemu = os.environ.get("VMHEAT_QEMU", "qemu-system-x86_64")
    if not shutil.which(qemu):
        skip(f"no {qemu}")
    if "VMHEAT_PAYLOAD" not in os.environ:
        skip(f"there was no {arch}-linux-gnu-gcc to build the payload with")
    if accel == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        skip("/dev/kvm cannot be opened")
    khz, base = boot(accel, machine, arch)
    check_command_line_go(accel, machine, khz, arch, base)
    if machine == "q35" and accel == "tcg":  # microvm cannot be split
        check_above_4g(accel, machine)
    if machine == "microvm":  # the same code, and q35 boots slowly under KVM
        check_bad_command_lines(accel, machine)
    if machine == "virt":
        check_bad_command_line(accel, machine, arch)
        check_exception_resets(accel, machine, arch, base)
    print("ok")


if __name__ == "__main__":
    main()
