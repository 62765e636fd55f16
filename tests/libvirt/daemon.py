# SPDX-License-Identifier: GPL-2.0-or-later
"""libvirt daemons of a test's own, without systemd, and domains in them.

A test calls enter() first. It then runs as a child of a process that reaps what
libvirtd leaves to it (libvirtd waits for QEMU to be gone), and, as root, in a
mount namespace in which the folders of libvirt are empty and its own: neither
sees the other's libvirt, nor leaves anything behind.
"""

import ctypes
import fcntl
import os
import pty
import select
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import termios
import time

from guest import environment, skip

FOLDERS = ["/etc/libvirt", "/run/libvirt", "/var/lib/libvirt",
           "/var/cache/libvirt", "/var/log/libvirt"]
QEMU_USER = "libvirt-qemu"
INSIDE = "VMHEAT_TEST_LIBVIRT_INSIDE"
PR_SET_CHILD_SUBREAPER = 36
NOBODY = 65534

LIBVIRTD_CONF = """
auth_unix_rw = "none"
auth_unix_ro = "none"
unix_sock_rw_perms = "0770"
log_outputs = "3:stderr"
"""
# seccomp stays as it is by default: on
QEMU_CONF = f"""
user = "{QEMU_USER}"
group = "nogroup"
stdio_handler = "file"
security_driver = "none"
"""


def reap_until_end(child):
    """The exit status of child; what is left then is killed."""
    while True:
        pid, status = os.wait()
        if pid == child:
            break
    with open(f"/proc/self/task/{os.getpid()}/children",
              encoding="ascii") as f:
        for left in f.read().split():
            os.kill(int(left), signal.SIGKILL)
    return os.waitstatus_to_exitcode(status)


def become_private():
    """Folders, users and /dev/kvm of libvirt, for this namespace only."""
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    for folder in FOLDERS:
        os.makedirs(folder, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "none",
                        folder], check=True)
    for path, line in [
            ("/etc/passwd", f"{QEMU_USER}:x:64055:{NOBODY}::/:/bin/false\n"),
            ("/etc/group", f"{QEMU_USER}:x:64055:\n")]:
        with open(path, encoding="utf-8") as f:
            text = f.read()
        if f"\n{QEMU_USER}:" in text:
            continue
        copy = os.path.join("/etc/libvirt", os.path.basename(path))
        with open(copy, "w", encoding="utf-8") as f:
            f.write(text + line)
        subprocess.run(["mount", "--bind", copy, path], check=True)
    if os.path.exists("/dev/kvm"):
        node = "/etc/libvirt/kvm"
        os.mknod(node, 0o666 | stat.S_IFCHR, os.stat("/dev/kvm").st_rdev)
        os.chmod(node, 0o666)
        subprocess.run(["mount", "--bind", node, "/dev/kvm"], check=True)


def enter():
    """See above; returns only inside."""
    for program in ["libvirtd", "virsh", "unshare"]:
        if not (shutil.which(program)
                or os.path.exists("/usr/sbin/" + program)):
            skip(f"{program} is not installed")
    if os.environ.get("VMHEAT_PRELOAD"):
        skip("libvirt's QEMU does not load a sanitizer's runtime")
    if INSIDE in os.environ:
        if os.geteuid() == 0:
            become_private()
        return
    os.environ[INSIDE] = "1"
    command = [sys.executable, *sys.argv]
    if os.geteuid() == 0:
        if subprocess.run(["unshare", "--mount", "true"],
                          check=False).returncode:
            skip("no mount namespace can be made here")
        command = ["unshare", "--mount", *command]
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = os.fork()
    if not child:
        os.execvp(command[0], command)
    status = reap_until_end(child)
    sys.exit(status if status >= 0 else 1)


