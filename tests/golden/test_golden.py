#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the verbs print, compared with files.

usage: test_golden.py [--update]    VMHEAT_CLI names the binary,
                                    VMHEAT_MAKE_RECORD the one for records
"""

import copy
import difflib
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import cli_verbs
from fake_qmp import HERE, FakeQMP, error, load

EXPECTED = os.path.join(HERE, "expected")
CLI = os.path.abspath(os.environ.get("VMHEAT_CLI", "build/vmheat"))
MAKE_RECORD = os.environ.get("VMHEAT_MAKE_RECORD", os.path.join(
    os.path.dirname(CLI), "tests", "golden", "make-record"))


def suspended():
    info = load("info")
    del info["id"]
    info.update({"state": "suspended", "reason": "migration in progress",
                 "snapshot": 0, "working-set-size": 0})
    info["stats"]["throttled"] = False
    info["attrs"]["traps-per-second"] = 250
    return info


def calm():
    """Not throttled; bounds by more than ranges."""
    info = load("info")
    info["stats"]["throttled"] = False
    info["attrs"].update({"sampling-interval": 100000, "traps-per-second": 250,
                          "aggregation-interval": 1200000000,
                          "update-interval": 3600000000})
    return info


def writes():
    """A second primitive tells writes apart."""
    info, regions = load("info"), load("regions")
    info["write-primitive"] = "dirty-log"
    info["primitives"][2].update({"chosen-for-writes": True})
    info["stats"].update({"write-detail": "KVM dirty bitmap, manual clear",
                          "main-time": 87654321})
    for i, r in enumerate(regions["regions"]):
        r["nr-writes"] = r["nr-accesses"] // (i % 3 + 1)
    return {"info": info, "regions": regions}


def rates(write_rates=False):
    """An estimator that tells rates and idle times."""
    info, regions = load("info"), load("regions-rates")
    info["estimator"] = "exposure"
    for i, r in enumerate(regions["regions"] if write_rates else []):
        r["nr-writes"] = r["nr-accesses"] // (i % 3 + 1)
        r["write-rate"] = r["rate"] / 2 ** (i % 3 + 1)
    return {"info": info, "regions": regions}


def nodes():
    """A guest with NUMA nodes, one range of which it is not known of."""
    info = load("info")
    for i, r in enumerate(info["ranges"][1:]):
        r["node"] = i // 2
    return {"info": info}


def labels():
    """Memory devices, reserved memory, and a target."""
    info = load("info")
    info["ranges"][1].update({"backend": "mem1", "device": "nv0", "node": 1})
    info["ranges"][2].update({"reserved": "no-map", "monitored": False})
    at = info["ranges"][2]
    info["reserved"] = [
        {"start": at["start"], "size": at["size"], "kind": "no-map",
         "name": "secure@85000000"},
        {"start": 0xfffc0000, "size": 0x40000, "kind": "firmware",
         "name": "pc.bios\x1b[2J"},
        {"start": 0xfd00000000, "size": 0x300000000, "kind": "e820"}]
    info["target"] = {"node": 1, "backend": "mem1", "device": "nv0"}
    return {"info": info}


def balloon(target=1 << 30):
    return {"memory": {**load("memory"), "measured-ms": 83456,
                       "balloon-actual": 3 << 29, "balloon-target": target}}


def unmeasured():
    return {"memory": {"size": 1 << 30, "measurements": 0}}


def older():
    """A vmheat that does not know the command."""
    return {"replies": {"query-vmheat-memory": lambda a: error(
        "CommandNotFound",
        "The command query-vmheat-memory has not been found")}}


def part_of_memory():
    """Neither swap nor huge pages can be told."""
    memory = load("memory")
    del memory["swapped"], memory["huge"]
    return {"memory": memory}


def no_writes():
    return {"info": {**load("info"), "write-reason": "a vhost device is in use"}}


def hostile():
    """Strings that would take over a terminal."""
    info = load("info")
    info.update({"id": "a\x1b[2Jb\u009b31m", "estimator": "\u202eevil\n"})
    return info


def hostile_schemes():
    """Members that no vmheat sends, and strings for a terminal."""
    one = load("schemes")[0]
    one["scheme"].update({
        "name": "a\x1b[2J", "action": "\u202epageout", "filters": 3,
        "pattern": {"size": {"min": "x"}, "nr-accesses": [], "age-time": 7},
        "quota": {"goals": [1, {"metric": 3}, {"metric": "x"}]}})
    one.update({"reason": "a\nb", "goal-values": ["x"]})
    return [one]


def no_snapshot():
    return {**load("regions"), "sequence": 0, "nr-regions": 0, "regions": [],
            "max-nr-accesses": 0, "total-size": 0, "working-set-size": 0}


def many():
    """1000 regions, every 50th warm."""
    regions = copy.deepcopy(load("regions"))
    regions["regions"] = [
        {"start": i << 21, "end": (i + 1) << 21, "age": i,
         "nr-accesses": i // 50 if i % 50 == 0 else 0} for i in range(1000)]
    regions.update({"nr-regions": 1000, "total-size": 1000 << 21})
    return regions


def host(**programs):
    """Programs that try the host: name with _ for - -> script."""
    return {"programs": {k.replace("_", "-"): v for k, v in programs.items()}}


UTF8 = {"LC_ALL": "C.UTF-8"}
ALONE = {"VMHEAT_SOCKET": ""}
TUNE = ["tune", "--sampling-interval", "2.5ms"]
APPLY = ["schemes", "--apply", "reclaim"]
DOCTOR = ["doctor", "--programs", "p"]
SKIPS = host(
    kvm_zap="echo 'skipped: no /dev/kvm'; echo 'fix: modprobe kvm'; exit 77",
    swapped_absent="echo 'skipped: no swap'; exit 77",
    idle_bitmap="echo 'skipped: cannot open x'; echo 'fix: run as root'; "
                "echo 'needs: privilege'; exit 77",
    damon_sysfs="echo 'skipped: no DAMON'; echo 'fix: Linux 5.18'; exit 77")
# name -> (arguments, environment, what the server says)
CASES = {
    "help": (["--help"], {}, {}),
    "status": (["status"], {}, {}),
    "status-40": (["status"], {"COLUMNS": "40"}, {}),
    "status-20": (["status"], {"COLUMNS": "20"}, {}),
    "status-utf8": (["status"], UTF8, {}),
    "status-color": (["status", "--color"], UTF8, {}),
    "status-json": (["status", "--json"], {}, {}),
    "status-suspended": (["status"], {}, {"info": suspended()}),
    "status-hostile": (["status"], UTF8, {"info": hostile()}),
    "status-writes": (["status"], {}, writes()),
    "status-no-writes": (["status"], {}, no_writes()),
    "status-nodes": (["status"], {}, nodes()),
    "status-labels": (["status"], {}, labels()),
    "status-balloon": (["status", "-t", "0.1"], {}, balloon()),
    "status-balloon-still": (["status", "-t", "0.1"], {}, balloon(3 << 29)),
    "status-unmeasured": (["status", "-t", "0.1"], {}, unmeasured()),
    "status-older": (["status"], {}, older()),
    "status-older-json": (["status", "--json"], {}, older()),
    "status-part-of-memory": (["status"], {}, part_of_memory()),
    "snapshot-writes": (["snapshot"], {}, writes()),
    "snapshot-rates": (["snapshot"], {}, rates()),
    "snapshot-rates-100": (["snapshot"], {"COLUMNS": "100"}, rates()),
    "snapshot-rates-40": (["snapshot"], {"COLUMNS": "40"}, rates()),
    "snapshot-rates-20": (["snapshot"], {"COLUMNS": "20"}, rates()),
    "snapshot-rates-writes": (["snapshot"], {}, rates(True)),
    "snapshot-rates-writes-120": (["snapshot"], {"COLUMNS": "120"},
                                  rates(True)),
    "snapshot-rates-color": (["snapshot", "--color"], {}, rates()),
    "snapshot-rates-json": (["snapshot", "--json", "--limit", "3"], {},
                            rates(True)),
    "snapshot-rates-rate": (["snapshot", "--sort", "rate"], {}, rates()),
    "snapshot-rates-idle": (["snapshot", "--sort", "idle"], {}, rates()),
    "snapshot": (["snapshot"], {}, {}),
    "snapshot-rate": (["snapshot", "--sort", "rate"], {}, {}),
    "snapshot-idle": (["snapshot", "--sort", "idle"], {}, {}),
    "snapshot-40": (["snapshot"], {"COLUMNS": "40"}, {}),
    "snapshot-20": (["snapshot"], {"COLUMNS": "20"}, {}),
    "snapshot-heat": (["snapshot", "--sort", "heat"], {}, {}),
    "snapshot-heat-limit": (["snapshot", "--sort=heat", "--limit=3"], {}, {}),
    "snapshot-size": (["snapshot", "--sort", "size"], {}, {}),
    "snapshot-age": (["snapshot", "--sort", "age"], {}, {}),
    "snapshot-limit": (["snapshot", "--limit", "3"], {}, {}),
    "snapshot-range": (["snapshot", "--start", "4G", "--end=0x160000000"],
                       {}, {}),
    "snapshot-hot": (["snapshot", "--min-nr-accesses", "10"], {}, {}),
    "snapshot-nothing": (["snapshot", "--start", "1T"], {}, {}),
    "snapshot-none": (["snapshot"], {}, {"regions": no_snapshot()}),
    "snapshot-color": (["snapshot", "--color"], {}, {}),
    "snapshot-json": (["snapshot", "--json", "--limit", "2"], {}, {}),
    "top": (["top", "--once"], {}, {}),
    "top-rates": (["top", "--once"], {}, rates()),
    "top-rates-40x15": (["top", "--once"], {"COLUMNS": "40", "LINES": "15"},
                        rates(True)),
    "top-rates-120x50": (["top", "--once"], {"COLUMNS": "120", "LINES": "50"},
                         rates(True)),
    "top-rates-json": (["top", "--once", "--json"], {}, rates()),
    "top-utf8": (["top", "--once"], UTF8, {}),
    "top-color": (["top", "--once", "--color"], UTF8, {}),
    "top-120x50": (["top", "-n", "1"], {"COLUMNS": "120", "LINES": "50"},
                   {"regions": many()}),
    "top-40x15": (["top", "--once"], {"COLUMNS": "40", "LINES": "15"}, {}),
    "top-20": (["top", "--once"], {"COLUMNS": "20"}, {}),
    "top-1": (["top", "--once"], {"COLUMNS": "1", "LINES": "1"}, {}),
    "top-suspended": (["top", "--once"], {}, {"info": suspended()}),
    "top-none": (["top", "--once"], {}, {"regions": no_snapshot()}),
    "top-json": (["top", "--once", "--json"], {}, {}),
    "pause": (["pause"], {}, {}),
    "resume-json": (["resume", "--json"], {}, {}),
    "tune": (["tune"], {}, {}),
    "tune-40": (["tune"], {"COLUMNS": "40"}, {}),
    "tune-20": (["tune"], {"COLUMNS": "20"}, {}),
    "tune-color": (["tune", "--color"], UTF8, {}),
    "tune-json": (["tune", "--json"], {}, {}),
    "tune-calm": (["tune"], {}, {"info": calm()}),
    "tune-set": ([*TUNE, "--overhead-budget", "2.5%", "--max-regions", "500"],
                 {}, {}),
    # hundredths of a percent, and told as what they are
    "tune-set-number": (["tune", "--overhead-budget", "2"], {}, {}),
    "tune-set-40": ([*TUNE, "--minr", "11"], {"COLUMNS": "40"}, {}),
    "tune-set-utf8": ([*TUNE, "--traps-per-second=0"], UTF8, {}),
    "tune-set-json": ([*TUNE, "--json", "--aggr", "200000",
                       "--updr=2s"], {}, {}),
    "schemes": (["schemes"], {}, {}),
    "schemes-40": (["schemes"], {"COLUMNS": "40"}, {}),
    "schemes-20": (["schemes"], {"COLUMNS": "20"}, {}),
    "schemes-100": (["schemes"], {"COLUMNS": "100"}, {}),
    "schemes-color": (["schemes", "--color"], UTF8, {}),
    "schemes-json": (["schemes", "--json"], {}, {}),
    "schemes-none": (["schemes"], {}, {"schemes": []}),
    "schemes-hostile": (["schemes"], UTF8, {"schemes": hostile_schemes()}),
    "schemes-tried": (["schemes", "--tried"], {}, {}),
    "schemes-tried-40": (["schemes", "--tried"], {"COLUMNS": "40"}, {}),
    "schemes-actions": (["schemes", "--actions"], {}, {}),
    "schemes-actions-40": (["schemes", "--actions"], {"COLUMNS": "40"}, {}),
    "schemes-actions-color": (["schemes", "--actions", "--color"], {}, {}),
    "schemes-actions-json": (["schemes", "--actions", "--json"], {}, {}),
    "schemes-export-json": (["schemes", "--export"], {}, {}),
    "schemes-clear": (["schemes", "--clear"], {}, {}),
    "schemes-apply": ([*APPLY, "--min-age", "2m", "--save", "40%"], {},
                      {"schemes": []}),
    "schemes-apply-40": ([*APPLY, "--min-age", "2m"], {"COLUMNS": "40"}, {}),
    "schemes-apply-json": ([*APPLY, "--json"], {}, {"schemes": []}),
    "schemes-add": ([*APPLY, "--quota", "1G", "--apply", "ethp", "--add"], {},
                    {}),
    "schemes-dry-run-json": (
        [*APPLY, "--dry-run", "--save", "12.5%", "--ram", "8G", "--apply",
         "tiering", "--hot-node=0:2,1", "--range", "4G-6G"], ALONE, {}),
    "doctor": (DOCTOR, ALONE, host()),
    "doctor-qemu": (DOCTOR, {}, host()),
    "doctor-cannot": (DOCTOR, ALONE, SKIPS),
    "doctor-cannot-40": (DOCTOR, {**ALONE, "COLUMNS": "40"}, SKIPS),
    "doctor-cannot-20": (DOCTOR, {**ALONE, "COLUMNS": "20"}, SKIPS),
    "doctor-cannot-color": ([*DOCTOR, "--color"], ALONE, SKIPS),
    "doctor-cannot-json": ([*DOCTOR, "--json"], {}, SKIPS),
    "doctor-differs": (DOCTOR, ALONE, host(
        zap_keeps_data="echo 'byte 3 is 0, not 94' >&2; exit 1",
        kvm_zap="echo ignored; echo 'the guest reads 0' >&2; exit 1")),
    "doctor-crashes": (DOCTOR, ALONE, host(
        huge_flag="echo half a", kvm_dirty_ring="kill -SEGV $$",
        pagemap_scan="echo 'cannot\033[2J load' >&2; exit 127")),
    "doctor-hangs": ([*DOCTOR, "-t", "2"], ALONE, host(
        uffd_wp_async="sleep 600 & sleep 600")),
    "doctor-nothing": (DOCTOR, ALONE, {"exit": 1, **host(
        default="echo 'all is different' >&2; exit 1")}),
}


for verb in cli_verbs.verbs(CLI):
    CASES["help-" + verb.replace(" ", "-")] = (
        [*verb.split(), "--help"], {}, {})


def make_programs(folder, scripts):
    """A script for each program that doctor knows."""
    os.mkdir(folder)
    # the folder is empty: all are told as broken
    known = subprocess.run(
        [os.path.abspath(CLI), "doctor", "--json", "--programs", folder],
        env={**os.environ, **ALONE}, capture_output=True, timeout=60,
        check=False)
    names = [c["program"] for c in json.loads(known.stdout)["checks"]]
    assert not set(scripts) - {*names, "default"}, scripts
    for name in names:
        script = scripts.get(name, scripts.get("default", f"echo {name} is so"))
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\n" + script + "\n")
        os.chmod(path, 0o755)


def make_record(folder, arguments):
    """vmheat.data, which reports read."""
    path = os.path.join(folder, "vmheat.data")
    subprocess.run([os.path.abspath(MAKE_RECORD), path, *map(str, arguments)],
                   timeout=60, check=True)
    return path


def run(name):
    arguments, env, says = CASES[name]
    says = dict(says)
    programs, code = says.pop("programs", None), says.pop("exit", 0)
    record = says.pop("record", None)
    clean = {k: v for k, v in os.environ.items()
             if k not in ("COLUMNS", "LINES", "NO_COLOR", "VMHEAT_SOCKET")}
    with FakeQMP(**says) as server:
        os.symlink(server.path, os.path.join(server.dir, "s"))
        folder = os.path.join(server.dir, "p")
        if programs is not None:
            make_programs(folder, programs)
        if record:
            record = make_record(server.dir, record)
        done = subprocess.run(
            [os.path.abspath(CLI), *arguments], cwd=server.dir,
            env={**clean, "LC_ALL": "C", "TERM": "xterm-256color",
                 "TZ": "UTC", "VMHEAT_SOCKET": "s", **env},
            capture_output=True, timeout=60, check=False)
        os.unlink(os.path.join(server.dir, "s"))
        if record:
            os.unlink(record)
        if programs is not None:
            shutil.rmtree(folder)
    if done.returncode != code or done.stderr:
        return None, f"exit {done.returncode}, stderr: {done.stderr.decode()}"
    return done.stdout.decode(), None


def problems_of(name, text):
    """What is wrong whatever the file says."""
    _, env, _ = CASES[name]
    width = int(env.get("COLUMNS", "80"))
    if "json" in name:
        for line in text.splitlines() if "lines" in name else [text]:
            json.loads(line)
    elif not {"color", "raw"} & {*name.split("-")}:
        wide = [s for s in text.splitlines() if len(s) > width]
        if wide:
            return f"wider than {width}: {wide[0]!r}"
        if "\x1b" in text:
            return "has an escape sequence"
    if env.get("LC_ALL", "C") == "C" and "json" not in name and \
            not text.isascii():
        return "is not ASCII"
    return None


def compare(name, text):
    path = os.path.join(EXPECTED, name + ".txt")
    want = ""
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            want = f.read()
    return "".join(difflib.unified_diff(
        want.splitlines(True), text.splitlines(True),
        f"expected/{name}.txt", "now"))


def main():
    update = sys.argv[1:] == ["--update"]
    if sys.argv[1:] and not update:
        sys.exit(__doc__)
    failed = 0
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(run, CASES))
    for name, (text, problem) in zip(CASES, results):
        problem = problem or problems_of(name, text)
        if not problem and update:
            with open(os.path.join(EXPECTED, name + ".txt"), "w",
                      encoding="utf-8") as f:
                f.write(text)
        elif not problem:
            problem = compare(name, text)
        if problem:
            failed += 1
            print(f"FAIL {name}: {problem}")
    stray = set(os.listdir(EXPECTED)) - {n + ".txt" for n in CASES}
    if stray:
        failed += 1
        print(f"FAIL: no test uses {sorted(stray)} in expected/")
    print(f"{len(CASES)} outputs, {failed} failures")
    if failed and not update:
        print("If the new output is right:\n"
              f"  VMHEAT_CLI={CLI} {sys.argv[0]} --update")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
