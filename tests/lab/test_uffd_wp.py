# SPDX-License-Identifier: GPL-2.0-or-later
"""uffd-wp: write protection of the host's page table, told by PAGEMAP_SCAN."""

import lab

KERNELS = ("cloud",)


class UffdWp(lab.SeesWrites, lab.Primitive):
    primitive = "uffd-wp"
