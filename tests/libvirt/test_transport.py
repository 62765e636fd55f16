# SPDX-License-Identifier: GPL-2.0-or-later
"""The client's libvirt transport against real daemons and domains."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import daemon

daemon.enter()

from fake_damon import FakeDamon, TARGET  # noqa: E402
from guest import environment, score  # noqa: E402
from heat import HOT, Case  # noqa: E402
import record_file as rf  # noqa: E402

CONNECT, QMP, TIMEOUT, HOST = 2, 3, 4, 6  # exit status of vmheat
E_CONNECT, E_TIMEOUT = "error 0 ", "error 2 "


class Works:
    """With a domain that runs."""

    def setUp(self):
        super().setUp()
        self.define_with()
        self.start()

    def test_heat(self):
        """What the payload touches is what is hot."""
        self.hot_payload()
        truth = [(HOT.start, HOT.end)]

        def found():
            snap = json.loads(self.good("snapshot", "heat", "--json"))
            return min(score(snap, truth)) >= 0.5
        self.daemon.wait_until("hot memory found", found)
        self.assertIn("running", self.good("status", "heat"))

    def test_names(self):
        """A domain is known by its name, UUID and id."""
        uuid = self.daemon.virsh("domuuid", "heat").stdout.strip()
        number = self.daemon.virsh("domid", "heat").stdout.strip()
        for domain in ["heat", uuid, number]:
            self.assertIn("heat0", self.good("status", domain))

    def test_events(self):
        talk = self.talk()
        self.assertEqual(talk.first, "ok")
        self.good("pause", "heat")
        self.assertEqual(talk("rest 1000"), "ok")
        states = [data["state"] for name, data in talk.events
                  if name == "VMHEAT_STATE_CHANGED"]
        self.assertIn("paused", states, talk.events)

    def test_list(self):
        self.define_with("other")
        talk = self.talk("")
        self.assertEqual(talk("list"), "ok")
        uuid = self.daemon.virsh("domuuid", "heat").stdout.strip()
        self.assertEqual(talk.events, [("domain", f"heat {uuid}")])
        self.start("other")
        talk.events.clear()
        self.assertEqual(talk("list"), "ok")
        self.assertEqual([text.split()[0] for _, text in talk.events],
                         ["heat", "other"])

    def test_schemes(self):
        path = os.path.join(self.daemon.dir, "schemes.json")
        with open(path, "w", encoding="ascii") as f:
            f.write('[ { "name": "look", "action": "stat" } ]')
        os.chmod(path, 0o644)
        self.assertIn("look", self.good("schemes", "heat", "--set", path))
        self.assertIn("look", self.good("schemes", "heat"))

    def test_descriptor(self):
        talk = self.talk()
        self.assertEqual(talk("getfd"), "ok")
        self.assertEqual(talk("query-vmheat"), "ok")

    def test_no_device(self):
        self.define_with("bare", device=None)
        self.start("bare")
        self.assertIn("device_add vmheat", self.bad(QMP, "status", "bare"))

    def test_no_plugin(self):
        self.define("plain")
        self.start("plain")
        self.assertIn("the vmheat plugin is not loaded: 'vmheat libvirt "
                      "enable'",
                      self.bad(QMP, "status", "plain"))

    def test_save_restore(self):
        payload = self.hot_payload()
        payload.stop()
        self.assertTrue(payload.verify().ok)
        talk = self.talk()
        self.daemon.virsh("managedsave", "heat")
        self.assertIn("has been saved", talk("query-vmheat"))
        self.start()
        self.assertEqual(talk("reconnect"), "ok")
        self.assertEqual(talk("query-vmheat"), "ok")
        self.assertTrue(self.payload().verify().ok)


class Fails:
    """What goes wrong, and what is said about it."""

    def setUp(self):
        super().setUp()
        self.define_with()

    def test_unknown(self):
        self.assertIn("there is no domain 'nobody-knows'",
                      self.bad(CONNECT, "status", "nobody-knows"))

    def test_not_running(self):
        self.assertIn("domain 'heat' of", said := self.bad(
            CONNECT, "status", "heat"))
        self.assertIn("is not running", said)

    def test_other_driver(self):
        code, out, err = self.daemon.cli("status", "-c", "test:///default",
                                         "test")
        self.assertEqual((code, out), (CONNECT, ""))
        self.assertIn("works with domains of QEMU", err)

    def test_bad_uri(self):
        code, out, err = self.daemon.cli("status", "-c", "nonsense:///", "x")
        self.assertEqual((code, out), (CONNECT, ""))
        self.assertIn("cannot connect to libvirt at 'nonsense:///'", err)

    def test_permission(self):
        if os.geteuid():
            self.skipTest("needs a second user")
        self.assertIn("permission denied; be root or a member of the group "
                      "libvirt",
                      self.bad(CONNECT, "status", "heat", user=65533))

    def test_no_daemon(self):
        self.daemon.stop()
        self.assertIn("no libvirt daemon runs there",
                      self.bad(CONNECT, "status", "heat"))

    def test_ends(self):
        """While it rests, and known to the next command."""
        self.start()
        talk = self.talk()
        self.daemon.virsh("destroy", "heat")
        said = talk("rest 20000")
        self.assertEqual(said, E_CONNECT + "domain 'heat' has ended")
        self.assertIn("has ended", talk("query-vmheat"))
        self.assertIn("is not running", talk("reconnect"))
        self.assertIn("not connected to 'heat'", talk("query-vmheat"))
        self.start()
        self.assertEqual(talk("reconnect"), "ok")
        self.assertEqual(talk("query-vmheat"), "ok")

    def test_killed(self):
        self.start()
        talk = self.talk()
        os.kill(self.pid(), signal.SIGKILL)
        self.assertIn("domain 'heat' has", talk("rest 20000"))

    def test_ends_under_top(self):
        self.start()
        top = self.daemon.popen(environment("VMHEAT_CLI"), "top", "-c",
                                self.daemon.uri, "heat", "-d", "0.2")
        self.addCleanup(top.stdout.close)
        self.addCleanup(top.stdin.close)
        self.assertTrue(top.stdout.readline())
        self.daemon.virsh("destroy", "heat")
        top.stdout.read()
        self.assertEqual(top.wait(20), CONNECT)

    def test_restarted(self):
        """The next command connects again; the domain never stopped."""
        self.start()
        talk = self.talk()
        self.daemon.stop()
        # no daemon: an error, but not the end
        self.assertIn("no libvirt daemon runs there", talk("query-vmheat"))
        self.assertEqual(talk("rest 10"), "ok")
        self.daemon.start()
        self.assertEqual(talk("query-vmheat"), "ok")
        self.good("pause", "heat")
        self.assertEqual(talk("rest 1000"), "ok")
        self.assertIn("VMHEAT_STATE_CHANGED", [e[0] for e in talk.events])

    def replaced(self):
        """The domain ends while nobody can tell; the daemon is back then."""
        pid = self.pid()
        self.daemon.stop()
        os.kill(pid, signal.SIGKILL)
        self.daemon.start()
        self.daemon.wait_until("it has ended", lambda: "running" not in
                               self.daemon.virsh("domstate", "heat").stdout)

    def test_another_of_that_name(self):
        """It is not taken for the domain it was, by the next command either."""
        self.start()
        talk = self.talk()
        self.assertEqual(talk("query-vmheat"), "ok")
        uuid = self.daemon.virsh("domuuid", "heat").stdout.strip()
        self.replaced()
        self.daemon.virsh("undefine", "heat")
        self.define_with()
        self.start()
        for word in ["query-vmheat", "reconnect"]:
            self.assertIn(f"with UUID {uuid}, is gone", talk(word))

    def test_another_of_that_id(self):
        """A daemon that has no domains when it starts counts from 1."""
        def restart():
            self.daemon.stop()
            self.daemon.start()
        restart()
        self.start()
        talk = self.talk("1")
        self.assertEqual(talk("query-vmheat"), "ok")
        self.daemon.virsh("destroy", "heat")
        restart()
        self.define_with("other")
        self.start("other")
        self.assertIn("heat0", self.good("status", "1"))
        self.assertIn("domain '1' of 'qemu:///", said := talk("reconnect"))
        self.assertIn("is not running", said)
        self.start()
        self.assertEqual(talk("reconnect"), "ok")
        self.assertEqual(talk("query-vmheat"), "ok")

    def test_stuck(self):
        """A daemon that does not answer costs the time-out, not more."""
        self.start()
        talk = self.talk(timeout=0.5)
        self.assertEqual(talk("query-vmheat"), "ok")
        os.kill(self.daemon.process.pid, signal.SIGSTOP)
        try:
            begin = time.monotonic()
            said = talk("query-vmheat")
            self.assertIn("no answer from libvirt about domain 'heat' within "
                          "0.5 s", said)
            self.assertTrue(said.startswith(E_TIMEOUT), said)
            self.assertEqual(talk.process.stdin.close(), None)
            talk.process.wait(10)
            code, _, err = self.daemon.cli("status", "-c", self.daemon.uri,
                                           "-t", "0.5", "heat")
            self.assertEqual(code, TIMEOUT, err)
            self.assertLess(time.monotonic() - begin, 5)
        finally:
            os.kill(self.daemon.process.pid, signal.SIGCONT)

    def test_keys_while_stuck(self):
        """top obeys a key while libvirt does not answer."""
        self.start()
        top, terminal = self.daemon.on_terminal(
            environment("VMHEAT_CLI"), "top", "-c", self.daemon.uri, "heat",
            "-d", "0.2", "-t", "60")
        self.addCleanup(os.close, terminal)
        self.assertIn("heat", daemon.read_terminal(terminal, "sampling"))
        os.kill(self.daemon.process.pid, signal.SIGSTOP)
        try:
            # nothing more comes: it waits for libvirt
            while daemon.read_terminal(terminal, "\0", timeout=1):
                pass
            self.assertIsNone(top.poll())
            os.write(terminal, b"q")
            daemon.read_terminal(terminal, "\0", timeout=2)
            self.assertEqual(top.wait(10), 0)
        finally:
            os.kill(self.daemon.process.pid, signal.SIGCONT)

    def test_stuck_for_a_while(self):
        """What timed out is not done later; what comes next is."""
        self.start()
        talk = self.talk(timeout=0.5)
        os.kill(self.daemon.process.pid, signal.SIGSTOP)
        try:
            self.assertIn(E_TIMEOUT, talk("query-vmheat"))
            self.assertIn(E_TIMEOUT, talk("vmheat-pause"))
        finally:
            os.kill(self.daemon.process.pid, signal.SIGCONT)
        self.daemon.wait_until("it answers", lambda: talk(
            "query-vmheat") == "ok")
        self.assertIn("running", self.good("status", "heat"))


class SystemWorks(Works, Case):
    session = False

    def damon(self):
        """A folder that looks like DAMON, and arguments for it."""
        folder = tempfile.mkdtemp(prefix="vmheat-damon-")
        self.addCleanup(shutil.rmtree, folder)
        fake = FakeDamon(os.path.join(folder, "admin"))
        return fake, ["--damon", "--no-idle-page", "--damon-root", fake.root,
                      "--damon-owner", os.path.join(folder, "owner")]

    def test_grant(self):
        """Descriptors go through libvirt, and are of this QEMU."""
        fake, args = self.damon()
        self.define_with("own", device="id=heat0,primitive=damon")
        self.start("own")
        helper = subprocess.Popen(
            [environment("VMHEAT_CLI"), "grant", "-c", self.daemon.uri, "own",
             *args], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(helper.communicate)
        self.addCleanup(helper.kill)
        self.daemon.wait_until("DAMON watches", lambda: fake.watched()
                               or helper.poll() is not None)
        self.assertIsNone(helper.poll())
        self.assertEqual(fake.read(f"{TARGET}/pid_target"), str(self.pid("own")))
        self.assertIn("damon", self.good("grant", "own", "--revoke"))
        out, err = helper.communicate(timeout=60)
        self.assertEqual((helper.returncode, err), (0, ""))
        self.assertIn("Handed over", out)

    def test_grant_wrong(self):
        """A file that is none, and a process that is another one."""
        said = self.bad(QMP, "grant", "heat", "--page-idle", "/dev/null")
        self.assertIn("is not /sys/kernel/mm/page_idle/bitmap", said)
        self.define_with("other")
        self.start("other")
        said = self.bad(HOST, "grant", "heat", "--pid",
                        str(self.pid("other")))
        self.assertIn("is not domain 'heat'", said)
        os.unlink("/run/libvirt/qemu/other.pid")
        said = self.bad(HOST, "grant", "other", "--page-idle", "/dev/null")
        self.assertIn("name it with --pid", said)


class SessionWorks(Works, Case):
    pass


class SystemFails(Fails, Case):
    session = False

    def test_started_again(self):
        """The same domain, another QEMU: which is told in a record."""
        self.start()
        talk = self.talk()
        path = os.path.join(self.daemon.dir, "again.vmheat")
        record = self.daemon.popen(
            environment("VMHEAT_CLI"), "record", "-c", self.daemon.uri,
            "heat", "-q", "-o", path, "--interval", "15s")
        self.addCleanup(record.stdout.close)
        self.addCleanup(record.stdin.close)
        self.addCleanup(record.kill)
        self.daemon.wait_until("it records", lambda: os.path.exists(path)
                               and rf.of_type(rf.read(path), rf.SNAPSHOTS))
        self.replaced()
        self.start()
        self.assertEqual(talk("query-vmheat"), "ok")

        def of_another():
            kinds = [b.type for b in rf.read(path)]
            return (kinds[kinds.index(rf.VM, 1):]
                    if kinds.count(rf.VM) == 2 else [])
        self.daemon.wait_until("it is recorded", lambda: rf.SNAPSHOTS in
                               of_another() or record.poll() is not None)
        record.terminate()
        self.assertEqual(record.wait(20), 0)
        self.assertIn(rf.SNAPSHOTS, of_another())


class SessionFails(Fails, Case):
    pass


if __name__ == "__main__":
    unittest.main(verbosity=2)
