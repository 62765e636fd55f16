#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Includes point one way: core <- accel <- hw <- monitor.

  check-includes.py ROOT          check the tree; one line for each violation
  check-includes.py --self-test ROOT
                                  check the checker: break a copy of the tree
                                  in several ways, expect each to be found

core/, and every include/vmheat header it reaches, may include only vmheat/*,
core's own headers, glib and the C headers listed below; and may not ask the
system for time, randomness or ioctls. accel/ may not include QEMU, hw/ or
monitor/; hw/ may not include monitor/.
"""

import pathlib
import re
import shutil
import sys
import tempfile

PURE_C = {
    "assert.h", "ctype.h", "errno.h", "float.h", "inttypes.h", "limits.h",
    "math.h", "pthread.h", "stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h",
    "stdlib.h", "string.h",
}
QEMU = (
    "qemu", "qapi", "qom", "qobject", "exec", "sysemu", "system", "migration",
    "block", "chardev", "io", "ui", "net", "disas", "standard-headers",
    "config-host", "hw", "monitor", "accel/tcg", "accel/accel",
)
IMPURE = re.compile(
    r"\b(ioctl|syscall|clock_gettime|gettimeofday|time|random|rand|getrandom|"
    r"g_get_(?:monotonic|real)_time|g_random_\w+|g_rand_\w+|sleep|usleep|"
    r"nanosleep|g_usleep)\s*\(")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.S)


def includes(path):
    return [name for _, name in INCLUDE.findall(path.read_text())]


def sources(root, folder):
    top = root / folder
    return sorted(p for p in top.rglob("*") if p.suffix in (".c", ".h"))


def under(root, path, name, folder):
    """Does this include of @path name a file of our folder?"""
    top = (root / folder).resolve()
    for base in (path.parent, root):
        target = (base / name).resolve()
        if top in target.parents and target.exists():
            return True
    return False


def core_violation(root, path, name):
    if name in PURE_C or name == "glib.h":
        return None
    if name.startswith("vmheat/") and (root / "include" / name).exists():
        return None
    if "/" not in name and (root / "core" / name).exists():
        return None
    return "core may not include"


def check_core(root):
    todo, seen, bad = sources(root, "core"), set(), []
    if not todo:
        bad.append("core/: no sources found")
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in includes(path):
            why = core_violation(root, path, name)
            if why:
                bad.append(f"{path.relative_to(root)}: {why} {name}")
            elif name.startswith("vmheat/"):
                todo.append(root / "include" / name)
        for call in IMPURE.findall(COMMENT.sub("", path.read_text())):
            bad.append(f"{path.relative_to(root)}: core may not call {call}()")
    return bad


def check_layer(root, folder, forbidden, qemu_too):
    bad = []
    for path in sources(root, folder):
        for name in includes(path):
            up = any(under(root, path, name, f) for f in forbidden)
            qemu = qemu_too and name.startswith(
                tuple(q + "/" for q in QEMU) + ("config-host.h",))
            if up or qemu:
                bad.append(f"{path.relative_to(root)}: {folder} may not "
                           f"include {name}")
    return bad


def check(root):
    return (check_core(root)
            + check_layer(root, "accel", ["hw", "monitor"], True)
            + check_layer(root, "hw", ["monitor"], False))


BREAKAGES = [
    ("core/rng.c", '#include "qemu/osdep.h"', "qemu/osdep.h"),
    ("core/monitor.c", "#include <linux/kvm.h>", "linux/kvm.h"),
    ("core/region.h", "#  include <sys/ioctl.h>", "sys/ioctl.h"),
    ("include/vmheat/types.h", "#include <time.h>", "time.h"),
    ("core/budget.c", "int now(void) { return time(0); }", "time()"),
    ("core/map.c", '#include "../hw/map.h"', "hw/map.h"),
    ("accel/broken.c", '#include "qemu/osdep.h"', "qemu/osdep.h"),
    ("accel/broken.c", '#include "hw/qdev-core.h"', "hw/qdev-core.h"),
    ("accel/broken.c", '#include "../monitor/ours.h"', "monitor/ours.h"),
    ("hw/broken.c", '#include "monitor/ours.h"', "monitor/ours.h"),
]


def copy_tree(root, to):
    for folder in ("core", "accel", "hw", "monitor", "include"):
        if (root / folder).is_dir():
            shutil.copytree(root / folder, to / folder)
    (to / "monitor").mkdir(exist_ok=True)
    (to / "monitor/ours.h").write_text("")


def self_test(root):
    failed = 0
    for file, line, expected in BREAKAGES:
        with tempfile.TemporaryDirectory() as tmp:
            tmp = pathlib.Path(tmp)
            copy_tree(root, tmp)
            before = check(tmp)
            path = tmp / file
            path.parent.mkdir(exist_ok=True)
            old = path.read_text() if path.exists() else ""
            path.write_text(line + "\n" + old)
            new = [b for b in check(tmp) if b not in before]
            ok = any(b.startswith(file) and expected in b for b in new)
            print(f"{'found' if ok else 'MISSED'}: {line} in {file}")
            failed += not ok
    return failed


def main(argv):
    root = pathlib.Path(argv[-1])
    if argv[1] == "--self-test":
        return 1 if self_test(root) else 0
    bad = check(root)
    for line in bad:
        print(line)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
