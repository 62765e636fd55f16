# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of libvirt have in common: a daemon and its domains."""

import json
import os
import shutil
import subprocess
import unittest

from daemon import Daemon, QEMU_USER, can_run_kvm, readable
from guest import environment
from payload_guest import MB, Payload, Range

SIZE = 256 * MB
HOT = Range(64 * MB, 16 * MB, 0, 25)

DOMAIN = """<domain type='{kind}' {namespace}>
  <name>{name}</name>
  <memory unit='MiB'>256</memory>
  {backing}
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{payload}</kernel>
    <cmdline>ram={size:#x}</cmdline>
  </os>
  <devices>
    <emulator>{qemu}</emulator>
    <serial type='null'/>
    <memballoon model='none'/>
  </devices>
  {more}
</domain>
"""
NAMESPACE = "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'"
SHARED = ("<memoryBacking><source type='memfd'/><access mode='shared'/>"
          "</memoryBacking>")


def qemu_args(*words):
    return ("<qemu:commandline>"
            + "".join(f"<qemu:arg value='{w}'/>" for w in words)
            + "</qemu:commandline>")


class Talk:
    """tests/libvirt/talk.c: a client that stays connected."""

    def __init__(self, daemon, domain, timeout=30):
        self.process = daemon.popen(
            environment("VMHEAT_TALK"), daemon.uri, domain, str(timeout))
        self.events = []
        self.first = self.answer() if domain else "ok"

    def answer(self):
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise EOFError("talk ended")
            kind, _, rest = line.rstrip("\n").partition(" ")
            if kind == "event":
                name, _, data = rest.partition(" ")
                self.events.append((name, json.loads(data or "null")))
            elif kind in ("ok", "error"):
                return line.rstrip("\n")
            else:
                self.events.append((kind, rest))

    def __call__(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        """Its exit status."""
        self.process.stdin.close()
        status = self.process.wait(30)
        self.process.stdout.close()
        return status


class Case(unittest.TestCase):
    """A daemon for a class of tests."""

    session = True

    @classmethod
    def setUpClass(cls):
        if not cls.session and os.geteuid():
            raise unittest.SkipTest("qemu:///system needs root")
        cls.daemon = Daemon(cls.session)
        cls.addClassCleanup(cls.daemon.close)
        cls.plugin = readable(cls.daemon.dir, environment("VMHEAT_PLUGIN"))
        cls.payload_elf = readable(cls.daemon.dir,
                                   environment("VMHEAT_PAYLOAD"))
        user = cls.daemon.user if cls.session else QEMU_USER
        cls.kind = "kvm" if can_run_kvm(user) else "qemu"

    def setUp(self):
        if self.daemon.process.poll() is not None:
            self.daemon.start()
        for name in self.daemon.virsh("list", "--all",
                                      "--name").stdout.split():
            self.daemon.virsh("destroy", name, check=False)
            self.daemon.virsh("managedsave-remove", name, check=False)
            self.daemon.virsh("undefine", name)

    def define(self, name="heat", namespace="", backing="", more=""):
        self.daemon.define(DOMAIN.format(
            kind=self.kind, namespace=namespace, name=name, backing=backing,
            payload=self.payload_elf, size=SIZE, more=more,
            qemu=environment("VMHEAT_QEMU")))

    def define_with(self, name="heat", device="id=heat0"):
        """With vmheat, the way docs/user/libvirt.md has it by hand."""
        words = ["-plugin", self.plugin]
        words += ["-device", f"vmheat,{device}"] if device else []
        self.define(name, NAMESPACE, SHARED, qemu_args(*words))

    def start(self, name="heat"):
        self.daemon.virsh("start", name)

    def xml(self, name="heat"):
        return self.daemon.virsh("dumpxml", "--inactive", name).stdout

    def pid(self, name="heat"):
        folder = (os.path.join(self.daemon.env["XDG_RUNTIME_DIR"], "libvirt",
                               "qemu", "run") if self.session
                  else "/run/libvirt/qemu")
        with open(os.path.join(folder, name + ".pid"), encoding="ascii") as f:
            return int(f.read())

    def payload(self, name="heat"):
        """The host's side of a running domain's payload."""
        fds = f"/proc/{self.pid(name)}/fd"
        memory = [os.path.join(fds, fd) for fd in os.listdir(fds)
                  if "/memfd:" in os.readlink(os.path.join(fds, fd))]
        self.assertTrue(memory, "guest memory is no memfd")
        payload = Payload(memory[0], timeout=120)
        self.addCleanup(payload.close)
        return payload

    def hot_payload(self, name="heat"):
        """The same, past its start, touching what is hot."""
        payload = self.payload(name)
        payload.wait_ready()
        payload.calibrate()
        payload.start([HOT])
        return payload

    def talk(self, domain="heat", **kwargs):
        talk = Talk(self.daemon, domain, **kwargs)
        self.addCleanup(talk.close)
        return talk

    def good(self, *words):
        code, out, err = self.daemon.cli(*words[:1], "-c", self.daemon.uri,
                                         *words[1:])
        self.assertEqual((code, err), (0, ""), out)
        return out

    def bad(self, expected, *words, user=None):
        """The error sentence of a command that has to fail."""
        code, out, err = self.daemon.cli(*words[:1], "-c", self.daemon.uri,
                                         *words[1:], user=user)
        self.assertEqual((code, out), (expected, ""), err)
        self.assertTrue(err.startswith("vmheat: "), err)
        self.assertEqual(err.count("\n"), 1, err)
        return err
