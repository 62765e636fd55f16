#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""debian/ says what meson installs, and what it needs.

usage: test-package.py BUILD_FOLDER

scripts/package builds the packages for real; this finds in a second what would
fail there.
"""

import fnmatch
import json
import os
import re
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DEBIAN = os.path.join(ROOT, "debian")
BUILD = sys.argv.pop(1) if len(sys.argv) > 1 else "build"


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as f:
        return f.read()


def introspect(what):
    """What meson wrote down of the build folder."""
    with open(os.path.join(BUILD, "meson-info", f"intro-{what}.json"),
              encoding="utf-8") as f:
        return json.load(f)


def options():
    return {o["name"]: o["value"] for o in introspect("buildoptions")}


def installed():
    """Paths that 'meson install' with the prefix /usr makes, without '/'."""
    prefix = options()["prefix"]
    return {os.path.normpath("usr/" + os.path.relpath(path, prefix))
            for path in introspect("installed").values()}


def paragraphs():
    """debian/control: a dict of fields for each paragraph."""
    found = []
    for text in read("debian", "control").strip().split("\n\n"):
        fields = re.findall(r"^([A-Za-z-]+):((?:.*\n?)(?:[ \t].*\n?)*)", text,
                            re.M)
        found.append({name: value.strip() for name, value in fields})
    return found


def packages():
    return [p["Package"] for p in paragraphs()[1:]]


def names(field):
    """Names of packages in a field of dependencies."""
    return {re.match(r"[a-z0-9.+-]+", part.strip()).group()
            for part in field.split(",")}


def wanted(package):
    """Patterns of what goes into a package."""
    return [line.split()[0]
            for line in read("debian", package + ".install").splitlines()
            if line and not line.startswith("#")]


class Files(unittest.TestCase):
    def test_all_packaged(self):
        """Each file that is installed is in just one package."""
        paths = installed()
        self.assertGreater(len(paths), 20)
        for path in sorted(paths):
            owners = [p for p in packages()
                      if any(fnmatch.fnmatchcase(path, w) for w in wanted(p))]
            self.assertEqual(
                len(owners), 1,
                f"{path} is installed, and in debian/*.install of "
                f"{' and '.join(owners) or 'no package'}; it belongs into one")

    def test_all_there(self):
        """Each line of debian/*.install names something."""
        here = [p for p in packages() if self.built(p)]
        paths = installed()
        for package in here:
            for pattern in wanted(package):
                self.assertTrue(
                    fnmatch.filter(paths, pattern),
                    f"debian/{package}.install: nothing that is installed is"
                    f" called '{pattern}'")

    def built(self, package):
        """Does this build make what is in the package?"""
        if package == "qemu-vmheat-plugin":
            return options()["plugin"]
        if package == "vmheat-exporter":
            return any(p.endswith("/vmheat-exporter") for p in installed())
        return True

    def test_lists(self):
        """Files of debian/ belong to packages that are made."""
        for name in os.listdir(DEBIAN):
            match = re.fullmatch(
                r"(.+)\.(install|docs|default|README\.Debian"
                r"|lintian-overrides)", name)
            if match:
                self.assertIn(match.group(1), packages(), name)
        for line in read("debian", "vmheat.docs").split():
            self.assertTrue(os.path.exists(os.path.join(ROOT, line)), line)


class Control(unittest.TestCase):
    def test_version(self):
        first = read("debian", "changelog").splitlines()[0]
        version = re.fullmatch(r"vmheat \(([^)]+)\) \w+; urgency=\w+", first)
        self.assertTrue(version, first)
        self.assertEqual(version.group(1), read("VERSION").strip(),
                         "debian/changelog and VERSION do not agree")

    def test_libraries(self):
        """Libraries to build with are those that scripts/setup installs."""
        setup = re.search(r"^packages=\(([^)]*)\)", read("scripts", "setup"),
                          re.M).group(1).split()
        want = {p for p in setup if p.endswith("-dev")} - {"libc6-dev", "dpkg-dev"}
        have = names(paragraphs()[0]["Build-Depends"])
        self.assertEqual({p for p in have if p.endswith("-dev")}, want)
        self.assertLessEqual({"meson", "python3", "qemu-system-x86"}, have)

    def test_pinned(self):
        plugin = next(p for p in paragraphs()[1:]
                      if p["Package"] == "qemu-vmheat-plugin")
        self.assertIn("qemu-system-x86 (= ${qemu:Version})",
                      plugin["Depends"])
        self.assertIn("-Vqemu:Version=", read("debian", "rules"))

    def test_default(self):
        """The unit reads the sample, whose options the exporter has."""
        unit = read("tools", "exporter", "systemd",
                    "vmheat-exporter.service.in")
        self.assertIn("EnvironmentFile=-/etc/default/vmheat-exporter\n", unit)
        lines = re.findall(r"^#VMHEAT_EXPORTER_ARGS=(.*)$",
                           read("debian", "vmheat-exporter.default"), re.M)
        self.assertTrue(lines)
        page = read("docs", "man", "vmheat-exporter.1").replace("\\-", "-")
        for option in re.findall(r"--[a-z-]+", " ".join(lines)):
            self.assertIn(option, page)

    def test_rules(self):
        """Options that debian/rules passes exist."""
        rules = read("debian", "rules")
        usage = read("configure").split("USAGE")[1]
        for option in re.findall(r"--[a-z-]+",
                                 re.search(r"^headers_args = (.*)$", rules,
                                           re.M).group(1)):
            self.assertIn("\n  " + option, usage)
        known = read("meson_options.txt")
        used = re.findall(r"-D([a-z_]+)=", rules)
        self.assertGreater(len(used), 4)
        for name in used:
            self.assertIn(f"option('{name}'", known)


if __name__ == "__main__":
    unittest.main()
