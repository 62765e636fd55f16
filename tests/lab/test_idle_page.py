# SPDX-License-Identifier: GPL-2.0-or-later
"""idle-page: accessed bits of the NPT through /sys/kernel/mm/page_idle."""

import lab

KERNELS = ("idle",)


class IdlePage(lab.SeesAll, lab.Granted, lab.Primitive):
    """As `vmheat grant` hands the files over."""

    primitive = "idle-page"


class OwnFiles(lab.Primitive):
    """A QEMU that runs as root opens them itself."""

    primitive = "idle-page"
    properties = {"page-idle-bitmap": "/sys/kernel/mm/page_idle/bitmap",
                  "pagemap": "/proc/self/pagemap"}

    def test_own_files(self):
        self.check_follows(25)
