# SPDX-License-Identifier: GPL-2.0-or-later
"""damon: the host kernel's DAMON reads the accessed bits of the NPT."""

import lab

KERNELS = ("cloud",)
KDAMONDS = "/sys/kernel/mm/damon/admin/kdamonds/nr_kdamonds"


class Damon(lab.SeesAll, lab.Granted, lab.Primitive):
    primitive = "damon"
    # the default of 10 % is far too little for an emulated CPU
    grant = ("--damon", "--damon-cpu", "100")

    def tearDown(self):
        """Whatever happened, DAMON was given back."""
        if self.helper:
            self.helper.wait(60)
        self.assertEqual(lab.read(KDAMONDS), "0")

    def test_helper_killed(self):
        """The next helper cleans up after it, and monitoring goes on."""
        hot = lab.one_hot_range(lab.SIZE)
        with self.guest() as g:
            g.payload.start([hot])
            self.monitor(g)
            self.helper.kill()
            self.helper.wait()
            g.qmp.wait_until("QEMU notices", lambda: g.qmp(
                "query-vmheat")["state"] == "failed", step=0.2)
            self.assertEqual(lab.read(KDAMONDS), "1")
            self.prepare(g)
            self.becomes_right(g)
            self.assertTrue(g.intact(), "guest memory was changed")
