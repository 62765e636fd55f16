# SPDX-License-Identifier: GPL-2.0-or-later
"""idle-page: accessed bits of the NPT through /sys/kernel/mm/page_idle."""

import lab

KERNELS = ("idle",)


class IdlePage(lab.SeesAll, lab.Primitive):
    primitive = "idle-page"
    properties = {"page-idle-bitmap": "/sys/kernel/mm/page_idle/bitmap",
                  "pagemap": "/proc/self/pagemap"}
