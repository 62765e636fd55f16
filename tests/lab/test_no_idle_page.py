# SPDX-License-Identifier: GPL-2.0-or-later
"""idle-page is refused, and says why, where the kernel has no page_idle."""

import lab

KERNELS = ("cloud",)


class NoIdlePage(lab.Primitive):
    primitive = "idle-page"

    def test_refused(self):
        why = self.refusal()
        self.note(why)
        self.assertIn("CONFIG_IDLE_PAGE_TRACKING", why)
