# SPDX-License-Identifier: GPL-2.0-or-later
"""idle-page does not begin, and says why, where the kernel has no page_idle."""

import lab

KERNELS = ("cloud",)


class NoIdlePage(lab.Primitive):
    primitive = "idle-page"

    def test_waits(self):
        with self.guest() as g:
            g.qmp("device_add", driver="vmheat", id="heat0",
                  primitive="idle-page")
            g.qmp.wait_until("it waits for its grant", lambda: g.qmp(
                "query-vmheat")["state"] == "failed", step=0.2)
            why = g.qmp("query-vmheat")["reason"]
        self.note(why)
        self.assertIn("CONFIG_IDLE_PAGE_TRACKING", why)
