# SPDX-License-Identifier: GPL-2.0-or-later
"""The oracle (tests/oracle) counts what the payload guest says it did."""

import os
import sys
import unittest

from guest import built_in, environment, fails_to_start
from payload_guest import MB, PayloadGuest, Range

sys.path.insert(0, environment("VMHEAT_ORACLE_PY"))
from oracle_file import L, Oracle, OracleError  # noqa: E402

SIZE = 64 * MB
PAGE = 4096
# The payload's image, stack, page tables and parameter page.
OWN = range(256, 512)
# Of writes: "add to memory" loads and stores.
HOT = Range(24 * MB, 2 * MB, write_percent=50)
SLOW = Range(40 * MB, 1 * MB, rate=20_000, write_percent=0)


def plugin():
    return environment("VMHEAT_ORACLE")


def setUpModule():
    """The oracle was built for the QEMU of the plugin; is this another one?"""
    if built_in() and "plugin requires API version" in fails_to_start(
            machine="microvm", device=None, args=["-plugin", plugin()]):
        raise unittest.SkipTest("the oracle was built for another QEMU")


def pages(r):
    return range(r.start // PAGE, r.end // PAGE)


class Counts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.oracle = cls.enterClassContext(Oracle(SIZE))
        cls.guest = cls.enterClassContext(PayloadGuest(
            size=SIZE, machine="microvm", device="id=heat0",
            args=cls.oracle.args(plugin())))

    def run_once(self, ranges, passes):
        """(the payload's record, loads and stores, executions)"""
        payload, before = self.guest.payload, self.oracle.copy()
        payload.start(ranges)
        self.guest.qmp.wait_until(
            "passes", lambda: all(r.passes >= passes
                                  for r in payload.record().ranges))
        payload.stop()
        after = self.oracle.copy()
        return (payload.record().ranges, self.oracle.data(before, after),
                self.oracle.code(before, after))

    def test_every_touch_is_counted_once(self):
        records, data, _ = self.run_once([HOT, SLOW], 5)
        for r in records:
            self.assertGreater(r.touches, 0)
            self.assertEqual(sum(data[p] for p in pages(r.range)),
                             r.reads + 2 * r.writes)

    def test_each_page_has_its_share(self):
        (record,), data, _ = self.run_once([SLOW], 5)
        for p in pages(SLOW):
            self.assertIn(data[p], (record.passes, record.passes + 1))

    def test_nothing_else_is_counted(self):
        _, data, code = self.run_once([SLOW], 2)
        touched = {p for p, n in enumerate(data) if n}
        self.assertLessEqual(touched - set(pages(SLOW)), set(OWN))
        ran = {p for p, n in enumerate(code) if n}
        self.assertTrue(ran)
        self.assertLessEqual(ran, set(OWN))

    def test_at_rest_ranges_are_left_alone(self):
        before = self.oracle.copy()
        self.guest.qmp("query-status")
        data = self.oracle.data(before, self.oracle.copy())
        self.assertFalse(any(data[512:]))

    def test_file_is_as_described(self):
        self.oracle.check()
        with open(self.oracle.path, "rb") as f:
            raw = f.read(L["HEADER_SIZE"])
        self.assertEqual(raw[:8], b"VHORACL1")
        self.assertFalse(any(raw[L["OFF_OTHER"] + 8:]))
        self.assertEqual(os.path.getsize(self.oracle.path),
                         L["HEADER_SIZE"] + SIZE // PAGE * 16)


class Refusals(unittest.TestCase):
    def refused(self, args, *words):
        said = fails_to_start(machine="microvm", size=SIZE, device=None,
                              args=["-plugin", plugin() + args])
        for word in words:
            self.assertIn(word, said)

    def test_arguments(self):
        for size in ("0", "5", "x", "-4096", "0x80001000"):
            self.refused(f",counts=/dev/null,size={size}",
                         f"oracle: size={size} must be bytes, a multiple of "
                         "4096, at most 2147483648")
        self.refused(",size=4096", "counts=FILE and size=BYTES are needed")
        self.refused(",counts=/dev/null", "are needed")
        self.refused(",wrong=1", "oracle: unknown argument 'wrong=1'")

    def test_file_that_cannot_be_made(self):
        self.refused(",counts=/nowhere/x,size=4096",
                     "oracle: can't make counts=/nowhere/x")

    def test_reader_refuses_other_files(self):
        with Oracle(SIZE) as oracle:
            with self.assertRaisesRegex(OracleError, "did not begin"):
                oracle.copy()
        with self.assertRaisesRegex(OracleError, "at most 2147483648"):
            Oracle(4 << 30)


if __name__ == "__main__":
    unittest.main()
