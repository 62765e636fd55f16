# SPDX-License-Identifier: GPL-2.0-or-later
"""trap: pages taken out of the host's page table, and so out of the NPT."""

import lab

KERNELS = ("cloud",)


class Trap(lab.SeesAll, lab.Primitive):
    primitive = "trap"
