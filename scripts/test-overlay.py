#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/overlay on folders that have of QEMU's tree what it looks at.

Whether a QEMU with vmheat in it can be built, and works, is not seen here.
"""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILES = {
    "VERSION": "7.2.22\n",
    "hw/Kconfig": "source usb/Kconfig\nsource virtio/Kconfig\n",
    "hw/meson.build": "subdir('virtio')\nsubdir('xen')\n",
    "hw/core/meson.build": "softmmu_ss.add(files('a.c'))\n",
    "qapi/meson.build": "modules = [\n  'trace',\n  'virtio',\n  'yank',\n]\n",
    "qapi/qapi-schema.json": "{ 'include': 'virtio.json' }\n",
    "tests/qtest/qmp-cmd-test.c":
        '        { "query-balloon", ERROR_CLASS_DEVICE_NOT_ACTIVE },\n'
        '        { "query-x", ERROR_CLASS_GENERIC_ERROR },\n',
    "include/monitor/hmp.h": '#include "qemu/readline.h"\n\nint x;\n',
    "hmp-commands-info.hx": "SRST\ninfo\nERST\n\n    {\n    },\n\nSRST\n"
                            "version\nERST\n\n\n    {\n    },\n",
}


class TestOverlay(unittest.TestCase):
    def setUp(self):
        self.tree = pathlib.Path(tempfile.mkdtemp(prefix="vmheat-overlay-"))
        self.addCleanup(shutil.rmtree, self.tree)
        for name, text in FILES.items():
            path = self.tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def run_it(self, *args):
        done = subprocess.run([ROOT / "scripts/overlay", *args], text=True,
                              capture_output=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def fine(self, *args):
        code, _, err = self.run_it(*args, self.tree)
        self.assertEqual((code, err), (0, ""))

    def fails(self, text, *args):
        code, out, err = self.run_it(*args)
        self.assertEqual((code, out), (1, ""))
        self.assertIn(text, err)
        self.assertEqual(err.count("\n"), 1, err)

    def contents(self):
        return {str(p.relative_to(self.tree)): (p.read_bytes(),
                                                p.stat().st_mtime_ns)
                for p in self.tree.rglob("*") if p.is_file()}

    def test_all_is_there(self):
        self.fine()
        for name in FILES:
            text = (self.tree / name).read_text()
            if name not in ("VERSION", "hw/core/meson.build"):
                # a line for each of our queries, and vmheat-set
                lines = 6 if name.startswith("tests/") else 1
                self.assertEqual(text.count("hmp_info_vmheat" if "hmp" in name
                                            else "vmheat"), lines, text)
        build = (self.tree / "hw/vmheat/meson.build").read_text()
        self.assertIn("softmmu_ss.add(vmheat)", build)
        for folder in ("core", "accel", "actions", "hw", "monitor", "compat",
                       "include/vmheat"):
            self.assertTrue(os.listdir(self.tree / "hw/vmheat" / folder))
        self.assertEqual((self.tree / "qapi/vmheat.json").read_text(),
                         (ROOT / "qapi/vmheat.json").read_text())

    def probes(self):
        text = (self.tree / "hw/vmheat/compat/probes.h").read_text()
        return {line.split()[1] for line in text.splitlines()
                if line.startswith("#define")}

    def test_probes(self):
        """Told from the text of the tree, all that the plugin has."""
        self.fine()
        text = (self.tree / "hw/vmheat/compat/probes.h").read_text()
        names = set(re.findall(r"^(VH_[A-Z_]+) \|",
                               (ROOT / "compat/probes.list").read_text(),
                               re.M))
        self.assertEqual({line.split()[1] for line in text.splitlines()},
                         names)
        self.assertEqual(self.probes(), set())
        (self.tree / "include/qemu").mkdir()
        (self.tree / "include/qemu/main-loop.h").write_text(
            "void bql_lock(void);\n")
        self.fine()
        self.assertEqual(self.probes(), {"VH_BQL_LOCK"})
        # one of several headers that may have it; the others are not there
        (self.tree / "include/hw").mkdir()
        (self.tree / "include/hw/qdev-core.h").write_text(
            "Object *machine_get_container(const char *name);\n")
        self.fine()
        self.assertEqual(self.probes(),
                         {"VH_BQL_LOCK", "VH_MACHINE_CONTAINER"})

    def test_newer_names(self):
        (self.tree / "VERSION").write_text("10.0.13\n")
        (self.tree / "hw/core/meson.build").write_text("system_ss.add(x)\n")
        self.fine()
        self.assertIn("system_ss.add(vmheat)",
                      (self.tree / "hw/vmheat/meson.build").read_text())

    def test_again(self):
        """What did not change is not written again; what went away goes."""
        self.fine()
        before = self.contents()
        self.fine()
        self.assertEqual(self.contents(), before)
        old = self.tree / "hw/vmheat/core/old.c"
        old.write_text("")
        (self.tree / "hw/vmheat/core/quota.c").write_text("x")
        self.fine()
        self.assertEqual({k: v[0] for k, v in self.contents().items()},
                         {k: v[0] for k, v in before.items()})

    def test_remove(self):
        before = self.contents()
        self.fine()
        self.fine("--remove")
        self.assertEqual({k: v[0] for k, v in self.contents().items()},
                         {k: v[0] for k, v in before.items()})

    def test_refused(self):
        self.fails("QEMU_SOURCE_DIR is missing")
        self.fails("'/nonexistent' is no directory", "/nonexistent")
        self.fails("is no source tree of QEMU", ROOT)
        self.fails("unknown option '--fast'", "--fast", self.tree)
        (self.tree / "VERSION").write_text("8.1.0\n")
        self.fails("is QEMU 8.1.0; vmheat works with QEMU 7.2 10.0", self.tree)

    def test_not_as_expected(self):
        """Nothing is half done."""
        (self.tree / "include/monitor/hmp.h").write_text("int x;\n")
        before = self.contents()
        self.fails("'include/monitor/hmp.h' has no line", self.tree)
        self.assertEqual(self.contents(), before)


if __name__ == "__main__":
    unittest.main()