class Daemon:
    """A libvirtd; uri is what its users give to --connect.

    session: of an unprivileged user, else of the system.
    """

    def __init__(self, session):
        self.session = session
        self.uri = "qemu:///session" if session else "qemu:///system"
        self.dir = tempfile.mkdtemp(prefix="vmheat-libvirt-")
        os.chmod(self.dir, 0o755)
        self.user = NOBODY if session and os.geteuid() == 0 else None
        self.env = dict(os.environ, LIBVIRT_AUTOSTART="0", LC_ALL="C.UTF-8")
        self.env.pop("LIBVIRT_DEFAULT_URI", None)
        self.process = None
        self.log = os.path.join(self.dir, "libvirtd.log")
        self._set_up()
        self.start()

    def _set_up(self):
        config = "/etc/libvirt"
        if self.session:
            for name, folder in [("HOME", ""), ("XDG_RUNTIME_DIR", "run"),
                                 ("XDG_CONFIG_HOME", "config"),
                                 ("XDG_CACHE_HOME", "cache"),
                                 ("XDG_DATA_HOME", "data")]:
                self.env[name] = os.path.join(self.dir, folder)
                os.makedirs(self.env[name], mode=0o700, exist_ok=True)
            config = os.path.join(self.dir, "config", "libvirt")
            os.makedirs(config)
        with open(os.path.join(config, "libvirtd.conf"), "w",
                  encoding="ascii") as f:
            f.write(LIBVIRTD_CONF)
        with open(os.path.join(config, "qemu.conf"), "w",
                  encoding="ascii") as f:
            f.write('stdio_handler = "file"\nsecurity_driver = "none"\n'
                    if self.session else QEMU_CONF)
        if self.user is not None:
            for root, folders, files in os.walk(self.dir):
                for name in folders + files:
                    os.chown(os.path.join(root, name), self.user, self.user)
            os.chown(self.dir, self.user, self.user)

    def _as(self, user):
        return {} if user is None else {
            "user": user, "group": user, "extra_groups": []}

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["/usr/sbin/libvirtd", "--pid-file",
                 os.path.join(self.dir, "libvirtd.pid")],
                env=self.env, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, cwd="/", **self._as(self.user))
        self.wait_until("libvirtd answers", lambda: self.virsh(
            "list", check=False).returncode == 0)

    def stop(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process.poll() is None:
            for name in self.virsh("list", "--name",
                                   check=False).stdout.split():
                self.virsh("destroy", name, check=False)
            self.process.terminate()
            self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def said(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait_until(self, what, check, timeout=60):
        end = time.monotonic() + timeout
        while not (value := check()):
            if time.monotonic() > end or self.process.poll() is not None:
                raise TimeoutError(f"not reached: {what}: {self.said()}")
            time.sleep(0.05)
        return value

    def run(self, *command, user=None, timeout=120):
        return subprocess.run(
            command, env=self.env, text=True, capture_output=True,
            timeout=timeout, check=False, stdin=subprocess.DEVNULL,
            **self._as(self.user if user is None else user))

    def popen(self, *command):
        return subprocess.Popen(
            command, env=self.env, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, **self._as(self.user))

    def on_terminal(self, *command):
        """The process and the other end of its terminal."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 30, 100, 0, 0))
        process = subprocess.Popen(
            command, env=dict(self.env, TERM="xterm"), stdin=slave,
            stdout=slave, stderr=slave, start_new_session=True,
            **self._as(self.user))
        os.close(slave)
        return process, master

    def virsh(self, *words, check=True):
        done = self.run("virsh", "-q", "-c", self.uri, *words)
        if check and done.returncode:
            raise RuntimeError(f"virsh {words}: {done.stderr}\n{self.said()}")
        return done

    def define(self, xml):
        path = os.path.join(self.dir, "domain.xml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(xml)
        os.chmod(path, 0o644)
        self.virsh("define", path)

    def cli(self, *words, user=None, timeout=60):
        """The vmheat command: exit code, stdout, stderr."""
        done = self.run(environment("VMHEAT_CLI"), *words, user=user,
                        timeout=timeout)
        return done.returncode, done.stdout, done.stderr


def read_terminal(master, until, timeout=30):
    """What a program wrote, until it wrote this or closed its terminal."""
    text, end = "", time.monotonic() + timeout
    while until not in text and time.monotonic() < end:
        if not select.select([master], [], [], 0.1)[0]:
            continue
        try:
            text += os.read(master, 65536).decode("utf-8", "replace")
        except OSError:  # closed
            break
    return text


def readable(folder, path):
    """A copy of path that every user can read."""
    copy = os.path.join(folder, os.path.basename(path))
    shutil.copyfile(path, copy)
    os.chmod(copy, 0o755)
    return copy


def can_run_kvm(user):
    """Whether a process of this user can open /dev/kvm."""
    as_user = {} if user is None else {"user": user, "group": NOBODY,
                                       "extra_groups": []}
    return subprocess.run(["sh", "-c", ": <> /dev/kvm"], check=False,
                          stderr=subprocess.DEVNULL, **as_user).returncode == 0
